"""ComfyUI graphs: what was run, or what lay on the canvas.

A graph says only that the file went through ComfyUI. Which pixels it made is read from how its nodes are linked: when a
loaded picture reaches a node that encodes, in-paints or repairs it, the result is an edit of that picture.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from paradigms.signals.provenance.result import Claim, ClaimKind, Strength
from paradigms.signals.provenance.text import word

TOOL = "ComfyUI"
NOTE = (
    "A ComfyUI graph says only that the file went through ComfyUI; edited photographs and screenshots of its editor "
    "carry one too."
)
MAX_NODES = 5_000
_LISTS = "nodes: "
_LONGEST_KIND = 100

_SAMPLES = re.compile(r"sampler(?!.*select)", re.IGNORECASE)
_LOADS = re.compile(r"(?!.*(?:checkpoint|model|lora)).*?(?:load.*(?:image|video)|(?:image|video).*load)", re.IGNORECASE)
_EDITS = re.compile(
    r"vae ?encode|in-?paint|out-?paint|noise ?mask|detailer|ultimatesdupscale|image ?edit|kontext|face ?swap|reactor"
    r"|supir",
    re.IGNORECASE,
)
_GUIDES = re.compile(r"sampler|clip|control ?net|conditioning|ip-?adapter|style ?model", re.IGNORECASE)
"""Through these a picture guides, but its pixels do not pass."""
_OFF = (2, 4)
"""Modes of nodes that are muted or bypassed."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by number with their kinds, and for each the nodes it feeds. `ran` is false for a mere canvas."""

    kinds: Mapping[str, str]
    feeds: Mapping[str, list[str]]
    ran: bool


def read_graph(value: object) -> Graph | None:
    """The graph in a JSON value, in the form that ran or in that of the editor; None when there is none."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("nodes"), list):
        return _canvas(value)
    nodes = {k: v for k, v in value.items() if isinstance(v, dict) and isinstance(v.get("class_type"), str)}
    if not nodes or len(nodes) > MAX_NODES:
        return None
    links: list[tuple[str, str]] = []
    for key, node in nodes.items():
        inputs = node.get("inputs")
        sources = inputs.values() if isinstance(inputs, dict) else ()
        links += [(word(s[0]), str(key)) for s in sources if isinstance(s, list) and len(s) == 2]
    return _graph({str(key): node["class_type"][:_LONGEST_KIND] for key, node in nodes.items()}, links, ran=True)


def _canvas(value: Mapping[str, object]) -> Graph | None:
    kinds: dict[str, str] = {}
    links: list[tuple[str, str]] = []
    for part in (value, *_subgraphs(value)):
        prefix = "" if part is value else f"{word(part.get('id'))}:"
        _add_nodes(kinds, prefix, part.get("nodes"))
        links += _links(prefix, part.get("links"))
    if not kinds or len(kinds) > MAX_NODES:
        return None
    return _graph(kinds, links, ran=False)


def _subgraphs(value: Mapping[str, object]) -> list[Mapping[str, object]]:
    definitions = value.get("definitions")
    found = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    parts = found[:MAX_NODES] if isinstance(found, list) else []
    return [part for part in parts if isinstance(part, dict)]


def _add_nodes(kinds: dict[str, str], prefix: str, nodes: object) -> None:
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and isinstance(node.get("type"), str) and node.get("mode") not in _OFF:
            kinds[prefix + word(node.get("id"))] = node["type"][:_LONGEST_KIND]


def _links(prefix: str, links: object) -> Iterable[tuple[str, str]]:
    """Links as lists (number, from, slot, to, slot, type) or as objects."""
    for link in links if isinstance(links, list) else ():
        if isinstance(link, list) and len(link) >= 4:
            yield prefix + word(link[1]), prefix + word(link[3])
        elif isinstance(link, dict):
            yield prefix + word(link.get("origin_id")), prefix + word(link.get("target_id"))


def _graph(kinds: dict[str, str], links: Iterable[tuple[str, str]], *, ran: bool) -> Graph:
    feeds: dict[str, list[str]] = {}
    for source, target in links:
        if source in kinds and target in kinds:
            feeds.setdefault(source, []).append(target)
    return Graph(kinds, feeds, ran)


def _edits_a_loaded_picture(graph: Graph) -> bool:
    """Follow loaded pictures downstream until they reach an editing node, or a node that lets no pixels pass."""
    waiting = deque(key for key, kind in graph.kinds.items() if _LOADS.match(kind))
    seen = set(waiting)
    while waiting:
        for target in graph.feeds.get(waiting.popleft(), ()):
            kind = graph.kinds[target]
            if _EDITS.search(kind):
                return True
            if target not in seen and not _GUIDES.search(kind):
                seen.add(target)
                waiting.append(target)
    return False


def graph_claim(where: str, graph: Graph) -> Claim:
    """What a graph claims: AI-edited, generated, or nothing when it has no sampler."""
    names = ", ".join(sorted({kind[:40] for kind in graph.kinds.values()}))
    if _edits_a_loaded_picture(graph):
        kind = ClaimKind.AI_EDITED
    elif any(_SAMPLES.search(name) for name in graph.kinds.values()):
        kind = ClaimKind.GENERATED
    else:
        kind = ClaimKind.INFO
    strength = Strength.STRONG if graph.ran else Strength.MEDIUM
    return Claim(kind=kind, where=where, tool=TOOL, text=f"{_LISTS}{names}", strength=strength)


def is_graph(claim: Claim) -> bool:
    """Whether a claim is a graph's, and not merely a text that names ComfyUI."""
    return claim.tool == TOOL and not claim.private and claim.text.startswith(_LISTS)
