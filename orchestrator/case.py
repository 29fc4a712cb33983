"""One image under judgment while it goes through the graph: what must not be in the graph's state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from langgraph.errors import GraphBubbleUp

from backends.backend import Backend
from backends.errors import BudgetError, SixlensError
from backends.images.image import Image
from backends.layers.budget import Budget
from backends.request import Picture
from backends.stack import Resources
from fusion.calibration import Calibration
from orchestrator.deadline import Deadline, Part
from orchestrator.ensemble import Ensemble
from orchestrator.lease import Lease
from orchestrator.ledger import Ledger
from paradigms.examination import Examination
from paradigms.exemplars import Exemplar
from paradigms.label import Cause, Outcome
from paradigms.paradigm import Paradigm
from paradigms.render import Renderer
from paradigms.report import Report
from paradigms.scores.scorer import Scored, Scorer
from paradigms.scores.scoring import Scoring
from paradigms.view import Means, View

if TYPE_CHECKING:
    from orchestrator.case_span import CaseSpan

log = logging.getLogger("sixlens")
Result = TypeVar("Result")
ShownExemplar = tuple[Exemplar, Picture | None]
"""An exemplar with its delivered picture, if it has one."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What all cases of a Judge share."""

    ensemble: Ensemble
    config_sha256: str
    paradigms: Mapping[str, Paradigm]
    panel: Paradigm
    renderer: Renderer
    backends: Mapping[str, Backend]
    """By spec, each with its layers."""
    providers: Mapping[str, Backend]
    """By spec, as they were opened, fallbacks included."""
    resources: Resources
    exemplars: tuple[ShownExemplar, ...]
    executor: Executor
    trace: bool = False
    calibration: Calibration | None = None
    """Of a fitted fusion."""
    scorers: Mapping[str, Scorer] = field(default_factory=dict)
    """By the name of the member of `kind: score`."""

    def backend_of(self, paradigm: str) -> Backend | None:
        """The backend that a paradigm asks, with its layers."""
        spec = self.ensemble.backend_of(paradigm)
        return None if spec is None else self.backends[spec]


@dataclass(slots=True)
class Case:
    """One image under judgment. Holds the bytes, so that the graph's state need not."""

    kit: Kit
    image: Image
    deadline: Deadline
    ledger: Ledger
    budget: Budget
    """The case's own, a child of the run's."""
    order: int
    """Its place among the cases of its Judge; calls of older cases go first."""
    lease: Lease
    """Its place among the pictures that are decoded."""
    delivered: Picture | None = None
    views: dict[str, View] = field(default_factory=dict)
    """By paradigm; filled by `prepare`."""
    known_as: str | None = None
    """Its name in a data set, if it has one there."""
    span: CaseSpan | None = None
    """None for no traces."""

    def let_go(self) -> None:
        """Release the decoded pixels, and let the next picture be decoded."""
        self.image.release()
        self.lease.give_back()

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run CPU-bound work beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.kit.executor, work)

    def means(self, backend: Backend | None) -> Means:
        """With what a paradigm examines this case."""
        ensemble = self.kit.ensemble
        return Means(
            backend=backend,
            renderer=self.kit.renderer,
            limits=ensemble.tokens,
            temperature=ensemble.sampling.temperature,
            seed=ensemble.sampling.seed,
            samples=ensemble.sampling.samples,
            trace=self.kit.trace,
            observer=self.ledger,
            budget=self.budget,
            order=self.order,
        )

    async def examine(self, name: str) -> Report:
        """One member's report; whatever happens to it stays its own."""
        if name in self.kit.scorers:
            return await self.attend(name, self.scoring(name))
        means = self.means(self.kit.backend_of(name))
        return await self.attend(name, Examination(self.kit.paradigms[name], self.views[name], means))

    def scoring(self, name: str) -> Scoring:
        """The question for a score."""
        image = self.image
        # A changed copy keeps the names of its original, whose score is not its own.
        original = image.perturbed_from is None
        path, case = (image.path, self.known_as) if original else (None, None)
        picture = Scored(image.data, image.sha256, path, case)
        return Scoring(name, self.kit.scorers[name], picture)

    async def attend(self, name: str, examination: Examination | Scoring, part: Part = "examinations") -> Report:
        """Run an examination and turn whatever goes wrong into its report."""
        if self.span is None:
            return await self._attend(examination, part)
        asks = isinstance(examination, Examination) and examination.asks
        with self.span.examination(name, asks=asks) as noted:
            return noted(await self._attend(examination, part))

    async def _attend(self, examination: Examination | Scoring, part: Part) -> Report:
        """The one catch, at the node's edge."""
        expired = False
        try:
            async with self.deadline.scope(part) as timeout:
                try:
                    return await examination.run()
                finally:
                    expired = timeout.expired()
        except BudgetError as error:
            return examination.report(Outcome.SKIPPED, cause=Cause.BUDGET, reason=str(error))
        except SixlensError as error:
            return examination.report(Outcome.FAILED, reason=str(error))
        except GraphBubbleUp:
            raise
        except Exception as error:
            if isinstance(error, TimeoutError) and expired:
                return examination.report(Outcome.SKIPPED, cause=Cause.DEADLINE, reason="the case's time was up")
            # A fault of ours must not cost the other five reports; it is marked as one and logged with its traceback.
            if self.kit.ensemble.strict:
                raise
            log.exception("a fault in the program while %s was examined", self.image.sha256[:12])
            reason = f"a fault in the program: {type(error).__name__}"
            return examination.report(Outcome.FAILED, reason=reason, bug=True)
