"""Reading a YAML file from anybody into a pydantic model, with one clear line for each mistake."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from backends.errors import ConfigError

MAX_BYTES = 1_000_000
Model = TypeVar("Model", bound=BaseModel)


class _StrictLoader(yaml.SafeLoader):
    """Safe loading that also refuses aliases (they can grow without bound) and keys given twice."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call]
            if isinstance(key, str) and key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} is given twice", problem_mark=key_node.start_mark)
            seen.add(key if isinstance(key, str) else id(key))
        return super().construct_mapping(node, deep)


def parse_yaml(text: str, name: str) -> Any:
    """The plain data of a YAML text; `name` says in errors where it stands.

    Raises:
        ConfigError: it is too large or is not YAML.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{name}: larger than {MAX_BYTES} characters; a configuration is small.")
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of the safe loader
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{name}{where}: not valid YAML: {error.problem}.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{name}: not valid YAML: {type(error).__name__}.") from error


def read_yaml(path: Path) -> Any:
    """The plain data of a YAML file.

    Raises:
        ConfigError: the file cannot be read, is too large or is not YAML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}.") from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text.") from error
    return parse_yaml(text, str(path))


def build(model: type[Model], data: Any, name: str) -> Model:
    """Validate plain data; `name` says in errors where it stands.

    Raises:
        ConfigError: one line with the first mistake, where it is, and what was probably meant.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{name}: {_explain(model, error)}") from error


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False)
    first = next((d for d in details if d["type"] == "extra_forbidden"), details[0])
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = sorted(_keys(model.model_json_schema()))
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"there is no key {place!r}.{hint}{more}"
    return f"{place}: {first['msg']}{more}"


def _keys(schema: Any) -> set[str]:
    """Every property name that a JSON Schema mentions."""
    if isinstance(schema, list):
        return {key for item in schema for key in _keys(item)}
    if not isinstance(schema, dict):
        return set()
    own = set(schema.get("properties", {}))
    return own | {key for item in schema.values() for key in _keys(item)}
