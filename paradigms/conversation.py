"""Asking a backend one step, and keeping a record of it."""

from __future__ import annotations

import dataclasses
from typing import Literal

from backends.backend import Backend
from backends.completion import Completion, Stop
from backends.errors import BackendError, BudgetError
from backends.request import Message, Origin, Picture, Request, Sampling, Text
from paradigms.answer import answer_schema
from paradigms.report import StepRecord, Trace, TracedMessage
from paradigms.view import Means

Purpose = Literal["verdict", "text", "subject", "follow_up"]


class Conversation:
    """The questions of one paradigm (or of the panel) about one case to one backend, with the record of each.

    Args:
        paradigm: the name under which requests and records stand.
        case: SHA-256 of the original file.
        means: the limits and the observer.
        backend: who is asked.
        schema: ask for the answer form as JSON, where the backend can.
    """

    def __init__(self, paradigm: str, case: str, means: Means, backend: Backend, *, schema: bool) -> None:
        self._paradigm = paradigm
        self._case = case
        self._means = means
        self._backend = backend
        self._schema = schema
        self.records: list[StepRecord] = []
        self.notes: list[str] = []
        self.model_served: str | None = None
        self.backend_served = backend.spec

    async def ask(
        self, step: str, messages: tuple[Message, ...], purpose: Purpose, prefill: str | None = None, sample: int = 0
    ) -> Completion:
        """Ask, and once more with more room if the token limit cut the answer off.

        `sample` tells apart several answers to the same question.

        Raises:
            BackendError, BudgetError: no answer came.
        """
        request = self._request(step, messages, purpose, prefill, sample)
        completion = await self._complete(step, request)
        room = int(request.sampling.max_tokens * self._means.limits.more_room)
        if completion.stop is not Stop.LENGTH or room <= request.sampling.max_tokens:
            return completion
        sampling = dataclasses.replace(request.sampling, max_tokens=room)
        return await self._complete(step, dataclasses.replace(request, sampling=sampling))

    def _request(
        self, step: str, messages: tuple[Message, ...], purpose: Purpose, prefill: str | None, sample: int
    ) -> Request:
        limits = self._means.limits
        room = {"verdict": limits.verdict, "follow_up": limits.follow_up}.get(purpose, limits.text)
        # The subject's question takes the answer form too: another schema would break the provider's prefix cache.
        formed = self._schema and purpose in ("verdict", "subject")
        return Request(
            messages=messages,
            # Providers add the sample to the seed: the same seed would draw the same answer every time.
            sampling=Sampling(self._means.temperature, room, seed=self._means.seed, sample=sample),
            schema=answer_schema() if formed else None,
            prefill=prefill,
            # With the subject's question, which goes first: a server that refuses the setting is told apart there,
            # and not by six examinations at once.
            logprobs=purpose != "text" and self._backend.capabilities.logprobs is not False,
            origin=Origin(self._case, self._paradigm, step, purpose, self._means.order),
            observer=self._means.observer,
            budget=self._means.budget,
        )

    async def _complete(self, step: str, request: Request) -> Completion:
        try:
            completion = await self._backend.complete(request)
        except (BackendError, BudgetError) as error:
            trace = _trace(request, "") if self._means.trace else None
            self.records.append(StepRecord(name=step, kind="ask", error=str(error), trace=trace))
            raise
        self.model_served = completion.model
        self.backend_served = completion.backend
        self.notes += [note for note in completion.notes if note not in self.notes]
        self.records.append(
            StepRecord(
                name=step,
                kind="ask",
                stop=completion.stop,
                seconds=round(completion.seconds, 3),
                usage=completion.usage,
                trace=_trace(request, completion.text) if self._means.trace else None,
            )
        )
        return completion


def turn(role: Literal["user", "assistant"], text: str) -> Message:
    """One turn of plain text."""
    return Message(role, (Text(text.strip()),))


def _trace(request: Request, answer: str) -> Trace:
    return Trace(
        messages=tuple(
            TracedMessage(
                role=message.role,
                text=message.text,
                pictures=tuple(part.sha256 for part in message.parts if isinstance(part, Picture)),
            )
            for message in request.messages
        ),
        answer=answer,
    )
