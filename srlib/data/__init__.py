"""From a set's source to a batch of patches."""
