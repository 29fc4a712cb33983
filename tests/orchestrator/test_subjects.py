from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.completion import Completion, Stop
from backends.errors import AuthError, BudgetError, NoVerdictError
from backends.request import Request
from paradigms.label import Cause, Label, Outcome

from .conftest import SPEC, Toy, make_judge

DEPENDENT = ("structural", "stereotype")
ONLY = "paradigms={defect_query: null, regional: null, commonsense: null, few_shot: null}"


async def hang(request: Request) -> str:
    await asyncio.sleep(60)
    return ""


async def declined(request: Request) -> Completion:
    return Completion(text="", model="toy", backend=SPEC, stop=Stop.REFUSAL)


@pytest.mark.parametrize(
    ("answer", "outcome", "cause", "reason"),
    [
        (AuthError("the key is wrong"), Outcome.FAILED, None, "could not be asked for: the key is wrong"),
        (KeyError("boom"), Outcome.FAILED, None, "a fault in the program (KeyError)"),
        (hang, Outcome.SKIPPED, Cause.DEADLINE, "was not named in time"),
        (BudgetError("the budget is spent"), Outcome.SKIPPED, Cause.BUDGET, "not asked for: the budget is spent"),
        (declined, Outcome.SKIPPED, Cause.DECLINED, "the model declined to answer"),
        ("I'm sorry, but I can't help with that.", Outcome.SKIPPED, Cause.DECLINED, "the model declined to answer"),
        ("What a picture!", Outcome.SKIPPED, Cause.LACKING, "no main subject could be read from the answer"),
    ],
)
async def test_what_starts_from_the_subject_ends_as_the_question_for_it(
    picture: bytes, answer: Any, outcome: Outcome, cause: Cause | None, reason: str
) -> None:
    settings = ("deadlines.case=5", "deadlines.fusion=2", "fusion.strategy=tally")
    async with make_judge(Toy({"prepare": answer}), *settings, strict=False) as judge:
        verdict = await judge.judge(picture)
    reports = {report.paradigm: report for report in verdict.reports}
    for name in DEPENDENT:
        report = reports[name]
        assert (report.outcome, report.cause) == (outcome, cause)
        assert report.bug is isinstance(answer, KeyError)
        assert reason in (report.reason or "")
    assert (verdict.label, verdict.coverage.answered) == (Label.REAL, 4)
    (warning,) = verdict.warnings
    assert reason.casefold() in warning.casefold()
    assert (warning[0], warning[-1]) in (("T", "."), ("N", "."))


async def test_an_empty_answer_is_no_answer(picture: bytes) -> None:
    async with make_judge(Toy({"prepare": "<think>hm</think>"}), "fusion.strategy=tally") as judge:
        verdict = await judge.judge(picture)
    failed = {report.paradigm for report in verdict.reports if report.outcome is Outcome.FAILED}
    assert failed == set(DEPENDENT)


async def test_paradigms_that_lack_a_subject_for_want_of_an_answer_are_no_verdict(picture: bytes) -> None:
    async with make_judge(Toy({"prepare": AuthError("the key is wrong")}), ONLY) as judge:
        with pytest.raises(NoVerdictError, match="the key is wrong"):
            await judge.judge(picture)


async def test_paradigms_that_lack_a_subject_since_it_was_declined_are_a_verdict(picture: bytes) -> None:
    async with make_judge(Toy({"prepare": declined}), ONLY) as judge:
        verdict = await judge.judge(picture)
    assert verdict.label is Label.UNDECIDED
    assert "what the examinations start from was not to be had" in verdict.headline
