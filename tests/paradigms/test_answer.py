import jsonschema
import pytest
from pydantic import ValidationError

from paradigms.answer import Answer, answer_schema
from paradigms.reading import read_answer

FILLED = {
    "reasoning": "The fingers fuse; nothing ordinary explains it.",
    "observations": [
        {
            "name": "fused fingers",
            "phenomenon": "two fingers share one nail, left hand",
            "reasoning": "hands are not built like that",
            "severity": 4,
            "points_to": "generated",
            "category": "anatomy",
            "ordinary_cause": "none known",
            "region": {"x0": 0.1, "y0": 0.2, "x1": 0.3, "y1": 0.4},
        },
        {
            "name": "grain",
            "phenomenon": "fine noise in the shadows",
            "reasoning": "sensors leave it",
            "severity": 2,
            "points_to": "real",
            "category": "optics",
            "ordinary_cause": "film grain added afterwards",
            "region": None,
        },
    ],
    "label": "generated",
    "certainty": 80,
}


def nodes(schema):
    """Every object in a schema, at any depth."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


def test_the_reasons_come_before_the_label():
    assert list(answer_schema()["properties"]) == ["reasoning", "observations", "label", "certainty"]


def test_the_schema_is_strict():
    refused = {
        "$ref",
        "$defs",
        "default",
        "minimum",
        "maximum",
        "prefixItems",
        "pattern",
        "minLength",
        "maxLength",
        "minItems",
    }
    objects = 0
    for node in nodes(answer_schema()):
        assert not refused & set(node)
        if node.get("type") == "object":
            objects += 1
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            assert all(described(field) for field in node["properties"].values())
    assert objects == 3


def described(field):
    return len(field["description"]) > 5


def test_every_sign_must_name_its_ordinary_cause():
    observation = answer_schema()["properties"]["observations"]["items"]
    asked = observation["properties"]["ordinary_cause"]["description"]
    assert all(word in asked for word in ("camera", "codec", "retouching"))
    assert "ordinary_cause" in observation["required"]


def test_a_filled_form_fits_and_is_read_whole():
    jsonschema.validate(FILLED, answer_schema())
    reading = read_answer(Answer.model_validate(FILLED).model_dump_json())
    assert (reading.label, reading.how, reading.certainty) == ("generated", "schema", 80.0)
    assert reading.reasoning == FILLED["reasoning"]
    first, second = reading.observations
    assert (first.name, first.severity, first.points_to, first.box) == (
        "fused fingers",
        4,
        "generated",
        (0.1, 0.2, 0.3, 0.4),
    )
    assert (second.points_to, second.ordinary_cause, second.box) == ("real", "film grain added afterwards", None)


@pytest.mark.parametrize(
    "change",
    [
        {"label": "fake"},
        {"extra": 1},
        {"observations": [{"name": "only a name"}]},
        {"certainty": "high"},
        {"observations": [{**FILLED["observations"][0], "region": [0, 0, 1, 1]}]},
    ],
)
def test_a_form_that_is_off_does_not_fit(change):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**FILLED, **change}, answer_schema())
    with pytest.raises(ValidationError):
        Answer.model_validate({**FILLED, **change})


@pytest.mark.parametrize("field", list(FILLED))
def test_every_field_is_required(field):
    rest = {key: value for key, value in FILLED.items() if key != field}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(rest, answer_schema())
