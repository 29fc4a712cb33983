from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

import sixlens
from backends.completion import Completion
from backends.errors import MissingKeyError
from backends.providers.function import FunctionBackend
from backends.request import Request
from sixlens.api import cache_file

SEEN = "The light agrees.\nVerdict: real"


def test_a_picture_is_judged_without_any_model(photo: Path) -> None:
    verdict = sixlens.judge(photo)
    assert (verdict.ensemble, verdict.label, verdict.undecided_because) == (
        "measured",
        sixlens.Label.UNDECIDED,
        sixlens.UndecidedBecause.NO_EYES,
    )
    assert verdict.image.path == str(photo)


async def test_the_sync_face_works_inside_a_running_loop(photo: Path) -> None:
    assert asyncio.get_running_loop().is_running()
    assert sixlens.judge(photo).image.name == "photo.jpg"
    assert [judged.index for judged in sixlens.judge_many([photo, photo], ordered=True)] == [0, 1]


@pytest.mark.parametrize("name", ["judge", "ajudge", "astream", "judge_many", "ajudge_many"])
def test_help_lists_every_option(name: str) -> None:
    doc = getattr(sixlens, name).__doc__
    assert [option for option in sixlens.JudgeOptions.__annotations__ if f"`{option}`" not in doc] == []


def test_a_backend_makes_it_six(photo: Path, script: str) -> None:
    verdict = sixlens.judge(photo, backend=script)
    assert (verdict.ensemble, verdict.label, verdict.votes.real) == ("six", sixlens.Label.REAL, 6)
    assert cache_file().exists()


HOSTED = ("openai:gpt-4o", "anthropic:claude-haiku-4-5")


@pytest.mark.parametrize("spec", HOSTED)
def test_a_missing_key_is_said_before_anything_is_done(spec: str) -> None:
    with pytest.raises(MissingKeyError, match="_API_KEY"):
        sixlens.judge("no-such-picture.jpg", backend=spec)
    with pytest.raises(MissingKeyError, match="_API_KEY"):
        list(sixlens.judge_many(["no-such-picture.jpg"], backend=spec))


async def test_a_missing_key_is_said_before_the_first_event() -> None:
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        await anext(sixlens.astream("no-such-picture.jpg", backend=HOSTED[0]))


def test_a_missing_key_may_be_made_up_for_by_a_fallback(photo: Path, script: str) -> None:
    verdict = sixlens.judge(photo, backend=HOSTED[0], settings=[f"fallback=[{script!r}]"])
    assert verdict.votes.real == 6
    with pytest.raises(MissingKeyError):
        sixlens.judge(photo, backend=HOSTED[0], settings=[f"fallback=[{HOSTED[1]!r}]"])


def test_the_environment_names_a_backend(photo: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIXLENS_BACKEND", script)
    assert sixlens.judge(photo, cache=False).ensemble == "six"
    assert not cache_file().exists()


def test_every_option_arrives(photo: Path, script: str) -> None:
    verdict = sixlens.judge(
        photo, ensemble="direct", backend=script, fusion="panel", settings=["tokens.verdict=77"], trace=True
    )
    assert [report.paradigm for report in verdict.reports] == ["direct"]
    assert verdict.panel is not None
    assert verdict.reports[0].steps[0].trace is not None


def test_a_backend_of_ones_own(photo: Path) -> None:
    asked: list[Request] = []

    async def answer(request: Request) -> Completion | str:
        asked.append(request)
        return SEEN

    own = FunctionBackend(answer, "own:one")
    verdict = sixlens.judge(photo, ensemble="direct", backend="own:one", backends={"own:one": own}, cache=False)
    assert verdict.votes.real == len(asked) == 1
    assert own.closed


def test_the_sync_face_runs_on_uvloop(photo: Path) -> None:
    pytest.importorskip("uvloop")
    loops: list[str] = []

    async def answer(request: Request) -> str:
        loops.append(type(asyncio.get_running_loop()).__module__)
        return SEEN

    options: sixlens.JudgeOptions = {"ensemble": "direct", "backend": "own:one", "cache": False}
    sixlens.judge(photo, backends={"own:one": FunctionBackend(answer, "own:one")}, **options)
    list(sixlens.judge_many([photo], backends={"own:one": FunctionBackend(answer, "own:one")}, **options))
    assert loops == ["uvloop", "uvloop"]


def test_an_unusable_picture_is_an_error() -> None:
    with pytest.raises(sixlens.ImageError, match="there is no such file"):
        sixlens.judge("none.jpg")
    with pytest.raises(sixlens.ImageError, match="unless you allow it"):
        sixlens.judge("http://127.0.0.1:9/picture.jpg")


def test_unknown_options_and_names_are_refused(photo: Path) -> None:
    with pytest.raises(TypeError, match="bakend"):
        sixlens.judge(photo, bakend="x")  # type: ignore[call-arg]  # what a user without a type checker writes
    with pytest.raises(sixlens.ConfigError, match="Did you mean 'measured'"):
        sixlens.open_judge("mesured")


def test_an_ensemble_can_be_given_ready_made_but_not_be_overridden(photo: Path) -> None:
    ensemble = sixlens.load_ensemble("measured")
    assert sixlens.judge(photo, ensemble=ensemble).ensemble == "measured"
    with pytest.raises(sixlens.ConfigError, match="everything resolved"):
        sixlens.open_judge(ensemble, fusion="tally")


def test_many_keep_their_order_and_their_errors(photo: Path) -> None:
    results = list(sixlens.judge_many([photo, b"", photo], ordered=True, window=2))
    assert [judged.index for judged in results] == [0, 1, 2]
    assert [judged.verdict is not None for judged in results] == [True, False, True]
    assert isinstance(results[1].error, sixlens.ImageError)


def test_endless_inputs_are_read_as_room_becomes_free(photo: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Path]:
        for number in itertools.count():
            taken.append(number)
            yield photo

    results = sixlens.judge_many(endless(), window=2)
    assert [next(results).verdict is not None for _ in range(3)] == [True] * 3
    results.close()
    assert len(taken) < 8


def test_stopping_early_cancels_what_is_under_way(photo: Path) -> None:
    cases: list[str] = []
    cancelled: list[str] = []
    both = asyncio.Event()

    async def answer(request: Request) -> str:
        cases.append(request.origin.case)
        if len(cases) == 1:
            await both.wait()
            return SEEN
        both.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(request.origin.case)
            raise
        return SEEN

    own = FunctionBackend(answer, "own:one")
    other = sixlens.load_image(photo).deliver(32).data
    options: sixlens.JudgeOptions = {"ensemble": "direct", "backend": "own:one", "backends": {"own:one": own}}
    results = sixlens.judge_many([photo, other], cache=False, **options)
    judged = next(results)
    results.close()
    assert judged.verdict is not None
    assert [judged.verdict.image.sha256, *cancelled] == cases
    assert own.closed


async def test_the_events_of_a_case(photo: Path, script: str) -> None:
    events = [event async for event in sixlens.astream(photo, ensemble="direct", backend=script)]
    assert [type(event) for event in events] == [sixlens.Prepared, sixlens.Reported, sixlens.Decided]


async def test_the_async_faces(photo: Path) -> None:
    assert (await sixlens.ajudge(photo)).image.name == "photo.jpg"
    results = [judged async for judged in sixlens.ajudge_many([photo, photo], ordered=True)]
    assert [judged.index for judged in results] == [0, 1]


def test_where_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_file() == tmp_path / "cache" / "answers.sqlite"
    monkeypatch.delenv("SIXLENS_CACHE_DIR")
    assert cache_file() == platformdirs.user_cache_path("sixlens") / "answers.sqlite"


def test_variants_are_judged_when_asked_for(photo: Path) -> None:
    async def answer(request: Request) -> str:
        return "subject: boat\nmedium: photograph" if request.origin.purpose == "subject" else SEEN

    options: sixlens.JudgeOptions = {"backend": "a:b", "backends": {"a:b": FunctionBackend(answer, "a:b")}}
    verdict = sixlens.judge(photo, stability=1, cache=False, **options)
    assert verdict.stability is not None
    assert verdict.stability.agreeing == 1
    assert sixlens.judge(photo, cache=False, **options).stability is None
