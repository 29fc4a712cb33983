from __future__ import annotations

import base64
import csv
import json
from pathlib import Path

import pytest
import yaml

from paradigms.label import Label
from tests.evals.drawn import draw_data, script
from tests.evals.simulated import correlated
from tests.sixlens.conftest import Cli


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """Votes of three voters of whom the second and third err together; the first is by far the best."""
    path = tmp_path / "votes.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("case", "label", "paradigm", "vote"))
        for it in correlated(1000, (0.86, 0.72, 0.70), following=0.9):
            assert it.truth is not None
            writer.writerows(
                (it.case, it.truth.value, name, vote.label.value) for name, vote in it.votes.items() if vote.label
            )
    return path


def test_imported_votes_where_the_majority_loses_to_the_best_voter(cli: Cli, votes: Path) -> None:
    ran = cli("eval", "import", "votes.csv", "-o", "theirs", "--json")
    assert (ran.code, json.loads(ran.out)["cases"]) == (0, 1000)
    fitted = cli("eval", "calibrate", "theirs", "-o", "theirs.yaml", "--target-fpr", "0.05")
    assert fitted.code == 0, fitted.err
    assert "The plain majority loses to the best voter; the fit recovers the best voter's accuracy" in fitted.out
    before = Path("theirs.yaml").read_text("utf-8")
    again = cli("eval", "calibrate", "theirs", "-o", "theirs.yaml", "--target-fpr", "0.2")
    assert (again.code, "theirs.yaml: is there already; choose another name with -o" in again.err) == (4, True)
    assert Path("theirs.yaml").read_text("utf-8") == before
    made = json.loads(cli("eval", "calibrate", "theirs", "--json").out)
    comparison = made["comparison"]
    assert comparison["majority"] < comparison["best_single_accuracy"] - 0.03
    assert comparison["fitted"] > comparison["best_single_accuracy"] - 0.01
    assert "Wrote theirs.yaml" in fitted.err
    assert "does not name its pictures" in fitted.err
    saved = yaml.safe_load(Path("theirs.yaml").read_text("utf-8"))
    assert saved["name"] == "theirs"
    assert saved["data"] == "votes of votes.csv, arm imported"


def test_chances_of_imported_votes_are_weighed_when_asked_for(cli: Cli, tmp_path: Path) -> None:
    rows = [
        f"{it.case},{it.truth},{name},{vote.label},{0.9 if vote.label is it.truth is Label.GENERATED else 0.3}"
        for it in correlated(100)
        for name, vote in it.votes.items()
    ]
    (tmp_path / "votes.csv").write_text("\n".join(["case,label,paradigm,vote,p_generated", *rows]), "utf-8")
    cli("eval", "import", "votes.csv", "-o", "theirs")
    fitted = cli("eval", "calibrate", "theirs", "--strategy", "stacked", "--certainty", "--json")
    assert json.loads(fitted.out)["calibration"]["members"]["p0"]["certainty"] > 0
    refused = cli("eval", "calibrate", "theirs", "--certainty")
    assert (refused.code, "go with stacked" in refused.err) == (4, True)


def test_stages_of_imported_votes(cli: Cli, votes: Path) -> None:
    cli("eval", "import", "votes.csv", "-o", "theirs")
    ran = cli("eval", "calibrate", "theirs", "--stages", "p0,p1/p2")
    assert ran.code == 0
    assert "Asked for: p0 + p1, then p2:" in ran.out
    assert "Chosen in hindsight:" in ran.out
    wrong = cli("eval", "calibrate", "theirs", "--stages", "p0/p9")
    assert (wrong.code, "p9" in wrong.err) == (4, True)


def test_ablation_of_imported_votes(cli: Cli, votes: Path) -> None:
    cli("eval", "import", "votes.csv", "-o", "theirs")
    ran = cli("eval", "ablate", "theirs")
    assert ran.code == 0
    assert "Shapley, accuracy" in ran.out
    assert "(nobody: a coin)" in ran.out
    assert "A voter's Shapley value is" in ran.out
    assert "AUC is the share of pairs" in ran.out
    made = json.loads(cli("eval", "ablate", "theirs", "--json").out)
    assert len(made["subsets"]) == 8
    assert made["best_single"]["voters"] == ["p0"]


def test_what_people_decided_counts_above_the_labels(cli: Cli, votes: Path, tmp_path: Path) -> None:
    cli("eval", "import", "votes.csv", "-o", "theirs")
    cases = {row["case"]: row["label"] for row in csv.DictReader(votes.read_text("utf-8").splitlines())}
    other = {"real": "generated", "generated": "real"}
    lines = "".join(f"{case},{other[label]}\n" for case, label in cases.items())
    (tmp_path / "people.csv").write_text(f"case,label\n{lines}", "utf-8")
    before = json.loads(cli("eval", "ablate", "theirs", "--json").out)
    after = json.loads(cli("eval", "ablate", "theirs", "--labels", "people.csv", "--json").out)
    assert (after["n_generated"], after["n_real"]) == (before["n_real"], before["n_generated"])


def test_a_run_is_not_imported_over(cli: Cli, votes: Path) -> None:
    assert cli("eval", "import", "votes.csv", "-o", "theirs").code == 0
    ran = cli("eval", "import", "votes.csv", "-o", "theirs")
    assert (ran.code, "there is a run already" in ran.err) == (4, True)
    assert cli("eval", "import", "none.csv", "-o", "x").code == 2


def test_a_calibration_of_an_own_run_names_its_pictures_and_refuses_them(cli: Cli, tmp_path: Path) -> None:
    draw_data(tmp_path / "data", 22)
    backend = script(tmp_path)
    (tmp_path / "own.yaml").write_text("name: own\ndata: {path: data}\nbase: {ensemble: six}\n", "utf-8")
    assert cli("eval", "run", "own.yaml", "--backend", backend).code == 0
    fitted = cli("eval", "calibrate", "runs/own", "-o", "own-fit.yaml")
    assert fitted.code == 0, fitted.err
    known = yaml.safe_load((tmp_path / "own-fit.yaml").read_text("utf-8"))["fitted_on"]
    assert (len(base64.b64decode(known["cases"])), len(base64.b64decode(known["looks"]))) == (44 * 6, 44 * 16)
    assert "refuse" not in fitted.err
    assert known["ensemble"] == "six"
    assert known["paradigms"]["structural"]["backend"] == backend
    assert known["paradigms"]["structural"]["prompt_version"]
    settings = "base: {ensemble: six, set: {fusion: {strategy: log_odds, calibration: own-fit.yaml}}}\n"
    (tmp_path / "test.yaml").write_text(f"name: test\ndata: {{path: data}}\n{settings}", "utf-8")
    ran = cli("eval", "validate", "test.yaml", "--backend", backend)
    assert ran.code == 4
    assert "44 cases are among those that the calibration own-fit was fitted on" in ran.err


@pytest.mark.parametrize(
    "command", [("ablate", "none"), ("calibrate", "none"), ("compare", "none"), ("report", "none")]
)
def test_a_run_that_is_not_there_is_one_line(cli: Cli, command: tuple[str, ...]) -> None:
    ran = cli("eval", *command)
    assert (ran.code, ran.out) == (4, "")
    assert len(ran.err.splitlines()) == 1


def test_too_few_cases_are_said(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("case,label,paradigm,vote\na,real,p,real\nb,generated,p,real\n", "utf-8")
    cli("eval", "import", "few.csv", "-o", "few")
    for command in ("calibrate", "ablate"):
        ran = cli("eval", command, "few")
        assert ran.code == 2
        assert "cases" in ran.err
