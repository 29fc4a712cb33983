"""The fusion strategies by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backends.errors import ConfigError, UnknownNameError
from fusion.decision import Strategy
from fusion.decisive import decisive
from fusion.panel import panel
from fusion.vote import tally, vote_with_panel

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"vote": vote_with_panel, "tally": tally, "panel": panel, "decisive": decisive}
)
"""Strategies that need nothing but the reports and, some of them, a panel."""

FITTED = ("log_odds", "stacked")
"""Strategies that come out of a calibration and cannot be used without one."""


def strategy(name: str) -> Strategy:
    """The strategy of this name.

    Raises:
        ConfigError: it is one that needs a fitted calibration.
        UnknownNameError: there is none of this name.
    """
    if name in FITTED:
        raise ConfigError(f"The fusion {name!r} needs a fitted calibration; use one of {', '.join(STRATEGIES)}.")
    if name not in STRATEGIES:
        raise UnknownNameError("fusion", name, (*STRATEGIES, *FITTED))
    return STRATEGIES[name]
