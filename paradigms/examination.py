"""One paradigm's whole chain over one case."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from backends.backend import Backend, BoxFormat
from backends.completion import Completion, Stop
from backends.errors import SixlensError
from backends.models import seen_size
from backends.request import Message
from paradigms.boxes import map_box
from paradigms.certainty import from_logprobs, from_samples, from_statement
from paradigms.conversation import Conversation, Purpose, turn
from paradigms.evidence import Evidence
from paradigms.form import Box
from paradigms.label import Cause, Label, Outcome
from paradigms.paradigm import AskStep, Paradigm
from paradigms.reading import Reading, ReadObservation, read_once
from paradigms.region import Region, RegionSource
from paradigms.render import Sight, clean, disarm, spoken
from paradigms.report import ProbabilitySource, Report, StepRecord
from paradigms.signals.provenance.text import plain
from paradigms.view import Lack, Means, View

NEEDS_EYES = "needs eyes: no vision model was asked"
MAX_TEXT = 8000
"""Characters of an answer's reasoning that are kept."""
MAX_EVIDENCE = 20
"""Observations of one answer that are kept; it is asked for six."""
SURE_ENOUGH = 50
"""Per cent. Who is less sure of one of two labels than this has not said what the number means."""

_CLOSING = re.compile(
    r"(?:^|(?<=[.!?])[ ]+|\n)[ >*_#`-]*(?:final |my |overall )?(?:verdict|label|answer|certainty)[*_`]*[ ]*[:=]"
    r"[ ]*(?:[^\s]{1,20}[ ]?){1,4}\s*\Z",
    re.IGNORECASE,
)
"""The line that closes an answer written in prose; it is read as the label, and is no reason."""
MOST_CLOSING = 3

_MORE_ROOM = "give the model more `thinking_tokens`, or let it think less (see docs/backends.md)"

Sureness = tuple[float, ProbabilitySource]
"""The chance of `generated`, and where it comes from."""


class Examination:
    """Runs the steps of a paradigm one after another and keeps what has been found so far.

    `run` ends with a report. When it is cancelled or raises, `report` still says what was found before. `variables` are
    further variables for the templates: the panel reads the other reports through them.
    """

    def __init__(
        self, paradigm: Paradigm, view: View, means: Means, variables: Mapping[str, object] | None = None
    ) -> None:
        self._paradigm = paradigm
        self._view = view
        self._means = means
        self._given = variables or {}
        self._evidence: list[Evidence] = []
        self._measured: list[StepRecord] = []
        self._talk: Conversation | None = None
        self._text = ""

    @property
    def asks(self) -> bool:
        """Whether a model is asked."""
        return self._means.backend is not None and bool(self._paradigm.asks)

    async def run(self) -> Report:
        """Take every step.

        Raises:
            BackendError, BudgetError: a backend gave no answer.
            PromptError: a prompt cannot be rendered.
        """
        self._measure()
        backend = self._means.backend
        if backend is None or not self._paradigm.asks:
            return self._measured_report()
        lacking = self._lacking()
        if lacking:
            return self.report(lacking.outcome, cause=lacking.cause, reason=lacking.reason, bug=lacking.bug)
        return await self._ask_all(backend)

    def report(
        self,
        outcome: Outcome,
        *,
        reason: str | None = None,
        cause: Cause | None = None,
        label: Label | None = None,
        sureness: Sureness | None = None,
        bug: bool = False,
    ) -> Report:
        """The report as it stands, with this outcome."""
        talk = self._talk
        asked = talk is not None and any(record.seconds is not None for record in talk.records)
        seconds = sum(record.seconds or 0.0 for record in talk.records) if talk else 0.0
        return Report(
            paradigm=self._paradigm.name,
            title=self._paradigm.title,
            question=self._paradigm.question,
            outcome=outcome,
            reason=reason,
            cause=cause,
            bug=bug,
            label=label,
            p_generated=sureness[0] if sureness else None,
            source=sureness[1] if sureness else None,
            evidence=tuple(self._evidence),
            text=self._text,
            backend=talk.backend_served if talk else None,
            model_served=talk.model_served if talk else None,
            prompt_version=self._paradigm.prompt_version,
            seconds=round(seconds, 3) if asked else None,
            steps=(*self._measured, *(talk.records if talk else ())),
            notes=tuple(talk.notes) if talk else (),
        )

    def _measure(self) -> None:
        for step in self._paradigm.measures:
            measurement = self._view.measurements.get(step.measure)
            if measurement is None:
                continue
            name = self._paradigm.name
            self._evidence += [item.model_copy(update={"paradigm": name}) for item in measurement.evidence]
            self._measured.append(StepRecord(name=step.name, kind="measure", text=measurement.text))

    def _measured_report(self) -> Report:
        if not self._measured and (self._paradigm.measures or not self._paradigm.asks):
            return self.report(Outcome.SKIPPED, cause=Cause.TOO_SMALL, reason="the picture is too small to measure")
        if not self._measured:
            return self.report(Outcome.SKIPPED, cause=Cause.NO_EYES, reason=NEEDS_EYES)
        self._text = " ".join(record.text for record in self._measured)
        return self.report(Outcome.ANSWERED, label=Label.UNDECIDED, reason="measured only; it does not vote")

    def _lacking(self) -> Lack | None:
        view, needs = self._view, self._paradigm.needs
        if view.image is None:
            return Lack("the picture is too small to look at", cause=Cause.TOO_SMALL)
        if "subject" in needs and view.subject is None:
            return view.no_subject
        if "regions" in needs and not view.region_pictures:
            return Lack("there is no region to look at up close")
        if "exemplars" in needs and not view.exemplars:
            return Lack("there are no exemplars")
        return None

    async def _ask_all(self, backend: Backend) -> Report:
        schema = self._means.renderer.takes_form(backend.capabilities)
        talk = Conversation(self._paradigm.name, self._view.case, self._means, backend, schema=schema)
        self._talk = talk
        variables = self._variables()
        for step in self._paradigm.asks:
            messages = self._messages(step, variables)
            if step.ask == "verdict" and self._means.samples > 1:
                return await self._sampled(talk, messages, step)
            purpose: Purpose = "verdict" if step.ask == "verdict" else "text"
            completion = await talk.ask(step.name, messages, purpose, step.prefill)
            problem = problem_of(completion, purpose)
            if problem is not None:
                return self.report(problem[0], reason=problem[1])
            if step.ask == "verdict":
                return await self._verdict(talk, messages, completion)
            variables[step.name] = self._means.renderer.model_text(step.name, _whole_lines(completion, step, talk))
        raise AssertionError("a paradigm's last question is for a verdict")

    def _variables(self) -> dict[str, object]:
        """What the templates may use: what was handed in, and what the paradigm says that it needs."""
        view, needs = self._view, self._paradigm.needs
        variables = dict(self._given)
        if "subject" in needs and view.subject is not None:
            variables["subject"] = self._means.renderer.model_text("subject", view.subject)
        if "regions" in needs:
            variables["regions"] = len(view.region_pictures)
        if "exemplars" in needs:
            variables["exemplars"] = tuple(
                {
                    "label": exemplar.label.value,
                    "reason": exemplar.reason,
                    "description": exemplar.description,
                    "pictured": picture is not None,
                }
                for exemplar, picture in view.exemplars
            )
        return variables

    def _messages(self, step: AskStep, variables: dict[str, object]) -> tuple[Message, ...]:
        view = self._view
        sight = Sight()
        if step.picture:
            sight = Sight(view.image, view.region_pictures, tuple(picture for _, picture in view.exemplars))
        return self._means.renderer.question(step, variables, sight, verdict=step.ask == "verdict")

    async def _verdict(self, talk: Conversation, messages: tuple[Message, ...], completion: Completion) -> Report:
        reading = first = _read(completion)
        self._text = _reasons(first)
        if reading.outcome is Outcome.UNPARSED:
            if completion.stop is Stop.LENGTH:
                return self.report(Outcome.UNPARSED, reason="the answer was cut off by the token limit, twice")
            completion = await talk.ask("follow_up", self._once_more(messages, completion.text), "follow_up")
            reading = _read(completion)
        if reading.outcome is Outcome.REFUSED:
            return self.report(Outcome.REFUSED, reason="the model declined to judge")
        if reading.label is None:
            return self.report(Outcome.UNPARSED, reason="no label can be read from the answer, nor from a further one")
        self._observe(first, talk)
        return self.report(
            Outcome.ANSWERED, label=reading.label, sureness=_sureness(reading.label, reading, completion)
        )

    async def _sampled(self, talk: Conversation, messages: tuple[Message, ...], step: AskStep) -> Report:
        """The verdict of several answers to the same question: what most of them say, with the share as its chance."""
        count = self._means.samples
        questions = (talk.ask(step.name, messages, "verdict", step.prefill, sample) for sample in range(count))
        results = await asyncio.gather(*questions, return_exceptions=True)
        readings = [_read(result) for result in results if isinstance(result, Completion)]
        errors = [result for result in results if isinstance(result, BaseException)]
        # A sample without an answer costs only itself; a fault of the program is not to be counted away.
        faults = [error for error in errors if not isinstance(error, SixlensError)]
        if faults or not readings:
            raise (faults or errors)[0]
        labelled = [reading for reading in readings if reading.label is not None]
        labels = [reading.label for reading in labelled if reading.label is not None]
        said = [f"{number} say {label.value}" for label, number in Counter(labels).items()]
        said += [f"{len(errors)} failed", f"{len(readings) - len(labels)} without a label"]
        talk.notes.append(f"of {count} samples {', '.join(said)}")
        if not labels:
            refused = any(reading.outcome is Outcome.REFUSED for reading in readings)
            outcome = Outcome.REFUSED if refused else Outcome.UNPARSED
            return self.report(outcome, reason=f"no label can be read from any of {count} samples")
        label = _majority(labels, len(readings))
        chosen = next((reading for reading in labelled if reading.label is label), labelled[0])
        self._text = _reasons(chosen)
        self._observe(chosen, talk)
        share = from_samples(labels)
        return self.report(Outcome.ANSWERED, label=label, sureness=None if share is None else (share, "samples"))

    def _once_more(self, messages: tuple[Message, ...], answer: str) -> tuple[Message, ...]:
        """The conversation so far, with the end of the answer, and the one further question."""
        said = disarm((spoken(answer).strip() or answer)[-MAX_TEXT:])
        return (*messages, turn("assistant", said), turn("user", self._means.renderer.common.follow_up))

    def _observe(self, reading: Reading, talk: Conversation) -> None:
        """Keep the observations of an answer. Only for one with a label: nothing else than an answer is evidence."""
        dropped = 0
        for observation in reading.observations[:MAX_EVIDENCE]:
            region = self._region(observation.box, observation.box_listed) if observation.box is not None else None
            dropped += observation.box is not None and region is None
            if observation.name or observation.phenomenon:
                self._evidence.append(self._evident(observation, region))
        if dropped:
            talk.notes.append(f"{dropped} of the model's boxes could not be mapped with certainty and were dropped")

    def _region(self, box: Box, listed: bool) -> Region | None:
        image, backend = self._view.image, self._means.backend
        if image is None or backend is None:
            return None
        box_format = backend.capabilities.box_format
        seen = seen_size(backend.capabilities, image.width, image.height)
        if seen is None and box_format is BoxFormat.PIXELS:
            box_format = None
        delivered = seen or (image.width, image.height)
        return map_box(box, listed, box_format=box_format, delivered=delivered, original=self._view.size)

    def _evident(self, observation: ReadObservation, region: Region | None) -> Evidence:
        return Evidence(
            name=plain(observation.name, 200) or "unnamed sign",
            phenomenon=plain(observation.phenomenon, 2000),
            reasoning=plain(observation.reasoning, 2000),
            severity=observation.severity,
            points_to=observation.points_to,
            category=plain(observation.category, 100),
            ordinary_cause=plain(observation.ordinary_cause, 1000),
            region=region,
            region_source=RegionSource.MODEL if region is not None else None,
            paradigm=self._paradigm.name,
        )


def _reasons(reading: Reading) -> str:
    """The reasoning of an answer as it is shown: without the lines that only repeat the label."""
    text = clean(reading.reasoning)
    if reading.label is not None:
        for _ in range(MOST_CLOSING):
            closing = _CLOSING.search(text, max(0, len(text) - 120))
            if closing is None:
                break
            text = text[: closing.start()].rstrip()
    return text[:MAX_TEXT]


def problem_of(completion: Completion, purpose: Purpose) -> tuple[Outcome, str] | None:
    """The outcome and reason of an answer that holds nothing to read or to use."""
    if completion.stop is Stop.REFUSAL:
        return Outcome.REFUSED, "the model declined to answer"
    if completion.stop is Stop.FILTER:
        return Outcome.REFUSED, "the provider's content filter withheld the answer"
    if completion.stop is Stop.LENGTH and not clean(completion.text):
        return Outcome.FAILED, f"the token limit was spent before the answer began, twice; {_MORE_ROOM}"
    if completion.stop is Stop.EMPTY or not clean(completion.text):
        return Outcome.FAILED, "the answer was empty"
    if purpose == "text":
        if read_once(completion.text).outcome is Outcome.REFUSED:
            return Outcome.REFUSED, "the model declined to answer"
        if not clean(spoken(completion.text)):
            return Outcome.FAILED, "the model thought aloud and did not answer"
    return None


def _whole_lines(completion: Completion, step: AskStep, talk: Conversation) -> str:
    """The text of an answer; of one that was cut off twice the whole lines, which are of use all the same."""
    if completion.stop is not Stop.LENGTH:
        return completion.text
    talk.notes.append(
        f"the answer to the step {step.name} was cut off by the token limit, twice; its beginning was used"
    )
    whole = completion.text.rpartition("\n")[0]
    return whole if clean(spoken(whole)) else completion.text


def _majority(labels: Sequence[Label], answers: int) -> Label:
    """The label that more than half of the answers give, those without a label included; else `undecided`."""
    label, count = Counter(labels).most_common(1)[0]
    return label if 2 * count > answers else Label.UNDECIDED


def _read(completion: Completion) -> Reading:
    """The answer, read with the caution that its end calls for."""
    if completion.stop in (Stop.REFUSAL, Stop.FILTER):
        return Reading(Outcome.REFUSED)
    reading = read_once(completion.text)
    if completion.stop is Stop.LENGTH and reading.how == "prose":
        # The conclusion is missing: what stands before it may be what it goes on to set aside.
        return dataclasses.replace(reading, outcome=Outcome.UNPARSED, label=None, how="none", certainty=None)
    return reading


def _sureness(label: Label, reading: Reading, completion: Completion) -> Sureness | None:
    """How likely the model holds `generated`, where it says so clearly."""
    if label is Label.UNDECIDED:
        return None
    measured = from_logprobs(completion.logprobs or (), completion.text)
    if measured is not None:
        return measured, "logprobs"
    sure = reading.certainty is not None and reading.certainty >= SURE_ENOUGH
    stated = from_statement(label, reading.certainty) if sure else None
    return None if stated is None else (stated, "stated")
