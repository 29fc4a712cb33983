"""What a model is asked to fill in, where a server honours a schema.

The schema is strict: every field is required, there are no defaults, no numeric bounds, no tuples and no open objects,
because servers refuse them. What is read from an answer is checked in `paradigms.form`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Box(_Form):
    """Where something is to be seen, in the scale in which the model writes boxes."""

    x0: float = Field(description="Left edge.")
    y0: float = Field(description="Top edge.")
    x1: float = Field(description="Right edge, greater than x0.")
    y1: float = Field(description="Bottom edge, greater than y0.")


class Observation(_Form):
    """One sign seen in the picture."""

    name: str = Field(description="A short name of the sign, at most six words.")
    phenomenon: str = Field(description="What is to be seen, and on which object.")
    reasoning: str = Field(description="Why it speaks for the side it points to.")
    severity: int = Field(description="How much it weighs: 1 barely, 2 slightly, 3 clearly, 4 strongly, 5 decisively.")
    points_to: Literal["generated", "real"] = Field(
        description="The side it speaks for: `generated` if made by a generative model, `real` if a photograph."
    )
    category: str = Field(description="The kind of sign, such as anatomy, lighting, texture, geometry, text or optics.")
    ordinary_cause: str = Field(
        description="What in a camera, a codec or retouching could also leave this sign; `none known` if nothing could."
    )
    region: Box | None = Field(description="The box around the sign, or null if it has no place or you are unsure.")


class Answer(_Form):
    """One examination of a picture: first the reasons, then the label."""

    reasoning: str = Field(description="What you see and how it adds up, in a few plain sentences, before any label.")
    observations: list[Observation] = Field(
        description="The signs that carry the judgment, the strongest first, for both sides; empty if there are none."
    )
    label: Literal["generated", "real", "undecided"] = Field(
        description="Your judgment of the whole picture; `undecided` when the signs do not settle it."
    )
    certainty: float | None = Field(
        description="How sure you are of the label, as a percentage from 0 to 100, or null if you cannot say."
    )


@lru_cache(maxsize=1)
def answer_schema() -> dict[str, Any]:
    """The JSON Schema of `Answer`: strict, with every reference written out in place."""
    schema = Answer.model_json_schema()
    definitions = schema.pop("$defs", {})
    inlined: dict[str, Any] = _inline(schema, definitions)
    return inlined


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """`node` without references and titles."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        return _inline({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    return {
        key: _inline(value, definitions)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }
