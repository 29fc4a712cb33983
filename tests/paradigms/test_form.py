import json

import pytest

from paradigms.form import MOST_OBSERVATIONS, read_form
from paradigms.label import Label


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('{"label": "generated"}', {Label.GENERATED}),
        ('{"label": "Real"}', {Label.REAL}),
        ('{"label": "undecided"}', {Label.UNDECIDED}),
        ('{"label": "cannot tell"}', {Label.UNDECIDED}),
        ('{"verdict": "AI-generated"}', {Label.GENERATED}),
        ('{"Answer": "FAKE"}', {Label.GENERATED}),
        ('{"result": "authentic photo"}', {Label.REAL}),
        ('{"final_answer": "not AI-generated"}', {Label.REAL}),
        ('{"classification": "deepfake"}', {Label.GENERATED}),
        ('{"isFake": true}', {Label.GENERATED}),
        ('{"is_fake": "no"}', {Label.REAL}),
        ('{"is_ai_generated": false}', {Label.REAL}),
        ('{"real": false}', {Label.GENERATED}),
        ('{"result": {"verdict": {"label": "real"}}}', {Label.REAL}),
        ('[{"label": "real"}]', {Label.REAL}),
        ('Sure! ```json\n{"label": "real"}\n``` Hope it helps {smile}.', {Label.REAL}),
        ('{"a": {"b": 1}} and then {"label": "real"}', {Label.REAL}),
        ('{"label": "real", "certainty": 90,}', {Label.REAL}),
        ("{'label': 'fake', 'certainty': None}", {Label.GENERATED}),
        ('{"reasoning": "cut", "label": "real", "cert', {Label.REAL}),
        ('{"label": "real"} {"label": "generated"}', {Label.REAL, Label.GENERATED}),
        ('{"label": "real", "is_real": false}', {Label.REAL, Label.GENERATED}),
    ],
)
def test_labels_are_read_with_tolerance(text, labels):
    form = read_form(text)
    assert form is not None
    assert form.labels == labels


@pytest.mark.parametrize(
    "text",
    [
        '{"label": "generated|real|undecided"}',
        '{"label": "generated or real"}',
        '{"label": "dog"}',
        '{"label": null}',
        '{"label": 1}',
        '{"label": ["real"]}',
        '{"is_fake": 0.3, "verdict": ""}',
        '{"reasoning": "it is real", "observations": []}',
        '{"reasoning": "it is real and the lab',
        '{"observations": [{"name": "hands", "phenomenon": "fused", "points_to": "generated"}]}',
    ],
)
def test_what_is_not_certain_gives_no_label(text):
    form = read_form(text)
    assert form is not None
    assert form.labels == frozenset()


@pytest.mark.parametrize(
    "text", ["", "real", "{", "}{", "{}", "a {b} c", '{"score": 3}', "[1, 2]", '"label"', "{real}"]
)
def test_what_is_no_form_is_none(text):
    assert read_form(text) is None


def one(**fields):
    form = read_form(json.dumps({"observations": [{"name": "x", **fields}], "label": "real"}))
    assert form is not None
    (observation,) = form.observations
    return observation


@pytest.mark.parametrize(
    ("severity", "read"),
    [
        (1, 1),
        (5, 5),
        (4.0, 4),
        ("3", 3),
        (0, None),
        (6, None),
        (2.5, None),
        ("high", None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_severity_is_a_whole_number_from_one_to_five(severity, read):
    assert one(severity=severity).severity == read


@pytest.mark.parametrize(
    ("side", "read"),
    [
        ("generated", "generated"),
        ("fake", "generated"),
        ("Real", "real"),
        ("both", None),
        ("undecided", None),
        (3, None),
    ],
)
def test_the_side_is_one_of_two(side, read):
    assert one(points_to=side).points_to == read


@pytest.mark.parametrize(
    ("fields", "box"),
    [
        ({"region": {"x0": 0.1, "y0": 0.2, "x1": 0.3, "y1": 0.4}}, (0.1, 0.2, 0.3, 0.4)),
        ({"region": {"x1": 10, "y1": 20, "x2": 30, "y2": 40}}, (10.0, 20.0, 30.0, 40.0)),
        ({"region": [1, 2, 3, 4]}, (1.0, 2.0, 3.0, 4.0)),
        ({"bbox_2d": [1, 2, 3, 4]}, (1.0, 2.0, 3.0, 4.0)),
        ({"box_2d": [1, 2, 3, 4]}, (1.0, 2.0, 3.0, 4.0)),
        ({"region": None}, None),
        ({"region": [1, 2, 3]}, None),
        ({"region": [1, 2, 3, None]}, None),
        ({"region": {"x0": 1, "y0": 2}}, None),
        ({"region": {"x": 1, "y": 2, "width": 3, "height": 4}}, None),
        ({"region": "left"}, None),
        ({"region": [1, 2, 3, float("nan")]}, None),
        ({"region": [1, 2, 3, 10**400]}, None),
    ],
)
def test_a_box_is_four_numbers_or_nothing(fields, box):
    assert one(**fields).box == box


def test_missing_and_odd_fields_are_empty():
    observation = one(phenomenon=["a"], category=None, ordinary_cause=7)
    assert (observation.phenomenon, observation.category, observation.ordinary_cause) == ("", "", "")


def test_texts_and_lists_are_bounded_and_can_be_encoded():
    form = read_form(json.dumps({"label": "real", "reasoning": "\ud800" + "a" * 100_000, "observations": [{}] * 1000}))
    assert form is not None
    assert len(form.reasoning.encode()) <= 8000
    assert len(form.observations) == MOST_OBSERVATIONS


def test_complete_observations_of_a_form_cut_off_are_kept():
    form = read_form(
        '{"reasoning": "One \\"odd\\" hand.\\nMore.", "observations": [{"name": "hand", "phenomenon": "six fingers",'
        ' "severity": 5, "points_to": "generated"}, {"name": "gra'
    )
    assert form is not None
    assert form.reasoning == 'One "odd" hand.\nMore.'
    assert [(observation.name, observation.severity) for observation in form.observations] == [("hand", 5)]


def test_absurd_nesting_and_numbers_are_no_crash():
    assert read_form('{"a":' * 100_000) is None
    assert read_form("[" * 100_000 + "{") is None
    assert read_form('{"label": "real", "certainty": ' + "9" * 5_000 + "}") is not None
