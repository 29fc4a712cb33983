"""What is left of a run's budget, and how it is written down before it is spent."""

from __future__ import annotations

from backends.layers.budget import Amount, Budget
from evals.experiment import RunBudget
from evals.journal import Journal


class JournaledBudget(Budget):
    """The rest of a run's budget. What is set aside is in the journal before the attempt goes out.

    So a killed session has spent at most what its journal says, and all sessions together keep to the limits. Without
    limits nothing more than the entries is written.

    Args:
        limits: of the whole run.
        journal: of the run; it says what earlier sessions spent.
    """

    def __init__(self, limits: RunBudget, journal: Journal) -> None:
        before = journal.spent_before
        self._set_aside = Amount()
        self._journal = journal
        super().__init__(
            calls=None if limits.calls is None else max(0, limits.calls - before.calls),
            tokens=None if limits.tokens is None else max(0, limits.tokens - before.tokens),
            cost=None if limits.cost is None else max(0.0, limits.cost - before.cost),
            name="experiment",
        )

    @property
    def limited(self) -> bool:
        """Whether anything is limited."""
        return any(limit is not None for limit in (self.calls, self.tokens, self.cost))

    @property
    def committed(self) -> Amount:
        """What is spent, and what is set aside for attempts that are under way."""
        return self.spent + self.reserved

    @property
    def reserved(self) -> Amount:
        """What is set aside; more is written down first."""
        return self._set_aside

    @reserved.setter
    def reserved(self, amount: Amount) -> None:
        before = self._set_aside
        more = amount.calls > before.calls or amount.tokens > before.tokens or amount.cost > before.cost
        self._set_aside = amount
        if more and self.limited:
            self._journal.note_spent(self.committed)
