"""Bootstrap: the same weights, resample by resample, for every statistic at once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from scipy.special import ndtr, stdtrit  # type: ignore[import-untyped]

from evals.metrics.arrays import Floats
from evals.metrics.estimate import Estimate, Method
from evals.metrics.rate import LEVEL
from evals.metrics.sample import Sample

RESAMPLES = 1000
_CELLS = 1_000_000
"""Weights that are held at a time: 8 MB."""
_USABLE = 0.5
"""Share of resamples in which a statistic must be defined for its interval to be."""


@dataclasses.dataclass(frozen=True)
class Statistic:
    """A number of the rows, as a function of how often each row counts."""

    n: int
    """Rows that it looks at."""
    of: Callable[[Floats], Floats]
    """Weights (resamples × rows) to values (resamples), NaN where undefined."""


@dataclasses.dataclass(frozen=True)
class Bootstrap:
    """How to resample: whole units with replacement, within each stratum, as many as there are."""

    resamples: int = RESAMPLES
    seed: int = 0
    level: float = LEVEL

    def estimates(self, statistics: Mapping[str, Statistic], sample: Sample) -> dict[str, Estimate]:
        """Each statistic with its interval.

        The ends are percentiles, expanded for few units: with k units on the smaller side, the share cut off is
        Φ(√(k / (k - 1)) · t), t being Student's quantile with k - 1 degrees of freedom. Without this, few units give
        intervals that are too short. There is no interval where the resamples do not differ at all (everything right,
        say), or where the statistic is undefined in half of them. AURC is biased in small samples, and so are its
        resamples: read its interval as spread.
        """
        ones = np.ones((1, len(sample.unit)))
        values = {name: float(statistic.of(ones)[0]) for name, statistic in statistics.items()}
        defined = [name for name, value in values.items() if not math.isnan(value)]
        drawn: dict[str, list[Floats]] = {name: [] for name in defined}
        for weights in self._weights(sample) if defined else ():
            for name in defined:
                drawn[name].append(statistics[name].of(weights))
        return {
            name: self._estimate(values[name], statistics[name].n, drawn.get(name, []), sample) for name in statistics
        }

    def _weights(self, sample: Sample) -> Iterator[Floats]:
        """How often each row counts, a block of resamples at a time."""
        generator = np.random.default_rng(self.seed)
        units = int(sample.unit.max()) + 1
        block = max(1, _CELLS // len(sample.unit))
        for start in range(0, self.resamples, block):
            rows = min(block, self.resamples - start)
            counts = np.zeros((rows, units))
            for stratum in sample.strata:
                size = len(stratum)
                picks = generator.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
                counts[:, stratum] = np.bincount(picks.ravel(), minlength=rows * size).reshape(rows, size)
            yield counts if np.array_equal(sample.unit, np.arange(units)) else counts[:, sample.unit]

    def _estimate(self, value: float, n: int, drawn: list[Floats], sample: Sample) -> Estimate:
        if math.isnan(value):
            return Estimate(value=None, n=n)
        every = np.concatenate(drawn) if drawn else np.empty(0)
        usable = every[~np.isnan(every)]
        units = sample.fewest
        if units < 2 or len(usable) <= _USABLE * len(every) or np.ptp(usable) <= 1e-12:
            return Estimate(value=value, n=n, units=units)
        tail = float(ndtr(math.sqrt(units / (units - 1)) * stdtrit(units - 1, (1 - self.level) / 2)))
        low, high = np.quantile(usable, [tail, 1 - tail])
        return Estimate(value=value, n=n, low=float(low), high=float(high), method=Method.BOOTSTRAP, units=units)
