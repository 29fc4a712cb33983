"""Data sets: which pictures there are, what is said of them, and what else about them gives that away."""
