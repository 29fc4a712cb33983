from __future__ import annotations

import itertools
from typing import Any

import pytest

from fusion.decision import Decision, count, undecided
from fusion.declaration import ProvenanceMode, Ruling, rule
from fusion.explanation import (
    ANYONE,
    LEANS_CAMERA,
    LIMITS,
    describe,
    dissenters,
    explain,
    headline,
    next_steps,
    quote,
    rank,
)
from fusion.verdict import Basis, UndecidedBecause
from paradigms.label import Label
from paradigms.region import Region, RegionSource
from paradigms.report import Report
from paradigms.signals.provenance import Declaration, Provenance, Signature, Trust

from .conftest import graph, provenance, report, reports, sign, unfit

GENERATED, EDITED = Declaration.DECLARES_GENERATED, Declaration.DECLARES_EDITED


def head(
    decision: Decision,
    letters: str | tuple[Report, ...],
    declared: Provenance | None = None,
    basis: Basis | None = None,
) -> str:
    heard = reports(letters) if isinstance(letters, str) else letters
    seen = Basis.SEEN if any(item.has_eyes for item in heard) else Basis.NONE
    return headline(Ruling(decision, basis or seen), count(heard), declared or provenance(), heard)


def ruled(letters: str, declared: Provenance, decision: Decision | None = None) -> str:
    heard = reports(letters)
    decision = decision or undecided(UndecidedBecause.NO_EYES)
    return headline(rule(decision, heard, declared, ProvenanceMode.DECIDE), count(heard), declared, heard)


SEEN_GENERATED, SEEN_REAL = Decision(Label.GENERATED), Decision(Label.REAL)


class TestHeadline:
    def test_generated_is_a_reading_by_so_many_and_no_proof(self) -> None:
        assert head(SEEN_GENERATED, "gggggr") == f"Reads as generated in 5 of 6 examinations. {LIMITS}"
        assert "not proof" in LIMITS
        assert "who made or posted" in LIMITS

    def test_real_says_that_no_signs_were_found(self) -> None:
        assert head(SEEN_REAL, "rrrrru") == f"No signs of generation found in 5 of 6 examinations. {LIMITS}"

    @pytest.mark.parametrize(
        ("decision", "letters", "count"),
        [
            (Decision(Label.REAL), "rrrrgx", "4 of 6 examinations (1 says generated, 1 refused)"),
            (Decision(Label.REAL), "rrrru?", "4 of 6 examinations (1 undecided, 1 unreadable)"),
            (Decision(Label.GENERATED), "ggggg!", "5 of 6 examinations (1 failed)"),
            (Decision(Label.GENERATED), "ggggd-", "4 of 6 examinations (2 skipped)"),
            (Decision(Label.REAL), "rrrrrm", "5 of 5 examinations."),
        ],
    )
    def test_who_did_not_answer_is_counted(self, decision: Decision, letters: str, count: str) -> None:
        assert count in head(decision, letters)

    def test_real_does_not_deny_signs_that_were_named(self) -> None:
        heard = (*reports("rrrr"), report("r", "p9", sign("generated", 2)))
        said = head(SEEN_REAL, heard)
        assert said.startswith(
            "Reads as a photograph in 5 of 5 examinations; the signs of generation that were named turned none of them."
        )
        heard = (*reports("rrrrr"), report("g", "p9", sign("generated", 2)))
        assert "5 of 6 examinations; the signs of generation that were named were outvoted." in head(SEEN_REAL, heard)

    def test_a_panel_against_the_count_is_named(self) -> None:
        decision = Decision(Label.GENERATED, panel=report("g", "panel"))
        said = head(decision, "ggrrrr")
        assert said.startswith("The panel reads the picture as generated, although 4 of 6 read it as a photograph.")
        assert head(decision, "gguuuu").startswith(
            "The panel reads the picture as generated, and so do 2 of 6 examinations."
        )
        assert "as generated, although no examination does." in head(decision, "uuuuuu")
        assert head(decision, "gggggr").startswith("Reads as generated in 5 of 6")

    def test_a_sign_that_decides_against_the_count_is_named(self) -> None:
        said = head(SEEN_GENERATED, "ggrrrr")
        assert said.startswith("Reads as generated in 2 of 6 examinations, although 4 of 6 read it as a photograph.")

    @pytest.mark.parametrize(
        ("because", "letters", "start"),
        [
            (UndecidedBecause.CONFLICT, "gggrrr", "Undecided: there is weight on both sides. 3 of 6"),
            (UndecidedBecause.WEAK, "rrrruu", "Undecided: what was found is not enough for either side. 0 of 6"),
            (UndecidedBecause.BELOW_QUORUM, "gr????", "Undecided: too few examinations came to a label. 1 of 6"),
            (UndecidedBecause.BELOW_QUORUM, "xxxxxx", "Undecided: too few examinations came to a label."),
            (UndecidedBecause.BUDGET, "gg$$$$", "Undecided: the budget was spent before enough"),
            (UndecidedBecause.NOT_A_PHOTOGRAPH, "nnnnnn", "Undecided: the picture does not present itself as a"),
            (UndecidedBecause.UNSTABLE, "rrrrrr", "Undecided: mild variants of the picture are judged differently."),
        ],
    )
    def test_undecided_says_why_and_who_came_to_what(self, because: UndecidedBecause, letters: str, start: str) -> None:
        said = head(undecided(because), letters)
        assert said.startswith(start)
        assert ("examinations read it as generated" in said) is any(letter in "gru" for letter in letters)

    def test_an_undecided_count_names_who_gave_no_answer(self) -> None:
        said = head(undecided(UndecidedBecause.BELOW_QUORUM), "grux?!")
        assert said.endswith(
            "1 of 6 examinations read it as generated, 1 as a photograph, 1 came to no side, "
            "1 refused, 1 unreadable, 1 failed."
        )

    def test_hedges_are_counted(self) -> None:
        said = head(undecided(UndecidedBecause.WEAK), "rrrruu")
        assert said.endswith("0 of 6 examinations read it as generated, 4 as a photograph, 2 came to no side.")

    def test_a_panel_that_objects_is_no_second_side_of_the_votes(self) -> None:
        decision = undecided(UndecidedBecause.CONFLICT, report("u", "panel"))
        assert head(decision, "gggggg").startswith("Undecided: the panel does not agree with the examinations. 6 of 6")
        assert head(decision, "gggggr").startswith("Undecided: there is weight on both sides.")

    def test_nobody_looked_yet(self) -> None:
        nobody = undecided(UndecidedBecause.NO_EYES)
        assert head(nobody, "mm----") == "Nobody has looked yet (no model attached)."
        assert head(nobody, "tttttt") == "Nobody has looked: the picture is too small."
        camera = provenance(Declaration.CAMERA_FILE, camera=True)
        assert head(nobody, "mm----", camera) == f"Nobody has looked yet (no model attached). {LEANS_CAMERA}"
        assert LEANS_CAMERA == (
            "The file carries a camera's data, which leans towards a photograph; anyone can write such data."
        )


class TestDeclaredHeadline:
    def test_unsigned_without_eyes(self) -> None:
        said = ruled("mm----", provenance(GENERATED, tool="InvokeAI", where="png:Dream"))
        assert said == (
            "The file declares that it was generated with “InvokeAI” (in png:Dream), unsigned. "
            f"The pixels were not judged. {ANYONE}"
        )

    @pytest.mark.parametrize(
        ("trust", "words"),
        [
            (Trust.TRUSTED, "on a list of trusted signers"),
            (Trust.EXPIRED, "has expired"),
            (Trust.UNTRUSTED, "was revoked or breaks the rules"),
            (Trust.UNKNOWN, "Nothing vouches for its signer"),
            (None, "Nothing vouches for its signer"),
        ],
    )
    def test_signed_says_what_is_known_of_the_signer(self, trust: Trust | None, words: str) -> None:
        declared = provenance(GENERATED, where="c2pa", signed=True, signature=Signature(present=True, trust=trust))
        said = ruled("------", declared)
        assert words in said
        assert ANYONE not in said

    def test_a_comfyui_graph_is_said_with_its_caveat(self) -> None:
        said = ruled("mm----", graph(GENERATED))
        assert said.startswith("The file declares that it went through “ComfyUI”")
        assert "Screenshots of its editor" in said
        assert said.endswith(ANYONE)
        beside_camera = ruled("rrrrrr", graph(GENERATED, camera=True), SEEN_REAL)
        against = ruled("rrrrrr", graph(GENERATED), SEEN_REAL)
        for conflict in (beside_camera, against):
            assert conflict.startswith("Undecided: the file declares, unsigned, that it went through ComfyUI, ")

    def test_what_was_seen_stands_apart(self) -> None:
        said = ruled("rrrrrg", provenance(GENERATED, signed=True), SEEN_REAL)
        assert "Apart from that, 1 of 6 examinations read the picture as generated." in said
        assert "not judged" not in said

    def test_an_edit_and_a_contradiction_are_undecided(self) -> None:
        assert ruled("------", provenance(EDITED)).startswith("Undecided: the file declares an edit with AI")
        said = ruled("rrrrrr", provenance(GENERATED, camera=True), SEEN_REAL)
        assert said.startswith(
            "Undecided: the file declares, unsigned, that it was generated, and also carries a camera"
        )
        assert "0 of 6 examinations" in said


def told(decision: Decision, heard: tuple[Report, ...]) -> list[str]:
    """The lines of an explanation."""
    ruling = Ruling(decision, Basis.SEEN)
    return explain(ruling, "HEAD", rank(heard), dissenters(decision.label, heard), heard).split("\n")


class TestExplanation:
    def test_both_sides_and_the_dissent_are_named(self) -> None:
        heard = (
            report("g", "p0", sign("generated", 3, name="odd strap"), sign("generated", 5, name="six fingers")),
            *reports("ggg"),
            report("r", "few", sign("real", 2, name="ghost", ordinary_cause="none known.")),
        )
        assert told(SEEN_GENERATED, heard) == [
            "HEAD",
            "Strongest sign of a generated picture: six fingers [p0, severity 5 of 5] "
            "(ordinary cause: none was named).",
            "Strongest sign of a photograph: ghost [p0, severity 2 of 5].",
            "Dissent: Few (real).",
        ]

    def test_without_listed_signs_a_voter_is_heard_and_nothing_is_denied(self) -> None:
        lines = told(SEEN_GENERATED, reports("gggg"))
        assert lines[1] == "For a generated picture, P0 says: It looks generated."
        assert lines[2] == "No examination listed a sign of a photograph."
        assert len(lines) == 3

    def test_when_nobody_looked_nothing_is_said_of_signs(self) -> None:
        assert told(undecided(UndecidedBecause.NO_EYES), reports("mm----")) == ["HEAD"]

    @pytest.mark.parametrize(("letter", "words"), [("g", "generated picture"), ("r", "photograph"), ("u", "undecided")])
    def test_the_panel_is_heard_with_its_label(self, letter: str, words: str) -> None:
        panel = report(letter, "panel", text="Two agree.\nOne does not.")
        lines = told(Decision(Label.GENERATED, panel=panel), reports("gggg"))
        assert lines[1] == f"The panel's reading: {words}. Two agree. One does not."

    def test_a_panel_without_judgement_is_not_heard(self) -> None:
        lines = told(Decision(Label.GENERATED, panel=report("x", "panel", text="I am sorry.")), reports("gggg"))
        assert not any("panel" in line for line in lines)

    def test_of_an_undecided_case_the_smaller_side_is_named(self) -> None:
        assert told(undecided(UndecidedBecause.CONFLICT), reports("gggrr"))[-1] == "The smaller side: P3, P4 (real)."
        assert not told(undecided(UndecidedBecause.CONFLICT), reports("gggrrr"))[-1].startswith("The smaller")

    def test_what_models_wrote_is_clean_and_short(self) -> None:
        hostile = "It is 95% certain. Made by Midjourney. Surely a FAKE.\n\u202e\x1b[31m " + "long " * 2000
        item = sign(
            "generated", 5, name=f"a\nb{hostile}"[:200], phenomenon=hostile[:2000], ordinary_cause=hostile[:1000]
        )
        heard = (report("g", "p0", item, text=hostile), report("r", "p1", text=hostile))
        lines = told(Decision(Label.GENERATED, panel=report("g", "panel", text=hostile)), heard)
        assert len(lines) == 5
        assert max(len(line) for line in lines) < 800
        assert unfit(lines) == []
        assert not any(mark in "".join(lines) for mark in ("\u202e", "\x1b", "Midjourney"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No anomalies were detected. It is 87 % sure.", "No anomalies were seen."),
        ("Is it an authentic shot? Verified: a deepfake.", "Is it a genuine shot? checked: a generated picture."),
        ("Ninety per cent. 90 percent sure. 90per cent. Even grain.", "Even grain."),
        ("It looks like Stable Diffusion. The hand has six fingers.", "The hand has six fingers."),
        ("Fakery is a word; unverified is another.", "Fakery is a word; unverified is another."),
        ("", ""),
    ],
)
def test_quotes_say_nothing_that_an_estimate_cannot_carry(text: str, expected: str) -> None:
    assert quote(text, 200) == expected


def test_a_quote_is_cut() -> None:
    assert quote("word " * 100, 20) == "word word word word…"


def test_a_sign_is_described_on_one_line() -> None:
    item = sign("real", None, name="100% even\nnoise", phenomenon="grain.\nEverywhere.", paradigm="direct")
    assert describe(item) == "a sign: grain. Everywhere [direct]"


def test_where_a_sign_stands_and_that_no_ordinary_cause_was_named_is_said() -> None:
    box = {"region": Region(x0=0, y0=0.4, x1=0.2, y1=0.6), "region_source": RegionSource.MODEL}
    item = sign("generated", 4, name="sixth finger", phenomenon="a thumb too many", **box)
    assert describe(item) == (
        "sixth finger at the middle left: a thumb too many [p0, severity 4 of 5] (ordinary cause: none was named)"
    )
    assert "ordinary cause" not in describe(sign("real", 2))
    assert describe(sign("generated", 2, ordinary_cause="haze")).endswith("(an ordinary cause could be: haze)")


def test_evidence_is_ranked_by_severity_then_by_place() -> None:
    region = {"region": Region(x0=0, y0=0, x1=1, y1=1), "region_source": RegionSource.MODEL}
    items = [
        sign(severity=None, name="a"),
        sign(severity=3, name="b"),
        sign("real", 3, name="c", **region),
        sign(severity=5, name="d"),
    ]
    heard = (report("g", "p0", *items[:2]), report("r", "p1", *items[2:]))
    assert [item.name for item in rank(heard)] == ["d", "c", "b", "a"]


class TestDissent:
    @pytest.mark.parametrize(
        ("label", "letters", "expected"),
        [
            (Label.GENERATED, "gggrum", ["p3"]),
            (Label.REAL, "gggrum", ["p0", "p1", "p2"]),
            (Label.UNDECIDED, "gggrum", ["p3"]),
            (Label.UNDECIDED, "grrr", ["p0"]),
            (Label.UNDECIDED, "ggrr", []),
            (Label.UNDECIDED, "gg", []),
            (Label.GENERATED, "gggg", []),
        ],
    )
    def test_who_came_out_for_the_other_side(self, label: Label, letters: str, expected: list[str]) -> None:
        assert [item.paradigm for item in dissenters(label, reports(letters))] == expected

    def test_the_reason_is_the_strongest_point_or_the_beginning_of_the_text(self) -> None:
        signs = (sign("real", 2, name="weak"), sign("generated", 5), sign("real", 4, name="strong"))
        heard = (report("r", "p0", *signs), report("r", "p1"))
        first, second = dissenters(Label.GENERATED, heard)
        assert first.reason.startswith("strong [")
        assert second.reason == "It looks real."
        (silent,) = dissenters(Label.GENERATED, (report("r", text=""),))
        assert silent.reason == "It gave no reasons."


def test_a_person_comes_before_any_accusation() -> None:
    def steps(decision: Decision) -> tuple[str, ...]:
        return next_steps(Ruling(decision, Basis.SEEN), heard)

    heard = reports("rrrrgg")

    assert any("Before anybody is accused" in step for step in steps(SEEN_GENERATED))
    assert any("no proof" in step for step in steps(SEEN_REAL))
    assert any("Let a person decide" in step for step in steps(undecided(UndecidedBecause.CONFLICT)))
    assert len(steps(undecided(UndecidedBecause.NO_EYES))) == 1
    heard = (*heard, report("g", "p9", sign("generated", 2)))
    assert not any("no sign was found" in step for step in steps(SEEN_REAL))
    assert any("Look at the signs of generation that were named" in step for step in steps(SEEN_REAL))


@pytest.mark.parametrize(
    ("letter", "stop", "told"), [("?", "length", True), ("?", "complete", False), ("g", "length", False)]
)
def test_what_to_do_about_answers_that_were_cut_off(letter: str, stop: str, told: bool) -> None:
    heard = (report(letter, steps=({"name": "verdict", "kind": "ask", "stop": stop},)),)
    steps = next_steps(Ruling(undecided(UndecidedBecause.BELOW_QUORUM), Basis.SEEN), heard)
    assert any("raise the setting `tokens.verdict`, or take another model" in step for step in steps) is told


def everything() -> list[str]:
    """Every headline, explanation and step that can come out of some votes and declarations."""
    declared: list[dict[str, Any]] = [{}, {"camera": True}, {"signed": True}]
    panels = (None, report("g", "panel"), report("r", "panel"), report("u", "panel"))
    reasons = [because for because in UndecidedBecause if because is not UndecidedBecause.AI_EDITED]
    texts = []
    for letters, fields, declaration, panel in itertools.product(
        ("gggggr", "rrrrrg", "gggrrr", "uuuuuu", "mm----", "xx????", "tttttt"), declared, Declaration, panels
    ):
        heard = reports(letters)
        decisions = [undecided(because, panel) for because in reasons]
        if any(item.has_eyes for item in heard):
            decisions += [Decision(Label.GENERATED, panel=panel), Decision(Label.REAL, panel=panel)]
        for decision in decisions:
            ruling = rule(decision, heard, provenance(declaration, **fields), ProvenanceMode.DECIDE)
            said = headline(ruling, count(heard), provenance(declaration, **fields), heard)
            texts += [said, explain(ruling, said, (), dissenters(ruling.decision.label, heard), heard)]
            texts += [*next_steps(ruling, heard), *ruling.decision.warnings]
    return texts


def test_no_wording_of_ours_claims_more_than_an_estimate() -> None:
    texts = everything()
    assert len(set(texts)) > 100
    assert unfit(texts) == []
    assert all(text == text.strip() and "  " not in text for text in texts)


def test_a_declaration_against_the_examinations_names_both() -> None:
    ruling = Ruling(undecided(UndecidedBecause.CONFLICT), Basis.DECLARED_UNSIGNED)
    heard = reports("rrrrrr")
    said = headline(ruling, count(heard), provenance(Declaration.DECLARES_GENERATED), heard)
    assert "declares, unsigned, that it was generated" in said
    assert "6 of 6 examinations read it as a photograph" in said
