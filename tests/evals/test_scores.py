from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

from evals.run import RunOptions, perform_run
from evals.stored_run import open_run
from paradigms.label import Cause
from tests.evals.drawn import draw, planned

NAMES = ("real/0.png", "fake/0.png", "real/1.png", "fake/1.png")


def arms(folder: Path, scores: str) -> list[dict[str, Any]]:
    """An arm with a detector whose scores stand in a file."""
    path = folder / "scores.csv"
    path.write_text(f"case,score\n{scores}", "utf-8")
    detector = {"kind": "score", "file": str(path)}
    return [{"name": "a", "ensemble": "direct", "set": {"paradigms": {"detector": detector}}}]


def pictures(folder: Path) -> None:
    for seed, name in enumerate(NAMES):
        draw(folder / "data" / name, seed)


def scored(folder: Path, **settings: Any) -> dict[str, float | None]:
    """The score of every case."""
    asyncio.run(perform_run(planned(folder, **settings), folder / "run", RunOptions()))
    return {it.case: it.votes["detector"].score for it in open_run(folder / "run").judgments}


def test_a_row_that_names_each_case_is_nothing_to_tell(tmp_path: Path) -> None:
    pictures(tmp_path)
    made = arms(tmp_path, "".join(f"{name},{place}\n" for place, name in enumerate(NAMES)))
    assert planned(tmp_path, arms=made).notes == ()
    assert scored(tmp_path, arms=made) == {name: place for place, name in enumerate(NAMES)}


def test_rows_that_serve_several_cases_and_cases_without_a_row_are_told(tmp_path: Path) -> None:
    pictures(tmp_path)
    assert planned(tmp_path, arms=arms(tmp_path, "0.png,1\nreal/1.png,2\n")).notes == (
        "detector: 1 rows of the file of scores serve several cases each, which get the same score: fake/0.png, "
        "real/0.png. Name each case as it is named here.",
        "detector: 1 of 4 cases have no score, and the member is skipped for them: fake/1.png.",
    )


def test_scores_know_cases_by_the_names_that_a_table_gives_them(tmp_path: Path) -> None:
    pictures(tmp_path)
    rows = [f"{name},{name.split('/')[0]},case-{place}" for place, name in enumerate(NAMES)]
    (tmp_path / "data" / "manifest.csv").write_text("\n".join(["file,label,case", *rows]), "utf-8")
    made = arms(tmp_path, "case-0,5\ncase-1,6\n/case-2,7\n")
    (note,) = planned(tmp_path, arms=made).notes
    assert note.endswith("skipped for them: case-3.")
    assert scored(tmp_path, arms=made) == {"case-0": 5, "case-1": 6, "case-2": 7, "case-3": None}


def test_a_changed_picture_has_no_score_by_the_name_of_its_case(tmp_path: Path) -> None:
    pictures(tmp_path)
    made = arms(tmp_path, "".join(f"{name},1\n" for name in NAMES))
    scored(tmp_path, arms=made, perturbations=["jpeg_50"])
    assert {it.votes["detector"].cause for it in open_run(tmp_path / "run").judgments} == {Cause.LACKING}


def test_pictures_that_are_reencoded_have_no_score(tmp_path: Path) -> None:
    pictures(tmp_path)
    made = arms(tmp_path, "".join(f"{name},1\n" for name in NAMES))
    (note,) = planned(tmp_path, arms=made, data={"path": "data", "reencode": {}}).notes
    assert note == "detector: scores are of files as they are, and no case has one: pictures are re-encoded."


def test_pictures_are_known_by_their_bytes_too(tmp_path: Path) -> None:
    pictures(tmp_path)
    digests = [hashlib.sha256((tmp_path / "data" / name).read_bytes()).hexdigest() for name in NAMES]
    made = arms(tmp_path, "")
    (tmp_path / "scores.csv").write_text("sha256,score\n" + "".join(f"{it},1\n" for it in digests[:3]), "utf-8")
    (note,) = planned(tmp_path, arms=made).notes
    assert note.startswith("detector: 1 of 4 cases have no score")
