"""One way of looking: labels, answers, reports, prompts and the signals measured beside them."""

from paradigms.label import Cause, Label, Outcome
from paradigms.reading import Reading, read_answer

__all__ = ["Cause", "Label", "Outcome", "Reading", "read_answer"]
