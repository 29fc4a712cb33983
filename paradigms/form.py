"""The filled-in `Answer` form, found anywhere in an answer and read with some tolerance.

Models write the form slightly off: other keys, other words, a missing field, text around it, an end cut off. What is
certain is taken, the rest is left out.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from paradigms.label import Label
from paradigms.naming import read_phrase

Side = Literal["generated", "real"]
Box = tuple[float, float, float, float]
_BOX_KEYS = ("region", "box", "bbox", "bbox_2d", "box_2d")

MOST_OBJECTS = 24
"""How many opening braces are tried as the start of a JSON object."""
DEEPEST_LABEL = 2
MOST_OBSERVATIONS = 64
LONGEST_TEXT = 8000
"""Characters that are kept of one text field."""

_LABEL_KEYS = re.compile(
    r"(?:final)?(?:label|verdict|answer|decision|classification)|result|prediction|conclusion|class|judge?ment|authenticity"
    r"|assessment"
)
_GENERATED_KEYS = re.compile(r"(?:is)?(?:fake|generated|synthetic|artificial|deepfake|ai|aigenerated)")
_REAL_KEYS = re.compile(r"(?:is)?(?:real|authentic|genuine|photograph|photo)")
_PAIR = re.compile(r"""["'](\w{2,30})["']\s*:\s*(?:["']([^"'\n]{1,60})["']|(true|false)\b)""", re.IGNORECASE)

_FORM_KEYS = frozenset(("label", "observations", "verdict"))
_REASONING_KEYS = ("reasoning", "rationale", "explanation", "reason", "analysis")
_REASONING = re.compile(r'"(?:reasoning|rationale|explanation)"\s*:\s*"((?:[^"\\]|\\.)*)')


@dataclass(frozen=True, slots=True)
class ReadObservation:
    """One observation as the model wrote it. `severity` is 1 to 5 or None; `box` is in the model's own scale.

    `box_listed` is true when the box was a bare list, whose order the model chose, rather than four named edges.
    """

    name: str
    phenomenon: str = ""
    reasoning: str = ""
    severity: int | None = None
    points_to: Side | None = None
    category: str = ""
    ordinary_cause: str = ""
    box: Box | None = None
    box_listed: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What a form says. `labels` holds every label it gives: one is an answer, several contradict each other."""

    labels: frozenset[Label] = frozenset()
    certainty: float | None = None
    reasoning: str = ""
    observations: tuple[ReadObservation, ...] = ()


def read_form(text: str) -> Form | None:
    """The form in an answer, or None when there is no JSON object that looks like one."""
    objects = list(_objects(text))
    forms = [found for found in objects if _labels(found) or not _FORM_KEYS.isdisjoint(found)]
    if forms:
        last = forms[-1]
        return Form(
            labels=frozenset(label for found in forms for label in _labels(found)),
            certainty=_certainty(last),
            reasoning=_text(next((last[key] for key in _REASONING_KEYS if last.get(key)), None)),
            observations=_observations(last.get("observations")),
        )
    if "{" not in text:
        return None
    # Cut off or not quite JSON: take the pairs that stand complete, and the observations that do.
    pairs = ({key: value or word.lower() == "true"} for key, value, word in _PAIR.findall(text[-LONGEST_TEXT:]))
    labels = frozenset(label for pair in pairs for label in _labels(pair))
    reasoning = _REASONING.search(text)
    if not labels and reasoning is None:
        return None
    return Form(
        labels=labels,
        reasoning=_text(reasoning.group(1).replace("\\n", "\n").replace('\\"', '"')) if reasoning else "",
        observations=_observations([found for found in objects if "phenomenon" in found]),
    )


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    """The outermost JSON objects of a text, from the left."""
    decoder = json.JSONDecoder()
    end = tries = 0
    while tries < MOST_OBJECTS and (start := text.find("{", end)) >= 0:
        tries += 1
        end = start + 1
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):  # not JSON here, an absurd number, or absurdly deep
            continue
        if isinstance(found, Mapping):
            yield found


def _labels(found: Mapping[str, Any], depth: int = 0) -> set[Label]:
    """The labels that an object gives, looking into a nested answer as well."""
    labels = set()
    for key, value in found.items():
        name = re.sub(r"[^a-z]", "", str(key).lower())
        if _LABEL_KEYS.fullmatch(name):
            if isinstance(value, Mapping) and depth < DEEPEST_LABEL:
                labels |= _labels(value, depth + 1)
            elif isinstance(value, str) and (label := read_phrase(value)):
                labels.add(label)
        elif (holds := _truth(value)) is not None:
            if _GENERATED_KEYS.fullmatch(name):
                labels.add(Label.GENERATED if holds else Label.REAL)
            elif _REAL_KEYS.fullmatch(name):
                labels.add(Label.REAL if holds else Label.GENERATED)
    return labels


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"yes": True, "true": True, "no": False, "false": False}.get(str(value).strip().lower())


def _observations(items: object) -> tuple[ReadObservation, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(_observation(item) for item in items[:MOST_OBSERVATIONS] if isinstance(item, Mapping))


def _observation(item: Mapping[str, Any]) -> ReadObservation:
    side = read_phrase(_text(item.get("points_to")))
    box = next((item[key] for key in _BOX_KEYS if item.get(key)), None)
    return ReadObservation(
        name=_text(item.get("name")),
        phenomenon=_text(item.get("phenomenon")),
        reasoning=_text(item.get("reasoning")),
        severity=_severity(item.get("severity")),
        points_to=None if side in (None, Label.UNDECIDED) else cast("Side", side.value),
        category=_text(item.get("category")),
        ordinary_cause=_text(item.get("ordinary_cause")),
        box=_box(box),
        box_listed=isinstance(box, list),
    )


def _text(value: object) -> str:
    """The value if it is a string, in bounds and without half characters that no encoder takes."""
    return value[:LONGEST_TEXT].encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """A finite number, also when it was written as a string."""
    if isinstance(value, str):
        value = value.strip().removesuffix("%").strip()
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _severity(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number in (1, 2, 3, 4, 5) else None


def _certainty(found: Mapping[str, Any]) -> float | None:
    """The stated per cent. A number up to one may be a fraction or a per cent, so it says nothing certain."""
    number = _number(found.get("certainty", found.get("confidence")))
    return number if number is not None and (number == 0 or 1 < number <= 100) else None


def _box(value: object) -> Box | None:
    """Four numbers, as named edges (then left, top, right, bottom) or as a list in the order of the model."""
    if isinstance(value, Mapping):
        names = ("x0", "y0", "x1", "y1") if "x0" in value else ("x1", "y1", "x2", "y2")
        value = [value.get(name) for name in names]
    edges = [_number(edge) for edge in value] if isinstance(value, list) and len(value) == 4 else []
    return cast("Box", tuple(edges)) if edges and None not in edges else None
