"""One score of one case, as a report."""

from __future__ import annotations

from paradigms.label import Cause, Label, Outcome
from paradigms.report import Report
from paradigms.scores.scorer import Scored, Scorer

QUESTION = "What score does it give the picture?"
NO_VOTE = "a score; it joins the fitted fusions and does not vote"


class Scoring:
    """Asks a scorer for one picture's score. Like an examination, it can say at any time how far it came."""

    def __init__(self, name: str, scorer: Scorer, picture: Scored) -> None:
        self._name = name
        self._scorer = scorer
        self._picture = picture

    async def run(self) -> Report:
        """Ask for the score.

        Raises:
            BackendError: there is none.
        """
        value = await self._scorer.score(self._picture)
        if value is None:
            return self.report(Outcome.SKIPPED, cause=Cause.LACKING, reason="there is no score for this picture")
        return self.report(Outcome.ANSWERED, score=value, reason=NO_VOTE)

    def report(
        self,
        outcome: Outcome,
        *,
        reason: str | None = None,
        cause: Cause | None = None,
        score: float | None = None,
        bug: bool = False,
    ) -> Report:
        """The report with this outcome."""
        return Report(
            paradigm=self._name,
            title=self._name.replace("_", " ").capitalize(),
            question=QUESTION,
            kind="score",
            outcome=outcome,
            reason=reason,
            cause=cause,
            bug=bug,
            label=None if score is None else Label.UNDECIDED,
            score=score,
            text="" if score is None else f"Its score is {score:.4g}, on its own scale; higher means generated.",
            prompt_version="score",
        )
