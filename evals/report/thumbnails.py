"""Small pictures of cases, where the data is still what the run saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from backends.errors import ConfigError, ImageError, InputError
from backends.images.source import load_image
from evals.data.hub import list_hub
from evals.data.listing import list_pictures
from evals.html import data_uri
from evals.judgment import Judgment
from evals.stored_run import StoredRun

EDGE = 160
"""Pixels of the longer edge, at most."""
_QUALITY = 72
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small JPEG, inside the page."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Those that there are, by case, and why others are missing."""

    by_case: Mapping[str, Thumbnail]
    note: str = ""


def thumbnails(run: StoredRun, judgments: Sequence[Judgment]) -> Thumbnails:
    """A thumbnail for each case whose file can be read and is the one that was judged."""
    digests = {judgment.case: judgment.sha256 for judgment in judgments}
    if not digests:
        return Thumbnails({})
    paths = _paths(run)
    if isinstance(paths, str):
        return Thumbnails({}, f"There are no pictures here: {paths}")
    wanted = [(case, paths[case], digest) for case, digest in digests.items() if case in paths]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        made = pool.map(lambda it: _thumbnail(it[1], it[2]), wanted)
    found = {case: picture for (case, *_), picture in zip(wanted, made, strict=True) if picture is not None}
    missing = len(digests) - len(found)
    note = f"{missing:,} pictures are not shown: their files are gone, changed or cannot be read." if missing else ""
    return Thumbnails(found, note)


def _paths(run: StoredRun) -> dict[str, Path] | str:
    """Where each case's file lies, or why that is not known."""
    if run.experiment is None:
        return "the run says nothing of where its data lies."
    spec = run.experiment.data
    try:
        listing = list_hub(spec, run.base) if spec.hf is not None else list_pictures(spec, run.base)
    except (ConfigError, InputError) as error:
        return f"the data is not where the run found it ({error})"
    return {item.case: item.path for item in listing.items}


def _thumbnail(path: Path, digest: str) -> Thumbnail | None:
    try:
        with load_image(path) as image:
            if image.sha256 != digest:
                return None
            picture = image.deliver(EDGE, _QUALITY)
    except ImageError:
        return None
    return Thumbnail(data_uri(picture.data), picture.width, picture.height)
