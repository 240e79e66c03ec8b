"""Run, score and count a network."""
