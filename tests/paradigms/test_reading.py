import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paradigms.label import Label, Outcome
from paradigms.reading import Reading, read_answer, read_once

LABELS = {label.value for label in Label}


def corpus():
    """Every written answer as (expected outcomes, body, closing verdict or None)."""
    text = Path(__file__).with_name("answers.txt").read_text(encoding="utf-8")
    for block in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        head, _, answer = block.partition("\n")
        body, cut, closing = answer.rstrip("\n").partition("\n---\n")
        yield frozenset(head.split("|")), body, closing if cut else None


ANSWERS = list(corpus())
CUT = [(expected, body) for expected, body, closing in ANSWERS if closing is not None]


def said(reading):
    """The label of an answered reading, else the outcome."""
    return reading.label.value if reading.label else reading.outcome.value


def test_the_corpus_is_large_and_varied():
    assert len(ANSWERS) >= 500
    assert len(CUT) >= 170
    for outcome, at_least in {"generated": 190, "real": 190, "undecided": 15, "refused": 20, "unparsed": 50}.items():
        assert sum(outcome in expected for expected, _, _ in ANSWERS) >= at_least, outcome


@pytest.mark.parametrize(("expected", "body", "closing"), ANSWERS, ids=range(len(ANSWERS)))
def test_an_answer_is_read_as_it_is_meant(expected, body, closing):
    answer = body if closing is None else f"{body}\n\n{closing}"
    assert said(read_answer(answer)) in expected


@pytest.mark.parametrize(("expected", "body"), CUT, ids=range(len(CUT)))
def test_without_its_closing_verdict_an_answer_is_never_read_as_the_other_class(expected, body):
    reading = read_answer(body)
    assert reading.label is None or said(reading) in expected


def test_most_answers_are_read_without_their_closing_verdict():
    decided = [(expected, body) for expected, body in CUT if expected & {"generated", "real"}]
    right = sum(said(read_answer(body)) in expected for expected, body in decided)
    assert right / len(decided) >= 0.8


def test_nearly_all_answers_are_read_with_their_closing_verdict():
    closed = [(expected, f"{body}\n{closing}") for expected, body, closing in ANSWERS if closing and len(expected) == 1]
    right = sum(said(read_answer(answer)) in expected for expected, answer in closed)
    assert len(closed) > 170
    assert right / len(closed) >= 0.99


@pytest.mark.parametrize(
    "frame",
    [
        "The image is most likely {}.",
        "I would classify this picture as {}.",
        "Overall, the evidence points to {}.",
        "In conclusion, this is {}.",
        "I believe the photo to be {}.",
        "It is highly likely that the image is {}.",
        "Verdict: {}",
        "**Final answer**: {}",
        "This picture leans towards {}.",
        "The image shows clear signs of being {}.",
        "The image appears to be {} rather than {other}.",
        "Rather than {other}, the image is {}.",
        "The image isn't {other} but {}.",
        "The image is unlikely to be {other}.",
        "I do not think that this is {other}.",
        "In summary, this does not look {other}.",
        "While parts look {other}, the image as a whole is {}.",
        "If it were {other}, the edges would differ; the image is {}.",
        "One might think at first that it is {other}, yet it is {}.",
    ],
)
@pytest.mark.parametrize(
    ("wording", "other", "label"),
    [
        ("AI-generated", "real", Label.GENERATED),
        ("real", "AI-generated", Label.REAL),
        ("synthetic", "authentic", Label.GENERATED),
        ("genuine", "computer-generated", Label.REAL),
    ],
)
def test_both_classes_are_read_alike(frame, wording, other, label):
    reading = read_answer(frame.format(wording, other=other))
    assert (reading.outcome, reading.label) == (Outcome.ANSWERED, label)


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        ('{"label": "real"}', "schema"),
        ("Natural light.\n\nVerdict: real", "final_line"),
        ("Score: 2/10 (certainly fake)", "final_line"),
        ("Score: 2/10 (real photo, natural noise and lens flare in the corner)", "final_line"),
        ("To me this is a real photograph.", "prose"),
        ("A dog on a lawn.", "none"),
        ("I'm sorry, I can't help with that.", "none"),
        ("Verdict: real\nVerdict: generated", "none"),
    ],
)
def test_how_an_answer_was_read(answer, how):
    assert read_answer(answer).how == how


@pytest.mark.parametrize(
    ("answer", "certainty"),
    [
        ('{"label": "real", "certainty": 80}', 80.0),
        ('{"label": "real", "confidence": "85%"}', 85.0),
        ('{"label": "real", "certainty": 0}', 0.0),
        ('{"label": "real", "certainty": 0.9}', None),
        ('{"label": "real", "certainty": 1}', None),
        ('{"label": "real", "certainty": 101}', None),
        ('{"label": "real", "certainty": true}', None),
        ('{"label": "real", "certainty": NaN}', None),
        ('{"label": "real", "certainty": 1e999}', None),
        ("Verdict: real\nConfidence: 85%", 85.0),
        ("I am 70% certain that this is a real photo.", 70.0),
        ("Verdict: real\nConfidence: 85%\nConfidence in the face: 60%", None),
        ("Verdict: real\nConfidence: 0.85", None),
        ("Verdict: real\nConfidence: 8/10", None),
        ("Verdict: real\nConfidence: high", None),
        ("Confidence: 85%", None),
    ],
)
def test_the_stated_certainty_is_taken_only_when_unambiguous(answer, certainty):
    assert read_answer(answer).certainty == certainty


def test_a_contradiction_keeps_what_was_said_but_no_label():
    reading = read_answer(
        '{"reasoning": "grain", "observations": [{"name": "grain"}], "label": "real", "is_fake": true}'
    )
    assert reading.outcome is Outcome.UNPARSED
    assert reading.label is None
    assert reading.reasoning == "grain"
    assert [observation.name for observation in reading.observations] == ["grain"]


def test_thoughts_are_not_part_of_the_answer():
    assert read_answer("<think>Verdict: real</think>\nVerdict: generated").label is Label.GENERATED
    assert read_answer("<THINK>\nit is real\n</THINK> This is AI-generated.").label is Label.GENERATED
    assert read_answer("Looks real to me...</think>Verdict: generated").label is Label.GENERATED
    assert read_answer("Verdict: generated\n<think>or is it real? Verdict: real").label is Label.GENERATED
    assert read_answer("<think>I am sure. Verdict: real").outcome is Outcome.UNPARSED


def test_prose_is_kept_as_the_reasoning():
    assert read_answer("The grain is natural.\n\nVerdict: real").reasoning == "The grain is natural.\n\nVerdict: real"
    assert read_answer("").reasoning == ""


MEGABYTE = 1_000_000
HOSTILE = [
    "{",
    "[",
    '{"a":',
    '{"',
    "{9",
    '{"label": ',
    '"label": "real", ',
    " ",
    "\n",
    "a",
    "a-",
    "ly ",
    "*",
    "(",
    ",",
    "not ",
    "no artifacts, ",
    "it is ",
    "the image of ",
    "that ",
    "either ",
    "real or ",
    "real ",
    "generated by ",
    "taken by a ",
    "the image is real. ",
    "verdict: ",
    "verdict: real\n",
    "final the my ",
    "is it real? ",
    "i'm unable to ",
    "50% ",
    "suggests the ",
    "which is typical of real ",
    "<think>",
    "</think>",
    "\\boxed{",
    "\ufdfa",
    "生成",
    "真实,",
    "\ud800",
    "9",
    "confidence 1",
    "'a' ",
]


@pytest.mark.parametrize("unit", HOSTILE, ids=ascii)
def test_a_megabyte_of_anything_is_read_at_once(unit):
    text = unit * (MEGABYTE // len(unit))
    start = time.process_time()
    reading = read_answer(text)
    assert time.process_time() - start < 5
    assert isinstance(reading, Reading)


def seconds(texts):
    """The best of three times, since other work may run beside the tests."""
    times = []
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            read_answer(text)
        times.append(time.process_time() - start)
    return min(times)


def test_work_grows_at_most_linearly():
    text = '{"a": "the image is not real, and ' * 2000
    assert seconds([text * 16]) < 8 * seconds([text * 4]) + 0.05


def test_an_ordinary_answer_takes_about_a_millisecond():
    assert seconds([body for _, body, _ in ANSWERS]) / len(ANSWERS) < 0.003


def test_an_answer_that_is_read_again_is_not_worked_through_again_unless_it_is_long():
    short, long = "The shadows agree.\nVerdict: real", "The grass is green. " * 2000 + "\nVerdict: generated"
    assert read_once(short) is read_once(short)
    assert read_once(short) == read_answer(short)
    assert read_once(long) is not read_once(long)
    assert read_once(long) == read_answer(long)


def test_a_verdict_is_found_at_the_end_of_a_very_long_answer():
    assert read_answer("The grass is green. " * 60_000 + "\nVerdict: generated").label is Label.GENERATED


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text):
    reading = read_answer(text)
    assert (reading.label is not None) == (reading.outcome is Outcome.ANSWERED)
    reading.reasoning.encode()


WORDS = [
    "the image is",
    "not",
    "real",
    "fake",
    "generated",
    "photo",
    "rather than",
    "no signs of",
    "verdict:",
    "because",
    "if",
]
WORDS += ["I can't tell", "{", "}", '"', ",", ".", "likely", "could be", "\n", "?", "50%"]


@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_jumble_of_telling_words_is_read_without_an_error(words):
    reading = read_answer(" ".join(words))
    assert reading.outcome in (Outcome.ANSWERED, Outcome.REFUSED, Outcome.UNPARSED)
    assert reading.how == "none" or reading.label is not None


@pytest.mark.parametrize("unit", ["\n", "|", "- ", " \n", "| ", "?\n", "*", "---\n", "\t\n", "，", "...\n"])
def test_a_stuck_model_costs_no_time(unit: str) -> None:
    began = time.process_time()
    read_answer(f"The image{unit * 20_000}x")
    assert time.process_time() - began < 1


def test_the_public_name() -> None:
    import paradigms

    assert paradigms.read_answer("Verdict: real").label is Label.REAL
    assert paradigms.Reading is Reading
    assert sorted(paradigms.__all__) == paradigms.__all__
