"""Scores of others, such as a trained detector's: a number for each picture, out of a file or over HTTP."""
