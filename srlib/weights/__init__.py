"""Weights: the trainer's own and the authors'."""
