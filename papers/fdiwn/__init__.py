"""FDIWN: what the paper claims."""
