from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

from backends.errors import BudgetError, ConfigError, NoVerdictError
from evals.journal import key_of, read_entries, read_judgments
from evals.judgment import Judgment
from evals.metrics import summarise_run
from evals.plan import Plan
from evals.progress import Progress
from evals.run import HOPELESS, RunOptions, locked, perform_run
from evals.stored_run import open_run
from paradigms.label import Label
from tests.evals.drawn import draw, experiment, outcomes, planned, script

FRESH, RESUME, AGAIN = RunOptions(), RunOptions(resume=True), RunOptions(retry_failed=True)
PLAIN = "rules: [{text: 'Plain. Verdict: real'}]"


def run(plan: Plan, folder: Path, options: RunOptions = FRESH, **more: Any) -> Progress:
    return asyncio.run(perform_run(plan, folder, options, **more))


def found(folder: Path) -> list[Judgment]:
    return read_judgments(folder / "journal.jsonl")


def stop_after(count: int) -> Callable[[Progress], None]:
    """Stands for whatever ends a session in the middle."""
    calls = itertools.count(1)

    def stop(_: Progress) -> None:
        if next(calls) == count:
            raise KeyboardInterrupt

    return stop


def test_every_case_is_judged_under_everything_once(tmp_path: Path) -> None:
    plan = planned(tmp_path, perturbations=["none", "jpeg_50"], repeats=2)
    progress = run(plan, tmp_path / "run")
    assert (progress.done, progress.total, plan.size) == (24, 24, 24)
    judged = found(tmp_path / "run")
    assert len({key_of(it) for it in judged}) == 24
    assert {it.truth for it in judged} == {Label.GENERATED, Label.REAL}
    by_case = {it.case: it.sha256 for it in judged}
    # The digest is that of the file, also where the picture was changed.
    assert all(by_case[it.case] == it.sha256 != "" for it in judged)
    assert by_case == {item.case: item.sha256 for item in plan.data.items}


def test_the_answers_are_shared_by_arms_and_not_by_repeats(tmp_path: Path) -> None:
    plan = planned(tmp_path, repeats=2, arms=[{"name": "a"}, {"name": "b", "strategy": "vote"}])
    run(plan, tmp_path / "run")
    spent = [entry.spent.calls for entry in read_entries(tmp_path / "run" / "journal.jsonl")]
    # Six cases, one question each, twice; the panel of `b` asks once more.
    assert max(spent) == 2 * 6 * 2
    first = [it for it in found(tmp_path / "run") if it.arm == "b"]
    assert all(it.costs.cache_hits == 1 for it in first)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, count: int) -> None:
    plan = planned(tmp_path, window=2)
    run(plan, tmp_path / "calm")
    with pytest.raises(KeyboardInterrupt):
        run(plan, tmp_path / "run", on_progress=stop_after(count))
    assert len(found(tmp_path / "run")) == count
    assert run(plan, tmp_path / "run", RESUME).done == 6
    assert outcomes(tmp_path / "run") == outcomes(tmp_path / "calm")
    assert len(list(read_entries(tmp_path / "run" / "journal.jsonl"))) == 6


def test_resume_begins_a_run_that_is_not_there_and_ends_one_that_is_done(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    run(plan, tmp_path / "run", RESUME)
    before = (tmp_path / "run" / "journal.jsonl").read_bytes()
    assert run(plan, tmp_path / "run", RESUME).done == 6
    assert (tmp_path / "run" / "journal.jsonl").read_bytes() == before


def test_a_run_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    run(planned(tmp_path), tmp_path / "run")
    with pytest.raises(ConfigError, match=r"there is a run already.*--resume"):
        run(planned(tmp_path), tmp_path / "run")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"base": {"ensemble": "direct", "backend": "scripted:other.yaml"}},
            "arm direct: backend was scripted:.* is s",
        ),
        ({"repeats": 2}, "repeats was 1, is 2"),
        ({"perturbations": ["none", "blur_1"]}, "perturbations was none, is none, blur_1"),
        ({"data": {"path": "data", "limit": 4}}, "the data had 6 cases, has 4"),
        ({"data": {"path": "data", "reencode": {}}}, "re-encoding was none, is JPEG of quality 95"),
        ({"arms": [{"name": "two"}]}, "arm direct is gone; arm two is new"),
        ({"name": "other"}, "a run of 'trial'"),
        ({"arms": [{"name": "direct", "set": {"budget": {"case_calls": 5}}}]}, "budget.case_calls was None, is 5"),
    ],
)
def test_a_changed_experiment_is_refused_with_what_changed(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    run(planned(tmp_path), tmp_path / "run")
    with pytest.raises(ConfigError, match=said) as caught:
        run(planned(tmp_path, **settings), tmp_path / "run", RESUME)
    assert "\n" not in str(caught.value)


def test_other_labels_are_refused(tmp_path: Path) -> None:
    run(planned(tmp_path), tmp_path / "run")
    (tmp_path / "data" / "fake" / "f0.png").rename(tmp_path / "data" / "real" / "r9.png")
    with pytest.raises(ConfigError, match="other cases, labels"):
        run(planned(tmp_path), tmp_path / "run", RESUME)


def test_other_sources_and_generators_are_refused(tmp_path: Path) -> None:
    draw(tmp_path / "data" / "a.png", 1)
    draw(tmp_path / "data" / "b.png", 2)
    table = tmp_path / "data" / "manifest.csv"
    for name, other in (("generator", "x"), ("source", "y")):
        folder = tmp_path / name
        table.write_text(f"file,label,{name}\na.png,real,\nb.png,fake,s\n", "utf-8")
        run(planned(tmp_path), folder)
        assert run(planned(tmp_path), folder, RESUME).done == 2
        table.write_text(f"file,label,{name}\na.png,real,\nb.png,fake,{other}\n", "utf-8")
        with pytest.raises(ConfigError, match="generators or sources"):
            run(planned(tmp_path), folder, RESUME)


def test_another_picture_of_the_same_size_is_refused_when_it_is_read(tmp_path: Path) -> None:
    for seed, name in enumerate(("real/r.bmp", "fake/f.bmp")):
        draw(tmp_path / "data" / name, seed)
    twice = {"perturbations": ["none", "jpeg_50"]}
    with pytest.raises(KeyboardInterrupt):
        run(planned(tmp_path, **twice), tmp_path / "run", on_progress=stop_after(1))
    (judged,) = found(tmp_path / "run")
    draw(tmp_path / "data" / judged.case, 77)
    with pytest.raises(ConfigError, match=f"'{judged.case}' is not the one that was judged before"):
        run(planned(tmp_path, **twice), tmp_path / "run", RESUME)


def test_what_changes_no_result_is_no_reason_to_refuse(tmp_path: Path) -> None:
    run(planned(tmp_path), tmp_path / "run")
    moved = tmp_path / "data"
    moved.rename(tmp_path / "elsewhere")
    limits = {"budget": {"calls": 90, "tokens": 10**6}, "limits": {"rpm": 1000}}
    arms = [{"name": "direct", "set": limits}]
    plan = planned(tmp_path, data={"path": "elsewhere"}, arms=arms, window=3, budget={"calls": 50}, description="more")
    assert run(plan, tmp_path / "run", RESUME).done == 6


def test_two_processes_refuse_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with filelock.FileLock(folder / "lock"), pytest.raises(ConfigError, match="another process works on this run"):
        run(planned(tmp_path), folder)
    run(planned(tmp_path), folder)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ConfigError, match="cannot be written"), locked(tmp_path / "file" / "run"):
        pass


def test_the_budget_is_exact_over_all_sessions(tmp_path: Path) -> None:
    budget = {"budget": {"calls": 4}}
    with pytest.raises(BudgetError, match=r"after \d of 6 judgments.*--resume"):
        run(planned(tmp_path, **budget), tmp_path / "run")
    assert len(found(tmp_path / "run")) <= 4
    with pytest.raises(BudgetError):
        run(planned(tmp_path, **budget), tmp_path / "run", RESUME)
    assert run(planned(tmp_path, budget={"calls": 6}), tmp_path / "run", RESUME).done == 6
    assert max(it.costs.calls for it in found(tmp_path / "run")) == 1


def test_what_was_under_way_when_a_session_was_killed_is_spent(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(BudgetError):
        run(planned(tmp_path, budget={"calls": 3}), folder)
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    # A kill leaves the journal as it was after some line: here after the one that set the third call aside.
    last = next(number for number, line in enumerate(lines) if b'"calls":3' in line)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[: last + 1]))
    for answers in folder.glob("answers-0.sqlite*"):
        answers.unlink()
    with pytest.raises(BudgetError):
        run(planned(tmp_path, budget={"calls": 3}), folder, RESUME)
    assert all(entry.session == 0 for entry in read_entries(folder / "journal.jsonl"))


def test_without_limits_nothing_but_judgments_is_written_down(tmp_path: Path) -> None:
    run(planned(tmp_path), tmp_path / "run")
    lines = (tmp_path / "run" / "journal.jsonl").read_text("utf-8").splitlines()
    assert len(lines) <= 1 + 6 + 1


def test_a_picture_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    (tmp_path / "data" / "real" / "r0.png").write_bytes(b"no picture")
    progress = run(plan, tmp_path / "run")
    assert dict(progress.errors) == {"ImageError": 1}
    assert [it.case for it in found(tmp_path / "run") if it.error] == ["real/r0.png"]


def test_failures_are_done_again_and_nothing_else(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    good = (tmp_path / "data" / "real" / "r0.png").read_bytes()
    (tmp_path / "data" / "real" / "r0.png").write_bytes(b"x" * len(good))
    run(plan, tmp_path / "run")
    (tmp_path / "data" / "real" / "r0.png").write_bytes(good)
    assert run(plan, tmp_path / "run", RESUME).failed_before == 1
    assert run(plan, tmp_path / "run", AGAIN).labels.total() == 1
    assert [it.error for it in found(tmp_path / "run")] == [None] * 6


BY_VOTE = [{"name": "a", "strategy": "vote"}]
NO_SUBJECT = [{"name": "a", "ensemble": "six", "paradigms": ["structural", "commonsense"], "strategy": "tally"}]


@pytest.mark.parametrize(
    ("rule", "arms", "name"),
    [
        ("{paradigm: panel, fault: auth}", BY_VOTE, "panel"),
        ("{paradigm: prepare, fault: auth}", NO_SUBJECT, "structural"),
    ],
)
def test_a_panel_or_a_subject_that_failed_is_counted_and_asked_again(
    tmp_path: Path, rule: str, arms: list[dict[str, Any]], name: str
) -> None:
    rules = '{paradigm: prepare, text: "subject: boat"}, {text: "Plain. Verdict: real"}'
    script(tmp_path, f"rules: [{rule}, {rules}]")
    plan = planned(tmp_path, arms=arms)
    run(plan, tmp_path / "run")
    (summary,) = summarise_run(found(tmp_path / "run"), resamples=1).summaries
    assert {it.paradigm: it.failed for it in summary.coverage.paradigms}[name] == plan.size
    script(tmp_path, f"rules: [{rules}]")
    assert run(plan, tmp_path / "run", AGAIN).labels.total() == plan.size
    assert {it.everybody[name].label for it in found(tmp_path / "run")} == {Label.REAL}
    assert run(plan, tmp_path / "run", AGAIN).labels.total() == 0


def test_what_a_task_took_that_ended_in_an_error_is_known(tmp_path: Path) -> None:
    script(
        tmp_path,
        "rules: [{paradigm: prepare, text: 'subject: boat'}, {step: components, text: 'a hull'}, {fault: auth}]",
    )
    plan = planned(tmp_path, base={"ensemble": "six", "backend": f"scripted:{tmp_path}/script.yaml"})
    (tmp_path / "data" / "real" / "r0.png").write_bytes(b"no picture")
    run(plan, tmp_path / "run")
    costs = {it.error_kind: it.costs for it in found(tmp_path / "run")}
    asked, unread = costs["NoVerdictError"], costs["ImageError"]
    assert (asked.calls or 0) + (asked.cache_hits or 0) == 2
    assert asked.cost is None  # nobody knows the price of a script
    assert (asked.attempts or 0) > 2
    assert (unread.calls, unread.attempts, unread.cost) == (0, 0, 0.0)


def test_a_backend_that_gives_nothing_ends_the_run_early(tmp_path: Path) -> None:
    script(tmp_path, "rules: [{fault: auth}]")
    plan = planned(tmp_path, each=HOPELESS)
    with pytest.raises(NoVerdictError, match=f"the first {HOPELESS} tasks of 'direct' got no verdict"):
        run(plan, tmp_path / "run")
    assert len(found(tmp_path / "run")) == HOPELESS
    script(tmp_path, PLAIN)
    assert run(plan, tmp_path / "run", AGAIN).done == 2 * HOPELESS
    assert {it.label for it in found(tmp_path / "run")} == {Label.REAL}


def test_unlabelled_pictures_are_judged_too(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / "data" / f"{number}.png", number)
    run(planned(tmp_path), tmp_path / "run")
    judged = found(tmp_path / "run")
    assert [it.truth for it in judged] == [None] * 3
    assert {it.label for it in judged} <= {Label.GENERATED, Label.REAL}


def test_words_are_kept_or_not(tmp_path: Path) -> None:
    run(planned(tmp_path), tmp_path / "with")
    run(planned(tmp_path, keep_words=False), tmp_path / "without")
    assert all(entry.verdict for entry in read_entries(tmp_path / "with" / "journal.jsonl"))
    assert not any(entry.verdict for entry in read_entries(tmp_path / "without" / "journal.jsonl"))
    assert outcomes(tmp_path / "with") == outcomes(tmp_path / "without")


def test_measuring_alone_is_an_experiment_too(tmp_path: Path) -> None:
    run(planned(tmp_path, base={"ensemble": "measured"}), tmp_path / "run")
    assert {(it.label, it.undecided_because) for it in found(tmp_path / "run")} == {("undecided", "no_eyes")}


def test_the_resolved_configuration_is_saved_and_read(tmp_path: Path) -> None:
    plan = planned(tmp_path, arms=[{"name": "a"}, {"name": "b", "set": {"fusion": {"quorum": 2}}}])
    run(plan, tmp_path / "run")
    stored = open_run(tmp_path / "run")
    assert stored.experiment == plan.experiment
    assert stored.ensembles == {arm.name: arm.ensemble.model_dump(mode="json") for arm in plan.arms}
    assert stored.arms == ("a", "b")
    assert [stored.rules(arm).quorum for arm in "ab"] == [1, 2]
    assert len(stored.of("a")) == 6
    with pytest.raises(ConfigError, match="several arms"):
        stored.arm(None)
    with pytest.raises(ConfigError, match=r"Did you mean 'a'|no arm"):
        stored.arm("aa")


def test_it_reads_nothing_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned(tmp_path)
    monkeypatch.setenv("SIXLENS_BACKEND", "scripted:none.yaml")
    run(planned(tmp_path), tmp_path / "run")
    assert experiment(tmp_path).base.backend is not None
    assert not any(it.error for it in found(tmp_path / "run"))
