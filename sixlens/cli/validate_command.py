"""`sixlens validate`: reads a YAML file and renders every prompt in it. Nobody is asked, and no connection opened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backends import tokens
from backends.errors import ConfigError
from backends.registry import BackendSettings, unknown_backend
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


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a file: each prompt in each layout that was rendered, and what is wrong."""

    kind: str
    name: str
    prompts: tuple[tuple[Layout, PlannedCall], ...]
    measures: int
    problems: tuple[str, ...]


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
    for problem in checked.problems:
        say(f"{file}: {problem}")
    return ConfigError.exit_code if checked.problems else 0


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
    problems = list(_backend_problems(ensemble))
    plan = await plan_case(ensemble)
    prompts = [(ensemble.layout, call) for call in plan.calls]
    return Checked("ensemble", ensemble.name, tuple(prompts), _measures(ensemble), (*problems, *plan.problems))


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
    return Checked("paradigm", paradigm.name, tuple(prompts), len(paradigm.measures), tuple(problems))


def _measures(ensemble: Ensemble) -> int:
    return sum(len(paradigm.measures) for paradigm in load_paradigms(ensemble).values())


def _backend_problems(ensemble: Ensemble) -> Iterator[str]:
    """Specs that name no provider, and settings that are none; backends are not opened for it."""
    named = [ensemble.backend, ensemble.fusion.backend, *ensemble.fallback, *ensemble.backends]
    named += [choice.backend for choice in ensemble.paradigms.values()]
    for spec in dict.fromkeys(item for item in named if item is not None):
        provider, colon, _ = spec.partition(":")
        if not colon:
            yield f"{spec!r} is no backend; write PROVIDER:MODEL."
        elif (problem := unknown_backend(provider)) is not None:
            yield str(problem)
    for spec, settings in ensemble.backends.items():
        try:
            build(BackendSettings, settings, f"backends.{spec}")
        except ConfigError as error:
            yield str(error)


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
    state = "not usable" if checked.problems else "usable"
    emit(f"{file}: {checked.kind} {checked.name}: {len(rows)} prompts rendered{measures}; {state}.\n")


def _as_json(file: str, checked: Checked) -> dict[str, object]:
    return {
        "file": file,
        "kind": checked.kind,
        "name": checked.name,
        "ok": not checked.problems,
        "measures": checked.measures,
        "problems": list(checked.problems),
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
