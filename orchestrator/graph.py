"""The LangGraph graph of an ensemble: prepare, the paradigms side by side, fuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Annotated, Protocol, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from fusion.decision import count
from fusion.verdict import Verdict
from fusion.vote import decide
from orchestrator.case import Case
from orchestrator.ensemble import Ensemble
from orchestrator.findings import Findings
from orchestrator.fuse import fuse, presents_otherwise
from orchestrator.prepare import prepare, prepare_stage
from paradigms.report import Report


def _join(left: Mapping[str, Report], right: Mapping[str, Report]) -> dict[str, Report]:
    return {**left, **right}


class State(TypedDict, total=False):
    """What passes between the nodes: words, numbers and digests, never picture bytes."""

    findings: Findings
    reports: Annotated[dict[str, Report], _join]
    verdict: Verdict


Graph = CompiledStateGraph[State, Case, State, State]


class Node(Protocol):
    """What LangGraph calls for a node."""

    async def __call__(self, state: State, *, runtime: Runtime[Case]) -> State:
        """Do the node's work and give back what it adds to the state."""
        ...


def build_graph(ensemble: Ensemble) -> Graph:
    """Compile the graph of an ensemble. One compiled graph serves all cases.

    A paradigm is one node that runs its whole chain: LangGraph's steps are barriers, so a chain spread over nodes would
    wait for its slowest sibling at every link.
    """
    graph: StateGraph[State, Case, State, State] = StateGraph(State, context_schema=Case)
    graph.add_node("prepare", _prepare)
    graph.add_node("fuse", _fuse)
    graph.add_edge(START, "prepare")
    before = "prepare"
    for stage, names in enumerate(ensemble.all_stages):
        nodes = begin = list(names)
        for name in names:
            graph.add_node(name, _paradigm(name))
        if stage > 0:
            begin = [f"stage {stage + 1}"]
            graph.add_node(begin[0], _stage(stage))
            # A backend that was asked only now may say that it is no photograph.
            graph.add_conditional_edges(begin[0], _gate(nodes, _no_photograph), [*nodes, "fuse"])
        gate = _gate(begin, _settled if stage > 0 else _no_photograph)
        graph.add_conditional_edges(before, gate, [*begin, "fuse"])
        last = stage == len(ensemble.all_stages) - 1
        after = "fuse" if last else f"after stage {stage + 1}"
        if not last:
            graph.add_node(after, _stage_done)
        graph.add_edge(nodes, after)
        before = after
    graph.add_edge("fuse", END)
    return graph.compile()


def draw(ensemble: Ensemble) -> str:
    """The graph as Mermaid text."""
    return build_graph(ensemble).get_graph().draw_mermaid()


async def _prepare(state: State, *, runtime: Runtime[Case]) -> State:
    case = runtime.context
    with nullcontext() if case.span is None else case.span.part("prepare"):
        return {"findings": await prepare(case)}


async def _fuse(state: State, *, runtime: Runtime[Case]) -> State:
    return {"verdict": await fuse(runtime.context, state["findings"], state.get("reports", {}))}


def _stage(stage: int) -> Node:
    async def begin(state: State, *, runtime: Runtime[Case]) -> State:
        return {"findings": await prepare_stage(runtime.context, state["findings"], stage)}

    return begin


async def _stage_done(state: State, *, runtime: Runtime[Case]) -> State:
    return {}


def _paradigm(name: str) -> Node:
    async def examine(state: State, *, runtime: Runtime[Case]) -> State:
        return {"reports": {name: await runtime.context.examine(name)}}

    return examine


def _gate(nodes: list[str], over: Callable[[Case, State], bool]) -> Callable[[State, Runtime[Case]], list[str]]:
    """Where to go: on to these nodes, or straight to fusion."""

    def route(state: State, runtime: Runtime[Case]) -> list[str]:
        return ["fuse"] if over(runtime.context, state) else nodes

    return route


def _no_photograph(case: Case, state: State) -> bool:
    """Whether nobody is to judge, since the picture is no photograph by its own showing."""
    return presents_otherwise(case, state["findings"])


def _settled(case: Case, state: State) -> bool:
    """Whether one of the ensemble's `stop_when` holds."""
    rules = case.kit.ensemble.stop_when
    votes = count(tuple(state.get("reports", {}).values()))
    enough = decide(votes, case.kit.ensemble.fusion).undecided_because is None
    agreed = enough and 0 in (votes.generated, votes.real)
    limit = case.kit.ensemble.budget.case_calls
    return (
        ("agreement" in rules and agreed)
        or ("declared" in rules and state["findings"].provenance.signed)
        or ("spent" in rules and limit is not None and case.ledger.attempts >= limit)
    )
