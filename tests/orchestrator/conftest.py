from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import numpy
import PIL.Image
import pytest

from backends.completion import Completion
from backends.providers.function import FunctionBackend
from backends.request import Request
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import Judge

SPEC = "function:toy"


def answer(label: str = "real", **fields: Any) -> str:
    """An answer in the form, as a model would fill it in."""
    content = {"reasoning": f"It looks {label}.", "observations": [], "label": label, "certainty": None}
    return json.dumps({**content, **fields})


def sign(name: str, points_to: str, severity: int) -> dict[str, Any]:
    """One observation of an answer."""
    return {
        "name": name,
        "phenomenon": f"{name} in the middle",
        "reasoning": "it matters",
        "severity": severity,
        "points_to": points_to,
        "category": "texture",
        "ordinary_cause": "compression",
        "region": None,
    }


SUBJECT = "subject: a red bicycle\nmedium: photograph"
Answers = Callable[[Request], Awaitable[Completion | str]]


class Toy:
    """A backend's function: answers by paradigm or step, after a delay, and remembers what it was asked."""

    def __init__(self, answers: dict[str, Any] | None = None, *, label: str = "real", delay: float = 0.0) -> None:
        self.answers = answers or {}
        self.label = label
        self.delay = delay
        self.requests: list[Request] = []
        self.in_flight = 0
        self.peak = 0

    @property
    def asked(self) -> Counter[str]:
        return Counter(f"{request.origin.paradigm}.{request.origin.step}" for request in self.requests)

    async def __call__(self, request: Request) -> Completion | str:
        self.requests.append(request)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.delay)
            return await self._answer(request)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: Request) -> Completion | str:
        origin = request.origin
        given = self.answers.get(f"{origin.paradigm}.{origin.step}", self.answers.get(origin.paradigm))
        if isinstance(given, BaseException):
            raise given
        if callable(given):
            result: Completion | str = await given(request)
            return result
        if given is not None:
            return str(given)
        if origin.purpose == "subject":
            return SUBJECT
        return answer(self.label) if origin.purpose != "text" else "wheels\nframe"


def make_judge(toy: Answers, *settings: str, name: str = "six", strict: bool = True, **options: Any) -> Judge:
    """A Judge whose only backend is the toy."""
    always = ("cache=false", f"strict={str(strict).lower()}", "retry.attempts=1")
    ensemble = load_ensemble(name, Overrides(backend=SPEC, settings=(*always, *settings)))
    return Judge(ensemble, backends={SPEC: FunctionBackend(toy, SPEC)}, **options)


@pytest.fixture
def picture() -> bytes:
    """A drawn picture of 160 by 120 pixels as PNG."""
    random = numpy.random.default_rng(7)
    coarse = random.integers(0, 255, (12, 16, 3), dtype=numpy.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(coarse).resize((160, 120), PIL.Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()
