"""`sixlens validate`: reads a YAML file, renders every prompt in it and opens its backends, without asking anybody.

What makes the file unusable is a problem; what only this machine or this moment lacks, such as a key, is a warning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends import tokens
from backends.errors import ConfigError, MissingExtraError, MissingKeyError
from backends.registry import BackendSettings, open_backend
from backends.yaml_file import build, read_yaml
from orchestrator.config import Overrides, ensemble_names, load_ensemble
from orchestrator.ensemble import Ensemble, ParadigmChoice
from orchestrator.kit import load_paradigms
from orchestrator.plan import Plan, PlannedCall, plan_case
from paradigms.library import load_paradigm, paradigm_names, read_paradigm
from paradigms.paradigm import Layout, Paradigm
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.page import show
from sixlens.cli.plan_text import carries
from sixlens.cli.table import columns
from sixlens.cli.terminal import emit, emit_json, say

_COUNTING = ("vote", "tally")
"""The fusions that need a quorum of votes."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong, and what is worth knowing, one line each."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a file: each prompt in each layout that was rendered, and what was found."""

    kind: str
    name: str
    prompts: tuple[tuple[Layout, PlannedCall], ...]
    measures: int
    found: Findings


def run_validate(file: str, *, as_json: bool) -> int:
    """Check one file, or what ships under a name, and print what was found; the exit code.

    Raises:
        ConfigError: the file cannot be read, or is no ensemble and no paradigm.
    """
    with logs_on_stderr(verbose=False):
        checked = asyncio.run(_check(file))
    if as_json:
        emit_json(_as_json(file, checked))
    else:
        _print(file, checked)
    for problem in checked.found.problems:
        say(f"{file}: {problem}")
    for warning in checked.found.warnings:
        say(f"{file}: warning: {warning}")
    return ConfigError.exit_code if checked.found.problems else 0


async def _check(file: str) -> Checked:
    if file in ensemble_names():
        return await _check_ensemble(file)
    if file in paradigm_names():
        return await _check_paradigm(load_paradigm(file), ParadigmChoice())
    data = read_yaml(Path(file))
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: neither an ensemble nor a paradigm: it is no mapping.")
    if data.keys() & {"steps", "question", "title"}:
        return await _check_paradigm(read_paradigm(Path(file)), ParadigmChoice(file=file))
    return await _check_ensemble(file)


async def _check_ensemble(file: str) -> Checked:
    ensemble = load_ensemble(file)
    paradigms, found = load_paradigms(ensemble), Findings()
    await open_backends(ensemble, found)
    found.warnings.extend(quorum_warnings(ensemble, paradigms))
    plan = await plan_case(ensemble)
    found.problems.extend(plan.problems)
    prompts = [(ensemble.layout, call) for call in plan.calls]
    measures = sum(len(paradigm.measures) for paradigm in paradigms.values())
    return Checked("ensemble", ensemble.name, tuple(prompts), measures, found)


async def _check_paradigm(paradigm: Paradigm, choice: ParadigmChoice) -> Checked:
    """Render a paradigm that stands by itself in both layouts, for any ensemble may take it."""
    prompts: list[tuple[Layout, PlannedCall]] = []
    problems: list[str] = []
    base = load_ensemble("six", Overrides(fusion="tally"))
    for layout in Layout:
        data = base.model_dump() | {"layout": layout, "paradigms": {paradigm.name: choice}, "stages": ()}
        ensemble = build(Ensemble, data, choice.file or paradigm.name)
        plan: Plan = await plan_case(ensemble)
        prompts += [(layout, call) for call in plan.calls if call.paradigm == paradigm.name]
        problems += [f"layout {layout}: {problem}" for problem in plan.problems]
    return Checked("paradigm", paradigm.name, tuple(prompts), len(paradigm.measures), Findings(problems))


async def open_backends(ensemble: Ensemble, found: Findings) -> None:
    """Open every backend that is named, with its settings, and close it again; what is wrong joins `found`."""
    named = [ensemble.backend, ensemble.fusion.backend, *ensemble.fallback, *ensemble.backends]
    named += [choice.backend for choice in ensemble.paradigms.values()]
    for spec in dict.fromkeys(item for item in named if item is not None):
        try:
            settings = build(BackendSettings, ensemble.backends.get(spec, {}), f"backends.{spec}")
            backend = open_backend(spec, settings)
        except (MissingExtraError, MissingKeyError) as error:
            found.warnings.append(str(error))
        except ConfigError as error:
            found.problems.append(str(error))
        else:
            missing = backend.capabilities.missing_key
            await backend.aclose()
            if missing is not None:
                found.warnings.append(f"{spec} needs a key to be asked: set the environment variable {missing}.")


def quorum_warnings(ensemble: Ensemble, paradigms: Mapping[str, Paradigm]) -> Iterator[str]:
    """Say so when a label is out of reach; an ensemble that asks nobody gives none anyway."""
    voters, quorum = sum(bool(paradigm.asks) for paradigm in paradigms.values()), ensemble.fusion.quorum
    if ensemble.ask and ensemble.fusion.strategy in _COUNTING and quorum > voters:
        yield (
            f"fusion.quorum is {quorum}, and only {voters} of the paradigms vote, so every verdict will be undecided; "
            "lower it or add paradigms."
        )


def _print(file: str, checked: Checked) -> None:
    rows = [
        (call.paradigm, call.step, layout.value, carries(call), f"{call.characters:,}", f"{_tokens(call):,}")
        for layout, call in checked.prompts
    ]
    if rows:
        titles = ("paradigm", "step", "layout", "carries", "characters", "tokens (at most)")
        show(columns(rows, titles))
        emit("\n")
    measures = f", {checked.measures} measurements" if checked.measures else ""
    state = "not usable" if checked.found.problems else "usable"
    emit(f"{file}: {checked.kind} {checked.name}: {len(rows)} prompts rendered{measures}; {state}.\n")


def _as_json(file: str, checked: Checked) -> dict[str, object]:
    return {
        "file": file,
        "kind": checked.kind,
        "name": checked.name,
        "ok": not checked.found.problems,
        "measures": checked.measures,
        "problems": checked.found.problems,
        "warnings": checked.found.warnings,
        "prompts": [
            {
                "paradigm": call.paradigm,
                "step": call.step,
                "layout": layout.value,
                "messages": len(call.request.messages),
                "pictures": list(call.shows),
                "characters": call.characters,
                "tokens_at_most": _tokens(call),
            }
            for layout, call in checked.prompts
        ],
    }


def _tokens(call: PlannedCall) -> int:
    return tokens.at_most(call.request)
