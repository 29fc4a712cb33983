from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from backends.errors import ConfigError, InputError
from evals.foreign_votes import read_foreign_votes
from evals.judgment import Judgment, Vote
from evals.metrics import RunSummary
from evals.report import ReportFiles, write_report
from fusion.decision import Rules
from fusion.verdict import Basis
from paradigms.label import Outcome
from tests.evals.report.pages import DRAWN, PLAIN, VOID, Page
from tests.evals.report.runs import (
    VOTERS,
    G,
    R,
    U,
    draw_picture,
    judgment,
    report,
    setup_of,
    sign,
    simulated,
    verdict,
    write_run,
)

UNSAID = re.compile(r"\b(?:fake|forged|authentic|verified|detected|confirmed)\b", re.IGNORECASE)
HOSTILE = (
    "</bdi><script>alert(1)</script><img src=x onerror=alert(2)> \"' style=x {{7*7}} $\\input{/etc/passwd}$ | =1+1"
)


def page_of(files: ReportFiles) -> Page:
    return Page(files.page.read_text("utf-8"))


def rows(files: ReportFiles, name: str) -> list[dict[str, str]]:
    path = next(path for path in files.tables if path.name == f"{name}.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def made(folder: Path, judgments: Iterable[Judgment]) -> ReportFiles:
    return write_report(write_run(folder / "run", judgments))


def test_the_report_begins_with_real_photographs_called_generated(full: ReportFiles) -> None:
    rate = next(it for it in full.run.summaries if (it.arm, it.perturbation) == ("six", "none")).false_positives
    estimate = rate.of_decided
    assert estimate.value is not None
    said = (
        f"six: {estimate.events} of {estimate.n} decided real photographs were called generated, "
        f"{100 * estimate.value:.1f} %"
    )
    text = page_of(full).text
    assert said in text
    assert text.index(said) < text.index("What this is") < text.index("Accuracy")
    markdown = full.markdown.read_text("utf-8")
    assert markdown.index("## Real photographs called generated") < markdown.index("## What this is")


def test_all_forms_say_the_numbers_of_the_summary(full: ReportFiles) -> None:
    assert RunSummary.model_validate_json(full.summary.read_text("utf-8")) == full.run
    summary = full.run.summary("fitted")
    assert summary is not None
    scores = summary.answered
    row = next(row for row in rows(full, "scores_answered") if row["arm"] == "fitted")
    assert float(row["accuracy"]) == scores.accuracy.value
    assert (float(row["accuracy_low"]), float(row["accuracy_high"])) == (scores.accuracy.low, scores.accuracy.high)
    assert (int(row["accuracy_events"]), int(row["accuracy_n"])) == (scores.accuracy.events, scores.accuracy.n)
    assert scores.accuracy.value is not None
    assert scores.accuracy.low is not None
    percent, low = f"{100 * scores.accuracy.value:.1f}", f"{100 * scores.accuracy.low:.1f}"
    assert f"{percent} % [{low}" in page_of(full).text
    assert f"{percent} % \\[{low}" in full.markdown.read_text("utf-8")
    latex = next(path for path in full.tables if path.name == "scores_answered.tex").read_text("utf-8")
    assert f"${percent}$ {{\\small [${low}$" in latex
    assert "\\toprule" in latex


def test_every_section_is_there(full: ReportFiles) -> None:
    page = page_of(full)
    sections = [attributes.get("id") for tag, attributes in page.tags if tag == "section"]
    wanted = "false-positives background results comparison base-rates curves generators robustness repeats ablation"
    assert sections == [*wanted.split(), "paradigms", "expense", "cases"]
    assert "the run is not finished" in page.text
    assert "Warning about the data: Generated pictures more often are PNG files" in page.text
    assert [(row["feature"], row["auc"]) for row in rows(full, "leaks")] == [("is PNG", "0.91")]
    titles = {attributes.get("id") for tag, attributes in page.tags if tag == "title"}
    drawn = {"roc", "precision-recall", "reliability", "risk-coverage", "shapley-accuracy", "robust-flips", "recall-0"}
    assert {f"{name}-title" for name in drawn} <= titles


def test_shapley_values_of_the_report_sum_to_the_whole(full: ReportFiles) -> None:
    table = rows(full, "shapley")
    values = {row["paradigm"]: float(row["shapley_accuracy"]) for row in table}
    whole = values.pop("all of them")
    assert set(values) == set(VOTERS)
    assert sum(values.values()) == pytest.approx(whole)
    assert whole == pytest.approx(float(table[-1]["accuracy_alone"]) - 0.5)


def test_cases_show_wrong_ones_first_with_pictures_regions_and_words(full: ReportFiles) -> None:
    page = page_of(full)
    groups = [attributes["id"] for tag, attributes in page.tags if attributes.get("class") == "group"]
    assert groups == ["cases-accused", "cases-missed", "cases-undecided", "cases-right"]
    pictures = [attributes["href"] for tag, attributes in page.tags if tag == "image"]
    assert pictures
    assert all(uri is not None and uri.startswith("data:image/jpeg;base64,") for uri in pictures)
    assert any(tag == "rect" and attributes.get("class") == "edge real" for tag, attributes in page.tags)
    assert "The fingers of the left hand merge" in page.text


def test_the_page_is_closed_to_the_outside(full: ReportFiles) -> None:
    page = page_of(full)
    assert page.names <= PLAIN | DRAWN | VOID
    assert not any(name in ("style", "src") or name.startswith("on") for _, it in page.tags for name in it)
    links = [it["href"] or "" for _, it in page.tags if "href" in it]
    assert all(link.startswith(("#", "data:image/jpeg;")) for link in links)
    policy = next(it["content"] for tag, it in page.tags if tag == "meta" and "http-equiv" in it)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    ids = [it["id"] for _, it in page.tags if "id" in it]
    assert len(ids) == len(set(ids))
    assert all(link[1:] in ids for link in links if link.startswith("#"))


def test_nothing_claims_more_than_an_estimate(tmp_path: Path) -> None:
    words = "This is a fake, verified: 99% certain. The image was forged."
    reports = (report("regional", G, words), report("few_shot", G, words))
    run = write_run(tmp_path / "run", simulated(cases=40), lambda it: verdict(G, reports))
    files = write_report(run)
    texts = (page_of(files).text, files.markdown.read_text("utf-8"))
    assert "What each paradigm said" in texts[0]
    assert [UNSAID.findall(text) for text in texts] == [[], []]


def test_hostile_names_and_words_stay_text(tmp_path: Path) -> None:
    reports = (report("regional", G, HOSTILE, sign(HOSTILE[:190], (0.1, 0.1, 0.5, 0.5))),)
    hostile = [
        judgment(f"{place} {HOSTILE}", (G, R)[place % 2], (G, R, U)[place % 3], arm=HOSTILE, source=HOSTILE,
                 generator=HOSTILE)
        for place in range(12)
    ]  # fmt: skip
    hostile.append(judgment(f"12 {HOSTILE}", R, None, arm=HOSTILE, error=HOSTILE, error_kind=HOSTILE))
    files = write_report(write_run(tmp_path / "run", hostile, lambda it: verdict(G, reports, HOSTILE)))
    page = page_of(files)
    assert page.names <= PLAIN | DRAWN | VOID
    assert not any(name == "style" or name.startswith("on") for _, it in page.tags for name in it)
    assert "<script>alert(1)</script>" in page.text
    assert "{{7*7}}" in page.text
    markdown = files.markdown.read_text("utf-8")
    assert not re.search(r"(?<!\\)<(?:script|img|/bdi)", markdown)
    for path in files.tables:
        text = path.read_text("utf-8")
        if path.suffix == ".tex":
            assert "\\input{" not in text
            body = re.sub(r"\\[\\{}$&#%_]", "", text)
            assert body.count("{") == body.count("}")
            assert body.count("$") % 2 == 0


def test_a_spreadsheet_runs_nothing(tmp_path: Path) -> None:
    calls = [judgment(f"c{place}", R, R, source="=HYPERLINK(1)", arm="+arm") for place in range(3)]
    files = made(tmp_path, calls)
    assert [(row["arm"], row["source"]) for row in rows(files, "false_positives_by_source")] == [
        ("'+arm", "'=HYPERLINK(1)")
    ]


@pytest.mark.slow
def test_three_thousand_cases_are_bounded(tmp_path: Path) -> None:
    files = write_report(
        write_run(tmp_path / "run", simulated(cases=3000), lambda it: verdict(G, (report("regional", G, "x" * 5000),)))
    )
    page = page_of(files)
    assert sum(tag == "article" for tag, _ in page.tags) == 300
    assert "300 of 3,000 judgments are shown, and 2,700 are left out here" in page.text
    assert files.page.stat().st_size < 1_500_000


def test_nothing_decided_is_not_known_rather_than_zero(tmp_path: Path) -> None:
    undecided = [judgment(f"c{place}", (G, R)[place % 2], U) for place in range(8)]
    files = made(tmp_path, [*undecided, judgment("e", R, None)])
    text = page_of(files).text
    assert "how often real photographs are called generated is not known" in text
    row = rows(files, "false_positives")[0]
    assert (row["of_decided"], row["of_decided_n"]) == ("", "0")
    assert float(row["of_all"]) == 0
    assert rows(files, "base_rates")[0]["base_1"] == ""
    assert "No verdict" in text
    assert "The server did not answer; try again." in text


@pytest.mark.parametrize(("truth", "reason"), [(R, "Recall"), (G, "no case is labelled real")])
def test_one_side_only(tmp_path: Path, truth: object, reason: str) -> None:
    files = made(tmp_path, [it for it in simulated(cases=40) if it.truth is truth])
    text = page_of(files).text
    row = rows(files, "scores_answered")[0]
    assert row["balanced_accuracy"] == ""
    assert row["accuracy"] != ""
    assert "ROC: not known, since it takes labelled cases of both sides" in text
    assert (reason in text) is (truth is G)
    assert "It takes at least 5 labelled cases" in text


def test_unlabelled_pictures_have_coverage_cost_and_votes(tmp_path: Path) -> None:
    files = made(tmp_path, [it.model_copy(update={"truth": None}) for it in simulated(cases=30)])
    page = page_of(files)
    assert "no case is labelled real" in page.text
    assert "Called, but without a label to compare with" in page.text
    coverage = rows(files, "coverage")[0]
    assert (coverage["unlabelled"], coverage["real"]) == ("30", "0")
    assert float(coverage["decided"]) > 0
    cost = next(row for row in rows(files, "expense") if row["quantity"] == "US dollars")
    assert float(cost["total"]) == pytest.approx(30 * 0.021)


def test_an_unknown_price_is_not_zero(full: ReportFiles) -> None:
    cost = next(
        row for row in rows(full, "expense") if row["quantity"] == "US dollars" and row["arm"] == "direct question"
    )
    assert (cost["total"], cost["unknown"]) == ("", "60")


def test_imported_votes_have_a_report(tmp_path: Path) -> None:
    votes = tmp_path / "votes.csv"
    lines = [
        f"c{n},{('real', 'fake')[n % 2]},v{v},{('real', 'fake')[(n + (n * v) % 3 // 2) % 2]}"
        for n in range(40)
        for v in range(3)
    ]
    votes.write_text("case,label,paradigm,vote\n" + "\n".join(lines) + "\n", "utf-8")
    judgments = read_foreign_votes(votes, Rules(quorum=4, generated_share=0.8, real_share=0.65), whole=6)
    files = made(tmp_path, judgments)
    text = page_of(files).text
    assert "other people's votes were imported" in text
    assert "the words of the paradigms were not kept, only their votes" in text
    assert "There are no pictures here" in text
    assert {row["paradigm"] for row in rows(files, "shapley")} == {"v0", "v1", "v2", "all of them"}


def test_what_files_declare_is_told_apart(tmp_path: Path) -> None:
    seen = simulated(cases=40)
    declared = [judgment(f"d{place}", G, G, basis=Basis.DECLARED_UNSIGNED, votes={}) for place in range(10)]
    files = write_report(
        write_run(tmp_path / "run", [*seen, *declared], None, setup_of(tmp_path, provenance="decide", cases=50))
    )
    bases = {row["basis"]: row for row in rows(files, "provenance")}
    assert bases["declared unsigned"]["judgments"] == "10"
    assert bases["declared unsigned"]["generated_called_generated"] == "10"
    assert rows(files, "without_declared")[0]["judgments"] == "40"
    assert "not of looking at pictures" in page_of(files).text


def test_a_picture_that_changed_is_not_shown(tmp_path: Path) -> None:
    data = tmp_path / "data"
    digests = {
        f"{side}/{n}.png": draw_picture(data / side / f"{n}.png", n) for side in ("real", "fake") for n in range(2)
    }
    draw_picture(data / "real" / "0.png", 9)
    judged = [judgment(case, R if case[0] == "r" else G, G, sha256=sha) for case, sha in digests.items()]
    files = write_report(write_run(tmp_path / "run", judged, None, setup_of(data, cases=4)))
    page = page_of(files)
    assert sum(tag == "image" for tag, _ in page.tags) == 3
    assert "1 pictures are not shown" in page.text


def test_data_that_is_gone_costs_only_the_pictures(tmp_path: Path) -> None:
    files = write_report(write_run(tmp_path / "run", simulated(cases=20), None, setup_of(tmp_path / "gone", cases=20)))
    assert "the data is not where the run found it" in page_of(files).text


def test_a_run_of_perturbed_pictures_alone(tmp_path: Path) -> None:
    files = made(tmp_path, simulated(cases=40, perturbation="jpeg_50", drop=0.1))
    text = page_of(files).text
    assert "six, jpeg_50:" in text
    assert "there is no judgment of the same pictures as they are" in text


def test_written_elsewhere_and_written_again(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", simulated(cases=20))
    out = tmp_path / "new" / "out"
    first = write_report(run, out).page.read_bytes()
    assert write_report(run, out).page.read_bytes() == first
    assert sorted(path.name for path in run.iterdir()) == ["journal.jsonl"]
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.md", "summary.json", "tables"]


def test_runs_that_cannot_be_reported_say_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run here"):
        write_report(tmp_path)
    with pytest.raises(InputError, match="no case has been judged yet"):
        write_report(write_run(tmp_path / "empty", []))
    run = write_run(tmp_path / "run", simulated(cases=10))
    (run / "config.yaml").write_text("[", "utf-8")
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        write_report(run)
    (run / "config.yaml").unlink()
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ConfigError, match="the report cannot be written"):
        write_report(run, tmp_path / "file")


def test_a_verdict_of_another_version_leaves_the_votes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", simulated(cases=10), lambda it: {"schema_version": "0", "label": ["?"]})
    text = page_of(write_report(run)).text
    assert "What each paradigm said" in text
    assert "too few cases to hold whole sources out" in text


def test_odd_outcomes_are_named(tmp_path: Path) -> None:
    votes = {"a": Vote(outcome=Outcome.REFUSED), "b": Vote(outcome=Outcome.ANSWERED, score=1.5, eyes=False)}
    files = made(tmp_path, [judgment("c", R, U, votes=votes)])
    page = page_of(files)
    tags = [text for text in page.texts if text in ("refused", "score 1.5")]
    assert tags == ["refused", "score 1.5"]
    assert json.loads(files.summary.read_text("utf-8"))["summaries"][0]["arm"] == "six"
