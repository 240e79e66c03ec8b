"""RFDN: what the paper claims."""
