"""The fusion strategies by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from backends.errors import ConfigError, UnknownNameError
from fusion.calibration import Calibration
from fusion.decision import Strategy
from fusion.decisive import decisive
from fusion.fitted import fitted
from fusion.panel import panel
from fusion.vote import tally, vote_with_panel

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"vote": vote_with_panel, "tally": tally, "panel": panel, "decisive": decisive}
)
"""Strategies that need nothing but the reports and, some of them, a panel."""

FITTED = ("log_odds", "stacked")
"""Strategies that come out of a calibration and cannot be used without one."""


def strategy(name: str, calibration: Calibration | None = None) -> Strategy:
    """The strategy of this name; `calibration` is what the fitted ones use, and no other does.

    Raises:
        ConfigError: it is one that needs a fitted calibration, and there is none, or one of another strategy.
        UnknownNameError: there is none of this name.
    """
    if name in STRATEGIES:
        return STRATEGIES[name]
    if name not in FITTED:
        raise UnknownNameError("fusion", name, (*STRATEGIES, *FITTED))
    if calibration is None:
        raise ConfigError(
            f"The fusion {name!r} needs a fitted calibration: name its file as `fusion.calibration`, or use one of "
            f"{', '.join(STRATEGIES)}."
        )
    if calibration.strategy != name:
        raise ConfigError(
            f"The fusion {name!r} cannot use the calibration {calibration.name!r}, which was fitted for "
            f"{calibration.strategy!r}; set `fusion.strategy` to that."
        )
    return fitted(calibration)
