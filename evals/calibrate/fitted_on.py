"""What a calibration remembers of the run that it is fitted on: whose answers, and on which pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from evals.judgment import Judgment
from fusion.calibration import FittedOn, FittedParadigm
from fusion.remembered import digest_of, look_of, packed

MOST_CASES, MOST_LOOKS = 50_000, 20_000
"""Pictures that a calibration remembers by their digests, and by what they look like: its file stays below 1 MB."""


def fitted_on(
    judgments: Iterable[Judgment],
    verdicts: Iterable[Mapping[str, Any]],
    ensemble: str | None = None,
    config_sha256: str | None = None,
) -> FittedOn:
    """Who looked, as the stored words say, and at which pictures.

    Args:
        judgments: those that are fitted on.
        verdicts: what was kept of their words; a paradigm whose prompt or backend was not the same in all is unknown.
        ensemble: the name of the ensemble, where there was one.
        config_sha256: of everything in it that can change an outcome.
    """
    prompts: defaultdict[str, set[str | None]] = defaultdict(set)
    backends: defaultdict[str, set[str | None]] = defaultdict(set)
    for verdict in verdicts:
        for report in verdict.get("reports", ()):
            if report.get("backend") is not None and report.get("outcome") == "answered":
                prompts[report["paradigm"]].add(report.get("prompt_version"))
                backends[report["paradigm"]].add(report["backend"])
    voted = [it for it in judgments if it.votes]
    digests = {digest_of(it.sha256) for it in voted if it.sha256}
    looks = {look_of(int(it.likeness, 16)) for it in voted if it.likeness}
    return FittedOn(
        ensemble=ensemble,
        config_sha256=config_sha256,
        paradigms={
            name: FittedParadigm(prompt_version=_only(prompts[name]), backend=_only(backends[name]))
            for name in backends
        },
        cases=packed(digests) if len(digests) <= MOST_CASES else "",
        looks=packed(looks) if len(looks) <= MOST_LOOKS else "",
    )


def _only(values: set[str | None]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None
