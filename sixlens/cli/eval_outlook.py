"""What an experiment would ask of whom, and what that may cost: before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.backend import Provider
from backends.errors import BackendError, ConfigError
from backends.prices import Prices
from backends.registry import open_backend
from backends.settings import BackendSettings
from backends.yaml_file import build
from evals.arm import Arm
from evals.plan import Plan
from orchestrator.ensemble import Ensemble
from orchestrator.kit import backend_specs, load_paradigms
from orchestrator.plan import plan_case
from sixlens.cli.plan_text import Destination, cost_words
from sixlens.cli.validate_command import Findings, open_backends, quorum_warnings


@dataclass(frozen=True, slots=True)
class ArmOutlook:
    """What one arm would take, every question asked once and none answered out of the cache."""

    arm: Arm
    destinations: tuple[Destination, ...]
    calls_a_case: int
    calls: int
    cost: float | None
    """US dollars at most, for all its judgments; None when a price is unknown."""
    found: Findings = field(default_factory=Findings)

    def line(self) -> str:
        """One line for people."""
        if not self.calls:
            return f"{self.arm.name}: asks no model"
        parts = (
            f"{self.calls_a_case} calls a case, at most {self.calls:,} in all",
            *(f"{it.spec} {it.words}" for it in self.destinations),
        )
        return f"{self.arm.name}: {'; '.join(parts)}. Estimated cost: {cost_words(self.cost)}"

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "arm": self.arm.name,
            "ensemble": self.arm.ensemble.name,
            "backends": [
                {
                    "spec": it.spec,
                    "destination": it.known.destination,
                    "hosted": it.known.hosted,
                    "missing_key": it.known.missing_key,
                }
                for it in self.destinations
            ],
            "calls_a_case": self.calls_a_case,
            "calls": self.calls,
            "cost": self.cost,
            "problems": self.found.problems,
            "warnings": self.found.warnings,
        }


async def arm_outlook(plan: Plan, arm: Arm) -> ArmOutlook:
    """The outlook of one arm. Nobody is asked."""
    ensemble, found = arm.ensemble, Findings()
    paradigms = load_paradigms(ensemble)
    await open_backends(ensemble, found)
    try:
        backend_specs(ensemble, paradigms)
    except ConfigError as error:
        found.problems.append(str(error))
    found.warnings.extend(quorum_warnings(ensemble, paradigms))
    rehearsed = await plan_case(ensemble)
    found.problems.extend(rehearsed.problems)
    judgments = plan.size // len(plan.arms)
    times = judgments * (1 + rehearsed.variants)
    edge = ensemble.image.max_edge
    tried = [] if found.problems else [await _destination(ensemble, spec) for spec in rehearsed.backends]
    destinations = tuple(it for it in tried if it is not None)
    known = {it.spec: it.known for it in destinations}
    one = rehearsed.cost(Prices.load(Path(ensemble.prices) if ensemble.prices else None), (edge, edge), known)
    return ArmOutlook(
        arm=arm,
        destinations=destinations,
        calls_a_case=len(rehearsed.calls),
        calls=len(rehearsed.calls) * times,
        cost=None if one is None else one * judgments,
        found=found,
    )


async def ask_servers(plan: Plan) -> dict[str, Destination]:
    """Where the pictures of each backend really go: a server may pass them on, and only it knows.

    Raises:
        BackendError: a server cannot be reached and nothing stands in for it.
        ConfigError: a backend cannot be used.
    """
    known: dict[str, Destination] = {}
    for arm in plan.arms:
        for spec in (await plan_case(arm.ensemble)).backends:
            if spec in known:
                continue
            found = await _destination(arm.ensemble, spec, ask=True)
            if found is not None:
                known[spec] = found
    return known


def budget_warnings(plan: Plan, outlooks: list[ArmOutlook]) -> Iterator[str]:
    """Say so when the run may ask for more than its budget; how many tokens it takes nobody knows before."""
    budget = plan.experiment.budget
    calls = sum(it.calls for it in outlooks)
    if budget.calls is not None and calls > budget.calls:
        yield (
            f"The budget of {budget.calls:,} attempts may not suffice for up to {calls:,} calls; raise it with "
            "--set budget.calls=N, now or later with --resume."
        )
    cost = sum(it.cost or 0.0 for it in outlooks)
    if budget.cost is not None and cost > budget.cost:
        yield (
            f"The budget of ${budget.cost:.2f} may not suffice for calls of up to ${cost:.2f}; raise it with "
            "--set budget.cost=N, now or later with --resume."
        )


def notices(plan: Plan, outlooks: list[ArmOutlook], asked: dict[str, Destination]) -> Iterator[str]:
    """What is said before pictures leave this machine, a line for each arm that sends any."""
    count = len(plan.data.items)
    for outlook in outlooks:
        ensemble = outlook.arm.ensemble
        hosted = [asked[it.spec] for it in outlook.destinations if it.spec in asked and asked[it.spec].known.hosted]
        if hosted:
            places = "; ".join(f"{it.spec} {it.words}" for it in hosted)
            yield (
                f"{outlook.arm.name}: {count} pictures, without metadata, as JPEG of at most "
                f"{ensemble.image.max_edge} pixels a side; {places}. Calls: at most {outlook.calls:,}. "
                f"Estimated cost: {cost_words(outlook.cost)}."
            )
        for name, choice in ensemble.scores.items():
            if choice.hosted:
                yield (
                    f"{outlook.arm.name}: {count} pictures go as original files, with all their metadata, to "
                    f"{choice.url} ({name})."
                )


async def _destination(ensemble: Ensemble, spec: str, *, ask: bool = False) -> Destination | None:
    """Where the questions to a backend go; None where its extra is missing, which was said already."""
    settings = build(BackendSettings, ensemble.backends.get(spec, {}), f"backends.{spec}")
    try:
        backend = open_backend(spec, settings)
    except ConfigError:
        if ask:
            raise
        return None
    try:
        its = backend.capabilities
        if ask and isinstance(backend, Provider):
            await backend.prepare()
            its = backend.capabilities
        return Destination(spec, its)
    except BackendError:
        if ask and not ensemble.fallback:
            raise
        return Destination(spec, its)
    finally:
        await backend.aclose()
