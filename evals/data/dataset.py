"""A data set as an experiment uses it: found, cleaned of copies, sampled and in an order that a seed gives."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from backends.errors import ConfigError, InputError
from evals.data.copies import drop_copies, near_copies
from evals.data.folder import few
from evals.data.hub import list_hub
from evals.data.item import Item
from evals.data.listing import Listing, list_pictures
from evals.data.sample import sample
from evals.data.spec import DataSpec, Layout
from paradigms.label import Label

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_MOST_LINES = 2_000_000


@dataclass(frozen=True, slots=True)
class DataSet:
    """Cases to be judged, with what is said of them."""

    items: tuple[Item, ...]
    """In an order drawn by the seed, so that a run that ends early has seen something of everything."""
    layout: Layout
    words: str
    """Where it was found and how it lies there, what counts as positive, and how many there are; two sentences."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def count(self, label: Label | None) -> int:
        """How many cases have this label; None for those without one."""
        return sum(item.truth is label for item in self.items)

    @property
    def labelled(self) -> bool:
        """Whether anything is said of any case."""
        return any(item.truth is not None for item in self.items)

    @property
    def identity(self) -> str:
        """A hash of the cases, what is said of each, and the sizes of their files; it does not depend on the order."""
        lines = sorted("\0".join(map(str, (it.case, it.truth, it.generator, it.source, it.size))) for it in self.items)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load_dataset(spec: DataSpec, base: Path) -> DataSet:
    """The data set that a `data` section describes.

    No picture is decoded unless near duplicates are asked for. A picture that cannot be read is left in: it costs only
    itself, when it is to be judged.

    Args:
        spec: the section.
        base: the folder that its paths count from.

    Raises:
        ConfigError: the section, a table or a label is wrong, nothing is left, or copies are refused.
        InputError: nothing is there, or it cannot be read.
        MissingExtraError: a package that is needed is not installed.
    """
    listing = list_hub(spec, base) if spec.hf is not None else list_pictures(spec, base)
    if not listing.items:
        part = f" in the part {spec.split!r}; check `data.split`" if spec.split is not None else ""
        more = f" {listing.warnings[0]}" if listing.warnings else ""
        raise InputError(f"{spec.hf or spec.path}: there are no pictures{part}.{more}")
    _name_apart(listing, spec)
    _exclude(listing, spec, base)
    drop_copies(listing, spec.duplicates)
    if spec.near_duplicates:
        near_copies(listing)
    listing.items = sample(listing.items, spec)
    if not listing.items:
        raise ConfigError("No case of the data set is left after exclusion and sampling; loosen `data`.")
    _tell_labels(listing)
    return DataSet(tuple(listing.items), listing.layout, _words(listing), tuple(listing.notes), tuple(listing.warnings))


def _name_apart(listing: Listing, spec: DataSpec) -> None:
    """Refuse two cases of one name, but take a row that is there twice with the same label as one."""
    seen: dict[str, Item] = {}
    for item in listing.items:
        first = seen.setdefault(item.case, item)
        if first is not item and (
            first.path != item.path or spec.duplicates != "drop" or first.truth is not item.truth
        ):
            raise ConfigError(f"Two cases are named {item.case!r}; give each a name of its own (`data.columns.case`).")
    if len(seen) < len(listing.items):
        listing.notes.append(f"{len(listing.items) - len(seen)} rows name a picture again and were passed over.")
        listing.items = list(seen.values())


def _exclude(listing: Listing, spec: DataSpec, base: Path) -> None:
    entries = [*spec.exclude, *(_lines(base / Path(spec.exclude_from).expanduser()) if spec.exclude_from else ())]
    if not entries:
        return
    digests = {entry.lower() for entry in entries if _DIGEST.fullmatch(entry)}
    names = {entry for entry in entries if not _DIGEST.fullmatch(entry)}
    patterns = [re.compile(fnmatch.translate(name)) for name in names if any(letter in name for letter in "*?[")]
    kept = [
        item
        for item in listing.items
        if item.case not in names
        and not any(pattern.match(item.case) for pattern in patterns)
        and not (digests and item.digest in digests)
    ]
    left_out = len(listing.items) - len(kept)
    listing.items = kept
    if left_out:
        listing.notes.append(f"{left_out} cases were excluded.")
    else:
        listing.warnings.append("`data.exclude` leaves no case out; check its names.")


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the list of exclusions cannot be read.") from error
    if len(lines) > _MOST_LINES:
        raise ConfigError(f"{path}: more than {_MOST_LINES:,} lines.")
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _tell_labels(listing: Listing) -> None:
    counts = Counter(item.truth for item in listing.items)
    if not counts[Label.GENERATED] and not counts[Label.REAL]:
        return
    for label, what in ((Label.GENERATED, "generated"), (Label.REAL, "real")):
        if not counts[label]:
            listing.warnings.append(f"No case is labelled {what}, so nothing can be said of telling the two apart.")
    if counts[None]:
        unknown = [item.case for item in listing.items if item.truth is None]
        listing.warnings.append(f"{counts[None]} cases have no label and count for no metric: {few(unknown)}.")


def _words(listing: Listing) -> str:
    counts = Counter(item.truth for item in listing.items)
    found = f"Layout {listing.layout}: {listing.words}."
    if counts[None] == len(listing.items):
        return f"{found} {len(listing.items)} cases without a label."
    unknown = f", {counts[None]} without a label" if counts[None] else ""
    generated, real = counts[Label.GENERATED], counts[Label.REAL]
    return f"{found} The positive class is generated: {generated} generated, {real} real{unknown}."
