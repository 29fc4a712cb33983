from __future__ import annotations

import pytest

from backends.errors import ConfigError, UnknownNameError
from fusion.decision import Decision
from fusion.strategies import FITTED, STRATEGIES, strategy

from .conftest import hearing, reports


@pytest.mark.parametrize("name", STRATEGIES)
async def test_every_strategy_gives_a_decision_whatever_arrived(name: str) -> None:
    for letters in ("", "gggggg", "rrrrrr", "gggrrr", "uuuuuu", "x?!$d-", "mmmmmm"):
        decision = await strategy(name)(reports(letters), hearing())
        assert isinstance(decision, Decision)
        assert (decision.undecided_because is None) is (decision.label != "undecided")
        assert (decision.p_generated, decision.calibration) == (None, None)


@pytest.mark.parametrize("name", FITTED)
def test_a_fitted_strategy_needs_a_calibration(name: str) -> None:
    with pytest.raises(ConfigError, match="needs a fitted calibration"):
        strategy(name)


def test_an_unknown_one_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'panel'"):
        strategy("pannel")
