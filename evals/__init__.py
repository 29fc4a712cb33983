"""Experiments over data sets: what works, how well, at what cost, with what certainty."""
