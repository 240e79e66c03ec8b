"""AIDN: what the paper claims."""
