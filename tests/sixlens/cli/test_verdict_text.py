from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

import sixlens
from backends.completion import TokenUsage
from fusion.verdict import Basis, CalibrationNote, Dissent, Spending, UndecidedBecause, Votes
from paradigms.evidence import Evidence
from paradigms.label import Cause, Label, Outcome
from paradigms.report import StepRecord, Trace
from sixlens.cli.verdict_text import verdict_text
from sixlens.words.trace import trace_text
from sixlens.words.verdict import first_sentence, looked_text, says, spending_text

NEVER = ("fake", "forged", "authentic", "verified", "detected", "confirmed", "%")


def written(thing: RenderableType, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(thing)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


@pytest.fixture
def verdict(photo: Path, script: str) -> sixlens.Verdict:
    return sixlens.judge(photo, backend=script, cache=False)


def changed(verdict: sixlens.Verdict, **fields: Any) -> sixlens.Verdict:
    return verdict.model_copy(update=fields)


def test_every_part_is_there_in_order(verdict: sixlens.Verdict) -> None:
    dissent = (Dissent(paradigm="few_shot", label=Label.GENERATED, reason="the hands merge"),)
    text = written(verdict_text(changed(verdict, dissent=dissent, warnings=("Something to know.",))))
    titles = ("photo.jpg", "Strongest evidence", "Examinations", "Dissent", "Provenance", "Notes", "Spent", "Next")
    assert sorted(titles, key=lambda title: text.index(title)) == list(titles)
    assert "- Worked examples says generated: the hands merge" in text
    assert "- Something to know." in text
    assert verdict.headline in " ".join(text.split())
    assert all(report.title in text for report in verdict.reports)


def test_both_sides_are_named_also_when_one_has_nothing(verdict: sixlens.Verdict) -> None:
    text = written(verdict_text(verdict))
    assert "for generated     none was named" in text
    assert "for a photograph  lens blur: the background blurs steadily" in text
    neither = Evidence(name="exact tiling", phenomenon="the left half repeats", paradigm="structural")
    assert "for neither side  exact tiling" in written(verdict_text(changed(verdict, evidence=(neither,))))


def test_nothing_untrusted_steers_the_terminal_or_is_read_as_markup(verdict: sixlens.Verdict) -> None:
    nasty = "[bold]x[/bold] [/] :smile: \x1b[31mred\x9b1m\u202eevil"
    report = verdict.reports[0].model_copy(update={"text": nasty, "title": nasty[:80]})
    image = verdict.image.model_copy(update={"name": nasty, "notes": (nasty,)})
    sign = Evidence(name=nasty, phenomenon=nasty, points_to="generated", severity=5)
    text = written(
        verdict_text(
            changed(
                verdict,
                image=image,
                reports=(report,),
                evidence=(sign,),
                warnings=(nasty,),
                headline=nasty,
                next_steps=(nasty,),
                dissent=(Dissent(paradigm=nasty, label=Label.REAL, reason=nasty),),
            )
        ),
        width=400,
    )
    assert text.count("[bold]x[/bold] [/] :smile:") >= 8
    assert not set(text) & set("\x1b\x9b\u202e")


def test_words_that_claim_too_much_are_not_repeated(verdict: sixlens.Verdict) -> None:
    text = "It is 97 % certain. This fake was detected by the lamp."
    report = verdict.reports[0].model_copy(update={"text": text})
    shown = written(verdict_text(changed(verdict, reports=(report,)))).lower()
    assert "by the lamp" in shown
    assert [word for word in NEVER if word in shown] == []


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_it_wraps_in_any_terminal(width: int, verdict: sixlens.Verdict) -> None:
    text = written(verdict_text(verdict), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "".join(verdict.headline.split()) in "".join(text.split())


@pytest.mark.parametrize(
    ("outcome", "label", "backend", "word"),
    [
        (Outcome.ANSWERED, Label.GENERATED, "a:b", "generated"),
        (Outcome.ANSWERED, Label.UNDECIDED, "a:b", "undecided"),
        (Outcome.ANSWERED, Label.UNDECIDED, None, "measured"),
        (Outcome.REFUSED, None, "a:b", "refused"),
        (Outcome.SKIPPED, None, None, "skipped"),
    ],
)
def test_an_outcome_in_one_word(outcome: Outcome, label: Label | None, backend: str | None, word: str) -> None:
    report = sixlens.Report(
        paradigm="p",
        title="P",
        question="?",
        outcome=outcome,
        label=label,
        backend=backend,
        cause=Cause.NO_EYES if outcome is Outcome.SKIPPED else None,
        prompt_version="1",
    )
    assert says(report) == word


def test_a_report_without_answer_says_why(verdict: sixlens.Verdict) -> None:
    report = sixlens.Report(
        paradigm="p", title="P", question="?", outcome=Outcome.FAILED, reason="the server failed", prompt_version="1"
    )
    assert "P  failed  the server failed" in written(verdict_text(changed(verdict, reports=(report,), panel=None)))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One thing. Another.", "One thing."),
        ("At 3.5 metres it ends.\nNext", "At 3.5 metres it ends."),
        ("no end", "no end"),
        ("", ""),
        ("光线一致。没有问题。", "光线一致。没有问题。"),
        ("a" * 900, "a" * 219 + "…"),
    ],
)
def test_the_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (Spending(seconds=0.0302, cost=0.0), "no calls; 30 ms"),
        (Spending(calls=1, attempts=1, seconds=2.04), "1 call; tokens unknown; cost unknown; 2.0 s"),
        (
            Spending(
                calls=10,
                attempts=12,
                cache_hits=1,
                tokens=TokenUsage(input_tokens=12345, output_tokens=678, cached_tokens=9000),
                cost=0.01234,
                seconds=3.21,
                notes=("nothing was cached",),
            ),
            "10 calls; 1 answer out of the cache; 2 attempts without an answer; "
            "12,345 tokens in (9,000 of them cached) and 678 out; $0.0123; 3.2 s; nothing was cached",
        ),
        (Spending(calls=0, attempts=3, cost=0.0, seconds=1), "0 calls; 3 attempts without an answer; 1.0 s"),
        (Spending(cache_hits=2, cost=0.0, seconds=1), "0 calls; 2 answers out of the cache; 1.0 s"),
        (
            Spending(calls=1, attempts=1, tokens=TokenUsage(output_tokens=5), seconds=1),
            "1 call; an unknown number of tokens in and 5 out; cost unknown; 1.0 s",
        ),
    ],
)
def test_what_was_spent_in_words(usage: Spending, text: str) -> None:
    assert spending_text(usage, verbose=True) == text


def test_notes_on_spending_are_for_those_who_want_more() -> None:
    usage = Spending(seconds=1, notes=("No cached tokens: the server does not say.",))
    assert spending_text(usage) == "no calls; 1.0 s"


def test_an_unknown_cost_is_never_nothing() -> None:
    assert "$0" not in spending_text(Spending(calls=3, attempts=3, cost=None, seconds=1))


@pytest.mark.parametrize(
    ("served", "text"),
    [
        ((), ""),
        ((("ollama:qwen2.5vl:7b", "qwen2.5vl:7b"),), "Looked: ollama:qwen2.5vl:7b; one model in 1 examination."),
        (
            (("openai:gpt-4o", "gpt-4o-2024-08-06"),) * 2,
            "Looked: openai:gpt-4o (served: gpt-4o-2024-08-06); one model in 2 examinations.",
        ),
        (
            (("a:x", "x"), ("a:x", None), ("b:y", "y")),
            "Looked: a:x (2 examinations), b:y (1 examination).",
        ),
    ],
)
def test_who_looked_is_named(served: tuple[tuple[str, str | None], ...], text: str, verdict: sixlens.Verdict) -> None:
    first = verdict.reports[0]
    reports = tuple(first.model_copy(update={"backend": backend, "model_served": model}) for backend, model in served)
    assert looked_text(changed(verdict, reports=reports)) == text


def test_a_measurement_keeps_its_reservations(photo: Path) -> None:
    text = " ".join(written(verdict_text(sixlens.judge(photo))).split())
    assert "Worth a closer look: " in text
    assert "was found; this says nothing of how it was made." in text
    assert "Looked" not in text


def test_an_answer_without_reasons_says_so(verdict: sixlens.Verdict) -> None:
    silent = verdict.reports[0].model_copy(update={"text": ""})
    assert "real  It gave no reasons." in written(verdict_text(changed(verdict, reports=(silent,), panel=None)))


def test_a_verdict_without_eyes_names_no_evidence(verdict: sixlens.Verdict) -> None:
    blind = changed(
        verdict,
        label=Label.UNDECIDED,
        undecided_because=UndecidedBecause.NO_EYES,
        basis=Basis.NONE,
        votes=Votes(),
        evidence=(),
        panel=None,
    )
    assert "Strongest evidence" not in written(verdict_text(blind))


def test_a_trace_is_shown_word_for_word_but_harmless(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text('rules:\n  - {text: "[red]\\e[31mone\\nVerdict: real"}\n')
    verdict = sixlens.judge(photo, ensemble="direct", backend="scripted:a.yaml", trace=True, cache=False)
    text = trace_text(verdict)
    assert "direct, verdict\nsystem:\n" in text
    assert "user [1 picture]:" in text
    assert text.endswith("answer:\n  [red][31mone\n  Verdict: real\n")
    assert trace_text(sixlens.judge(photo)) == ""


def test_a_trace_leaves_lines_as_they_are_and_says_a_shared_system_text_once(photo: Path, script: str) -> None:
    text = trace_text(sixlens.judge(photo, backend=script, trace=True, cache=False))
    assert max(len(line) for line in text.splitlines()) > 100
    assert text.count("You examine one picture") == 1
    assert text.count("\nsystem: as in prepare, subject\n") == 7
    assert text.count("\nsystem: as in structural, components\n") == 1
    assert text.count("answer:\n") == 10


def test_a_trace_says_why_no_answer_came(verdict: sixlens.Verdict) -> None:
    step = StepRecord(name="verdict", kind="ask", error="the server failed", trace=Trace(messages=(), answer=""))
    report = verdict.reports[0].model_copy(update={"steps": (step,)})
    text = trace_text(changed(verdict, reports=(report,), preparation=(), panel=None))
    assert text == "\ndefect_query, verdict\nno answer: the server failed\n"


def test_a_calibrated_chance_comes_with_what_was_measured(verdict: sixlens.Verdict) -> None:
    assert "Calibration" not in written(verdict_text(verdict))
    note = CalibrationNote(
        name="toy",
        data="toy cases",
        n=200,
        prior=0.5,
        false_positive_rate=0.02,
        false_positive_interval=(0.005, 0.07),
        miss_rate=0.1,
        miss_interval=(0.05, 0.2),
        found_rate=0.7,
        found_interval=(0.6, 0.8),
    )
    text = " ".join(written(verdict_text(changed(verdict, p_generated=0.93, calibration=note))).split())
    assert "Calibration By the calibration toy the chance that the picture is generated is 0.93" in text
    assert "called 2 of 100 photographs generated (interval 0.5 to 7)" in text
    assert not any(word in text.lower() for word in NEVER)


def test_a_score_is_no_label(verdict: sixlens.Verdict) -> None:
    fields = {"kind": "score", "score": 0.25, "label": Label.UNDECIDED, "backend": None, "text": "Its score is 0.25."}
    score = verdict.reports[0].model_copy(update=fields)
    assert says(score) == "score"
    text = written(verdict_text(changed(verdict, reports=(score, *verdict.reports[1:]))))
    assert "Its score is 0.25." in text
