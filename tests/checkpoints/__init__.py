"""Tiny checkpoints of real architectures, built in a tenth of a second with random weights, and one that is taught."""
