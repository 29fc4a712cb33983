"""What gives the label away without anybody looking: the kind of file, its size, its shape, its metadata.

Real photographs are often JPEG where generated pictures are PNG, or have other sizes. Whoever is measured on such data
may have learned to tell the two kinds of file apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from evals.data.header import Header, read_headers
from evals.data.item import Item
from evals.data.spec import Reencode
from paradigms.label import Label

TELLING = 0.65
"""The AUC from which a feature is reported, inclusive."""
LEVEL = 0.95
PERMUTATIONS = 200
_BATCH = 50
MOST_ITEMS = 10_000
LEAST_EACH = 5
"""Cases of either label, below which nothing can be told; of a property, cases in which it is known."""
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LeakWarning:
    """One property of files that tells the labels apart by itself."""

    feature: str
    auc: float
    """From 0.5 to 1: how often a generated and a real case, drawn at random, are told apart by it."""
    threshold: float
    """What it would reach if it were as telling as the most telling of all properties is by chance, with labels
    shuffled, in 95 of 100 draws."""
    reencoded: bool
    """Whether it is so after re-encoding; otherwise of the files as they are."""
    words: str


@dataclass(frozen=True, slots=True)
class _Feature:
    words: str
    """What is more so, after `generated pictures` or `real photographs`."""
    value: Callable[[Header], float]
    survives: bool = False
    """Whether re-encoding leaves it."""


def _feature_table() -> dict[str, _Feature]:
    kinds = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF", "BMP")
    flags = {"exif": "EXIF", "xmp": "XMP", "c2pa": "a C2PA manifest", "text": "text chunks", "profile": "a profile"}
    return {
        **{f"is {kind}": _Feature(f"more often are {kind} files", _is(kind)) for kind in kinds},
        **{f"has {name}": _Feature(f"more often carry {words}", _has(name)) for name, words in flags.items()},
        "has alpha": _Feature("more often have transparency", _has("alpha")),
        "bytes": _Feature("are larger files", lambda it: it.bytes),
        "bytes per pixel": _Feature("take more bytes for a pixel", lambda it: it.bytes / (it.width * it.height)),
        "JPEG quality": _Feature("are compressed less", lambda it: it.jpeg_quality or np.nan),
        "width": _Feature("are wider", lambda it: it.width, survives=True),
        "height": _Feature("are higher", lambda it: it.height, survives=True),
        "pixels": _Feature("have more pixels", lambda it: it.width * it.height, survives=True),
        "aspect": _Feature("are broader for their height", lambda it: it.width / it.height, survives=True),
        "is square": _Feature("more often are square", lambda it: it.width == it.height, survives=True),
        "multiple of 64": _Feature(
            "more often have edges that are multiples of 64",
            lambda it: it.width % 64 == 0 and it.height % 64 == 0,
            survives=True,
        ),
    }


def _is(kind: str) -> Callable[[Header], float]:
    return lambda header: header.format == kind


def _has(name: str) -> Callable[[Header], float]:
    return lambda header: bool(getattr(header, name))


FEATURES: Mapping[str, _Feature] = MappingProxyType(_feature_table())


def find_leaks(items: Sequence[Item], reencode: Reencode | None = None, seed: int = 0) -> tuple[LeakWarning, ...]:
    """The properties that tell the labels apart, the most telling first.

    Only headers are read. A property is reported when its AUC is at least `TELLING`, and farther off one half (in
    standard deviations) than the farthest of all properties is by chance. With `reencode`, those that are left after it
    are reported besides.

    Args:
        items: the data set; cases without a label and files without a header count for nothing. Of more than
            `MOST_ITEMS` the first are taken, so they should be in a random order.
        reencode: how pictures are going to be re-encoded.
        seed: of the shuffled labels.
    """
    known = [item for item in items if item.truth is not None][:MOST_ITEMS]
    pairs = zip(known, read_headers([item.path for item in known]), strict=True)
    told = [(item.truth is Label.GENERATED, header) for item, header in pairs if header is not None]
    labels = np.array([label for label, _ in told], dtype=bool)
    if min(labels.sum(), (~labels).sum()) < LEAST_EACH:
        return ()
    headers = [header for _, header in told]
    found = _telling(headers, labels, FEATURES, seed, reencoded=False)
    if reencode is not None:
        left = {name: feature for name, feature in FEATURES.items() if feature.survives}
        found += _telling([_shrunk(header, reencode) for header in headers], labels, left, seed, reencoded=True)
    return tuple(sorted(found, key=lambda leak: (-leak.auc, leak.feature, leak.reencoded)))


def _telling(
    headers: Sequence[Header], labels: Bools, features: Mapping[str, _Feature], seed: int, *, reencoded: bool
) -> list[LeakWarning]:
    every = np.array([[float(feature.value(header)) for feature in features.values()] for header in headers])
    known = ~np.isnan(every)
    # What is known of a handful of files tells the two apart by chance, however many files there are.
    judged = np.minimum(known[labels].sum(axis=0), known[~labels].sum(axis=0)) >= LEAST_EACH
    names, values = [name for name, use in zip(features, judged, strict=True) if use], every[:, judged]
    aucs, spreads = ranked(values, labels[:, None])
    reach = by_chance(values, labels, seed)
    found = []
    for column, name in enumerate(names):
        auc, threshold = float(aucs[column, 0]), 0.5 + reach * float(spreads[column, 0])
        strength = max(auc, 1 - auc)
        if strength >= TELLING and strength > threshold:
            among = int((~np.isnan(values[:, column])).sum()), len(labels)
            words = _words(name, features[name], auc, among, reencoded=reencoded)
            found.append(LeakWarning(name, round(strength, 4), round(threshold, 4), reencoded, words))
    return found


def by_chance(values: Floats, labels: Bools, seed: int) -> float:
    """How many standard deviations the most telling column lies off 0.5 in `LEVEL` of all draws of shuffled labels.

    Standard deviations make columns comparable: the AUC of one that is known of few cases, or of few values, wanders
    farther by chance, and would hide all others behind itself.
    """
    random = np.random.default_rng(seed)
    best = []
    for _ in range(PERMUTATIONS // _BATCH):
        aucs, spreads = ranked(values, np.array([random.permutation(labels) for _ in range(_BATCH)]).T)
        off = np.divide(np.abs(aucs - 0.5), spreads, out=np.zeros_like(aucs), where=spreads > 0)
        best.append(off.max(axis=0, initial=0.0))
    return float(np.quantile(np.concatenate(best), LEVEL))


def ranked(values: Floats, labels: Bools) -> tuple[Floats, Floats]:
    """The area under the ROC curve of every column by itself, and its standard deviation when labels are shuffled.

    Higher values count for generated. Cases whose value is not known (NaN) do not count for that column; without both
    labels the area is one half. The deviation is that of Mann and Whitney's statistic, ties included.

    Args:
        values: cases by columns.
        labels: cases by labellings, true for generated.

    Returns:
        Two arrays of columns by labellings.
    """
    known = ~np.isnan(values)
    counted = known.sum(axis=0)[:, None].astype(np.float64)
    ranks = np.zeros_like(values)
    tied = np.zeros_like(counted)
    for column in range(values.shape[1]):
        ranks[:, column], tied[column] = _ranks(values[:, column])
    marks = labels.astype(np.float64)
    positives = known.T.astype(np.float64) @ marks
    pairs = positives * (counted - positives)
    above = ranks.T @ marks - positives * (positives + 1) / 2
    aucs: Floats = np.divide(above, pairs, out=np.full_like(pairs, 0.5), where=pairs > 0)
    room = counted + 1 - tied / np.maximum(counted * (counted - 1), 1)
    spreads: Floats = np.sqrt(np.divide(room, 12 * pairs, out=np.zeros_like(pairs), where=pairs > 0).clip(min=0))
    return aucs, spreads


def _ranks(column: Floats) -> tuple[Floats, float]:
    """Ranks from 1, ties sharing their mean, 0 for what is not known; and the sum of t³ - t over the ties of t."""
    known = ~np.isnan(column)
    _, places, counts = np.unique(column[known], return_inverse=True, return_counts=True)
    ranks = np.zeros_like(column)
    ranks[known] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ties = counts.astype(np.float64)
    return ranks, float((ties**3 - ties).sum())


def _shrunk(header: Header, how: Reencode) -> Header:
    longer = max(header.width, header.height)
    if how.max_edge is None or longer <= how.max_edge:
        return header
    width, height = (max(1, round(edge * how.max_edge / longer)) for edge in (header.width, header.height))
    return Header(header.format, width, height, header.bytes)


def _words(name: str, feature: _Feature, auc: float, among: tuple[int, int], *, reencoded: bool) -> str:
    known, cases = among
    who = "Generated pictures" if auc >= 0.5 else "Real photographs"
    when = " even after re-encoding" if reencoded else ""
    where = "" if known == cases else f", among the {known} of {cases} files that have one"
    alone = f"{name!r} alone tells the labels apart with an AUC of {max(auc, 1 - auc):.2f}"
    return f"{who} {feature.words}{when}: {alone}{where}."
