"""The kinds of numpy arrays that metrics work on, and the one division that they need."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def ratio(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, element by element; NaN where the whole is 0."""
    out: Floats = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=out, where=whole != 0)
    return out
