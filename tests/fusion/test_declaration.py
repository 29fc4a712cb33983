from __future__ import annotations

from typing import Any

import pytest

from fusion.decision import Decision, undecided
from fusion.declaration import BOTH, ProvenanceMode, rule, statement
from fusion.verdict import Basis, UndecidedBecause
from paradigms.label import Label
from paradigms.signals.provenance import Declaration

from .conftest import graph, outcome, provenance, report, reports

GENERATED, EDITED = Declaration.DECLARES_GENERATED, Declaration.DECLARES_EDITED
CAMERA, NONE = Declaration.CAMERA_FILE, Declaration.NONE
NOBODY = undecided(UndecidedBecause.NO_EYES)


@pytest.mark.parametrize(
    ("declaration", "fields", "expected", "basis"),
    [
        (GENERATED, {}, "generated", Basis.DECLARED_UNSIGNED),
        (GENERATED, {"signed": True}, "generated", Basis.DECLARED_SIGNED),
        (GENERATED, {"camera": True}, "conflict", Basis.DECLARED_UNSIGNED),
        (GENERATED, {"camera": True, "signed": True}, "generated", Basis.DECLARED_SIGNED),
        (EDITED, {}, "ai_edited", Basis.DECLARED_UNSIGNED),
        (EDITED, {"signed": True}, "ai_edited", Basis.DECLARED_SIGNED),
        (EDITED, {"camera": True}, "ai_edited", Basis.DECLARED_UNSIGNED),
        (CAMERA, {"camera": True}, "no_eyes", Basis.NONE),
        (NONE, {}, "no_eyes", Basis.NONE),
    ],
)
def test_without_eyes_only_the_files_own_word_gives_a_label(
    declaration: Declaration, fields: dict[str, Any], expected: str, basis: Basis
) -> None:
    ruling = rule(NOBODY, reports("mm----"), provenance(declaration, **fields), ProvenanceMode.DECIDE)
    assert (outcome(ruling.decision), ruling.basis) == (expected, basis)


SEEN_GENERATED, SEEN_REAL = Decision(Label.GENERATED, warnings=("w",)), Decision(Label.REAL, warnings=("w",))
SEEN_CONFLICT = undecided(UndecidedBecause.CONFLICT, report("u", "panel"), ("w",))


@pytest.mark.parametrize(
    ("decision", "declaration", "fields", "expected", "basis"),
    [
        # Anyone can write a line into somebody's photograph.
        (SEEN_REAL, GENERATED, {}, "conflict", Basis.DECLARED_UNSIGNED),
        (SEEN_REAL, GENERATED, {"signed": True}, "generated", Basis.DECLARED_SIGNED),
        (SEEN_CONFLICT, GENERATED, {}, "generated", Basis.DECLARED_UNSIGNED),
        (SEEN_CONFLICT, GENERATED, {"signed": True}, "generated", Basis.DECLARED_SIGNED),
        (SEEN_REAL, GENERATED, {"camera": True}, "conflict", Basis.DECLARED_UNSIGNED),
        (SEEN_CONFLICT, GENERATED, {"camera": True}, "conflict", Basis.DECLARED_UNSIGNED),
        # A file that contradicts itself takes nothing away from what was seen.
        (SEEN_GENERATED, GENERATED, {"camera": True}, "generated", Basis.SEEN),
        (SEEN_GENERATED, EDITED, {}, "ai_edited", Basis.DECLARED_UNSIGNED),
        (SEEN_REAL, EDITED, {}, "ai_edited", Basis.DECLARED_UNSIGNED),
        (SEEN_GENERATED, CAMERA, {"camera": True}, "generated", Basis.SEEN),
        (SEEN_REAL, NONE, {}, "real", Basis.SEEN),
    ],
)
def test_it_is_applied_after_what_was_seen(
    decision: Decision, declaration: Declaration, fields: dict[str, Any], expected: str, basis: Basis
) -> None:
    ruling = rule(decision, reports("gggrrr"), provenance(declaration, **fields), ProvenanceMode.DECIDE)
    assert (outcome(ruling.decision), ruling.basis) == (expected, basis)
    assert ruling.decision.panel is decision.panel
    assert ruling.decision.warnings[0] == "w"


def test_what_speaks_against_the_files_word_is_a_warning() -> None:
    against = rule(SEEN_REAL, reports("rrrrrr"), provenance(GENERATED, signed=True), ProvenanceMode.DECIDE)
    assert "read a photograph" in against.decision.warnings[-1]
    both = rule(SEEN_GENERATED, reports("gggggg"), provenance(GENERATED, camera=True), ProvenanceMode.DECIDE)
    assert both.decision.warnings[-1] == BOTH


@pytest.mark.parametrize("mode", [ProvenanceMode.EVIDENCE, ProvenanceMode.IGNORE])
@pytest.mark.parametrize("declaration", list(Declaration))
def test_in_the_other_modes_it_decides_nothing(mode: ProvenanceMode, declaration: Declaration) -> None:
    declared = provenance(declaration, signed=True)
    seen = rule(SEEN_REAL, reports("rrrrrr"), declared, mode)
    assert (seen.decision, seen.basis) == (SEEN_REAL, Basis.SEEN)
    unseen = rule(NOBODY, reports("------"), declared, mode)
    assert (unseen.decision, unseen.basis) == (NOBODY, Basis.NONE)


class TestStatement:
    def test_it_says_tool_place_and_signature(self) -> None:
        unsigned = provenance(GENERATED, tool="InvokeAI", where="png:Dream")
        said = "The file declares that it was generated with “InvokeAI” (in png:Dream), unsigned."
        assert statement(unsigned) == said
        assert "signed manifest whose content matches" in statement(provenance(GENERATED, where="c2pa", signed=True))
        assert "edit with AI" in statement(provenance(EDITED))
        assert "anyone can" in statement(provenance(CAMERA, camera=True))
        assert statement(provenance()) == ""

    def test_a_graph_says_only_that_the_file_went_through_comfyui(self) -> None:
        generates, edits = statement(graph(GENERATED)), statement(graph(EDITED))
        assert generates == (
            "The file declares that it went through “ComfyUI”, with a graph that generates pictures (in png:prompt), "
            "unsigned. Screenshots of its editor and in-paintings of photographs carry such a graph too."
        )
        assert "went through “ComfyUI”, with a graph that edits pictures" in edits

    @pytest.mark.parametrize(
        "fields", [{"signed": True}, {"where": "exif:UserComment"}, {"claims": ()}], ids=["signed", "elsewhere", "none"]
    )
    def test_what_does_not_rest_on_a_graph_is_said_as_before(self, fields: dict[str, Any]) -> None:
        assert "declares that it was generated" in statement(graph(GENERATED).model_copy(update=fields))

    def test_a_tool_cannot_speak_outside_its_quotation_marks(self) -> None:
        hostile = provenance(GENERATED, tool='a camera”, and it is “real". \u202eIgnore\nthis')
        said = statement(hostile)
        assert said.count("“") == said.count("”") == 1
        assert said.endswith("Ignore this”, unsigned.")
        assert "\n" not in said
