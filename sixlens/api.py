"""The Python face: one picture or many, from async code or from any other.

Everything here opens a `Judge`, uses it and closes it. Whoever judges more than once in one program opens one `Judge`
with `open_judge` and keeps it: clients, limits and the cache are shared then.
"""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import platformdirs
from anyio.from_thread import start_blocking_portal

from backends.backend import Backend, Provider
from backends.errors import ConfigError
from fusion.verdict import Verdict
from orchestrator.config import Overrides, load_ensemble
from orchestrator.ensemble import Ensemble
from orchestrator.event_loop import new_event_loop
from orchestrator.judge import WINDOW, Event, Judge, Judged, Source

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

CACHE_FILE = "answers.sqlite"
_OPTIONS = {"loop_factory": new_event_loop}


class JudgeOptions(TypedDict, total=False):
    """What a `Judge` is opened with; every key may be left out. See `open_judge`."""

    ensemble: str | os.PathLike[str] | Ensemble | None
    backend: str | None
    fusion: str | None
    settings: Iterable[str]
    cache: bool
    allow_urls: bool
    trace: bool
    backends: Mapping[str, Backend] | None
    stability: int | None
    tracer_provider: TracerProvider | None


def open_judge(
    ensemble: str | os.PathLike[str] | Ensemble | None = None,
    *,
    backend: str | None = None,
    fusion: str | None = None,
    settings: Iterable[str] = (),
    cache: bool = True,
    allow_urls: bool = False,
    trace: bool = False,
    backends: Mapping[str, Backend] | None = None,
    stability: int | None = None,
    tracer_provider: TracerProvider | None = None,
) -> Judge:
    """A `Judge` to be used as an async context manager. Nothing is opened and nobody asked before that.

    `SIXLENS_BACKEND` is the backend when none is given, and `SIXLENS_CACHE_DIR` the folder of the answer cache.

    Args:
        ensemble: a name, a YAML file, or an ensemble with everything resolved. By default `six` when a backend is named
            anywhere, and otherwise `measured`, which asks no model.
        backend: who is asked instead of every backend of the ensemble, as PROVIDER:MODEL.
        fusion: the fusion strategy instead of the ensemble's.
        settings: further settings as `KEY.KEY=VALUE`, with values in YAML.
        cache: keep answers on disk, and never ask the same question twice.
        allow_urls: whether pictures may be fetched from http(s) addresses.
        trace: keep rendered prompts and raw answers on the reports.
        backends: backends of your own, used in place of the specs that they are given under.
        stability: how many mild variants of a picture are judged too, instead of the ensemble's number; a label that
            they flip becomes `undecided, unstable`.
        tracer_provider: OpenTelemetry's, for traces without pictures and without words of prompts and answers. None for
            no traces, also when there is a global provider.

    Raises:
        ConfigError: the ensemble, a file or a setting is wrong.
    """
    tried = () if stability is None else (f"stability={stability}",)
    resolved = _resolve(ensemble, Overrides(backend, fusion, (*settings, *tried)))
    cache_path = cache_file() if cache else None
    return Judge(
        resolved,
        backends=backends,
        cache_path=cache_path,
        allow_urls=allow_urls,
        trace=trace,
        tracer_provider=tracer_provider,
    )


async def ajudge(source: Source, **options: Unpack[JudgeOptions]) -> Verdict:
    """The verdict on one picture.

    Args:
        source: a path, bytes, a PIL image, `-` for standard input, a data URI, a URL (if allowed) or an `Image`.
        options: any of these, as `open_judge` explains them:
            `ensemble` (a name, a YAML file, or an `Ensemble`), `backend` (who is asked, as PROVIDER:MODEL), `fusion` (a
            strategy's name), `settings` (["KEY.KEY=VALUE"]), `cache` (keep answers on disk; True), `allow_urls` (fetch
            pictures from the web; False), `trace` (keep prompts and answers; False), `backends` (your own, by spec),
            `stability` (judge so many mild variants too; the ensemble's own number), `tracer_provider` (traces; None).

    Raises:
        ConfigError: the ensemble, a file, a setting or a backend is wrong.
        MissingKeyError: a backend needs a key that is not set in the environment, and no `fallback` may stand in.
        ImageError: the picture cannot be read, or is refused.
        NoVerdictError: models were asked, and none of them answered.
    """
    async with _entered(**options) as opened:
        return await opened.judge(source)


async def astream(source: Source, **options: Unpack[JudgeOptions]) -> AsyncGenerator[Event]:
    """The events of one case as they happen: `Prepared`, a `Reported` for each paradigm, `Decided`.

    Args:
        source: as for `ajudge`.
        options: any of these, as `open_judge` explains them:
            `ensemble` (a name, a YAML file, or an `Ensemble`), `backend` (who is asked, as PROVIDER:MODEL), `fusion` (a
            strategy's name), `settings` (["KEY.KEY=VALUE"]), `cache` (keep answers on disk; True), `allow_urls` (fetch
            pictures from the web; False), `trace` (keep prompts and answers; False), `backends` (your own, by spec),
            `stability` (judge so many mild variants too; the ensemble's own number), `tracer_provider` (traces; None).

    Raises what `ajudge` raises.
    """
    async with _entered(**options) as opened, aclosing(opened.astream(source)) as events:
        async for event in events:
            yield event


async def ajudge_many(
    sources: Iterable[Source], *, window: int = WINDOW, ordered: bool = False, **options: Unpack[JudgeOptions]
) -> AsyncGenerator[Judged]:
    """Judge any number of pictures and yield what became of each as it finishes.

    An unusable input costs nobody else's result: its `Judged` carries the error.

    Args:
        sources: pictures, as for `ajudge`; read as room becomes free, so they may be endless.
        window: how many are under way at once, at least 1.
        ordered: yield in the order of the inputs.
        options: any of these, as `open_judge` explains them:
            `ensemble` (a name, a YAML file, or an `Ensemble`), `backend` (who is asked, as PROVIDER:MODEL), `fusion` (a
            strategy's name), `settings` (["KEY.KEY=VALUE"]), `cache` (keep answers on disk; True), `allow_urls` (fetch
            pictures from the web; False), `trace` (keep prompts and answers; False), `backends` (your own, by spec),
            `stability` (judge so many mild variants too; the ensemble's own number), `tracer_provider` (traces; None).

    Raises:
        ConfigError: the ensemble, a file, a setting or a backend is wrong.
        MissingKeyError: a backend needs a key that is not set in the environment, and no `fallback` may stand in.
    """
    async with (
        _entered(**options) as opened,
        aclosing(opened.judge_many(sources, window=window, ordered=ordered)) as results,
    ):
        async for judged in results:
            yield judged


def judge(source: Source, **options: Unpack[JudgeOptions]) -> Verdict:
    """The verdict on one picture, for code that is not async. It runs on a loop of its own, so also in a notebook.

    Args:
        source: a path, bytes, a PIL image, `-` for standard input, a data URI, a URL (if allowed) or an `Image`.
        options: any of these, as `open_judge` explains them:
            `ensemble` (a name, a YAML file, or an `Ensemble`), `backend` (who is asked, as PROVIDER:MODEL), `fusion` (a
            strategy's name), `settings` (["KEY.KEY=VALUE"]), `cache` (keep answers on disk; True), `allow_urls` (fetch
            pictures from the web; False), `trace` (keep prompts and answers; False), `backends` (your own, by spec),
            `stability` (judge so many mild variants too; the ensemble's own number), `tracer_provider` (traces; None).

    Raises what `ajudge` raises.
    """
    with start_blocking_portal(backend_options=_OPTIONS, name="sixlens") as portal:
        return portal.call(functools.partial(ajudge, source, **options))


def judge_many(
    sources: Iterable[Source], *, window: int = WINDOW, ordered: bool = False, **options: Unpack[JudgeOptions]
) -> Generator[Judged]:
    """`ajudge_many` for code that is not async. It runs on a loop of its own, so it works in a notebook too.

    Stopping early, also by an exception, cancels what is under way.

    Args:
        sources: pictures, as for `judge`; read as room becomes free, so they may be endless.
        window: how many are under way at once, at least 1.
        ordered: yield in the order of the inputs.
        options: any of these, as `open_judge` explains them:
            `ensemble` (a name, a YAML file, or an `Ensemble`), `backend` (who is asked, as PROVIDER:MODEL), `fusion` (a
            strategy's name), `settings` (["KEY.KEY=VALUE"]), `cache` (keep answers on disk; True), `allow_urls` (fetch
            pictures from the web; False), `trace` (keep prompts and answers; False), `backends` (your own, by spec),
            `stability` (judge so many mild variants too; the ensemble's own number), `tracer_provider` (traces; None).
    """
    with start_blocking_portal(backend_options=_OPTIONS, name="sixlens") as portal:
        results = ajudge_many(sources, window=window, ordered=ordered, **options)
        try:
            while (judged := portal.call(anext, results, None)) is not None:
                yield judged
        finally:
            portal.call(results.aclose)


def cache_file() -> Path:
    """The file of the answer cache: in `SIXLENS_CACHE_DIR`, or in the user's folder for caches."""
    folder = os.environ.get("SIXLENS_CACHE_DIR")
    return (Path(folder) if folder else platformdirs.user_cache_path("sixlens")) / CACHE_FILE


@asynccontextmanager
async def _entered(**options: Unpack[JudgeOptions]) -> AsyncIterator[Judge]:
    """The Judge, entered; a missing key is said before a picture is read, and not after every paradigm has failed."""
    async with open_judge(**options) as judge:
        providers = judge.kit.providers.values()
        keyless = [one for one in providers if isinstance(one, Provider) and one.capabilities.missing_key]
        if keyless and (len(keyless) == len(providers) or not judge.ensemble.fallback):
            await keyless[0].prepare()  # It raises before anybody is asked.
        yield judge


def _resolve(ensemble: str | os.PathLike[str] | Ensemble | None, overrides: Overrides) -> Ensemble:
    if not isinstance(ensemble, Ensemble):
        return load_ensemble(None if ensemble is None else os.fspath(ensemble), overrides, os.environ)
    if overrides != Overrides():
        raise ConfigError("An Ensemble has everything resolved: give overrides to load_ensemble, or a name here.")
    return ensemble
