"""Exemplars and calibration data stay out of the test: who was shown a picture, or fitted on it, does not judge it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from backends.errors import ConfigError
from evals.data.copies import likenesses
from evals.data.disjoint import MOST_DECODED, refuse_exemplars
from evals.data.folder import few
from evals.data.item import Item
from fusion.calibration import Calibration
from fusion.remembered import LOOK, alike, digest_of, unpacked
from orchestrator.ensemble import Ensemble
from orchestrator.kit import load_calibration, load_paradigms


def keep_apart(items: Sequence[Item], ensembles: Sequence[Ensemble]) -> Iterator[str]:
    """Refuse a test with pictures that an ensemble was shown, or that its calibration was fitted on.

    Args:
        items: the cases of the test.
        ensembles: of all arms.

    Yields:
        What could not be made sure of, one line each.

    Raises:
        ConfigError: there are such pictures; one line says which and what to do.
    """
    shown = {ensemble.exemplars for ensemble in ensembles if ensemble.exemplars and _shows_exemplars(ensemble)}
    for path in sorted(shown):
        refuse_exemplars(items, Path(path))
    fitted = {it.name: it for it in (load_calibration(ensemble) for ensemble in ensembles) if it is not None}
    for calibration in fitted.values():
        if not calibration.fitted_on.cases:
            yield (
                f"The calibration {calibration.name} does not say which pictures it was fitted on "
                f"({calibration.data}): see to it yourself that none of them is here."
            )
            continue
        looks = unpacked(calibration.fitted_on.looks, LOOK) if len(items) <= MOST_DECODED else ()
        _refuse_fitted(items, calibration, looks)
        if not looks:
            yield (
                f"The files that the calibration {calibration.name} was fitted on are refused here, but nobody looks "
                "for copies of them that were saved again: see to it yourself that there are none."
            )


def _shows_exemplars(ensemble: Ensemble) -> bool:
    return ensemble.ask and any("exemplars" in paradigm.needs for paradigm in load_paradigms(ensemble).values())


def _refuse_fitted(items: Sequence[Item], calibration: Calibration, looks: tuple[bytes, ...]) -> None:
    known = calibration.fitted_on.digests
    copies = alike(likenesses(items), looks) if looks else (False,) * len(items)
    common = []
    for item, copy in zip(items, copies, strict=True):
        same = item.digest is not None and digest_of(item.digest) in known
        if same or copy:
            common.append(f"{item.case} ({'the same file' if same else 'a copy'})")
    if common:
        raise ConfigError(
            f"{len(common)} cases are among those that the calibration {calibration.name} was fitted on: "
            f"{few(common)}. Exclude them with `data.exclude`, or test on other pictures."
        )
