"""The Judge: owns clients, limiters, cache and graph, and judges one picture, many, or one step by step."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, AsyncExitStack, aclosing, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import langsmith
import PIL.Image

from backends.backend import Backend, Provider
from backends.errors import BackendError, ConfigError, ProgramError, SixlensError
from backends.images.image import Image, ImageLimits
from backends.images.source import load_image
from backends.layers.budget import Budget
from backends.layers.cache_store import CacheStore
from backends.shared import Shared
from fusion.verdict import Spending, Verdict
from orchestrator.case import Case, Kit
from orchestrator.deadline import Deadline
from orchestrator.ensemble import Ensemble
from orchestrator.graph import State, build_graph
from orchestrator.kit import Around, open_kit
from orchestrator.lease import Lease
from orchestrator.ledger import Ledger
from orchestrator.stability import steadied, variant_kit, variant_of
from orchestrator.window import in_window
from paradigms.report import Report

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

log = logging.getLogger("sixlens")
Source = str | bytes | os.PathLike[str] | PIL.Image.Image | Image | Callable[[], Image]
"""A path, bytes, a PIL image, `-` for standard input, a data URI, a URL, a picture already read, or a function that
reads it beside the event loop when its turn has come."""

DECODED = 2 * min(4, os.cpu_count() or 1)
"""How many pictures hold their pixels at once: those being worked on, and as many that are ready for it."""
WINDOW = 32
"""How many cases are under way at once in `judge_many`."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Event: provenance, measurements and subject are known; the examinations begin."""

    subject: str | None
    medium: str | None


@dataclass(frozen=True, slots=True)
class Reported:
    """Event: one paradigm has finished."""

    report: Report


@dataclass(frozen=True, slots=True)
class Decided:
    """Event, always the last: the verdict."""

    verdict: Verdict


Update = dict[str, Any]
Event = Prepared | Reported | Decided


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one of many inputs: a verdict, or the error that stands in its place."""

    index: int
    """Position among the inputs, from 0."""
    source: Source
    verdict: Verdict | None = None
    error: SixlensError | None = None
    usage: Spending | None = None
    """What it took, an error's too; None where that is not known."""


class Judge:
    """Judges pictures with one ensemble. Use it as an async context manager, from one event loop.

    Args:
        ensemble: the configuration, every setting resolved.
        backends: backends to use in place of those that the ensemble's specs would open, by spec; for tests and for
            backends of your own. They still get all layers, and are closed with the Judge.
        cache_path: the file of the answer cache, or a store, which is closed with the Judge; None for no cache on disk,
            also when `ensemble.cache` is true.
        allow_urls: whether pictures may be fetched from http(s) addresses.
        limits: what a picture may weigh.
        trace: keep rendered prompts and raw answers on the reports.
        budget: one that several Judges share; the ensemble's own lies within it.
        shared: where several Judges on one event loop hold models loaded into this process, and connections.
        tracer_provider: OpenTelemetry's, for traces without pictures and without words of prompts and answers; None for
            no traces, also when there is a global one.

    Raises:
        ConfigError: (on entering) a backend, a paradigm or a file of the ensemble cannot be used.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        *,
        backends: Mapping[str, Backend] | None = None,
        cache_path: Path | CacheStore | None = None,
        allow_urls: bool = False,
        limits: ImageLimits | None = None,
        trace: bool = False,
        budget: Budget | None = None,
        shared: Shared | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        self.ensemble = ensemble
        self._given = dict(backends or {})
        self._cache_path = cache_path
        self._allow_urls = allow_urls
        self._limits = limits or ImageLimits()
        self._trace = trace
        tracer = None if tracer_provider is None else tracer_provider.get_tracer("sixlens", version("sixlens"))
        self._around = Around(budget, shared, tracer)
        self._graph = build_graph(ensemble)
        self._stack = AsyncExitStack()
        self._kit: Kit | None = None
        self._orders = itertools.count()
        self._decoded = asyncio.Semaphore(DECODED)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            # Two threads suffice: the work is decoding and encoding pictures, which does not gain from more.
            executor = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="sixlens")
            stack.callback(executor.shutdown, wait=False, cancel_futures=True)
            self._kit = await open_kit(
                self.ensemble,
                self._given,
                self._cache_path,
                executor,
                trace=self._trace,
                stack=stack,
                around=self._around,
            )
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._kit = None
        await self._stack.aclose()

    @property
    def kit(self) -> Kit:
        """What the cases share: backends with their layers, prompts, exemplars.

        Raises:
            ConfigError: the Judge has not been entered.
        """
        if self._kit is None:
            raise ConfigError("The Judge is closed: use it inside `async with Judge(…) as judge:`.")
        return self._kit

    async def prepare(self) -> tuple[str, ...]:
        """Find out what only the servers know, for example that one on this machine passes pictures on.

        Returns:
            The specs of backends of which that could not be found out. They may pass pictures on. Only with a
            `fallback`, which may answer in their place; without one it is an error.

        Raises:
            MissingKeyError: a backend needs a key that is not set, and there is no `fallback`.
            BackendError: a server cannot be reached, or does not say what it is asked.
        """
        failures: dict[str, BackendError] = {}
        for spec, provider in self.kit.providers.items():
            if not isinstance(provider, Provider):
                continue
            try:
                await provider.prepare()
            except BackendError as error:
                if not self.ensemble.fallback:
                    raise
                failures[spec] = error
        if failures and len(failures) == len(self.kit.providers):
            raise next(iter(failures.values()))
        return tuple(failures)

    async def load(self, source: Source) -> Image:
        """Read a picture beside the event loop.

        Raises:
            ImageError: it cannot be read, or is refused.
        """
        if isinstance(source, Image):
            return source
        loop = asyncio.get_running_loop()
        if callable(source):
            return await loop.run_in_executor(self.kit.executor, source)
        return await loop.run_in_executor(
            self.kit.executor, lambda: load_image(source, allow_urls=self._allow_urls, limits=self._limits)
        )

    async def judge(self, source: Source) -> Verdict:
        """The verdict on one picture: a path, bytes, a PIL image, `-`, a data URI, a URL or an `Image`.

        Raises:
            ImageError: the picture cannot be read, or is refused.
            NoVerdictError: models were asked, and none of them answered.
            ProgramError: a fault of sixlens itself.
        """
        return await _last(self.astream(source))

    async def outcome(self, source: Source, index: int = 0, *, known_as: str | None = None) -> Judged:
        """What becomes of one picture: the verdict, or the error that `judge` would raise, with what it took.

        `known_as` is its name in a data set, by which a file of scores may know it.
        """
        opened: list[Case] = []
        try:
            verdict = await _last(self._events(source, opened, known_as=known_as))
        except SixlensError as error:
            return Judged(index, source, error=error, usage=_taken(opened, error))
        return Judged(index, source, verdict=verdict, usage=verdict.usage)

    async def astream(self, source: Source, *, deadline_s: float | None = None) -> AsyncGenerator[Event]:
        """The events of one case as they happen; the last is `Decided`. Raises as `judge` does.

        With `deadline_s` the case may take so many seconds instead of the ensemble's `deadlines.case`.
        """
        async with aclosing(self._events(source, [], deadline_s)) as events:
            async for event in events:
                yield event

    async def _events(
        self, source: Source, opened: list[Case], deadline_s: float | None = None, known_as: str | None = None
    ) -> AsyncGenerator[Event]:
        """As `astream`; the case is put into `opened` once there is one."""
        order = next(self._orders)
        try:
            async with Lease(self._decoded) as lease:
                case = self._case(await self.load(source), order, lease, deadline_s)
                case.known_as = known_as
                opened.append(case)
                async with aclosing(self._told(case)) as events:
                    async for event in events:
                        yield event
        except (SixlensError, asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:
            if self.ensemble.strict:
                raise
            log.exception("a fault in the program while case %d was judged", order)
            raise ProgramError(f"A fault in the program ({type(error).__name__}); the log has the details.") from error

    async def _told(self, case: Case) -> AsyncGenerator[Event]:
        """A case with the variants of its picture, inside its span."""
        with self._spanned(case):
            async with aclosing(self._run(case)) as events:
                async for event in events:
                    if isinstance(event, Decided) and self.ensemble.stability:
                        event = Decided(await self._steadied(event.verdict, case))
                    if isinstance(event, Decided) and case.span is not None:
                        case.span.decided(event.verdict)
                    yield event

    def _spanned(self, case: Case) -> AbstractContextManager[None]:
        tracer = self._around.tracer
        if tracer is None:
            return nullcontext()
        from orchestrator.case_span import CaseSpan

        case.span = CaseSpan.begin(tracer, self.ensemble.name, self.kit.config_sha256)
        return case.span.closing()

    async def _run(self, case: Case) -> AsyncGenerator[Event]:
        """A case through the graph."""
        stream = self._graph.astream(State(), context=case, stream_mode="updates")
        async with aclosing(_untraced(stream)) as updates:
            async for update in updates:
                for event in _events(update):
                    yield event

    async def _steadied(self, verdict: Verdict, case: Case) -> Verdict:
        """The verdict after variants of the picture were judged; all together keep to the budget of one case."""
        kit = variant_kit(self.kit)

        async def judge_variant(name: str) -> tuple[Verdict | SixlensError, Spending]:
            async with Lease(self._decoded) as lease:
                deadline = Deadline(self.ensemble.deadlines.case, self.ensemble.deadlines.fusion)
                ledger = Ledger(deadline)
                try:
                    image = await case.in_thread(lambda: variant_of(case, name))
                    variant = Case(kit, image, deadline, ledger, case.budget, case.order, lease)
                    variant.span = None if case.span is None else case.span.variant(name)
                    with nullcontext() if variant.span is None else variant.span.closing():
                        async with aclosing(self._run(variant)) as events:
                            verdicts = [event.verdict async for event in events if isinstance(event, Decided)]
                        if variant.span is not None:
                            variant.span.decided(verdicts[0])
                except SixlensError as error:
                    return error, ledger.spending()
                return verdicts[0], ledger.spending()

        return await steadied(verdict, self.ensemble.stability, judge_variant)

    async def judge_many(
        self, sources: Iterable[Source], *, window: int = WINDOW, ordered: bool = False
    ) -> AsyncGenerator[Judged]:
        """Judge any number of pictures, at most `window` at once, and yield results as they finish.

        With `ordered` they come in the order of the inputs. `sources` is read as slots become free, so it may be
        endless.
        An unusable input costs nobody else's result: its `Judged` carries the error.
        """
        async with aclosing(in_window(self._judged, enumerate(sources), window, ordered=ordered)) as results:
            async for result in results:
                yield result

    async def _judged(self, item: tuple[int, Source]) -> Judged:
        index, source = item
        return await self.outcome(source, index)

    def _case(self, image: Image, order: int, lease: Lease, deadline_s: float | None) -> Case:
        seconds, kept_back = self.ensemble.deadlines.case, self.ensemble.deadlines.fusion
        if deadline_s is not None:
            # Fusion keeps its share of a shorter time.
            seconds, kept_back = deadline_s, min(kept_back, kept_back / seconds * deadline_s)
        deadline = Deadline(seconds, kept_back)
        budget = self.kit.resources.budget.child(calls=self.ensemble.budget.case_calls, name="case")
        return Case(self.kit, image, deadline, Ledger(deadline), budget, order, lease)


async def _last(events: AsyncGenerator[Event]) -> Verdict:
    """The verdict at the end of the events."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Decided):
                return event.verdict
    raise ProgramError("The graph ended without a verdict; please report this.")


def _taken(opened: list[Case], error: SixlensError) -> Spending | None:
    """What was spent before an error; after a fault of ours nobody knows."""
    if isinstance(error, ProgramError):
        return None
    return opened[0].ledger.spending() if opened else Spending(cost=0.0)


async def _untraced(stream: AsyncIterator[Update]) -> AsyncGenerator[Update]:
    """The stream, with LangSmith's tracing off however the environment is set: cases are nobody else's business."""
    try:
        while True:
            # Not around a `yield`: the setting must not leak into the caller between two updates.
            with langsmith.tracing_context(enabled=False):
                try:
                    update = await anext(stream)
                except StopAsyncIteration:
                    return
            yield update
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


def _events(update: Update) -> list[Event]:
    """The events in one update of the graph."""
    events: list[Event] = []
    for node, part in update.items():
        if not part:
            continue
        if node == "prepare":
            findings = part["findings"]
            subject = next(iter(findings.subjects.values()), None)
            events.append(Prepared(subject, findings.medium.value if findings.medium else None))
        events += [Reported(report) for report in part.get("reports", {}).values()]
        if "verdict" in part:
            events.append(Decided(part["verdict"]))
    return events
