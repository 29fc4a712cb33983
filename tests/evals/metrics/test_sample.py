from __future__ import annotations

import numpy as np

from evals.metrics.sample import MIN_UNITS, Sample


def test_without_sources_cases_are_the_units_and_sides_are_apart(columns) -> None:
    sample = Sample.of(columns([1, 1, 0, 0, 0], [1] * 5))
    assert sorted(map(len, sample.strata)) == [2, 3]
    assert (sample.sampling.real_unit, sample.sampling.real_units, sample.sampling.generated_units) == ("case", 3, 2)
    assert sample.fewest == 2


def test_sources_that_hold_both_sides_are_drawn_from_one_pool(columns) -> None:
    sample = Sample.of(columns([1, 0] * MIN_UNITS, [1, 0] * MIN_UNITS, source=np.arange(10) // 2))
    assert len(sample.strata) == 1
    assert len(sample.strata[0]) == MIN_UNITS
    assert sample.sampling.real_unit == "source"


def test_too_few_sources_of_a_side_leave_its_cases_as_units(columns) -> None:
    source = [0] * 10 + list(range(1, 11))
    sample = Sample.of(columns([0] * 10 + [1] * 10, [0] * 20, source=source))
    sampling = sample.sampling
    assert (sampling.real_unit, sampling.real_units) == ("case", 10)
    assert (sampling.generated_unit, sampling.generated_units) == ("source", 10)
    assert "too few sources (1)" in sampling.note


def test_a_case_without_a_source_is_a_unit_by_itself(columns) -> None:
    rows = columns([0] * 12, [0] * 12, source=[0, 0, 1, 1, 2, 2, -1, -1, -1, -1, -1, -1])
    assert Sample.of(rows).sampling.real_units == 9


def test_repeats_of_a_case_without_a_source_are_one_unit_beside_sources(columns) -> None:
    rows = columns([0] * 6, [0] * 6, source=[0, 1, 2, 3, 4, -1]).take(np.repeat(np.arange(6), 2))
    assert Sample.of(rows).sampling.real_units == 6


def test_all_repeats_of_a_case_are_one_unit(columns) -> None:
    rows = columns([0, 0, 1], [0, 0, 1]).take(np.array([0, 0, 1, 1, 2, 2]))
    assert Sample.of(rows).unit.tolist() == [0, 0, 1, 1, 2, 2]
