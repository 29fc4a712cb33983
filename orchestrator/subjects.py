"""Asking what a picture shows, once a case and backend, before anybody judges it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backends.backend import Backend
from backends.completion import Completion
from backends.errors import BudgetError, SixlensError
from orchestrator.case import Case
from orchestrator.deadline import Part
from paradigms.conversation import Conversation
from paradigms.examination import problem_of
from paradigms.label import Cause, Outcome
from paradigms.render import Sight
from paradigms.report import StepRecord
from paradigms.subject import Medium, Subject, read_subject
from paradigms.view import Lack

log = logging.getLogger("sixlens")


@dataclass(frozen=True, slots=True)
class Named:
    """What the backends named, by the spec of the backend."""

    subjects: Mapping[str, Subject] = field(default_factory=dict)
    lacking: Mapping[str, Lack] = field(default_factory=dict)
    """Why a backend named no subject: the outcome of every paradigm that starts from it."""
    steps: tuple[StepRecord, ...] = ()

    @property
    def asked(self) -> frozenset[str]:
        """The backends that were asked."""
        return frozenset({*self.subjects, *self.lacking})

    @property
    def phrases(self) -> dict[str, str]:
        """The subjects that were named clearly."""
        return {spec: subject.phrase for spec, subject in self.subjects.items() if subject.phrase is not None}

    @property
    def media(self) -> dict[str, Medium | None]:
        """What the picture was said to present itself as; None where an answer did not say."""
        return {spec: subject.medium for spec, subject in self.subjects.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why subjects are lacking, a sentence each."""
        return tuple(f"{lack.reason[0].upper()}{lack.reason[1:].removesuffix('.')}." for lack in self.lacking.values())


async def name_subjects(case: Case, stage: int) -> Named:
    """Ask the backends that are to name the subject before this stage, side by side; each once a case.

    Args:
        case: the case.
        stage: counted from 0.
    """
    needed = sorted(to_name(case, stage))
    if not needed:
        return Named()
    # A later stage comes when the subject's share of the time may be over.
    part: Part = "subject" if stage == 0 else "examinations"
    questions = [_Question(case, case.kit.backends[spec], part) for spec in needed]
    await asyncio.gather(*(question.ask() for question in questions))
    asked = dict(zip(needed, questions, strict=True))
    return Named(
        subjects={spec: question.subject for spec, question in asked.items() if question.subject is not None},
        lacking={spec: question.lack for spec, question in asked.items() if question.lack is not None},
        steps=tuple(step for question in questions for step in question.talk.records),
    )


def to_name(case: Case, stage: int) -> set[str]:
    """The backends that are to name the subject before a stage, for the paradigms that start from it.

    Before the first stage it is those that look at the picture then anyhow; a backend that only a later stage brings in
    is asked when the stage is reached, which it may never be. If that leaves nobody, all are asked: what the medium is
    must be known before anybody judges.
    """
    if case.delivered is None:
        return set()
    stages = case.kit.ensemble.all_stages
    starting = [_backends(case, names, starting=True) for names in stages]
    needed = set[str]().union(*starting)
    first = (needed & _backends(case, stages[0])) or needed
    return first if stage == 0 else starting[stage].difference(first, *starting[:stage])


def _backends(case: Case, names: Iterable[str], *, starting: bool = False) -> set[str]:
    """Whom these paradigms ask; or, of them, only those that start from the subject."""
    paradigms = case.kit.paradigms
    chosen = (name for name in names if name in paradigms and (not starting or "subject" in paradigms[name].needs))
    specs = (case.kit.ensemble.backend_of(name) for name in chosen if paradigms[name].asks)
    return {spec for spec in specs if spec is not None}


class _Question:
    """The question to one backend, and what came of it."""

    def __init__(self, case: Case, backend: Backend, part: Part) -> None:
        self._case = case
        self._part: Part = part
        means = case.means(backend)
        schema = means.renderer.takes_form(backend.capabilities)
        self.talk = Conversation("prepare", case.image.sha256, means, backend, schema=schema)
        self.subject: Subject | None = None
        self.lack: Lack | None = None

    async def ask(self) -> None:
        """Ask; whatever goes wrong costs only the paradigms that start from the subject."""
        try:
            async with self._case.deadline.scope(self._part):
                await self._read()
        except BudgetError as error:
            self.lack = Lack(f"the main subject was not asked for: {error}", cause=Cause.BUDGET)
        except SixlensError as error:
            self.lack = Lack.failed(f"the main subject could not be asked for: {error}")
        except TimeoutError:
            self.lack = Lack("the main subject was not named in time", cause=Cause.DEADLINE)
        except Exception as error:
            # This node's edge, as in `Case.attend`: a fault of ours must not cost the other examinations.
            if self._case.kit.ensemble.strict:
                raise
            log.exception("a fault in the program while the subject of %s was asked for", self._case.image.sha256[:12])
            fault = f"a fault in the program ({type(error).__name__})"
            self.lack = Lack.failed(f"the main subject could not be asked for: {fault}", bug=True)

    async def _read(self) -> None:
        renderer = self._case.kit.renderer
        sight = Sight(self._case.delivered)
        messages = renderer.question(renderer.common.subject, {}, sight, verdict=False)
        completion = await self.talk.ask("subject", messages, "subject")
        self.subject = read_subject(completion.text)
        if self.subject.phrase is None:
            self.lack = _unnamed(completion)


def _unnamed(completion: Completion) -> Lack:
    """Why an answer names no subject."""
    problem = problem_of(completion, "text")
    if problem is None:
        return Lack("no main subject could be read from the answer")
    outcome, reason = problem
    about = f"the main subject was asked for, and {reason}"
    return Lack(about, cause=Cause.DECLINED) if outcome is Outcome.REFUSED else Lack.failed(about)
