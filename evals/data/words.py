"""Words for the two labels, as data sets use them in columns and names of folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backends.errors import ConfigError
from evals.data.spec import DataSpec
from paradigms.label import Label

_USUAL: Mapping[str, Label] = MappingProxyType(
    {
        **dict.fromkeys(("generated", "ai", "ai-generated", "ai_generated", "aigc", "synthetic"), Label.GENERATED),
        **dict.fromkeys(("fake", "fakes", "1_fake", "1_generated", "1_ai"), Label.GENERATED),
        **dict.fromkeys(("real", "reals", "0_real", "nature", "0_nature", "camera", "human"), Label.REAL),
        **dict.fromkeys(("photo", "photos", "photograph", "photographs"), Label.REAL),
    }
)
_NOTHING = frozenset(("", "none", "null", "nan", "unknown", "unlabelled", "unlabeled", "undecided"))


@dataclass(frozen=True, slots=True)
class Words:
    """What means which label, without regard to case."""

    labels: Mapping[str, Label]
    rest_is_real: bool = False
    """Any other value means real; it has to be one value only."""

    def label(self, word: str) -> Label | None:
        """The label that a word is, or None."""
        return self.labels.get(word.strip().casefold())


def words_of(spec: DataSpec) -> Words:
    """The words of a data set: those that it gives, or the usual ones."""
    if not spec.generated and not spec.real:
        return Words(_USUAL)
    generated = {text.strip().casefold(): Label.GENERATED for text in spec.generated}
    real = {text.strip().casefold(): Label.REAL for text in spec.real}
    for given, label in ((generated, Label.GENERATED), (real, Label.REAL)):
        if not given:
            given |= {word: usual for word, usual in _USUAL.items() if usual is label and word not in generated | real}
    return Words({**generated, **real}, rest_is_real=bool(spec.generated) and not spec.real)


def read_labels(values: list[str], words: Words, where: str) -> list[Label | None]:
    """The labels of a column. Empty and unknown values are None.

    Raises:
        ConfigError: a value is no label; the message says how to name it.
    """
    strange = {
        value.strip() for value in values if words.label(value) is None and value.strip().casefold() not in _NOTHING
    }
    if strange and words.rest_is_real and len(strange) == 1:
        words = Words({**words.labels, next(iter(strange)).casefold(): Label.REAL})
    elif strange:
        shown = ", ".join(repr(value[:40]) for value in sorted(strange)[:5])
        more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
        raise ConfigError(
            f"{where}: it is not known what the label {shown}{more} means. Say which values mean generated and which "
            "real, for example `generated: ['1']` and `real: ['0']` under `data`."
        )
    return [words.label(value) for value in values]
