"""The site: pages written from executed notebooks, tracked results and docstrings."""
