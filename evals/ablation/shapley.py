"""Shapley values: how much of a group's worth each member brings, averaged over every order of joining."""

from __future__ import annotations

import math
from collections.abc import Mapping

Worth = Mapping[frozenset[str], float]
"""What each subset of the players is worth, the empty one included."""


def shapley(players: tuple[str, ...], worth: Worth) -> dict[str, float]:
    """The Shapley value of every player; they sum to the worth of all less the worth of nobody.

    Args:
        players: at least one.
        worth: of every subset of the players.
    """
    count = len(players)
    values: dict[str, float] = {}
    for player in players:
        terms = []
        for group in worth:
            if player not in group and group <= set(players):
                # The share of all orders in which exactly this group has joined before the player.
                before, after = len(group), count - len(group) - 1
                weight = math.factorial(before) * math.factorial(after) / math.factorial(count)
                terms.append(weight * (worth[group | {player}] - worth[group]))
        values[player] = math.fsum(terms)
    return values
