"""The papers' claims, a module a paper: ``papers.ledger.ledger()`` judges them all.

To add one, write a function without arguments that returns a ``Finding``, under ``@claim``, with
the evidence helpers of ``papers.claims``. Say in your own words what the paper says, take every
number of ``because`` from the evidence, and judge by the rule that ``papers.claims`` has for the
kind of claim. ``tests/test_claims.py`` covers it without another line.
"""
