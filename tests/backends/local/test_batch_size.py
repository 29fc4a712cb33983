from __future__ import annotations

from backends.local.batch_size import GROWS_AFTER, BatchSize


def test_it_is_halved_when_a_batch_does_not_fit_and_never_nothing() -> None:
    size = BatchSize(8)
    size.does_not_fit(8)
    assert size.now == 4
    size.does_not_fit(3)
    assert size.now == 1
    size.does_not_fit(2)
    assert size.now == 1


def test_it_grows_again_after_full_batches_that_fit() -> None:
    size = BatchSize(6)
    size.does_not_fit(6)
    for _ in range(GROWS_AFTER - 1):
        size.fits(3)
        size.fits(2)  # not full, so it says nothing of the next size
    assert size.now == 3
    size.fits(3)
    assert size.now == 6
    size.fits(6)
    assert size.now == 6


def test_each_failure_has_it_wait_anew() -> None:
    size = BatchSize(4)
    for _ in range(3):
        size.does_not_fit(4)
        for _ in range(GROWS_AFTER):
            assert size.now == 2
            size.fits(2)
        assert size.now == 4
