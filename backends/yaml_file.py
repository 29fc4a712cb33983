"""Reading a YAML file from anybody into a pydantic model, with one clear line for each mistake."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from backends.errors import ConfigError
from backends.text_file import read_text

MAX_BYTES = 1_000_000
TOO_LARGE = f"larger than {MAX_BYTES} bytes; a configuration is small."
MAX_DEPTH = 12
"""How deep a schema is searched for the key that was meant."""
Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str, ...]


class _StrictLoader(yaml.SafeLoader):
    """Safe loading that also refuses aliases (they can grow without bound) and keys given twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            # An impossible date, `!!int x`, a number of a million digits: the library lets these through.
            raise yaml.MarkedYAMLError(
                problem=f"{str(node.value)[:40]!r} cannot be read as {node.tag.rsplit(':', 1)[-1]}",
                problem_mark=node.start_mark,
            ) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[tuple[str, str]] = set()
        # A tag such as `!!set` can make anything be read as a mapping; the library then says so.
        for key, _ in node.value if node.id == "mapping" else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def parse_yaml(text: str, name: str) -> Any:
    """The plain data of a YAML text; `name` says in errors where it stands.

    Raises:
        ConfigError: it is too large or is not YAML.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{name}: {TOO_LARGE}")
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(_line(f"{name}{where}: not valid YAML: {error.problem}.")) from error
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"{name}: not valid YAML: character {error.position + 1} is not allowed there.") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: not valid YAML: it is nested too deeply.") from error


def read_yaml(path: Path) -> Any:
    """The plain data of a YAML file.

    Raises:
        ConfigError: the file cannot be read, is too large or is not YAML.
    """
    return parse_yaml(read_text(path, MAX_BYTES, TOO_LARGE), str(path))


def build(model: type[Model], data: Any, name: str) -> Model:
    """Validate plain data; `name` says in errors where it stands.

    Raises:
        ConfigError: one line with one mistake, where it is, and what was probably meant.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_line(f"{name}: {_explain(model, data, error)}")) from error


def _explain(model: type[BaseModel], data: Any, error: ValidationError) -> str:
    """The mistake that helps most: a key that does not exist, else the one that lies deepest."""
    details = error.errors(include_url=False, include_input=False)
    places = [_place(data, detail["loc"], missing=detail["type"] == "missing") for detail in details]
    mistakes = list(zip(places, details, strict=True))
    unknown = [mistake for mistake in mistakes if mistake[1]["type"] == "extra_forbidden"]
    place, detail = unknown[0] if unknown else max(mistakes, key=lambda mistake: len(mistake[0]))
    # Where a value may have several forms, every form that it misses is an error at the place or above it.
    others = sum(place[: len(other)] != other for other in set(places))
    more = f" (and {others} more)" if others else ""
    where = ".".join(place)
    if detail["type"] == "extra_forbidden":
        return f"there is no key {where!r}.{_meant(model, place)}{more}"
    if detail["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"{where + ': ' if where else ''}keys with values are wanted here, as in `key: value`.{more}"
    message = detail["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{where + ': ' if where else ''}{message}.{more}"


def _place(data: Any, location: tuple[int | str, ...], *, missing: bool) -> Place:
    """The keys and positions of a location, without pydantic's names for the forms that a value may have."""
    place = []
    for number, part in enumerate(location, start=1):
        known = part in data if isinstance(data, Mapping) else isinstance(data, list) and isinstance(part, int)
        if known:
            data = data[part]
        if known or (missing and number == len(location)):
            # Positions are counted from 1, as people do.
            place.append(f"#{part + 1}" if isinstance(part, int) else part)
    return tuple(place)


def _meant(model: type[BaseModel], place: Place) -> str:
    """A hint at the key that was probably meant: one that may stand there, else one that stands elsewhere."""
    schema = model.model_json_schema()
    paths = list(_paths(schema, schema.get("$defs", {}), ()))
    beside = [path for path in paths if _fits(path[:-1], place[:-1])]
    for candidates, told in ((beside, slice(-1, None)), (paths, slice(None))):
        near = difflib.get_close_matches(place[-1], {path[-1] for path in candidates}, n=1)
        if near:
            path = next(path for path in candidates if path[-1] == near[0])
            return f" Did you mean {'.'.join(path[told])!r}?"
    return ""


def _fits(path: Place, place: Place) -> bool:
    return len(path) == len(place) and all(known in ("*", part) for known, part in zip(path, place, strict=True))


def _paths(node: Mapping[str, Any], definitions: Mapping[str, Any], path: Place) -> Iterator[Place]:
    """The path to every property of a JSON Schema; `*` stands for any name or position."""
    if len(path) > MAX_DEPTH:
        return
    if "$ref" in node:
        yield from _paths(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions, path)
    options: Iterable[Mapping[str, Any]] = (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ()))
    for option in options:
        yield from _paths(option, definitions, path)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from _paths(node[key], definitions, (*path, "*"))
    for name, child in node.get("properties", {}).items():
        yield (*path, name)
        yield from _paths(child, definitions, (*path, name))


def _line(text: str) -> str:
    """The text on one line, with what a terminal could take for a command written out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
