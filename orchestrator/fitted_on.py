"""What a calibration remembers of the ensemble that it is fitted on."""

from __future__ import annotations

from fusion.calibration import FittedOn, FittedParadigm
from orchestrator.ensemble import Ensemble
from orchestrator.kit import identity_of, load_paradigms


def fitted_on(ensemble: Ensemble) -> FittedOn:
    """Name, `config_sha256`, and each paradigm's prompt and backend. Nothing is opened.

    Raises:
        ConfigError: a file of the ensemble cannot be used.
    """
    return FittedOn(
        ensemble=ensemble.name,
        config_sha256=identity_of(ensemble),
        paradigms={
            name: FittedParadigm(prompt_version=paradigm.prompt_version, backend=ensemble.backend_of(name))
            for name, paradigm in load_paradigms(ensemble).items()
        },
    )
