"""Prompts in the JSON format of mllm-defake (`format_version` 3) as paradigms of this project.

Such a file holds `conversations`. Each has a `payload` of `[role, text]` or `[role, text, picture]`, in which `{name}`
stands for the picture (`image_url`), for what a decorator made, or for the answer of an earlier conversation, by its
`response_var_name`. The last answer is called `result`.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from backends.errors import ConfigError
from backends.yaml_file import build
from paradigms.paradigm import RESERVED, Paradigm

MAX_BYTES = 1_000_000
RESULT = "result"
EXAMPLE = "docs/paradigms.md shows an example."
SYSTEM = "You examine pictures."
"""What is said before a conversation that says nothing of its own."""
_PICTURES: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {"{image_url}": ("image", None), "{roi_url}": ("region", "regions")}
)
"""Picture slots: what is shown in their place, and what the paradigm needs for it."""
_EXEMPLAR_PICTURE = re.compile(r"\{few_shot_image_url_(\d+)\}")
_EXEMPLAR_ANSWER = re.compile(r"\s*\{few_shot_result_(\d+)\}\s*")
_JINJA = ("{{", "{%", "{#")
EXEMPLAR_WORDS = "{% if exemplar.description %}\nAn example picture shows: {{ exemplar.description }}\n{% endif %}\n"
EXEMPLAR_ANSWER = "{{ exemplar.reason }}\nVerdict: {{ exemplar.label }}"


class _Conversation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    payload: tuple[tuple[str, ...], ...] = Field(min_length=1)
    response_var_name: str = RESULT
    decorators: tuple[str, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    format_version: Literal["3"]
    name: str = "imported"
    revision: str | int | None = None
    conversations: tuple[_Conversation, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Imported:
    """A paradigm that was made of a foreign file, and what is worth knowing of it, one line each."""

    paradigm: Paradigm
    text: str
    """The paradigm's YAML."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Draft:
    """What is found while the conversations are gone through."""

    where: str
    names: dict[str, str] = field(default_factory=dict)
    """Names of steps by the variable that their answer was called."""
    needs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def need(self, what: str | None) -> None:
        if what is not None and what not in self.needs:
            self.needs.append(what)


def import_prompt(path: Path) -> Imported:
    """The paradigm that a prompt file of mllm-defake describes.

    Raises:
        ConfigError: the file cannot be read, is no such prompt, or uses what a paradigm has no counterpart for.
    """
    prompt = _read(path)
    try:
        file = build(_File, prompt, str(path))
    except ConfigError as error:
        raise ConfigError(f"{error} {EXAMPLE}") from error
    draft = _Draft(str(path))
    results = [number for number, one in enumerate(file.conversations) if one.response_var_name == RESULT]
    if results != [len(file.conversations) - 1]:
        raise ConfigError(f"{path}: the last conversation, and no other, must answer to `{RESULT}`. {EXAMPLE}")
    steps = [_step(conversation, draft) for conversation in file.conversations]
    name = _named(file.name, draft.where)
    content = {
        "name": name,
        "version": str(file.revision or "1")[:40],
        "title": name.replace("_", " ").capitalize()[:80],
        "question": f"Judged by the imported prompt {name}, is the picture a real photograph or generated?",
        **({"needs": draft.needs} if draft.needs else {}),
        "steps": [{"name": "proposal", "measure": "regions"}, *steps] if "regions" in draft.needs else steps,
    }
    paradigm = build(Paradigm, content, str(path))
    draft.notes.append(
        "In the layout `paper` the turns are as they were; in `shared` the system text of all paradigms stands in "
        "place of the prompt's own."
    )
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return Imported(paradigm, text, tuple(dict.fromkeys(draft.notes)))


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and everything in full: files of ours take no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes; a prompt is small.")
        return json.loads(data)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: this is no JSON file in UTF-8.") from error


def _step(conversation: _Conversation, draft: _Draft) -> dict[str, Any]:
    """One conversation as a step that asks."""
    verdict = conversation.response_var_name == RESULT
    for decorator in conversation.decorators:
        draft.notes.append(f"The decorator {decorator[:80]!r} is code and was left out.")
    systems, turns, before = [], [], []
    for turn in _examples_folded(conversation.payload, draft):
        if isinstance(turn, dict):
            turns.append(turn)
            before.append(turn)
            continue
        role, text, picture = turn[0], _template(turn[1], draft), _picture(turn, draft)
        if role == "system":
            systems.append(text)
        elif role == "assistant":
            turns.append({"assistant": text})
        else:
            turns.append({"user": [text, {"picture": picture}] if picture else text})
    shown = {part["picture"] for turn in turns if "user" in turn for part in turn["user"] if isinstance(part, dict)}
    name = "verdict" if verdict else _step_name(conversation.response_var_name, draft)
    said = [text for turn in turns if "each" not in turn for text in _texts(turn)]
    return {
        "name": name,
        "ask": "verdict" if verdict else "text",
        **({} if shown else {"picture": False}),
        "paper": {"system": "\n\n".join(systems) or SYSTEM, "turns": turns},
        "shared": {
            "question": "\n\n".join(said),
            **({"regions": True} if "region" in shown else {}),
            **({"before": before} if before else {}),
        },
    }


def _texts(turn: Mapping[str, Any]) -> Iterator[str]:
    said = turn.get("user", turn.get("assistant"))
    yield from (part for part in ([said] if isinstance(said, str) else said) if isinstance(part, str))


def _examples_folded(payload: Sequence[tuple[str, ...]], draft: _Draft) -> Iterator[tuple[str, ...] | dict[str, Any]]:
    """The turns, with the worked examples in a row folded into one that is repeated for each exemplar."""
    folded, index = False, 0
    while index < len(payload):
        turn = payload[index]
        if len(turn) < 2 or len(turn) > 3 or turn[0] not in ("system", "user", "assistant"):
            raise ConfigError(
                f"{draft.where}: a turn is [role, text] or [role, text, picture]; got {str(turn)[:80]}. {EXAMPLE}"
            )
        example = len(turn) == 3 and _EXEMPLAR_PICTURE.fullmatch(turn[2].strip())
        if not example:
            yield turn
            index += 1
            continue
        answer = payload[index + 1] if index + 1 < len(payload) else ("", "")
        if len(answer) != 2 or not _EXEMPLAR_ANSWER.fullmatch(answer[1]):
            raise ConfigError(f"{draft.where}: a worked example is a picture and, as the assistant's turn, its answer.")
        if not folded:
            draft.need("exemplars")
            draft.notes.append("The worked examples are those of the ensemble (`exemplars`), not those of the prompt.")
            question = [{"picture": "exemplar"}, EXEMPLAR_WORDS + _template(turn[1], draft)]
            yield {"each": "exemplars", "turns": [{"user": question}, {"assistant": EXEMPLAR_ANSWER}]}
            folded = True
        index += 2


def _picture(turn: tuple[str, ...], draft: _Draft) -> str | None:
    if len(turn) < 3:
        return None
    slot = turn[2].strip()
    if slot not in _PICTURES or turn[0] != "user":
        known = ", ".join((*_PICTURES, "{few_shot_image_url_0}"))
        raise ConfigError(f"{draft.where}: the picture {slot[:80]!r} has no counterpart here. Known: {known}.")
    picture, need = _PICTURES[slot]
    draft.need(need)
    if need == "regions":
        draft.notes.append("The regions are those that this project proposes, not those of the prompt's own code.")
    return picture


def _template(text: str, draft: _Draft) -> str:
    """A text with `{name}` as a template with `{{ name }}`.

    Raises:
        ConfigError: a name has no counterpart; the truth of a case is never one.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ConfigError(f"{draft.where}: a text has single braces: {error}.") from error
    # Escaped braces come one by one, so marks are looked for in the whole text, with \0 in place of each name.
    whole = "".join(literal + ("" if name is None else "\0") for literal, name, _, _ in parts)
    if any(mark in whole for mark in (*_JINJA, "{\0", "\0}")):
        raise ConfigError(f"{draft.where}: a text holds one of {' '.join(_JINJA)}, which templates use; reword it.")
    made = []
    for literal, name, form, conversion in parts:
        made.append(literal)
        if name is None:
            continue
        if name == "label":
            raise ConfigError(f"{draft.where}: a text shows the model `{{label}}`, which is the truth; take it out.")
        if name not in draft.names or form or conversion:
            known = ", ".join(draft.names) or "none yet"
            raise ConfigError(
                f"{draft.where}: {{{name[:80]}}} is no answer of an earlier conversation (those are: {known}). What a "
                "decorator would make has no counterpart here; a panel of answers is `fusion.strategy: panel`."
            )
        made.append(f"{{{{ {draft.names[name]} }}}}")
    return "".join(made)


def _step_name(variable: str, draft: _Draft) -> str:
    name = _named(variable, draft.where)
    if name in RESERVED or name in ("verdict", "proposal"):
        name = f"{name[:34]}_found"
    if variable in draft.names or name in draft.names.values():
        raise ConfigError(f"{draft.where}: two conversations answer to {variable[:80]!r}.")
    draft.names[variable] = name
    return name


def _named(text: str, where: str) -> str:
    """A text as a name: lower-case letters, digits and `_`, with a letter first."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_").lstrip("0123456789_")[:40].rstrip("_")
    if not name:
        raise ConfigError(f"{where}: {text[:80]!r} has no letters to make a name of.")
    return name
