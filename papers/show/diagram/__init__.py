"""Block diagrams drawn from the module itself."""
