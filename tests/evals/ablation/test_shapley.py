from __future__ import annotations

import itertools

import numpy as np
import pytest

from evals.ablation.shapley import shapley


def game(worth: dict[str, float]) -> dict[frozenset[str], float]:
    return {frozenset(name): value for name, value in worth.items()}


def test_two_players_by_hand() -> None:
    # Orders AB and BA: A brings 0.1 first or 0.4 after B, B brings 0.2 first or 0.5 after A.
    values = shapley(("A", "B"), game({"": 0.5, "A": 0.6, "B": 0.7, "AB": 1.1}))
    assert values == pytest.approx({"A": (0.1 + 0.4) / 2, "B": (0.5 + 0.2) / 2})


def test_the_glove_game_of_three() -> None:
    # One left glove (L), two right ones (R, S); a pair is worth 1. Known: 2/3, 1/6, 1/6.
    worth = {"": 0, "L": 0, "R": 0, "S": 0, "LR": 1, "LS": 1, "RS": 0, "LRS": 1}
    assert shapley(("L", "R", "S"), game(worth)) == pytest.approx({"L": 2 / 3, "R": 1 / 6, "S": 1 / 6})


def test_values_sum_to_the_whole_and_a_dummy_gets_nothing() -> None:
    random, players = np.random.default_rng(3), "ABCDEF"
    groups = [frozenset(names) for size in range(6) for names in itertools.combinations("ABCDE", size)]
    worth = {group: float(random.random()) for group in groups}
    worth |= {group | {"F"}: value for group, value in list(worth.items())}
    values = shapley(tuple(players), worth)
    assert sum(values.values()) == pytest.approx(worth[frozenset(players)] - worth[frozenset()], abs=1e-12)
    assert values["F"] == pytest.approx(0, abs=1e-12)
