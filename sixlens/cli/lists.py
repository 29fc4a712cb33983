"""What there is: ensembles, paradigms, backends, and the graph of an ensemble."""

from __future__ import annotations

import os

from backends.errors import install_line
from backends.registry import ProviderInfo, describe
from orchestrator.config import ensemble_names, load_ensemble
from orchestrator.graph import draw
from paradigms.library import load_paradigm, paradigm_names
from paradigms.paradigm import AskStep, Paradigm
from sixlens.cli.page import show
from sixlens.cli.table import columns
from sixlens.cli.terminal import emit, emit_json


def print_graph(ensemble: str) -> None:
    """Print an ensemble's graph as Mermaid.

    Raises:
        ConfigError: there is no such ensemble, or its file is wrong.
    """
    emit(draw(load_ensemble(ensemble)))


def print_ensembles(*, as_json: bool) -> None:
    """Print the ensembles that ship."""
    ensembles = [load_ensemble(name) for name in ensemble_names()]
    if as_json:
        emit_json([ensemble.model_dump(mode="json") for ensemble in ensembles])
    else:
        rows = [(item.name, item.fusion.strategy, item.description) for item in ensembles]
        show(columns(rows, ("name", "fusion", "what it does")))


def print_paradigms(*, as_json: bool) -> None:
    """Print the paradigms that ship."""
    paradigms = [load_paradigm(name) for name in paradigm_names()]
    if as_json:
        emit_json([_paradigm(paradigm) for paradigm in paradigms])
    else:
        rows = [(item.name, " > ".join(_steps(item)), item.question) for item in paradigms]
        show(columns(rows, ("name", "steps", "what it looks into")))


def print_backends(*, as_json: bool) -> None:
    """Print the providers, and whether their keys are set; never a key."""
    infos = describe()
    if as_json:
        emit_json([_backend(info) for info in infos])
    else:
        rows = [(info.spec, _where(info), _key(info), info.what) for info in infos]
        show(columns(rows, ("--backend", "pictures", "key", "who is asked")))


def _paradigm(paradigm: Paradigm) -> dict[str, object]:
    return {
        "name": paradigm.name,
        "title": paradigm.title,
        "question": paradigm.question,
        "version": paradigm.prompt_version,
        "needs": list(paradigm.needs),
        "steps": _steps(paradigm),
    }


def _steps(paradigm: Paradigm) -> list[str]:
    return [f"{step.name} ({'asks' if isinstance(step, AskStep) else 'measures'})" for step in paradigm.steps]


def _backend(info: ProviderInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "spec": info.spec,
        "what": info.what,
        "hosted": info.hosted,
        "key": info.key,
        "key_set": None if info.key is None else bool(os.environ.get(info.key)),
        "extra": info.extra,
        "available": info.available,
    }


def _where(info: ProviderInfo) -> str:
    if info.hosted is None:
        return "go to the address"
    return "leave this machine" if info.hosted else "stay here"


def _key(info: ProviderInfo) -> str:
    if info.key is None:
        return "none" if info.available or info.extra is None else f"none; {install_line(info.extra)}"
    return f"{info.key} ({'set' if os.environ.get(info.key) else 'not set'})"
