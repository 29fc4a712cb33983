"""The shorter ways of computing, and why a model cannot take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backends.local.families import TESTED
from backends.local.prefix import room_of
from backends.local.settings import LocalSettings

_NOT_TESTED = "its family has not been tested with encoded pictures"
_NO_PREFIX = "its layers keep something else than keys and values"
_SWITCHED_OFF = "switched off in the settings"
_SHARES_NONE = "this model computes the beginning of each prompt anew"
_SHARES_SHORT = "this model shares beginnings only while prompt and answer fit into its window"


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """Why a shorter way of computing is not taken; None where it is."""

    vision_once: str | None = None
    prefix_once: str | None = None
    room: int | None = None
    """Up to how many tokens, with the answers, beginnings can be shared; None: always."""

    @property
    def capabilities(self) -> dict[str, Any]:
        """What they mean for the model's capabilities."""
        if self.prefix_once is not None:
            return {"prefix_cache": False, "prefix_cache_note": f"{_SHARES_NONE}: {self.prefix_once}"}
        if self.room is not None:
            return {"prefix_cache": None, "prefix_cache_note": f"{_SHARES_SHORT} of {self.room} tokens"}
        return {"prefix_cache": True, "prefix_cache_note": None}


def possible(config: Any, settings: LocalSettings) -> Shortcuts:
    """The ways that a model of this configuration can take under these settings."""
    room = room_of(config.get_text_config(decoder=True))
    vision = _SWITCHED_OFF if not settings.vision_once else None if config.model_type in TESTED else _NOT_TESTED
    prefix = vision
    if not settings.prefix_once:
        prefix = _SWITCHED_OFF
    elif vision is None and room == 0:
        prefix = _NO_PREFIX
    return Shortcuts(vision, prefix, room)
