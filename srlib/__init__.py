"""srlib."""
