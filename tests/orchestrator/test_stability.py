from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from backends.completion import Completion
from backends.errors import AuthError, ConfigError
from backends.images.source import load_image
from backends.request import Request
from fusion.verdict import Basis, UndecidedBecause, Verdict
from orchestrator.config import load_ensemble
from orchestrator.perturbations import MILD, perturb
from orchestrator.sample import draw_sample
from paradigms.label import Label, Outcome

from .conftest import Toy, answer, make_judge


class Fickle(Toy):
    """Answers as given for each variant; the subject and lists as ever."""

    def __init__(self, picture: bytes, by_variant: dict[str, Any]) -> None:
        super().__init__()
        self.by_variant = by_variant
        self.names = {load_image(picture).deliver(1024, 90).sha256: "itself"}
        for name in MILD:
            self.names[perturb(load_image(picture), name, 1024).deliver(1024, 90).sha256] = name
        self.seen: list[str] = []

    async def _answer(self, request: Request) -> Completion | str:
        if request.origin.purpose not in ("verdict", "follow_up"):
            return await super()._answer(request)
        name = self.names[request.pictures[0].sha256]
        self.seen.append(name)
        given = self.by_variant.get(name, "real")
        if isinstance(given, BaseException):
            raise given
        return answer(given)


async def judged(picture: bytes, number: int, by_variant: dict[str, Any], *settings: str) -> tuple[Verdict, Fickle]:
    toy = Fickle(picture, by_variant)
    async with make_judge(toy, f"stability={number}", *settings) as judge:
        return await judge.judge(picture), toy


async def test_variants_that_agree_leave_the_label_and_are_told(picture: bytes) -> None:
    verdict, toy = await judged(picture, 2, {})
    assert set(toy.seen) == {"itself", "jpeg_75", "resize_half"}
    assert verdict.label is Label.REAL
    assert verdict.stability is not None
    assert (verdict.stability.stable, verdict.stability.agreeing, verdict.stability.flipped_by) == (True, 2, ())
    assert "2 of 2 mild variants of the picture read as a photograph too." in verdict.explanation
    assert verdict.warnings == ()
    # Three times the eight calls with the picture: what was spent is the sum. The two lists that need no picture are
    # the same for all variants, and asked once by those that ask at the same moment.
    assert verdict.usage.attempts == len(toy.requests) <= 30
    assert sum(bool(request.pictures) for request in toy.requests) == 24


async def test_a_variant_of_the_other_side_makes_it_unstable(picture: bytes) -> None:
    verdict, _ = await judged(picture, 3, {"crop_90": "generated"})
    assert (verdict.label, verdict.undecided_because) == (Label.UNDECIDED, UndecidedBecause.UNSTABLE)
    assert verdict.stability is not None
    assert (verdict.stability.label, verdict.stability.flipped_by) == (Label.REAL, ("crop_90",))
    assert verdict.headline.startswith("Undecided: mild variants of the picture are judged differently.")
    assert verdict.explanation.startswith(verdict.headline)
    assert "2 of 3 mild variants of the picture read as a photograph too (not so: crop_90)." in verdict.explanation
    assert (verdict.votes.real, verdict.score, verdict.basis) == (6, -1.0, Basis.SEEN)
    assert "Let a person decide" in " ".join(verdict.next_steps)


@pytest.mark.parametrize(("lost", "stable"), [(("jpeg_75",), True), (("jpeg_75", "blur_1"), False)])
async def test_it_is_unstable_when_half_of_the_variants_lose_the_label(
    picture: bytes, lost: tuple[str, ...], stable: bool
) -> None:
    verdict, _ = await judged(picture, 4, dict.fromkeys(lost, "undecided"))
    assert verdict.stability is not None
    assert verdict.stability.stable is stable
    assert (verdict.label is Label.REAL) is stable
    assert f"undecided: {', '.join(lost)}" in verdict.explanation


async def test_variants_of_an_undecided_picture_are_not_asked_about(picture: bytes) -> None:
    verdict, toy = await judged(picture, 3, {"itself": "undecided"})
    assert set(toy.seen) == {"itself"}
    assert verdict.undecided_because is UndecidedBecause.BELOW_QUORUM
    assert verdict.stability is None
    assert verdict.warnings[-1] == "No variants of the picture were judged: there is no label."


async def test_the_files_own_word_is_not_shaken(picture: bytes) -> None:
    declared = io.BytesIO()
    info = PngInfo()
    info.add_text("parameters", "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 160x120, Model: x")
    PIL.Image.open(io.BytesIO(picture)).save(declared, "PNG", pnginfo=info)
    verdict, toy = await judged(declared.getvalue(), 2, {"itself": "generated"})
    assert (verdict.label, verdict.basis) == (Label.GENERATED, Basis.DECLARED_UNSIGNED)
    assert set(toy.seen) == {"itself"}
    assert "the label rests on the file's own word" in verdict.warnings[-1]


async def test_what_the_file_declares_is_not_missed_in_its_variants(picture: bytes) -> None:
    declared = io.BytesIO()
    info = PngInfo()
    info.add_text("parameters", "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 160x120, Model: x")
    PIL.Image.open(io.BytesIO(picture)).save(declared, "PNG", pnginfo=info)
    verdict, toy = await judged(declared.getvalue(), 1, {}, "provenance=ignore")
    assert set(toy.seen) == {"itself", "jpeg_75"}
    assert (verdict.label, verdict.basis) == (Label.REAL, Basis.SEEN)


async def test_a_variant_that_cannot_be_judged_says_nothing_of_the_label(picture: bytes) -> None:
    trouble = AuthError("the key is wrong")
    verdict, _ = await judged(picture, 2, {"resize_half": trouble})
    assert verdict.label is Label.REAL
    assert verdict.stability is not None
    assert [variant.label for variant in verdict.stability.variants] == [Label.REAL, None]
    assert "resize_half (No backend answered: the key is wrong" in verdict.warnings[-1]
    verdict, _ = await judged(picture, 1, {"jpeg_75": trouble})
    assert verdict.label is Label.REAL
    assert "it is not known whether the label is stable" in verdict.explanation


async def test_the_budget_of_a_case_holds_for_all_its_variants(picture: bytes) -> None:
    verdict, toy = await judged(picture, 2, {}, "budget.case_calls=15")
    assert verdict.usage.attempts == len(toy.requests) <= 15
    assert verdict.label is Label.REAL
    assert "did not take place" in verdict.warnings[-1]


async def test_a_fault_of_the_program_is_raised_and_nobody_keeps_asking(picture: bytes) -> None:
    toy = Fickle(picture, {"jpeg_75": ValueError("boom")})
    async with make_judge(toy, "stability=6") as judge:
        with pytest.raises(ValueError, match="boom"):
            await judge.judge(picture)
        asked = len(toy.requests)
        await asyncio.sleep(0.05)
        assert len(toy.requests) == asked


async def test_measuring_has_no_label_to_shake() -> None:
    async with make_judge(Toy(), "stability=3", "ask=false", name="six") as judge:
        verdict = await judge.judge(draw_sample())
    assert verdict.stability is None
    assert verdict.usage.calls == 0


@pytest.mark.parametrize("number", [-1, 7])
def test_there_are_only_so_many_variants(number: int) -> None:
    ensemble = load_ensemble("six")
    assert ensemble.stability == 0
    with pytest.raises(ConfigError, match="stability"):
        make_judge(Toy(), f"stability={number}")


async def test_an_exemplar_is_not_shown_beside_its_own_variant_or_copy(picture: bytes, tmp_path: Path) -> None:
    for label, turn in (("generated", None), ("real", 180)):
        (tmp_path / label).mkdir()
        whole = PIL.Image.open(io.BytesIO(picture))
        (whole.rotate(turn) if turn else whole).save(tmp_path / label / "one.png")
    copy = io.BytesIO()
    PIL.Image.open(io.BytesIO(picture)).resize((200, 150)).save(copy, "JPEG", quality=60)
    toy = Toy()
    async with make_judge(toy, f"exemplars={tmp_path}") as judge:
        for source in (perturb(load_image(tmp_path / "generated" / "one.png"), "crop_75"), copy.getvalue()):
            verdict = await judge.judge(source)
            report = next(report for report in verdict.reports if report.paradigm == "few_shot")
            assert report.outcome is Outcome.SKIPPED
            assert "exemplars need" in verdict.warnings[0]
        assert not any(len(request.pictures) > 1 for request in toy.requests if request.origin.paradigm == "few_shot")
