from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from backends.completion import Completion, Stop
from backends.errors import (
    AuthError,
    BudgetError,
    ConfigError,
    ConnectError,
    ImageError,
    MissingKeyError,
    NoVerdictError,
    ProgramError,
)
from backends.providers.function import FunctionBackend
from backends.request import Request
from fusion.verdict import UndecidedBecause
from orchestrator.case import Case
from orchestrator.config import Overrides, load_ensemble
from orchestrator.judge import DECODED, Decided, Judge, Prepared, Reported
from paradigms.label import Cause, Label, Outcome
from paradigms.library import SIX

from .conftest import SPEC, Toy, answer, make_judge, sign


def outcomes(verdict) -> dict[str, Outcome]:
    return {report.paradigm: report.outcome for report in verdict.reports}


class InWaves(Toy):
    """Answers nobody of a wave before the whole wave has come: in calls that wait for one another, none ever does."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.left = list(sizes)
        self.waiting: list[asyncio.Event] = []

    async def _answer(self, request: Request) -> Completion | str:
        go_on = asyncio.Event()
        self.waiting.append(go_on)
        if len(self.waiting) == self.left[0]:
            del self.left[0]
            for event in self.waiting:
                event.set()
            self.waiting = []
        await go_on.wait()
        return await super()._answer(request)


async def test_ten_calls_six_at_once_and_no_longer_than_the_longest_chain(picture: bytes) -> None:
    toy = InWaves(1, 6, 2, 1)  # the subject, the six, the second questions of two, the panel: four calls deep
    async with make_judge(toy, "deadlines.case=20", "deadlines.fusion=5") as judge:
        verdict = await judge.judge(picture)
    assert toy.left == []
    assert toy.peak == 6
    assert len(toy.requests) == verdict.usage.calls == verdict.usage.attempts == 10
    assert toy.asked["prepare.subject"] == 1
    assert tuple(outcomes(verdict)) == SIX
    assert set(outcomes(verdict).values()) == {Outcome.ANSWERED}
    assert (verdict.label, verdict.votes.real, verdict.score) == (Label.REAL, 6, -1.0)


async def test_every_question_shows_the_same_picture_first_and_text_questions_show_none(picture: bytes) -> None:
    toy = Toy()
    async with make_judge(toy) as judge:
        verdict = await judge.judge(picture)
    assert verdict.image.delivered is not None
    for request in toy.requests:
        if request.origin.purpose == "text":
            assert request.pictures == ()
        else:
            assert request.pictures[0].sha256 == verdict.image.delivered.sha256


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (ValueError("boom"), Outcome.FAILED),
        (AuthError("the key is wrong"), Outcome.FAILED),
        (BudgetError("spent"), Outcome.SKIPPED),
        ("I'm sorry, but I can't help with that.", Outcome.REFUSED),
        ("qwertz uiop asdf", Outcome.UNPARSED),
    ],
)
async def test_trouble_of_one_paradigm_changes_only_its_own_report(
    picture: bytes, given: object, outcome: Outcome
) -> None:
    async with make_judge(Toy({"commonsense": given}), strict=False) as judge:
        verdict = await judge.judge(picture)
    assert outcomes(verdict).pop("commonsense") is outcome
    others = {report.outcome for report in verdict.reports if report.paradigm != "commonsense"}
    assert others == {Outcome.ANSWERED}
    assert verdict.label is Label.REAL
    assert next(r for r in verdict.reports if r.paradigm == "commonsense").bug is isinstance(given, ValueError)


async def test_a_hanging_paradigm_is_skipped_when_the_time_is_up(picture: bytes) -> None:
    async def hang(request: Request) -> str:
        await asyncio.sleep(60)
        return ""

    settings = ("deadlines.case=3", "deadlines.fusion=1.5")
    async with make_judge(Toy({"regional": hang}), *settings) as judge:
        verdict = await judge.judge(picture)
    report = next(r for r in verdict.reports if r.paradigm == "regional")
    assert (report.outcome, report.cause) == (Outcome.SKIPPED, Cause.DEADLINE)
    assert verdict.coverage.answered == 5
    assert verdict.panel is not None
    assert verdict.panel.outcome is Outcome.ANSWERED


async def test_a_fault_of_the_program_is_raised_when_strict(picture: bytes) -> None:
    async with make_judge(Toy({"structural": ValueError("boom")})) as judge:
        with pytest.raises(ValueError, match="boom"):
            await judge.judge(picture)


async def test_no_answer_at_all_is_an_error_and_no_verdict(picture: bytes) -> None:
    async def refuse_key(request: Request) -> str:
        raise AuthError("the key is wrong")

    async with make_judge(refuse_key) as judge:
        with pytest.raises(NoVerdictError, match="the key is wrong"):
            await judge.judge(picture)


async def test_refusals_alone_are_an_undecided_verdict(picture: bytes) -> None:
    async def refuse(request: Request) -> Completion:
        return Completion(text="", stop=Stop.REFUSAL, model="toy", backend="toy")

    async with make_judge(refuse) as judge:
        verdict = await judge.judge(picture)
    assert verdict.undecided_because is UndecidedBecause.BELOW_QUORUM
    assert verdict.coverage.refused == 4
    assert {r.cause for r in verdict.reports if r.outcome is Outcome.SKIPPED} == {Cause.DECLINED}


async def test_a_cut_off_answer_is_asked_for_once_more_with_more_room(picture: bytes) -> None:
    async def cut(request: Request) -> Completion:
        room = request.sampling.max_tokens
        stop = Stop.LENGTH if room <= 1500 else Stop.COMPLETE
        return Completion(
            text=answer("real")[: None if stop is Stop.COMPLETE else 12], stop=stop, model="m", backend="b"
        )

    toy = Toy({"commonsense": cut})
    async with make_judge(toy) as judge:
        verdict = await judge.judge(picture)
    assert outcomes(verdict)["commonsense"] is Outcome.ANSWERED
    assert toy.asked["commonsense.verdict"] == 2


async def test_an_unread_answer_costs_one_follow_up(picture: bytes) -> None:
    toy = Toy({"commonsense.verdict": "qwertz uiop", "commonsense.follow_up": "Verdict: generated"})
    async with make_judge(toy) as judge:
        verdict = await judge.judge(picture)
    assert verdict.usage.calls == 11
    assert next(r for r in verdict.reports if r.paradigm == "commonsense").label is Label.GENERATED
    assert verdict.dissent[0].paradigm == "commonsense"


async def test_a_panel_that_objects_leaves_the_case_undecided(picture: bytes) -> None:
    async with make_judge(Toy({"panel": answer("generated")})) as judge:
        verdict = await judge.judge(picture)
    assert verdict.undecided_because is UndecidedBecause.CONFLICT


async def test_the_panel_reads_the_answers_as_data_and_no_names(picture: bytes) -> None:
    toy = Toy({"commonsense": answer("generated", observations=[sign("doubled shadow", "generated", 4)])})
    async with make_judge(toy) as judge:
        image = await judge.load(picture)
        verdict = await judge.judge(image)
    asked = next(request for request in toy.requests if request.origin.paradigm == "panel")
    text = asked.messages[-1].text
    assert "doubled shadow" in text
    assert text.count("[data ") == text.count("[end of data ") == 6
    assert verdict.evidence[0].name == "doubled shadow"
    assert "doubled shadow" in verdict.explanation


async def test_a_drawing_is_not_judged_as_a_photograph(picture: bytes) -> None:
    toy = Toy({"prepare": "subject: cat\nmedium: drawing"})
    async with make_judge(toy) as judge:
        verdict = await judge.judge(picture)
    assert verdict.undecided_because is UndecidedBecause.NOT_A_PHOTOGRAPH
    assert len(toy.requests) == 1
    async with make_judge(toy, "not_a_photograph=judge") as judge:
        assert (await judge.judge(picture)).label is Label.REAL


async def test_a_later_stage_runs_only_on_conflict(picture: bytes) -> None:
    stages = "stages=[[defect_query, commonsense], [regional, few_shot, structural, stereotype]]"
    toy = Toy()
    async with make_judge(toy, stages, "fusion.quorum=2") as judge:
        verdict = await judge.judge(picture)
        assert verdict.label is Label.REAL
        assert [r.cause for r in verdict.reports].count(Cause.STOPPED_EARLY) == 4
        assert toy.asked.total() == 4
    toy = Toy({"commonsense": answer("generated")})
    async with make_judge(toy, stages, "fusion.quorum=2") as judge:
        verdict = await judge.judge(picture)
    assert verdict.coverage.answered == 6
    assert toy.asked.total() == 10


STAGED = (
    "stages=[[defect_query, regional, commonsense, few_shot, structural], [stereotype]]",
    "paradigms.stereotype.backend=function:other",
    "fusion.strategy=tally",
)


def of_two(toy: Toy, other: Toy, *settings: str) -> Judge:
    """The stages ask one backend, and then another."""
    ensemble = load_ensemble("six", Overrides(backend=SPEC, settings=("cache=false", *settings)))
    backends = {spec: FunctionBackend(ask, spec) for spec, ask in ((SPEC, toy), ("function:other", other))}
    return Judge(ensemble, backends=backends)


async def test_a_backend_of_a_later_stage_is_asked_nothing_before_the_stage_is_reached(picture: bytes) -> None:
    toy, other = Toy(), Toy()
    async with of_two(toy, other, *STAGED) as judge:
        verdict = await judge.judge(picture)
    assert (verdict.label, other.asked.total()) == (Label.REAL, 0)
    assert toy.asked["prepare.subject"] == 1

    toy, other = Toy({"commonsense": answer("generated")}), Toy({"prepare": "subject: red lamp\nmedium: photograph"})
    async with of_two(toy, other, *STAGED) as judge:
        events = [event async for event in judge.astream(picture)]
    assert dict(other.asked) == {"prepare.subject": 1, "stereotype.stereotypes": 1, "stereotype.verdict": 1}
    assert toy.asked["prepare.subject"] == 1
    assert "red lamp" in next(one for one in other.requests if one.origin.step == "stereotypes").messages[-1].text
    assert [event.subject for event in events if isinstance(event, Prepared)] == ["red bicycle"]
    decided = events[-1]
    assert isinstance(decided, Decided)
    assert len(decided.verdict.preparation) == 2
    assert decided.verdict.subject == "red bicycle"


async def test_a_later_backend_that_names_no_subject_says_so(picture: bytes) -> None:
    toy, other = Toy({"commonsense": answer("generated")}), Toy({"prepare": ConnectError("nobody there")})
    async with of_two(toy, other, *STAGED, "retry.attempts=1") as judge:
        verdict = await judge.judge(picture)
    assert outcomes(verdict)["stereotype"] is Outcome.FAILED
    assert any("nobody there" in warning for warning in verdict.warnings)


async def test_the_medium_is_known_before_anybody_judges_also_where_only_a_later_stage_starts_from_the_subject(
    picture: bytes,
) -> None:
    stages = "stages=[[defect_query, commonsense], [structural, stereotype, regional, few_shot]]"
    later = [f"paradigms.{name}.backend=function:other" for name in ("structural", "stereotype")]
    toy, other = Toy(), Toy({"prepare": "subject: cat\nmedium: drawing"})
    async with of_two(toy, other, stages, *later) as judge:
        verdict = await judge.judge(picture)
    assert verdict.undecided_because is UndecidedBecause.NOT_A_PHOTOGRAPH
    assert toy.asked.total() == 0


async def test_a_later_backend_may_be_the_first_to_say_that_it_is_no_photograph(picture: bytes) -> None:
    drawn = {"prepare": "subject: cat\nmedium: drawing"}
    toy, other = Toy({"prepare": ConnectError("nobody there")}, label="generated"), Toy(drawn, label="generated")
    settings = (*STAGED, "stop_when=[]", "retry.attempts=1")
    async with of_two(toy, other, *settings) as judge:
        verdict = await judge.judge(picture)
    assert (verdict.label, verdict.undecided_because) == (Label.UNDECIDED, UndecidedBecause.NOT_A_PHOTOGRAPH)
    assert verdict.medium == "drawing"
    assert dict(other.asked) == {"prepare.subject": 1}
    assert outcomes(verdict)["stereotype"] is Outcome.SKIPPED


async def test_backends_of_two_stages_that_differ_about_the_medium_leave_it_open(picture: bytes) -> None:
    toy, other = Toy(), Toy({"prepare": "subject: cat\nmedium: drawing"})
    async with of_two(toy, other, *STAGED, "stop_when=[]") as judge:
        verdict = await judge.judge(picture)
    assert (verdict.label, verdict.medium) == (Label.REAL, None)


async def test_a_spent_budget_keeps_what_is_done(picture: bytes) -> None:
    toy = Toy()
    async with make_judge(toy, "budget.calls=4") as judge:
        verdict = await judge.judge(picture)
    assert len(toy.requests) == 4
    assert verdict.undecided_because is UndecidedBecause.BUDGET
    assert verdict.coverage.answered == 3


async def test_the_budget_of_a_case_is_its_own(picture: bytes) -> None:
    toy = Toy()
    async with make_judge(toy, "budget.case_calls=9") as judge:
        verdicts = [await judge.judge(picture) for _ in range(2)]
    assert len(toy.requests) == 18
    assert all(verdict.label is Label.REAL and verdict.warnings for verdict in verdicts)


async def test_a_tiny_picture_is_judged_by_its_file_alone() -> None:
    file = io.BytesIO()
    PIL.Image.new("RGB", (1, 1)).save(file, "PNG")
    toy = Toy()
    async with make_judge(toy) as judge:
        verdict = await judge.judge(file.getvalue())
    assert toy.requests == []
    assert verdict.undecided_because is UndecidedBecause.NO_EYES
    assert {report.cause for report in verdict.reports if report.outcome is Outcome.SKIPPED} == {Cause.TOO_SMALL}


async def test_events_come_as_they_happen(picture: bytes) -> None:
    async def slow(request: Request) -> str:
        await asyncio.sleep(0.1)
        return answer()

    async with make_judge(Toy({"defect_query": slow})) as judge:
        events = [event async for event in judge.astream(picture)]
    assert isinstance(events[0], Prepared)
    assert events[0].subject == "red bicycle"
    reported = [event.report.paradigm for event in events if isinstance(event, Reported)]
    assert sorted(reported) == sorted(SIX)
    assert reported[-1] == "defect_query"
    assert isinstance(events[-1], Decided)


async def test_the_trace_holds_prompts_and_answers_only_when_asked_for(picture: bytes) -> None:
    async with make_judge(Toy(), trace=True) as judge:
        traced = await judge.judge(picture)
    async with make_judge(Toy()) as judge:
        plain = await judge.judge(picture)
    asked = [step for report in traced.reports for step in report.steps if step.kind == "ask"]
    assert all(step.trace and step.trace.answer and step.trace.messages for step in asked)
    assert all(step.trace is None for report in plain.reports for step in report.steps)


async def test_a_verdict_is_the_same_every_time_but_for_id_time_and_usage(picture: bytes) -> None:
    def settled(verdict) -> dict[str, object]:
        return verdict.model_dump(mode="json", exclude={"id", "created_at", "usage"})

    async with make_judge(Toy(), name="six") as judge:
        first, second = await judge.judge(picture), await judge.judge(picture)
    assert settled(first) == settled(second)


async def test_many_costs_nobody_else_a_result(picture: bytes) -> None:
    def sources() -> Iterator[bytes]:
        yield picture
        yield b"not a picture"
        yield picture

    async with make_judge(Toy()) as judge:
        results = [result async for result in judge.judge_many(sources(), ordered=True)]
    assert [result.index for result in results] == [0, 1, 2]
    assert [result.verdict is not None for result in results] == [True, False, True]
    assert isinstance(results[1].error, ImageError)


async def test_many_survives_a_fault_of_the_program_when_not_strict(
    picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.prepare.read_provenance", lambda data: 1 / 0)
    async with make_judge(Toy(), strict=False) as judge:
        results = [result async for result in judge.judge_many([picture, picture])]
    assert all(isinstance(result.error, ProgramError) for result in results)
    assert [result.usage for result in results] == [None, None]


async def test_an_outcome_says_what_it_took(picture: bytes) -> None:
    toy = Toy({"prepare": "subject: cat", "structural.components": "paws", "stereotype.stereotypes": "fur"})
    for name in SIX:
        toy.answers.setdefault(name, AuthError("the key is wrong"))
    async with make_judge(toy) as judge:
        failed, unread = await judge.outcome(picture), await judge.outcome(b"no picture", 3)
    assert isinstance(failed.error, NoVerdictError)
    assert failed.usage is not None
    assert (failed.usage.calls, failed.usage.attempts) == (3, 9)
    assert (unread.index, unread.usage and unread.usage.attempts, unread.usage and unread.usage.cost) == (3, 0, 0.0)
    async with make_judge(Toy()) as judge:
        judged = await judge.outcome(picture)
    assert judged.verdict is not None
    assert judged.usage == judged.verdict.usage


async def test_cancelling_leaves_nothing_behind(picture: bytes) -> None:
    asked = asyncio.Event()

    async def hang(request: Request) -> str:
        asked.set()
        await asyncio.sleep(30)
        return ""

    toy = Toy({"prepare": hang})
    async with make_judge(toy) as judge:
        task = asyncio.ensure_future(judge.judge(picture))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert toy.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_backends_are_closed_with_the_judge(picture: bytes) -> None:
    judge = make_judge(Toy())
    async with judge:
        await judge.judge(picture)
    with pytest.raises(ConfigError, match="closed"):
        await judge.judge(picture)


async def test_an_ensemble_that_asks_needs_a_backend() -> None:
    with pytest.raises(ConfigError, match="--backend"):
        async with Judge(load_ensemble("six")):
            pass


async def test_samples_are_asked_side_by_side_and_their_share_is_the_chance(picture: bytes) -> None:
    async def vary(request: Request) -> str:
        return answer("generated" if request.sampling.sample < 2 else "real")

    toy = Toy({"commonsense": vary})
    async with make_judge(toy, "sampling.samples=5", "sampling.temperature=1") as judge:
        verdict = await judge.judge(picture)
    report = next(r for r in verdict.reports if r.paradigm == "commonsense")
    assert toy.asked["commonsense.verdict"] == 5
    assert toy.asked["structural.components"] == 1
    assert (report.label, report.p_generated, report.source) == (Label.REAL, 0.4, "samples")
    assert "2 say generated" in report.notes[-1]


async def test_a_failing_sample_costs_only_itself(picture: bytes) -> None:
    async def fail_first(request: Request) -> str:
        if request.sampling.sample == 0:
            raise AuthError("no")
        return answer("real")

    settings = ("sampling.samples=3", "sampling.temperature=1")
    async with make_judge(Toy({"commonsense": fail_first}), *settings) as judge:
        verdict = await judge.judge(picture)
    report = next(r for r in verdict.reports if r.paradigm == "commonsense")
    assert (report.outcome, report.label) == (Outcome.ANSWERED, Label.REAL)
    assert "1 failed" in report.notes[-1]


async def test_usage_says_why_no_token_was_cached(picture: bytes) -> None:
    async with make_judge(Toy()) as judge:
        assert "does not say" in (await judge.judge(picture)).usage.notes[0]
    async with make_judge(Toy(), "layout=paper") as judge:
        assert "paper" in (await judge.judge(picture)).usage.notes[0]


async def test_settings_of_a_backend_that_nobody_asks_are_said_to_be_unused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "answers.yaml").write_text("rules: [{text: 'Verdict: real'}]\n")
    settings = (f"backend=scripted:{tmp_path}/answers.yaml", "backends={'scripted:answer.yaml': {attempt_seconds: 3}}")
    async with Judge(load_ensemble("six", Overrides(settings=settings))):
        assert "scripted:answer.yaml are not used" in caplog.text


async def test_a_budget_in_dollars_needs_prices() -> None:
    with pytest.raises(ConfigError, match="price of function:toy is unknown"):
        async with make_judge(Toy(), "budget.cost=1"):
            pass


async def test_the_question_for_the_subject_is_on_the_record(picture: bytes) -> None:
    async with make_judge(Toy(), trace=True) as judge:
        verdict = await judge.judge(picture)
    (step,) = verdict.preparation
    assert step.trace is not None
    assert "red bicycle" in step.trace.answer


async def test_a_failed_call_leaves_its_prompt_on_the_record(picture: bytes) -> None:
    async with make_judge(Toy({"commonsense": AuthError("the key is wrong")}), trace=True) as judge:
        verdict = await judge.judge(picture)
    (step,) = next(r for r in verdict.reports if r.paradigm == "commonsense").steps
    assert step.error == "the key is wrong"
    assert step.trace is not None
    assert "proportions" in step.trace.messages[-1].text.lower()


async def test_queueing_behind_others_costs_a_case_no_time(picture: bytes) -> None:
    # Ten calls one after another are 0.2 s a case, and 4.8 s for all: far beyond a case's time if they took turns.
    settings = ("limits.start=1", "limits.ceiling=1", "deadlines.case=2.4", "deadlines.fusion=0.2")
    async with make_judge(Toy(delay=0.02), *settings) as judge:
        results = [result async for result in judge.judge_many([picture] * 24)]
    assert [result.verdict.coverage.answered if result.verdict else result.error for result in results] == [6] * 24


async def test_few_pictures_hold_their_pixels_at_once(picture: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    held, peak = 0, 0
    load, let_go = Judge.load, Case.let_go

    async def counted_load(self: Judge, source: Any) -> Any:
        nonlocal held, peak
        image = await load(self, source)
        held += 1
        peak = max(peak, held)
        return image

    def counted_let_go(self: Case) -> None:
        nonlocal held
        held -= 1
        let_go(self)

    monkeypatch.setattr(Judge, "load", counted_load)
    monkeypatch.setattr(Case, "let_go", counted_let_go)
    async with make_judge(Toy({"prepare": None}, delay=0.02)) as judge:
        results = [result async for result in judge.judge_many([picture] * 40)]
    assert len(results) == 40
    assert held == 0
    assert peak <= DECODED


async def test_a_server_that_only_hangs_is_no_verdict(picture: bytes) -> None:
    async def hang(request: Request) -> str:
        await asyncio.sleep(60)
        return ""

    async with make_judge(hang, "deadlines.case=0.2", "deadlines.fusion=0.1") as judge:
        with pytest.raises(NoVerdictError, match="time was up"):
            await judge.judge(picture)


async def test_two_models_of_one_server_share_its_connections() -> None:
    server = "http://127.0.0.1:9/v1"
    settings = (f"backend=compatible:a@{server}", f"fallback=['compatible:b@{server}']")
    async with Judge(load_ensemble("six", Overrides(settings=settings))) as judge:
        clients = {provider._client for provider in judge.kit.providers.values()}
        assert (len(judge.kit.providers), len(clients)) == (2, 1)
    assert [client.is_closed for client in clients] == [True]


async def test_before_anything_is_sent_a_missing_key_or_a_server_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    script = tmp_path / "answers.yaml"
    script.write_text("rules: [{text: 'Verdict: real'}]", "utf-8")
    nobody, not_started = "ollama:llava@http://127.0.0.1:9", "compatible:m@http://127.0.0.1:9"
    for settings, error in (
        (("backend=openai:m",), MissingKeyError),
        (("backend=openai:m", f"fallback=['scripted:{script}']"), None),
        (("backend=openai:m", f"fallback=['{nobody}']"), MissingKeyError),
        ((f"backend={nobody}",), ConnectError),
        ((f"backend={not_started}",), ConnectError),
        ((f"backend={nobody}", f"fallback=['{not_started}']"), ConnectError),
        ((f"backend={nobody}", f"fallback=['scripted:{script}']"), None),
    ):
        async with Judge(load_ensemble("six", Overrides(settings=settings))) as judge:
            with pytest.raises(error) if error else contextlib.nullcontext():
                await judge.prepare()


async def test_a_backend_may_have_limits_of_its_own(picture: bytes) -> None:
    toy = Toy(delay=0.01)
    async with make_judge(toy, f"limits.backends={{'{SPEC}': {{start: 2, ceiling: 2}}}}") as judge:
        await judge.judge(picture)
    assert toy.peak == 2


class OneByOne(FunctionBackend):
    """A provider that has no use for more than one call at once."""

    most_in_flight = 1


@pytest.mark.parametrize(("limits", "peak"), [("rpm: 300", 1), ("start: 2", 1), ("start: 2, ceiling: 2", 2)])
async def test_only_a_ceiling_of_its_own_lets_a_backend_have_more_calls_than_it_has_a_use_for(
    picture: bytes, limits: str, peak: int
) -> None:
    toy = Toy(delay=0.01)
    settings = ("cache=false", f"limits.backends={{'{SPEC}': {{{limits}}}}}")
    ensemble = load_ensemble("six", Overrides(backend=SPEC, settings=settings))
    async with Judge(ensemble, backends={SPEC: OneByOne(toy, SPEC)}) as judge:
        await judge.judge(picture)
    assert toy.peak == peak
