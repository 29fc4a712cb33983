"""Before anybody is asked: where pictures go, in which size, how many calls there are, and what they may cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backends.backend import Capabilities
from backends.prices import Prices
from orchestrator.ensemble import Ensemble
from orchestrator.plan import Plan, PlannedCall, delivered_size


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the questions to one backend go."""

    spec: str
    known: Capabilities

    @property
    def words(self) -> str:
        """Where pictures go. Of a server on this machine it is not said that they stay here: it may pass them on."""
        if self.known.hosted:
            return f"leaves this machine for {self.known.destination}"
        return f"goes to {self.known.destination}"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Name, width and height of a picture as it was found, in pixels."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run would do: the plan for one picture, where it goes, and the pictures."""

    ensemble: Ensemble
    plan: Plan
    destinations: tuple[Destination, ...]
    prices: Prices
    pictures: tuple[Sizes, ...]

    @property
    def cost(self) -> float | None:
        """US dollars at most, when every question is asked once; None when a price is unknown."""
        edge = self.ensemble.image.max_edge
        known = {place.spec: place.known for place in self.destinations}
        sizes = [delivered_size(item.width, item.height, edge) for item in self.pictures]
        costs = [self.plan.cost(self.prices, size, known) for size in sizes]
        sure = [cost for cost in costs if cost is not None]
        return sum(sure) if len(sure) == len(costs) else None


def plan_lines(outlook: Outlook) -> Iterator[str]:
    """The plan of a dry run."""
    plan, ensemble = outlook.plan, outlook.ensemble
    yield f"Ensemble {ensemble.name}: nobody has been asked."
    if not plan.calls:
        leaves = any(choice.hosted for choice in ensemble.scores.values())
        yield "It asks no model: it reads what the files say and measures." + (
            "" if leaves else " Nothing leaves this machine."
        )
        yield from _scores(ensemble)
        return
    yield ""
    yield f"Calls for each picture: {_calls(plan)}"
    for name in dict.fromkeys(("prepare", *ensemble.paradigms, *(call.paradigm for call in plan.calls))):
        for call in (call for call in plan.calls if call.paradigm == name):
            yield f"  {name:<14} {call.step:<12} {carries(call):<26} {call.backend}"
    yield ""
    count = len(outlook.pictures)
    yield f"Pictures: {count}; calls in all: {count * len(plan.calls)}{_more(plan, count)}"
    for item in outlook.pictures:
        width, height = delivered_size(item.width, item.height, ensemble.image.max_edge)
        yield f"  {item.name}: {item.width} × {item.height}, delivered as JPEG of {width} × {height} without metadata"
    yield ""
    for place in outlook.destinations:
        asked = plan.to(place.spec)
        calls = f"{_calls(asked)} a picture" if asked.calls else "asked when another backend does not answer"
        yield f"{place.spec}: {calls}; {place.words}"
        if place.known.missing_key:
            yield f"{place.spec} needs a key: set the environment variable {place.known.missing_key} before."
    yield from _scores(ensemble)
    yield f"Estimated cost: {cost_words(outlook.cost)}"
    yield from _budget(ensemble)
    for problem in plan.problems:
        yield f"Problem: {problem}"


def notices(outlook: Outlook) -> Iterator[str]:
    """What is said before the first call that leaves this machine, one line for each place."""
    hosted = [place for place in outlook.destinations if place.known.hosted]
    each = " for each picture" if len(outlook.pictures) > 1 else ""
    for place in hosted:
        plan = outlook.plan.to(place.spec)
        calls = f"Calls{each}: {_calls(plan)}{_more(plan, 1)}"
        if not plan.calls:
            calls = "It is asked when another backend does not answer"
        yield f"{_what(outlook)}, without metadata, to {place.known.destination} ({place.spec}). {calls}."
    if hosted:
        yield f"Estimated cost: {cost_words(outlook.cost)}."
    for name, choice in outlook.ensemble.scores.items():
        if choice.hosted:
            yield f"Each picture goes as the original file, with all its metadata, to {choice.url} ({name})."


def _scores(ensemble: Ensemble) -> Iterator[str]:
    """Where scores come from."""
    for name, choice in ensemble.scores.items():
        if choice.url is None:
            yield f"{name}: scores out of {choice.file}"
        else:
            where = "leaves this machine for" if choice.hosted else "stays on this machine:"
            yield f"{name}: the original file with all its metadata, once a picture; {where} {choice.url}"


def cost_words(cost: float | None) -> str:
    """An estimated cost in words."""
    return "unknown (no price is known for a model; set `prices`)" if cost is None else f"at most ${cost:.4f}"


def _what(outlook: Outlook) -> str:
    edge = outlook.ensemble.image.max_edge
    if len(outlook.pictures) != 1:
        return f"{len(outlook.pictures)} pictures go, each as JPEG of at most {edge} pixels a side"
    item = outlook.pictures[0]
    width, height = delivered_size(item.width, item.height, edge)
    return f"{item.name} goes as JPEG of {width} × {height} pixels"


def _calls(plan: Plan) -> str:
    total, pictured = len(plan.calls), plan.with_picture
    return f"{total} ({pictured} with the picture, {total - pictured} of text alone)"


def _more(plan: Plan, count: int) -> str:
    """What may come on top of the calls for each picture itself."""
    variants, follow_ups = plan.variants, count * plan.follow_ups * (1 + plan.variants)
    calls = count * variants * len(plan.calls)
    again = f"; up to {calls} more for {variants} mild variant{'s' if variants > 1 else ''} of each" if variants else ""
    return f"{again}; up to {follow_ups} more where an answer cannot be read at once" if follow_ups else again


def carries(call: PlannedCall) -> str:
    """What a call carries, in words."""
    if not call.shows:
        return "text alone"
    counts = {kind: call.shows.count(kind) for kind in ("image", "cut-out", "exemplar")}
    words = {"image": "the picture", "cut-out": "cut-outs", "exemplar": "exemplars"}
    return ", ".join(
        words[kind] if kind == "image" else f"{number} {words[kind]}" for kind, number in counts.items() if number
    )


def _budget(ensemble: Ensemble) -> Iterator[str]:
    limits = ensemble.budget.model_dump(exclude_none=True)
    if limits:
        yield "Budget: " + ", ".join(f"{name} {value}" for name, value in limits.items()) + "; it is never exceeded."
