"""What judging one picture asks of whom, found out by rehearsing it: every prompt is rendered, and nobody is asked."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from backends import tokens
from backends.backend import Backend, Capabilities
from backends.errors import NoVerdictError
from backends.prices import Prices
from backends.providers.function import FunctionBackend
from backends.request import Picture, Request
from fusion.strategies import strategy
from orchestrator.ensemble import BudgetSettings, Deadlines, Ensemble, LimitSettings
from orchestrator.judge import Decided, Judge, Reported
from orchestrator.kit import backend_specs, load_calibration, load_paradigms
from orchestrator.sample import SUBJECT, draw_sample
from paradigms.label import Outcome
from paradigms.scores.table import read_score_table

STAND_IN = "rehearsal:nobody"
"""The backend of a rehearsed ensemble that names none."""

Shown = Literal["image", "cut-out", "exemplar"]

_SAMPLES: Mapping[str, str] = {
    "subject": f"subject: {SUBJECT}\nmedium: photograph",
    "text": "A sample of what a model could write here: a hull, a mast, a sail; calm water; evening light.",
    "verdict": json.dumps({"reasoning": "A sample.", "observations": [], "label": "real", "certainty": None}),
}


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One question. `paradigm` is `prepare` for the subject's, and `panel` for the panel's."""

    paradigm: str
    step: str
    purpose: str
    backend: str
    shows: tuple[Shown, ...]
    """The pictures it carries; none for a question of text alone."""
    request: Request = field(repr=False)
    """The question as it was rendered, with the rehearsal's picture."""

    @property
    def characters(self) -> int:
        """The length of all its text."""
        return sum(len(message.text) for message in self.request.messages)


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls for one picture when every answer can be read at once, and the problems that came up."""

    calls: tuple[PlannedCall, ...] = ()
    problems: tuple[str, ...] = ()
    """Prompts that cannot be rendered, one line each."""
    variants: int = 0
    """Variants of the picture that are judged too if it gets a label by looking; each takes as many calls again."""
    fallback: tuple[str, ...] = ()
    """Who is asked, in this order, when another backend does not answer."""

    @property
    def with_picture(self) -> int:
        """Calls that carry the picture or a part of it."""
        return sum("image" in call.shows or "cut-out" in call.shows for call in self.calls)

    @property
    def follow_ups(self) -> int:
        """Further calls, one for each verdict that cannot be read at once."""
        return sum(call.purpose == "verdict" for call in self.calls)

    def to(self, backend: str) -> Plan:
        """The part that goes to one backend."""
        return dataclasses.replace(self, calls=tuple(call for call in self.calls if call.backend == backend))

    @property
    def backends(self) -> tuple[str, ...]:
        """Who is asked, in the order of the first question; those who stand in for them come last."""
        return tuple(dict.fromkeys((*(call.backend for call in self.calls), *(self.fallback if self.calls else ()))))

    def cost(self, prices: Prices, delivered: tuple[int, int], known: Mapping[str, Capabilities]) -> float | None:
        """US dollars for one picture and its variants at most, every question asked once; None for an unknown price.

        Where others stand in for a backend, the dearest of them counts.

        Args:
            prices: what tokens cost.
            delivered: width and height of the delivered picture, in pixels; parts of it are no larger.
            known: what the backends can do, by spec: how they count pictures, and how much they think.
        """
        answers = sum(call.request.sampling.max_tokens for call in self.calls if call.paradigm != "panel")
        total = 0.0
        for call in self.calls:
            request, read = _resized(call, delivered), answers if call.paradigm == "panel" else 0
            costs = [_cost(prices, spec, known, request, read) for spec in (call.backend, *self.fallback)]
            sure = [cost for cost in costs if cost is not None]
            if len(sure) < len(costs):
                return None
            total += max(sure)
        return total * (1 + self.variants)


def delivered_size(width: int, height: int, max_edge: int) -> tuple[int, int]:
    """Width and height in which a picture is delivered, in pixels: shrunk to `max_edge`, never enlarged."""
    longer = max(width, height)
    if longer <= max_edge:
        return width, height
    return max(1, round(width * max_edge / longer)), max(1, round(height * max_edge / longer))


async def plan_case(ensemble: Ensemble) -> Plan:
    """Rehearse an ensemble on a drawn picture: all its stages, with sample answers, without any backend.

    Raises:
        ConfigError: a paradigm, a file or a name of the ensemble is wrong.
    """
    paradigms = load_paradigms(ensemble)
    for choice in ensemble.scores.values():
        if choice.file is not None:
            read_score_table(Path(choice.file))
    rehearsed = _rehearsed(ensemble)
    if not rehearsed.paradigms:
        strategy(ensemble.fusion.strategy, load_calibration(ensemble))
        return Plan()
    recorder = _Recorder()
    named = (*backend_specs(rehearsed, paradigms), *ensemble.fallback)
    problems: list[str] = []
    image: str | None = None
    async with Judge(rehearsed, backends={spec: recorder.backend(spec) for spec in named}) as judge:
        exemplars = {picture.sha256 for _, picture in judge.kit.exemplars if picture is not None}
        try:
            async for event in judge.astream(draw_sample()):
                if isinstance(event, Reported) and event.report.outcome is Outcome.FAILED:
                    problems.append(f"{event.report.paradigm}: {event.report.reason}")
                elif isinstance(event, Decided):
                    problems += _panel_problem(event)
                    sent = event.verdict.image.delivered
                    image = sent.sha256 if sent else None
        except NoVerdictError as error:
            problems += [] if problems else [str(error)]
    calls = tuple(recorder.calls(image, exemplars))
    return Plan(calls, tuple(problems), ensemble.stability if calls else 0, ensemble.fallback)


def _rehearsed(ensemble: Ensemble) -> Ensemble:
    """The ensemble with everything removed that could slow a rehearsal down or end it early."""
    free = BudgetSettings(calls=None, tokens=None, cost=None, case_calls=None)
    # Nobody is asked for a score either.
    asked = {name: choice for name, choice in ensemble.paradigms.items() if choice.kind == "paradigm"}
    stages = [tuple(name for name in stage if name in asked) for stage in ensemble.stages]
    return ensemble.model_copy(
        update={
            "backend": ensemble.backend or STAND_IN,
            "backends": {},
            "paradigms": asked,
            "stages": tuple(stage for stage in stages if stage),
            "stop_when": (),
            "stability": 0,
            "budget": free,
            "deadlines": Deadlines(case=600, fusion=300, request=600, attempt=300, connect=10),
            "limits": LimitSettings(start=64, ceiling=64, rpm=None, tpm=None, backends={}),
            "cache": False,
            "strict": False,
        }
    )


def _panel_problem(event: Decided) -> list[str]:
    panel = event.verdict.panel
    return [f"panel: {panel.reason}"] if panel is not None and panel.outcome is Outcome.FAILED else []


class _Recorder:
    """Writes down what is asked, and answers with samples."""

    def __init__(self) -> None:
        self._asked: list[tuple[str, Request]] = []

    def backend(self, spec: str) -> Backend:
        """A backend under this name."""

        async def answer(request: Request) -> str:
            self._asked.append((spec, request))
            return _SAMPLES.get(request.origin.purpose, _SAMPLES["verdict"])

        return FunctionBackend(answer, spec)

    def calls(self, image: str | None, exemplars: set[str]) -> list[PlannedCall]:
        """What was asked, in order. `image` and `exemplars` are digests of delivered pictures."""
        return [
            PlannedCall(
                paradigm=request.origin.paradigm,
                step=request.origin.step,
                purpose=request.origin.purpose,
                backend=spec,
                shows=tuple(_shown(picture, image, exemplars) for picture in request.pictures),
                request=request,
            )
            for spec, request in self._asked
        ]


def _shown(picture: Picture, image: str | None, exemplars: set[str]) -> Shown:
    if picture.sha256 in exemplars:
        return "exemplar"
    return "image" if picture.sha256 == image else "cut-out"


def _cost(prices: Prices, spec: str, known: Mapping[str, Capabilities], request: Request, read: int) -> float | None:
    """US dollars that a question to one backend costs at most; `read` are the tokens of answers that it repeats."""
    its = known.get(spec, Capabilities())
    prompt = tokens.at_most(request, its.image_tokens) + read
    return prices.estimate(spec, prompt, request.sampling.max_tokens + its.thinking_tokens)


def _resized(call: PlannedCall, size: tuple[int, int]) -> Request:
    """The question with every picture of the case in this size."""
    messages = tuple(
        dataclasses.replace(
            message,
            parts=tuple(
                dataclasses.replace(part, width=size[0], height=size[1]) if isinstance(part, Picture) else part
                for part in message.parts
            ),
        )
        for message in call.request.messages
    )
    return dataclasses.replace(call.request, messages=messages)
