import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.backend import BoxFormat
from paradigms.boxes import map_box
from paradigms.region import Region

DELIVERED, ORIGINAL = (800, 600), (4000, 3000)


def mapped(box, box_format=None, delivered=DELIVERED, original=ORIGINAL):
    return map_box(box, box_format=box_format, delivered=delivered, original=original)


@pytest.mark.parametrize(
    ("box", "box_format", "region"),
    [
        ((0.1, 0.2, 0.5, 1.0), BoxFormat.UNIT, (0.1, 0.2, 0.5, 1.0)),
        ((0, 0, 1, 1), BoxFormat.UNIT, (0, 0, 1, 1)),
        ((100, 200, 500, 1000), BoxFormat.THOUSAND, (0.1, 0.2, 0.5, 1.0)),
        ((80, 60, 400, 600), BoxFormat.PIXELS, (0.1, 0.1, 0.5, 1.0)),
        ((0, 0, 800, 600), BoxFormat.PIXELS, (0, 0, 1, 1)),
        # fractions are recognised whatever was declared, and where nothing was
        ((0.1, 0.2, 0.5, 1.0), None, (0.1, 0.2, 0.5, 1.0)),
        ((0, 0, 0.5, 1), None, (0, 0, 0.5, 1)),
        ((0.1, 0.2, 0.5, 1.0), BoxFormat.THOUSAND, (0.1, 0.2, 0.5, 1.0)),
        ((0.1, 0.2, 0.5, 1.0), BoxFormat.PIXELS, (0.1, 0.2, 0.5, 1.0)),
        # a rounding overshoot of one unit is cut off
        ((-1, 0, 500, 1001), BoxFormat.THOUSAND, (0, 0, 0.5, 1)),
        ((0, -0.5, 801, 300), BoxFormat.PIXELS, (0, 0, 1, 0.5)),
        ((-0.001, 0, 1.001, 0.5), BoxFormat.UNIT, (0, 0, 1, 0.5)),
    ],
)
def test_a_certain_box_is_mapped(box, box_format, region):
    x0, y0, x1, y1 = region
    found = mapped(box, box_format)
    assert found is not None
    assert (found.x0, found.y0, found.x1, found.y1) == pytest.approx((x0, y0, x1, y1))


@pytest.mark.parametrize(
    ("box", "box_format"),
    [
        ((100, 200, 500, 600), None),
        ((0, 0, 1, 1), None),
        ((0.2, 0.2, 1.5, 1.0), None),
        ((0, 0, 1, 1), BoxFormat.THOUSAND),
        ((0, 0, 1, 1), BoxFormat.PIXELS),
        ((100, 200, 500, 1002), BoxFormat.THOUSAND),
        ((-2, 200, 500, 900), BoxFormat.THOUSAND),
        ((0, 0, 802, 600), BoxFormat.PIXELS),
        ((0, 0, 700, 602), BoxFormat.PIXELS),
        ((0, 0, 1.01, 0.5), BoxFormat.UNIT),
        ((10, 20, 30, 40), BoxFormat.UNIT),
        ((500, 200, 100, 600), BoxFormat.THOUSAND),
        ((100, 600, 500, 200), BoxFormat.THOUSAND),
        ((100, 200, 100, 600), BoxFormat.THOUSAND),
        ((0.5, 0.2, 0.5, 0.6), None),
        ((0.5, 0.8, 0.6, 0.2), None),
        ((1000, 200, 1001, 600), BoxFormat.THOUSAND),
        ((0.1, 0.2, 0.5), None),
        ((), BoxFormat.UNIT),
    ],
)
def test_a_doubtful_box_is_dropped(box, box_format):
    assert mapped(box, box_format) is None


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("box_format", [None, *BoxFormat])
def test_numbers_that_are_none_are_dropped(odd, box_format):
    for place in range(4):
        box = [0.1, 0.2, 0.5, 0.6]
        box[place] = odd
        assert mapped(box, box_format) is None


def test_a_list_of_a_family_that_writes_y_first_begins_with_the_top():
    def listed(*box):
        return map_box(box, True, box_format=BoxFormat.THOUSAND_Y_FIRST, delivered=DELIVERED, original=ORIGINAL)

    assert listed(200, 100, 1000, 500) == Region(x0=0.1, y0=0.2, x1=0.5, y1=1.0)
    assert listed(-1, 0, 500, 1001) == Region(x0=0, y0=0, x1=1, y1=0.5)
    assert listed(600, 100, 200, 500) is None
    # A list of fractions is not the family's habit: its order is anybody's guess.
    assert listed(0.2, 0.1, 1.0, 0.5) is None


def test_named_edges_are_taken_at_their_names_whatever_the_family_does_in_lists():
    for box in ((100, 200, 500, 1000), (0.1, 0.2, 0.5, 1.0)):
        assert mapped(box, BoxFormat.THOUSAND_Y_FIRST) == Region(x0=0.1, y0=0.2, x1=0.5, y1=1.0)


@pytest.mark.parametrize("box_format", [BoxFormat.UNIT, BoxFormat.THOUSAND, BoxFormat.PIXELS])
def test_for_every_other_family_a_list_begins_with_the_left_edge(box_format):
    box = {BoxFormat.UNIT: (0.1, 0.2, 0.5, 1.0), BoxFormat.THOUSAND: (100, 200, 500, 1000)}.get(box_format)
    box = box or (80, 120, 400, 600)
    listed = map_box(box, True, box_format=box_format, delivered=DELIVERED, original=ORIGINAL)
    assert listed == mapped(box, box_format) == Region(x0=0.1, y0=0.2, x1=0.5, y1=1.0)


def test_a_picture_without_extent_has_no_regions():
    assert mapped((0.1, 0.1, 0.5, 0.5), BoxFormat.UNIT, delivered=(0, 600)) is None
    assert mapped((0.1, 0.1, 0.5, 0.5), BoxFormat.UNIT, original=(4000, 0)) is None


def test_the_aspect_of_the_delivered_picture_counts_for_each_axis():
    assert mapped((100, 100, 200, 200), BoxFormat.PIXELS, delivered=(1000, 400)) == Region(
        x0=0.1, y0=0.25, x1=0.2, y1=0.5
    )


@given(
    st.lists(st.floats() | st.integers(-5, 2000), min_size=4, max_size=4),
    st.sampled_from([None, *BoxFormat]),
    st.booleans(),
    st.integers(1, 3000),
    st.integers(1, 3000),
)
def test_whatever_is_mapped_is_a_proper_region(box, box_format, listed, width, height):
    region = map_box(box, listed, box_format=box_format, delivered=(width, height), original=ORIGINAL)
    assert region is None or (0 <= region.x0 < region.x1 <= 1 and 0 <= region.y0 < region.y1 <= 1)


@given(st.permutations([0.1, 0.3, 0.6, 0.9]))
def test_edges_are_never_reordered(box):
    region = mapped(box)
    assert (region is None) == (box[0] >= box[2] or box[1] >= box[3])
    if region is not None:
        assert (region.x0, region.y0, region.x1, region.y1) == tuple(box)


def test_every_format_agrees_on_the_same_place():
    regions = [
        mapped((0.25, 0.5, 0.75, 1.0), BoxFormat.UNIT),
        mapped((250, 500, 750, 1000), BoxFormat.THOUSAND),
        mapped((250, 500, 750, 1000), BoxFormat.THOUSAND_Y_FIRST),
        mapped((200, 300, 600, 600), BoxFormat.PIXELS),
    ]
    assert all(one == other for one, other in itertools.combinations(regions, 2))
    assert regions[0] == Region(x0=0.25, y0=0.5, x1=0.75, y1=1.0)
