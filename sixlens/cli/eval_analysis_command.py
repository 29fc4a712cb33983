"""`sixlens eval ablate`, `calibrate` and `compare`: what a run's journal says, without any new call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.errors import ConfigError
from evals.ablation.ablate import Ablation, ablate
from evals.calibrate.calibrate import CalibrateOptions, CalibrationResult, calibrate
from evals.calibrate.fitted_on import MOST_CASES, MOST_LOOKS, fitted_on
from evals.calibrate.people import read_labels
from evals.calibrate.weights import FitOptions
from evals.experiment import NONE
from evals.journal import key_of, read_entries
from evals.judgment import Judgment
from evals.metrics import Comparison, Estimate, compare
from evals.report.quality import MEANING
from evals.run import JOURNAL
from evals.stored_run import StoredRun, open_run
from fusion.calibration import FittedOn, FittedStrategy
from paradigms.label import Label
from sixlens.cli.page import show
from sixlens.cli.table import columns
from sixlens.cli.terminal import emit, emit_json, say

MOST_SUBSETS = 12
"""Subsets that are listed for people; JSON has all."""
NOBODY = "(nobody: a coin)"
"""The subset without voters."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """What `calibrate` fits, and where it goes."""

    strategy: FittedStrategy = "log_odds"
    target_fpr: float = 0.01
    prior: float = 0.5
    stages: tuple[str, ...] = ()
    """Sets of stages to try, as `a,b/c,d`."""
    out: Path | None = None
    certainty: bool = False
    """Weigh the chances that votes come with."""


@dataclass(frozen=True, slots=True)
class AnalysisCall:
    """Which judgments of which run."""

    folder: Path
    arm: str | None = None
    perturbation: str = NONE
    labels: Path | None = None
    """A file of people's decisions, which count above the data set's labels."""
    as_json: bool = False


def run_ablate(call: AnalysisCall) -> int:
    """Say what each paradigm of an arm adds.

    Raises:
        ConfigError, InputError: there is no such run or arm, or it has too few cases.
    """
    run = open_run(call.folder)
    arm = run.arm(call.arm)
    found = ablate(run.of(arm, call.perturbation), run.rules(arm), labels=_labels(call), seed=run.analysis.seed)
    if call.as_json:
        emit_json(found.model_dump(mode="json"))
        return 0
    emit(f"{found.arm}: {found.n_generated} generated, {found.n_real} real. {found.scheme}\n\n")
    show(columns(_shapley_rows(found), ("paradigm", *(f"Shapley, {game.replace('_', ' ')}" for game in found.shapley))))
    emit("\n")
    best = sorted(found.subsets, key=lambda subset: -subset.accuracy)[:MOST_SUBSETS]
    rows = [(f"{it.accuracy:.3f}", _or_unknown(it.auc), "+".join(it.voters) or NOBODY) for it in best]
    show(columns(rows, ("accuracy", "AUC", f"the best of {len(found.subsets)} subsets, in hindsight")))
    emit("\n" + "".join(f"{line}\n" for line in found.words))
    return 0


def run_calibrate(call: AnalysisCall, fitting: Fitting) -> int:
    """Fit a calibration on an arm and write it.

    Raises:
        ConfigError, InputError: there is no such run or arm, a setting is wrong, there are too few cases, or `out` is
            there already.
    """
    run, out = open_run(call.folder), fitting.out
    if out is not None and out.exists():
        raise _there(out)
    arm = run.arm(call.arm)
    judgments = run.of(arm, call.perturbation)
    options = CalibrateOptions(
        name=(out.stem if out else f"{call.folder.name}-{fitting.strategy}")[:80] or fitting.strategy,
        data=f"{run.header.experiment}, arm {arm}"[:200],
        strategy=fitting.strategy,
        target_fpr=fitting.target_fpr,
        prior=fitting.prior,
        stages=[_stages(text) for text in fitting.stages],
        fitted_on=_fitted_on(run, arm, judgments),
        fit=FitOptions(certainty=fitting.certainty),
        seed=run.analysis.seed,
    )
    result = calibrate(judgments, options, rules=run.rules(arm), labels=_labels(call))
    for line in _unremembered(result.calibration.fitted_on):
        say(f"warning: {line}")
    if out is not None:
        _write(out, result)
    if call.as_json:
        emit_json(result.model_dump(mode="json"))
    else:
        emit("".join(f"{line}\n" for line in result.words) + ("" if out else f"\n{result.yaml}"))
    return 0


def run_compare(folders: tuple[Path, ...], reference: str | None, perturbation: str, *, as_json: bool) -> int:
    """Compare the arms of one run, or of several on the same cases.

    Raises:
        ConfigError, InputError: there is no such run or arm, or there is nothing to compare.
    """
    runs = {name: open_run(folder) for name, folder in _named(folders).items()}
    judgments = [
        it if len(runs) == 1 else it.model_copy(update={"arm": f"{name}: {it.arm}"})
        for name, run in runs.items()
        for it in run.judgments
    ]
    how = next(iter(runs.values())).analysis
    found = compare(
        judgments,
        reference=reference,
        perturbation=perturbation,
        resamples=how.resamples,
        seed=how.seed,
        level=how.level,
    )
    if as_json:
        emit_json([it.model_dump(mode="json") for it in found])
        return 0
    for comparison in found:
        emit(f"{comparison.second} (second) against {comparison.first} (first): {comparison.common} cases in common\n")
        show(columns(_contrast_rows(comparison), _CONTRASTS))
        emit("\n")
    emit("".join(f"{line}\n" for line in _legend()))
    return 0


def _named(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Runs by the name of their folder, or by its whole path where two are called alike."""
    names = [folder.resolve().name for folder in folders]
    return {str(folder) if names.count(name) > 1 else name: folder for folder, name in zip(folders, names, strict=True)}


def _stages(text: str) -> list[list[str]]:
    """Stages as they are typed: voters with commas between them, stages with slashes."""
    return [[name.strip() for name in stage.split(",")] for stage in text.split("/")]


def _fitted_on(run: StoredRun, arm: str, judgments: list[Judgment]) -> FittedOn:
    keys = {key_of(it) for it in judgments}
    verdicts = (it.verdict for it in read_entries(run.folder / JOURNAL) if it.verdict and key_of(it.judgment) in keys)
    return fitted_on(
        judgments,
        verdicts,
        ensemble=run.ensembles.get(arm, {}).get("name"),
        config_sha256=run.header.identity.get(f"arm {arm}"),
    )


def _unremembered(known: FittedOn) -> Iterator[str]:
    """What the calibration cannot keep out of tests."""
    if not known.cases:
        yield (
            f"The calibration does not name its pictures (there are none, or more than {MOST_CASES:,}), so nobody will "
            "refuse a test on them: keep them apart yourself."
        )
    elif not known.looks:
        yield (
            f"The calibration knows its pictures by their files alone (there are more than {MOST_LOOKS:,}, or nobody "
            "has noted what they show): a test on copies that were saved again will not be refused."
        )


_CONTRASTS = ("labels", "n", "measure", "second less first")


def _contrast_rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Four rows for each view of the labels."""
    for it in comparison.contrasts:
        alone = f"{it.mcnemar.only_second_right} / {it.mcnemar.only_first_right}"
        chance = f"p {_or_unknown(it.mcnemar.p_value)}, Holm {_or_unknown(it.p_holm)}"
        yield (
            it.view.value.replace("_", " "),
            str(it.n),
            "false positives",
            estimate_words(it.false_positive_rate, sign=True),
        )
        yield "", "", "accuracy", estimate_words(it.accuracy, sign=True)
        yield "", "", "balanced", estimate_words(it.balanced_accuracy, sign=True)
        yield "", "", "alone right", f"{alone}; {chance}"


def _legend() -> Iterator[str]:
    """What the rows of a comparison mean."""
    for view, meaning in MEANING.items():
        yield f"{view.value.replace('_', ' ').capitalize()}: {meaning}"
    yield (
        "Balanced: the accuracy on generated and on real cases, averaged. Alone right: cases that only the second / "
        "only the first has right; p is McNemar's, for that being chance, then with Holm's correction for all pairs."
    )


def estimate_words(estimate: Estimate, *, sign: bool = False) -> str:
    """A number with its interval; a dash where it is undefined."""
    if estimate.value is None:
        return "—"
    form = "+.3f" if sign else ".3f"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:{form}}"
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"


def _shapley_rows(found: Ablation) -> Iterator[tuple[str, ...]]:
    for voter in found.voters:
        yield voter, *(f"{values[voter]:+.3f}" for values in found.shapley.values())


def _or_unknown(value: float | None) -> str:
    return "—" if value is None else f"{value:.3f}"


def _labels(call: AnalysisCall) -> Mapping[str, Label] | None:
    return None if call.labels is None else read_labels(call.labels)


def _there(out: Path) -> ConfigError:
    return ConfigError(f"{out}: is there already; choose another name with -o.")


def _write(out: Path, result: CalibrationResult) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(result.yaml)
    except FileExistsError as error:
        raise _there(out) from error
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written ({error.strerror}).") from error
    say(f"Wrote {out}. An ensemble uses it with fusion.strategy and fusion.calibration.")
