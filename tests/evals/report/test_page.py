from __future__ import annotations

import itertools

import pytest

from evals.report.page import PLATE, Place, plate_place


def placed(corners: list[Place], size: tuple[int, int]) -> list[Place]:
    taken: list[Place] = []
    for corner in corners:
        taken.append(plate_place(corner, taken, size))
    return taken


@pytest.mark.parametrize("corner", [(0.0, 0.0), (70.5, 33.0), (159.0, 119.0)])
def test_numbers_of_boxes_at_one_place_hide_none(corner: Place) -> None:
    places = placed([corner] * 6, (160, 120))
    assert places[0] == (min(corner[0], 160 - PLATE), min(corner[1], 120 - PLATE))
    for one, other in itertools.combinations(places, 2):
        assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) >= PLATE
    assert all(0 <= x <= 160 - PLATE and 0 <= y <= 120 - PLATE for x, y in places)


def test_numbers_apart_stand_at_their_boxes_and_a_picture_without_room_takes_them_all_the_same() -> None:
    assert placed([(10.0, 20.0), (90.0, 20.0)], (160, 120)) == [(10.0, 20.0), (90.0, 20.0)]
    assert placed([(3.0, 5.0)] * 3, (10, 10)) == [(0, 0)] * 3
