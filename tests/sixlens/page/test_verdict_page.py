from __future__ import annotations

import base64
import datetime
import hashlib
import itertools
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import sixlens
from backends.images.image import Image
from fusion.verdict import Basis, CalibrationNote, Dissent, Stability, UndecidedBecause, Variant
from paradigms.label import Label
from paradigms.signals.provenance import Claim, ClaimKind, PrivateFields, Provenance
from sixlens.page import IndexEntry, PersonDecision, index_page, verdict_page
from sixlens.page.evidence import MOST
from sixlens.page.examinations import MAX_WORDS
from sixlens.words.labels import IF_YOURS, LIMITS, not_meant
from sixlens.words.provenance import provenance_lines
from sixlens.words.verdict import said, spending_text

from .conftest import EVIDENCE, NASTY, NASTY_NAME, Document, sign

NEVER = re.compile(r"\b(?:fake|forged|authentic|verified|detected|confirmed)\b|\d\s*%|per ?cent", re.IGNORECASE)
TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "header",
    "main",
    "footer",
    "section",
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "ul",
    "li",
    "bdi",
    "span",
    "div",
    "img",
    "figure",
    "figcaption",
    "article",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "dl",
    "dt",
    "dd",
    "details",
    "summary",
    "strong",
    "pre",
}
ATTRIBUTES = {
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "href",
    "class",
    "id",
    "aria-labelledby",
    "aria-label",
    "src",
    "alt",
    "width",
    "height",
    "scope",
    "tabindex",
    "dir",
}


def changed(verdict: sixlens.Verdict, **fields: Any) -> sixlens.Verdict:
    return verdict.model_copy(update=fields)


def nasty_verdict(verdict: sixlens.Verdict) -> sixlens.Verdict:
    """Every text that comes from a model or a file is an attack."""
    reports = tuple(
        report.model_copy(
            update={
                "text": NASTY + "word " * 20_000,
                "title": NASTY,
                "question": NASTY,
                "backend": NASTY,
                "model_served": NASTY,
                "notes": (NASTY,) * 20,
                "prompt_version": NASTY,
            }
        )
        for report in verdict.reports
    )
    attack = {"phenomenon": NASTY * 9, "reasoning": NASTY, "ordinary_cause": NASTY, "paradigm": NASTY}
    evidence = tuple(item.model_copy(update={**attack, "name": NASTY[:200]}) for item in EVIDENCE)
    claims = (Claim(kind=ClaimKind.INFO, where=NASTY[:80], text=NASTY[:200]),)
    return changed(
        verdict,
        reports=reports,
        panel=reports[0],
        evidence=evidence,
        image=verdict.image.model_copy(update={"name": NASTY_NAME, "notes": (NASTY,), "format": NASTY}),
        headline=NASTY,
        explanation=f"{NASTY}\n{NASTY}",
        dissent=(Dissent(paradigm=NASTY, label=Label.GENERATED, reason=NASTY),),
        warnings=(NASTY,),
        next_steps=(NASTY,),
        ensemble=NASTY,
        versions={NASTY: NASTY, "sixlens": NASTY},
        provenance=Provenance(claims=claims, notes=(NASTY,)),
        usage=verdict.usage.model_copy(update={"notes": (NASTY,)}),
    )


@pytest.mark.parametrize("include_private", [False, True])
def test_nothing_untrusted_becomes_an_element_or_an_attribute(
    verdict: sixlens.Verdict, picture: bytes, include_private: bool
) -> None:
    decision = PersonDecision(label="real", note=NASTY, at=datetime.datetime.now(datetime.UTC), reviewer=NASTY)
    page = verdict_page(nasty_verdict(verdict), picture, include_private=include_private, decision=decision)
    document = Document(page)
    assert document.tags <= TAGS
    assert document.attributes <= ATTRIBUTES
    assert all(href.startswith("#") for href in document.all("href"))
    assert all(source.startswith("data:image/jpeg;base64,") for source in document.all("src"))
    assert document.words.count("<script>alert(1)</script><img src=x onerror=alert(2)>") > 15
    assert NASTY_NAME in document.words
    assert "{{ 7 * 7 }}" in document.words
    assert not set(page) & set("\u202e\u2066\u200f\x1b\x00")
    assert len(page) < 150_000


def test_long_words_are_bounded_and_say_so(verdict: sixlens.Verdict) -> None:
    report = verdict.reports[0].model_copy(update={"text": "It is long. " + "word " * 20_000})
    document = Document(verdict_page(changed(verdict, reports=(report,), panel=None), None))
    assert document.text.count("word ") < MAX_WORDS / 4
    assert document.words.count("There is more; the verdict as JSON has all of it.") == 1


def test_it_says_what_the_verdict_says_word_for_word(verdict: sixlens.Verdict, picture: bytes) -> None:
    dissent = (Dissent(paradigm="few_shot", label=Label.GENERATED, reason="the hands merge"),)
    verdict = changed(verdict, dissent=dissent, warnings=("Something to know.",))
    words = Document(verdict_page(verdict, picture)).words
    assert verdict.headline in words
    assert all(line in words for line in verdict.explanation.splitlines())
    for report in verdict.reports:
        assert report.title in words
        assert " ".join(report.question.split()) in words
        assert said(report) in words
    assert "Worked examples says generated: the hands merge" in words
    assert all(line in words for line in provenance_lines(verdict.provenance))
    assert all(step in words for step in verdict.next_steps)
    assert spending_text(verdict.usage) in words
    assert all(text in words for text in (*not_meant(verdict), *IF_YOURS, *LIMITS, "Something to know."))
    for text in (
        verdict.id,
        verdict.config_sha256,
        verdict.image.sha256,
        verdict.versions["sixlens"],
        "0 generated 6 real",
    ):
        assert text in words
    assert "Shown to scripted:script.yaml As JPEG, 96 × 64 pixels" in words


def test_the_headings_are_in_order_and_there_is_one_h1(verdict: sixlens.Verdict, picture: bytes) -> None:
    levels = [int(tag[1]) for tag, _ in Document(verdict_page(verdict, picture)).elements if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_link_leads_to_an_element_and_every_id_is_there_once(verdict: sixlens.Verdict, picture: bytes) -> None:
    document = Document(verdict_page(verdict, picture))
    names = document.all("id")
    assert len(names) == len(set(names))
    assert {href[1:] for href in document.all("href")} <= set(names)
    assert {name for label in document.all("aria-labelledby") for name in label.split()} <= set(names)
    for number in (1, 2, 3):
        assert f"#region-{number}" in document.all("href")
        assert f"#evidence-{number}" in document.all("href")
    assert "evidence-4" not in names


def test_regions_lie_where_the_verdict_says(verdict: sixlens.Verdict, picture: bytes) -> None:
    page = verdict_page(verdict, picture)
    assert "#region-1{left:10.00%;top:20.00%;width:20.00%;height:30.00%}" in page
    assert "#region-3{left:90.00%;top:90.00%;width:10.00%;height:10.00%}" in page


def test_without_a_picture_it_says_so(verdict: sixlens.Verdict) -> None:
    document = Document(verdict_page(verdict, None))
    assert "img" not in document.tags
    assert "The picture is not part of this page." in document.words
    assert document.all("href") == ["#main"]
    assert "at the middle left, where the model pointed" in document.words


def test_both_sides_stand_there_also_when_one_has_nothing(verdict: sixlens.Verdict) -> None:
    words = Document(verdict_page(changed(verdict, evidence=(sign(1, "real"),)), None)).words
    assert "Strongest evidence for generated None was named." in words
    assert "Strongest evidence for a photograph sign 1" in words


def test_an_ordinary_cause_is_named_or_said_to_be_missing(verdict: sixlens.Verdict) -> None:
    words = Document(verdict_page(verdict, None)).words
    assert words.count("An ordinary cause could be: a slow shutter") == 1
    assert words.count("Ordinary cause: none was named") == 1


def test_there_is_room_for_so_much_evidence_and_no_more(verdict: sixlens.Verdict) -> None:
    evidence = tuple(sign(index, "generated", (0.1, 0.1, 0.2, 0.2)) for index in range(MOST + 5))
    words = Document(verdict_page(changed(verdict, evidence=evidence), None)).words
    assert words.count("Why it matters: it matters") == MOST
    assert "5 more, weaker ones, stand in the verdict as JSON." in words


def test_the_policy_allows_this_style_and_embedded_pictures_only(verdict: sixlens.Verdict, picture: bytes) -> None:
    page = verdict_page(verdict, picture)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policies = [fields["content"] for tag, fields in Document(page).elements if fields.get("http-equiv")]
    assert policies == [
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    ]


def test_private_parts_are_left_out_unless_asked_for(photo: Path, script: str, picture: bytes) -> None:
    verdict = sixlens.judge(photo.resolve(), backend=script, cache=False, trace=True)
    claim = Claim(kind=ClaimKind.GENERATED, where="png:parameters", tool="Tool", text="a secret prompt", private=True)
    fields = PrivateFields(gps=True, serial_number=True, owner_name=True)
    report = verdict.reports[0].model_copy(update={"backend": "hf:/home/somebody/models/eye", "notes": (f"{photo}!",)})
    verdict = changed(
        verdict,
        provenance=Provenance(claims=(claim,), private_fields=fields),
        reports=(report, *verdict.reports[1:]),
        warnings=("exemplars of /home/somebody/pictures are missing",),
    )
    page = verdict_page(verdict, picture)
    assert str(photo.parent) not in page
    assert "somebody" not in page
    assert "secret" not in page
    assert "Prompts and answers" not in page
    assert "hf:…/eye" in page
    assert "It carries a place (GPS), a serial number, an owner's name; this is not shown here" in Document(page).words
    private = Document(verdict_page(verdict, picture, include_private=True)).words
    assert f"Path {photo.resolve()}" in private
    assert "png:parameters a secret prompt" in private
    assert "Prompts and answers, word for word" in private
    assert "hf:/home/somebody/models/eye" in private


def test_a_persons_decision_stands_beside_the_label(verdict: sixlens.Verdict) -> None:
    at = datetime.datetime(2026, 3, 4, 5, 6, tzinfo=datetime.UTC)
    decision = PersonDecision(label="cannot tell", note="the light is odd", at=at, reviewer="Ada")
    words = Document(verdict_page(verdict, None, decision=decision)).words
    assert (
        "A person's decision It cannot be told. the light is odd Decided by Ada on 04 March 2026, 05:06 UTC." in words
    )
    assert "No signs of generation found" in words
    assert "A person's decision" not in Document(verdict_page(verdict, None)).words


def test_the_table_comes_from_the_calibration_or_says_that_nothing_was_measured(verdict: sixlens.Verdict) -> None:
    assert Document(verdict_page(verdict, None)).words.count("of 100 not measured here not measured here") == 3
    note = CalibrationNote(
        name="c",
        data="d",
        n=400,
        prior=0.5,
        false_positive_rate=0.01,
        false_positive_interval=(0.0, 0.04),
        miss_rate=0.2,
        miss_interval=(0.1, 0.3),
        found_rate=0.7,
        found_interval=(0.6, 0.8),
    )
    words = Document(verdict_page(changed(verdict, calibration=note, p_generated=0.3), None)).words
    assert "1 of 100 about 41 at least 13 10 of 100 about 88 at least 62 50 of 100 about 98 at least 93" in words


def test_stability_is_said(verdict: sixlens.Verdict) -> None:
    variants = (Variant(name="jpeg_75", label=Label.REAL),)
    stability = Stability(label=Label.REAL, variants=variants, agreeing=1, flipped_by=(), stable=True)
    words = Document(verdict_page(changed(verdict, stability=stability), None)).words
    assert "1 of 1 mild variants of the picture read as a photograph too." in words


UNDECIDED = [
    {"label": Label.UNDECIDED, "undecided_because": because, "basis": Basis.SEEN} for because in UndecidedBecause
]


@pytest.mark.parametrize(
    "fields",
    [
        {"label": Label.REAL},
        {"label": Label.GENERATED},
        {"label": Label.GENERATED, "basis": Basis.DECLARED_SIGNED},
        *UNDECIDED,
    ],
    ids=str,
)
def test_no_page_claims_more_than_an_estimate(verdict: sixlens.Verdict, picture: bytes, fields: dict[str, Any]) -> None:
    page = Document(verdict_page(changed(verdict, **fields), picture))
    assert NEVER.findall(page.words) == []
    assert [text for name in ("alt", "aria-label") for text in page.all(name) if NEVER.search(text)] == []


def test_words_of_models_that_claim_too_much_are_not_repeated(verdict: sixlens.Verdict) -> None:
    text = "It is 97 % certain. This fake was detected by the lamp. Made with Midjourney."
    report = verdict.reports[0].model_copy(update={"text": text})
    loud = sign(1, "generated").model_copy(update={"name": "fake hand", "phenomenon": text, "reasoning": text})
    words = Document(verdict_page(changed(verdict, reports=(report,), evidence=(loud,)), None)).words
    assert "seen by the lamp" in words
    assert NEVER.findall(words) == []
    assert "Midjourney" not in words


def test_nobody_has_looked(photo: Path) -> None:
    words = Document(verdict_page(sixlens.judge(photo), None)).words
    assert "Nobody has looked Nobody has looked yet (no model attached)." in words
    assert "Shown to no model" in words
    assert "no calls;" in words


def test_a_score_may_have_cost_the_file_its_privacy(verdict: sixlens.Verdict) -> None:
    score = verdict.reports[0].model_copy(update={"kind": "score", "title": "Detector", "backend": None, "score": 0.4})
    words = Document(verdict_page(changed(verdict, reports=(score,), panel=None), None)).words
    assert "Shown to no model Scored by Detector; a score that comes from a service was given on the file" in words
    assert "metadata included" in words


def test_a_picture_of_another_kind_is_refused(verdict: sixlens.Verdict) -> None:
    with pytest.raises(ValueError, match="JPEG, PNG or WebP"):
        verdict_page(verdict, b"<svg onload=alert(1)>")


def test_a_name_that_is_no_text_does_no_harm(photo: Path, script: str) -> None:
    image = Image.read(photo.read_bytes(), name="a\udcff\ud800b.png")
    page = verdict_page(sixlens.judge(image, backend=script, cache=False), None)
    assert "ab.png" in page
    page.encode("utf-8")


def test_the_prompts_on_record_are_those_of_everybody_who_was_asked(verdict: sixlens.Verdict) -> None:
    assert verdict.panel is not None
    words = Document(verdict_page(verdict, None)).words
    for report in (*verdict.reports, verdict.panel):
        assert f"{report.paradigm} {report.prompt_version}" in words


def test_the_folders_of_models_are_left_out_however_they_are_spelled(photo: Path, picture: bytes) -> None:
    folder = Path("Anna Schmidt") / "secret case"
    folder.mkdir(parents=True)
    shutil.copy(photo, folder)
    # Nobody answers for the others, and each says so with the whole path of the script.
    rules = "\n".join(f'  - {{paradigm: {name}, text: "Verdict: real"}}' for name in ("commonsense", "few_shot"))
    for script in (folder / "real.yaml", (folder / "also real.yaml").absolute()):
        script.write_text(f"model: {folder.absolute()}/eye.gguf\nrules:\n{rules}\n", "utf-8")
        made = sixlens.judge(folder / photo.name, backend=f"scripted:{script}", cache=False)
        assert "secret case" in made.model_dump_json()
        for page in (verdict_page(made, picture), index_page([IndexEntry.of(made, href="a.html")])):
            assert not re.search("Anna|Schmidt|secret|case/", page)
        assert f"scripted:…/{script.name}" in verdict_page(made, picture)
        assert "Anna Schmidt/secret case" in verdict_page(made, picture, include_private=True)
