"""One paradigm's whole chain over one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backends.backend import Backend
from backends.completion import Completion, Stop
from backends.request import Message
from paradigms.boxes import map_box
from paradigms.conversation import Conversation, Purpose, turn
from paradigms.evidence import Evidence
from paradigms.label import Cause, Label, Outcome
from paradigms.paradigm import AskStep, Paradigm
from paradigms.reading import Reading, ReadObservation, read_answer
from paradigms.region import RegionSource
from paradigms.render import Sight, clean
from paradigms.report import Report, StepRecord
from paradigms.view import Means, View

NEEDS_EYES = "needs eyes: no vision model was asked"


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
            return self.report(Outcome.SKIPPED, cause=lacking[0], reason=lacking[1])
        return await self._ask_all(backend)

    def report(
        self,
        outcome: Outcome,
        *,
        reason: str | None = None,
        cause: Cause | None = None,
        label: Label | None = None,
        p_generated: float | None = None,
        bug: bool = False,
    ) -> Report:
        """The report as it stands, with this outcome."""
        talk = self._talk
        asked = talk is not None and bool(talk.records)
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
            p_generated=p_generated,
            source=None if p_generated is None else "stated",
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
        if not self._measured:
            return self.report(Outcome.SKIPPED, cause=Cause.NO_EYES, reason=NEEDS_EYES)
        self._text = " ".join(record.text for record in self._measured)
        return self.report(Outcome.ANSWERED, label=Label.UNDECIDED, reason="measured only; it does not vote")

    def _lacking(self) -> tuple[Cause, str] | None:
        view, needs = self._view, self._paradigm.needs
        if view.image is None:
            return Cause.TOO_SMALL, "the picture is too small to look at"
        if "subject" in needs and view.subject is None:
            return Cause.LACKING, "no main subject was named, and this examination starts from it"
        if "regions" in needs and not view.region_pictures:
            return Cause.LACKING, "there is no region to look at up close"
        if "exemplars" in needs and not view.exemplars:
            return Cause.LACKING, "there are no exemplars"
        return None

    async def _ask_all(self, backend: Backend) -> Report:
        schema = self._means.renderer.takes_form(backend.capabilities)
        talk = Conversation(self._paradigm.name, self._view.case, self._means, backend, schema=schema)
        self._talk = talk
        variables = self._variables()
        for step in self._paradigm.asks:
            messages = self._messages(step, variables)
            purpose: Purpose = "verdict" if step.ask == "verdict" else "text"
            completion = await talk.ask(step.name, messages, purpose, step.prefill)
            problem = _problem(completion)
            if problem is not None:
                return self.report(problem[0], reason=problem[1])
            if step.ask == "text":
                variables[step.name] = self._means.renderer.model_text(step.name, completion.text)
            else:
                return await self._verdict(talk, messages, completion)
        raise AssertionError("a paradigm's last question is for a verdict")

    def _variables(self) -> dict[str, object]:
        view, renderer = self._view, self._means.renderer
        variables: dict[str, object] = {
            **self._given,
            "regions": len(view.region_pictures),
            "exemplars": tuple(
                {
                    "label": exemplar.label.value,
                    "reason": exemplar.reason,
                    "description": exemplar.description,
                    "pictured": picture is not None,
                }
                for exemplar, picture in view.exemplars
            ),
        }
        if view.subject is not None:
            variables["subject"] = renderer.model_text("subject", view.subject)
        return variables

    def _messages(self, step: AskStep, variables: dict[str, object]) -> tuple[Message, ...]:
        view = self._view
        sight = Sight()
        if step.picture:
            sight = Sight(view.image, view.region_pictures, tuple(picture for _, picture in view.exemplars))
        return self._means.renderer.question(step, variables, sight, verdict=step.ask == "verdict")

    async def _verdict(self, talk: Conversation, messages: tuple[Message, ...], completion: Completion) -> Report:
        reading = read_answer(completion.text)
        self._take(reading, completion.text, talk)
        if reading.outcome is Outcome.UNPARSED:
            if completion.stop is Stop.LENGTH:
                return self.report(Outcome.UNPARSED, reason="the answer was cut off by the token limit, twice")
            follow_up = turn("user", self._means.renderer.common.follow_up)
            again = (*messages, turn("assistant", completion.text), follow_up)
            completion = await talk.ask("follow_up", again, "follow_up")
            reading = read_answer(completion.text)
        if reading.outcome is Outcome.REFUSED:
            return self.report(Outcome.REFUSED, reason="the model declined to judge")
        if reading.label is None:
            return self.report(Outcome.UNPARSED, reason="no label can be read from the answer, nor from a further one")
        return self.report(
            Outcome.ANSWERED, label=reading.label, p_generated=_stated(reading.label, reading.certainty)
        )

    def _take(self, reading: Reading, raw: str, talk: Conversation) -> None:
        """Keep the words and the observations of an answer."""
        self._text = clean(reading.reasoning or raw)[:8000]
        dropped = 0
        for observation in reading.observations[:20]:
            item = self._observed(observation, talk)
            dropped += observation.box is not None and item.region is None
            self._evidence.append(item)
        if dropped:
            talk.notes.append(f"{dropped} of the model's boxes could not be mapped with certainty and were dropped")

    def _observed(self, observation: ReadObservation, talk: Conversation) -> Evidence:
        view, backend = self._view, self._means.backend
        region = None
        if observation.box is not None and view.image is not None and backend is not None:
            delivered = (view.image.width, view.image.height)
            box_format = backend.capabilities.box_format
            region = map_box(observation.box, box_format=box_format, delivered=delivered, original=view.size)
        cut: Callable[[str, int], str] = lambda text, length: clean(text)[:length].strip()  # noqa: E731
        return Evidence(
            name=cut(observation.name, 200) or "unnamed sign",
            phenomenon=cut(observation.phenomenon, 2000),
            reasoning=cut(observation.reasoning, 2000),
            severity=observation.severity,
            points_to=observation.points_to,
            category=cut(observation.category, 100),
            ordinary_cause=cut(observation.ordinary_cause, 1000),
            region=region,
            region_source=RegionSource.MODEL if region is not None else None,
            paradigm=self._paradigm.name,
        )


def _problem(completion: Completion) -> tuple[Outcome, str] | None:
    """The outcome and reason of an answer that holds nothing to read."""
    if completion.stop is Stop.REFUSAL:
        return Outcome.REFUSED, "the model declined to answer"
    if completion.stop is Stop.FILTER:
        return Outcome.REFUSED, "the provider's content filter withheld the answer"
    if completion.stop is Stop.EMPTY or not completion.text.strip():
        return Outcome.FAILED, "the answer was empty"
    return None


def _stated(label: Label, certainty: float | None) -> float | None:
    """The chance of `generated` that a stated certainty (per cent) amounts to; None when it says nothing clear."""
    if certainty is None or label is Label.UNDECIDED or not 0 <= certainty <= 100:
        return None
    share = certainty / 100
    return round(share if label is Label.GENERATED else 1 - share, 4)
