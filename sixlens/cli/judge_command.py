"""`sixlens judge`: every picture to its verdict, with progress beside it and one exit code at the end."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from backends.errors import BudgetError, ConfigError, ImageError, SixlensError
from backends.images.image import Image
from backends.images.source import display_name, load_image, written_name, written_path
from backends.prices import Prices
from fusion.verdict import UndecidedBecause
from orchestrator import event_loop
from orchestrator.config import Overrides
from orchestrator.judge import Decided, Judge, Judged
from orchestrator.plan import plan_case
from orchestrator.window import in_window
from sixlens.api import open_judge
from sixlens.cli.eyes import eyes_text
from sixlens.cli.html_pages import HtmlPages
from sixlens.cli.local_models import Found, find_servers
from sixlens.cli.logs import logs_on_stderr
from sixlens.cli.page import show
from sixlens.cli.plan_text import Destination, Outlook, Sizes, notices, plan_lines
from sixlens.cli.progress import Lines, Live, Silence, Watcher
from sixlens.cli.terminal import emit, emit_json, say
from sixlens.cli.verdict_text import verdict_text
from sixlens.page.clean import path_in
from sixlens.traces import exported_traces
from sixlens.words.trace import trace_text

WINDOW = 8
"""Pictures under way at once. Each makes several calls side by side, and holds its pixels until it is prepared."""

_WORST_FIRST = (ConfigError.exit_code, BudgetError.exit_code, SixlensError.exit_code, ImageError.exit_code)


class Form(StrEnum):
    """How verdicts are written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class JudgeCall:
    """What the command line asks for."""

    images: tuple[str, ...]
    ensemble: str | None = None
    overrides: Overrides = field(default_factory=Overrides)
    form: Form = Form.TEXT
    trace: bool = False
    cache: bool = True
    allow_urls: bool = False
    verbose: bool = False
    stability: int | None = None
    html: Path | None = None
    include_private: bool = False
    traces: bool = False


Given = str | Image | ImageError
"""A picture as it was named; standard input is read already, or could not be."""


def run_judge(call: JudgeCall, *, dry_run: bool) -> int:
    """Judge, or with `dry_run` only say what would happen; the exit code.

    Raises:
        ConfigError: the ensemble, a file, a setting or a backend is wrong, or traces cannot be sent from here.
    """
    pages = None if dry_run else _pages(call)
    with logs_on_stderr(verbose=call.verbose), exported_traces(wanted=call.traces and not dry_run) as tracer_provider:
        judge = open_judge(
            call.ensemble,
            backend=call.overrides.backend,
            fusion=call.overrides.fusion,
            settings=call.overrides.settings,
            cache=call.cache and not dry_run,
            allow_urls=call.allow_urls,
            trace=call.trace,
            stability=call.stability,
            tracer_provider=tracer_provider,
        )
        # Standard input is read before the event loop starts: a read that waits cannot be cancelled there.
        images = [_standard_input() if image == "-" else image for image in call.images]
        work = _dry_run(judge, images) if dry_run else _judge_all(judge, images, call, pages)
        return event_loop.run(work)


def _pages(call: JudgeCall) -> HtmlPages | None:
    """What writes the pages, if any are wanted."""
    if call.html is None:
        return None
    return HtmlPages(call.html, len(call.images), allow_urls=call.allow_urls, include_private=call.include_private)


def exit_code(judged: Judged) -> int:
    """The exit code that one picture amounts to."""
    if judged.error is not None:
        return judged.error.exit_code
    starved = judged.verdict is not None and judged.verdict.undecided_because is UndecidedBecause.BUDGET
    return BudgetError.exit_code if starved else 0


def worst(codes: Sequence[int]) -> int:
    """The exit code of the whole run."""
    return next((code for code in _WORST_FIRST if code in codes), 0)


def _standard_input() -> Image | ImageError:
    try:
        return load_image("-")
    except ImageError as error:
        return error


async def _dry_run(judge: Judge, images: Sequence[Given]) -> int:
    codes = [0]
    sizes = []
    async with judge:
        for index, given in enumerate(images):
            try:
                if isinstance(given, ImageError):
                    raise given
                with await judge.load(given) as image:
                    sizes.append(Sizes(image.name, image.width, image.height))
            except SixlensError as error:
                codes.append(exit_code(Judged(index, "", error=error)))
                say(str(error))
        outlook = await _outlook(judge, sizes)
    emit("\n".join(plan_lines(outlook)) + "\n")
    codes += [ConfigError.exit_code] if outlook.plan.problems else []
    return worst(codes)


async def _outlook(judge: Judge, sizes: Sequence[Sizes]) -> Outlook:
    ensemble = judge.ensemble
    plan = await plan_case(ensemble)
    providers = judge.kit.providers
    destinations = [Destination(spec, providers[spec].capabilities) for spec in plan.backends if spec in providers]
    prices = Prices.load(None if ensemble.prices is None else Path(ensemble.prices))
    return Outlook(ensemble, plan, tuple(destinations), prices, tuple(sizes))


async def _judge_all(judge: Judge, images: Sequence[Given], call: JudgeCall, pages: HtmlPages | None) -> int:
    page = Page(call.form, trace=call.trace, verbose=call.verbose)
    async with judge, _servers_here(judge, call) as servers:
        images = await _announce(judge, images)
        with _watcher(judge, call) as watcher, pages or contextlib.nullcontext():
            cases = in_window(
                lambda item: _one(judge, watcher, pages, *item),
                enumerate(images),
                WINDOW,
                ordered=call.form is not Form.JSONL,
            )
            async with aclosing(cases) as results:
                async for judged in results:
                    with watcher.stepped_aside():
                        page.add(judged)
                        if pages is not None:
                            given = images[judged.index]
                            pages.add(judged, _file_name(given), (_name(given), *map(path_in, judge.kit.providers)))
        page.finish()
        if servers is not None and page.judged:
            show(eyes_text(await servers, call.images[0]))
    return worst((*page.codes, *(pages.codes if pages is not None else ())))


async def _announce(judge: Judge, images: Sequence[Given]) -> Sequence[Given]:
    """Say where pictures go before the first of them leaves this machine. A single picture is read for it."""
    for spec in await judge.prepare():
        say(f"{spec} could not be asked whether it passes pictures on; if it answers later, it may do so")
    asked = any(backend.capabilities.hosted for backend in judge.kit.backends.values())
    if not asked and not any(choice.hosted for choice in judge.ensemble.scores.values()):
        return images
    edge = judge.ensemble.image.max_edge
    sizes = [Sizes("", edge, edge) for _ in images]
    if len(images) == 1:
        try:
            image = images[0] if isinstance(images[0], ImageError) else await judge.load(images[0])
        except ImageError as error:
            image = error
        if isinstance(image, ImageError):
            return [image]
        images, sizes = [image], [Sizes(image.name, image.width, image.height)]
    for line in notices(await _outlook(judge, sizes)):
        say(line)
    return images


async def _one(judge: Judge, watcher: Watcher, pages: HtmlPages | None, index: int, given: Given) -> Judged:
    """One picture, from reading it to its verdict or to the error that stands in its place."""
    name = _name(given)
    source = "-" if isinstance(given, ImageError) else given
    watcher.began(index, name)
    try:
        if isinstance(given, ImageError):
            raise given
        read = given if pages is None else pages.reading(index, given)
        async with aclosing(judge.astream(read)) as events:
            async for event in events:
                watcher.happened(index, event)
                if isinstance(event, Decided):
                    return Judged(index, source, verdict=event.verdict)
    except SixlensError as error:
        return Judged(index, source, error=error if isinstance(error, ImageError) else error.again(f"{name}: {error}"))
    finally:
        watcher.ended(index)
    raise AssertionError("a case ends with a verdict or an error")


def _name(given: Given) -> str:
    """What a picture is called in front of people: its path, or only the last part of one that is too long."""
    name = _file_name(given)
    if not isinstance(given, str):
        return name
    shown = display_name(written_path(given) or name)
    return shown if shown.endswith(name) else name


def _file_name(given: Given) -> str:
    """What a picture is called where its folder is not to be told."""
    if isinstance(given, str):
        return written_name(given)
    return given.name if isinstance(given, Image) else "standard input"


@contextlib.asynccontextmanager
async def _servers_here(judge: Judge, call: JudgeCall) -> AsyncIterator[asyncio.Task[tuple[Found, ...]] | None]:
    """The search for model servers on this machine, beside the work; None when nobody would be told."""
    if judge.ensemble.ask or call.form is not Form.TEXT:
        yield None
        return
    search = asyncio.create_task(find_servers())
    try:
        yield search
    finally:
        search.cancel()
        await asyncio.wait([search])


@contextlib.contextmanager
def _watcher(judge: Judge, call: JudgeCall) -> Iterator[Watcher]:
    """Who shows the progress. Measuring takes no time worth following, unless there are many pictures."""
    asks = judge.ensemble.ask
    screen = Console(file=sys.stderr)
    if call.verbose:
        yield Lines(reasons=True)
    elif screen.is_terminal and (asks or len(call.images) > 1):
        with Live(screen, len(judge.ensemble.paradigms), len(call.images)) as live:
            yield live
    elif asks and call.form is Form.TEXT:
        yield Lines()
    else:
        yield Silence()


class Page:
    """Writes what became of each picture: verdicts to stdout, errors to stderr.

    In JSON an object with `path` and `error` stands in the place of a verdict that there is not, except where one
    picture is all there is.

    Args:
        form: how verdicts are written.
        trace: for people, write prompts and answers after each verdict.
        verbose: for people, say more.
    """

    def __init__(self, form: Form, *, trace: bool, verbose: bool = False) -> None:
        self._form = form
        self._trace = trace
        self._verbose = verbose
        self._several: list[object] = []
        self.judged = 0
        """Verdicts so far."""
        self.codes: list[int] = []
        """The exit code of each picture so far."""

    def add(self, judged: Judged) -> None:
        """Write one picture's outcome, or keep it for the list."""
        self.codes.append(exit_code(judged))
        if judged.error is not None:
            say(str(judged.error))
        if self._form is not Form.TEXT:
            self._add_json(_as_json(judged))
        elif judged.verdict is not None:
            between: list[RenderableType] = [Text()] if self.judged else []
            show(Group(*between, verdict_text(judged.verdict, verbose=self._verbose)))
            emit(trace_text(judged.verdict) if self._trace else "")
        self.judged += judged.verdict is not None

    def _add_json(self, item: dict[str, object]) -> None:
        if self._form is Form.JSONL:
            emit_json(item, indent=None)
        else:
            self._several.append(item)

    def finish(self) -> None:
        """Write what was kept: one object for one picture, a list for several."""
        if self._form is Form.JSON and len(self.codes) > 1:
            emit_json(self._several)
        elif self._form is Form.JSON and self.judged:
            emit_json(self._several[0])


def _as_json(judged: Judged) -> dict[str, object]:
    """The verdict, or what stands in its place."""
    if judged.verdict is not None:
        return judged.verdict.model_dump(mode="json")
    source = judged.source
    path = source.path if isinstance(source, Image) else written_path(source) if isinstance(source, str) else None
    return {"path": path, "error": str(judged.error)}
