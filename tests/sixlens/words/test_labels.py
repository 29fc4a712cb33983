from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sixlens
from fusion.verdict import Basis, UndecidedBecause
from paradigms.evidence import Evidence
from paradigms.label import Label
from paradigms.signals.provenance import Declaration, Provenance
from paradigms.signals.provenance.comfyui import Graph, graph_claim
from sixlens.words.labels import label_title, not_meant


@pytest.fixture
def verdict(photo: Path, script: str) -> sixlens.Verdict:
    return sixlens.judge(photo, backend=script, cache=False)


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"label": Label.REAL}, "No signs of generation found"),
        ({"label": Label.GENERATED}, "Reads as generated"),
        ({"label": Label.GENERATED, "basis": Basis.DECLARED_UNSIGNED}, "The file says that it was generated"),
        ({"label": Label.UNDECIDED, "undecided_because": UndecidedBecause.NO_EYES}, "Nobody has looked"),
        ({"label": Label.UNDECIDED, "undecided_because": UndecidedBecause.CONFLICT}, "Undecided"),
        (
            {"label": Label.UNDECIDED, "undecided_because": UndecidedBecause.AI_EDITED, "basis": Basis.DECLARED_SIGNED},
            "Undecided",
        ),
    ],
)
def test_every_label_has_its_words_and_says_what_it_does_not_mean(
    verdict: sixlens.Verdict, fields: dict[str, Any], title: str
) -> None:
    changed = verdict.model_copy(update=fields)
    assert label_title(changed) == title
    assert len(not_meant(changed)) >= 2
    assert any("nothing about who made or posted the picture" in line for line in not_meant(changed))


def test_a_signed_statement_is_not_said_to_be_anyones(verdict: sixlens.Verdict) -> None:
    signed, unsigned = (
        " ".join(not_meant(verdict.model_copy(update={"label": Label.GENERATED, "basis": basis})))
        for basis in (Basis.DECLARED_SIGNED, Basis.DECLARED_UNSIGNED)
    )
    assert "as it was signed" in signed
    assert "Anyone can write" not in signed
    assert "Anyone can write" in unsigned


def test_a_comfyui_graph_has_a_title_of_its_own(verdict: sixlens.Verdict) -> None:
    claim = graph_claim("png:prompt", Graph({"1": "KSampler"}, {}, ran=True))
    said = Provenance(declaration=Declaration.DECLARES_GENERATED, where=claim.where, tool=claim.tool, claims=(claim,))
    fields = {"label": Label.GENERATED, "basis": Basis.DECLARED_UNSIGNED, "provenance": said}
    assert label_title(verdict.model_copy(update=fields)) == "The file carries a graph that generates pictures"


def test_a_photograph_with_signs_named_is_not_said_to_have_none(verdict: sixlens.Verdict) -> None:
    sign = Evidence(name="merged fingers", points_to="generated")
    report = verdict.reports[0].model_copy(update={"evidence": (sign,)})
    assert label_title(verdict.model_copy(update={"reports": (report,)})) == "Reads as a photograph"
