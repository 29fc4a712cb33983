"""Metrics of judgments: numbers that say what they rest on, with intervals, and None where they are undefined."""

from evals.metrics.comparison import Comparison, Contrast, compare
from evals.metrics.estimate import Estimate, Method
from evals.metrics.flips import Flips
from evals.metrics.mcnemar import McNemar, holm, mcnemar
from evals.metrics.portion import Portion
from evals.metrics.repeats import RepeatSummary
from evals.metrics.run_summary import Robustness, RunSummary, summarise_run
from evals.metrics.scores import Scores
from evals.metrics.summary import Summary, summarise
from evals.metrics.view import ViewName

__all__ = [
    "Comparison",
    "Contrast",
    "Estimate",
    "Flips",
    "McNemar",
    "Method",
    "Portion",
    "RepeatSummary",
    "Robustness",
    "RunSummary",
    "Scores",
    "Summary",
    "ViewName",
    "compare",
    "holm",
    "mcnemar",
    "summarise",
    "summarise_run",
]
