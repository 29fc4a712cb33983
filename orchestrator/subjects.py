"""Asking what a picture shows, once a case and backend, before anybody judges it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.backend import Backend
from backends.errors import BudgetError, SixlensError
from orchestrator.case import Case
from paradigms.conversation import Conversation
from paradigms.render import Sight
from paradigms.report import StepRecord
from paradigms.subject import Medium, Subject, read_subject

log = logging.getLogger("sixlens")


@dataclass(frozen=True, slots=True)
class Named:
    """What the backends named. `unanswered` says why none of them did, when that was for want of an answer."""

    subjects: Mapping[str, Subject] = field(default_factory=dict)
    """By the spec of the backend."""
    steps: tuple[StepRecord, ...] = ()
    unanswered: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def phrases(self) -> dict[str, str]:
        """The subjects that were named clearly, by backend."""
        return {spec: subject.phrase for spec, subject in self.subjects.items() if subject.phrase is not None}

    @property
    def medium(self) -> Medium | None:
        """The one medium that every backend named, or None."""
        media = {subject.medium for subject in self.subjects.values()}
        return next(iter(media)) if len(media) == 1 else None


async def name_subjects(case: Case) -> Named:
    """Ask every backend whose paradigms start from the subject, side by side; one question to each."""
    kit = case.kit
    specs = [kit.ensemble.backend_of(name) for name, paradigm in kit.paradigms.items() if "subject" in paradigm.needs]
    needed = sorted({spec for spec in specs if spec is not None})
    if case.delivered is None or not needed:
        return Named()
    questions = [_Question(case, kit.backends[spec]) for spec in needed]
    await asyncio.gather(*(question.ask() for question in questions))
    found = {spec: question.subject for spec, question in zip(needed, questions, strict=True) if question.subject}
    silent = [question.problem for question in questions if not question.answered]
    return Named(
        subjects=found,
        steps=tuple(step for question in questions for step in question.talk.records),
        unanswered=silent[0] if len(silent) == len(questions) else None,
        warnings=tuple(question.problem for question in questions if question.problem),
    )


class _Question:
    """The question to one backend, and what came of it."""

    def __init__(self, case: Case, backend: Backend) -> None:
        self._case = case
        means = case.means(backend)
        schema = means.renderer.takes_form(backend.capabilities)
        self.talk = Conversation("prepare", case.image.sha256, means, backend, schema=schema)
        self.subject: Subject | None = None
        self.answered = False
        self.problem: str | None = None

    async def ask(self) -> None:
        """Ask; whatever goes wrong costs only the paradigms that start from the subject."""
        try:
            async with self._case.deadline.scope("subject"):
                await self._read()
        except BudgetError as error:
            # Not for want of an answer: nobody was asked.
            self.answered, self.problem = True, f"The main subject was not asked for: {error}"
        except SixlensError as error:
            self.problem = f"The main subject could not be asked for: {error}"
        except TimeoutError:
            self.problem = "The main subject was not named in time."
        except Exception as error:
            # This node's edge, as in `Case.attend`: a fault of ours must not cost the other examinations.
            if self._case.kit.ensemble.strict:
                raise
            log.exception("a fault in the program while the subject of %s was asked for", self._case.image.sha256[:12])
            self.problem = f"The main subject could not be asked for: a fault in the program ({type(error).__name__})."

    async def _read(self) -> None:
        renderer = self._case.kit.renderer
        sight = Sight(self._case.delivered)
        messages = renderer.question(renderer.common.subject, {}, sight, verdict=False)
        completion = await self.talk.ask("subject", messages, "subject")
        self.answered = True
        self.subject = read_subject(completion.text)
        if self.subject.phrase is None:
            self.problem = "No main subject could be read from the answer."
