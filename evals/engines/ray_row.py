"""Results and errors as the JSON that travels between machines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from backends import errors
from backends.errors import ConfigError, MissingExtraError, SixlensError, UnknownNameError
from backends.layers.budget import Amount
from evals.judgment import Judgment
from evals.task import Result

_OWN_WORDS = (UnknownNameError, MissingExtraError)
"""Made from other things than a message."""


@dataclass(frozen=True, slots=True)
class Row:
    """A result, or the error that ends the run; and what a worker has spent in its life so far."""

    life: str
    spent: Amount
    result: Result | None = None
    error: SixlensError | None = None


def write_result(result: Result, life: str, spent: Amount) -> str:
    """One result."""
    data = {"verdict": result.verdict, "starved": result.starved, "judgment": result.judgment.model_dump_json()}
    return json.dumps({"life": life, "spent": asdict(spent), "result": data})


def write_error(error: SixlensError, life: str) -> str:
    """An error that ends the run."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return json.dumps({"life": life, "spent": asdict(Amount()), "error": [kinds, str(error)]})


def read_row(text: str) -> Row:
    """What `write_result` or `write_error` wrote."""
    data = json.loads(text)
    life, spent = data["life"], Amount(**data["spent"])
    if "error" in data:
        return Row(life, spent, error=_error(*data["error"]))
    result = data["result"]
    judgment = Judgment.model_validate_json(result["judgment"])
    return Row(life, spent, Result(judgment, result["verdict"], result["starved"]))


def _error(kinds: list[str], message: str) -> SixlensError:
    """The nearest kind of error that is known here."""
    known = [kind for name in kinds if isinstance(kind := getattr(errors, name, None), type)]
    nearest = next((kind for kind in known if issubclass(kind, SixlensError)), SixlensError)
    return ConfigError(message) if issubclass(nearest, _OWN_WORDS) else nearest(message)
