from __future__ import annotations

import random

from evals.metrics import RunSummary, summarise, summarise_run


def rows(judgment):
    """Two arms; `a` with a perturbation and a second repeat of one case, `b` with a perturbation alone."""
    plain = [judgment(f"c{n}", side, label, arm="a") for n, (side, label) in enumerate(["rr", "rg", "gg", "gu"])]
    blurred = [
        judgment(f"c{n}", side, label, arm="a", perturbation="blur")
        for n, (side, label) in enumerate(["rg", "rg", "gg", "gg"])
    ]
    return [
        *plain,
        *blurred,
        judgment("c0", "r", "g", arm="a", repeat=1),
        judgment("c0", "r", "r", arm="b", perturbation="blur"),
    ]


def test_groups_by_arm_and_perturbation(judgment) -> None:
    run = summarise_run(rows(judgment), resamples=20)
    assert [(each.arm, each.perturbation) for each in run.summaries] == [("a", "none"), ("a", "blur"), ("b", "blur")]
    assert run.arms == ("a", "b")
    assert run.summary("b") is None
    only = [row for row in rows(judgment) if (row.arm, row.perturbation) == ("a", "blur")]
    assert run.summary("a", "blur") == summarise(only, resamples=20)


def test_the_robustness_table(judgment) -> None:
    plain, blurred, lonely = summarise_run(rows(judgment), resamples=20).robustness
    assert (plain.flips, lonely.flips) == (None, None)
    assert blurred.flips is not None
    assert (blurred.flips.flipped.events, blurred.flips.flipped.n, blurred.flips.pairs) == (1, 3, 4)
    assert (blurred.n, blurred.false_positive_rate.value, blurred.accuracy.value) == (4, 1.0, 0.5)
    assert (plain.decided.value, blurred.decided.value) == (0.8, 1.0)


def test_repeats_are_pooled_and_shown_apart(judgment) -> None:
    run = summarise_run(rows(judgment), resamples=20)
    pooled = run.summaries[0]
    assert (pooled.judgments, pooled.cases, pooled.repeats) == (5, 4, 2)
    assert pooled.answered.accuracy.value == 2 / 4
    (each,) = run.repeats
    assert [scores.accuracy for scores in each.repeats] == [2 / 3, 0.0]
    assert (each.unanimous.value, each.unanimous.n) == (0.0, 1)


def test_order_has_no_influence_and_json_keeps_it(judgment) -> None:
    every = rows(judgment)
    run = summarise_run(every, resamples=20)
    random.Random(3).shuffle(every)
    assert summarise_run(every, resamples=20) == run
    assert RunSummary.model_validate_json(run.model_dump_json()) == run


def test_an_empty_run_is_empty() -> None:
    assert summarise_run([]) == RunSummary(summaries=(), robustness=(), repeats=())
