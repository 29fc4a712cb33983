"""What each paradigm contributes, from stored votes and without a new call."""
