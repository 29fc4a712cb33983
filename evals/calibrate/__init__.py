"""Fitting how much each paradigm's word weighs, and saying how well that holds on cases that were not fitted on."""
