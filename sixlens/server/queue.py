"""The queue of a server: judgments wait here, a few are under way at once, and nothing that was accepted is lost."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Concatenate

from backends.errors import ConfigError, ProgramError, SixlensError
from backends.images.image import Image
from fusion.verdict import Verdict
from orchestrator.judge import Decided, Event, Prepared, Reported
from sixlens.server import judgment_rows as rows
from sixlens.server import review_rows, views
from sixlens.server.errors import STORE_ERRORS, UNAVAILABLE, ApiError, StorageError, kind_of, status_of
from sixlens.server.judges import Judges
from sixlens.server.judgment_rows import Finish, NewJudgment, Row
from sixlens.server.metrics import Metrics
from sixlens.server.pictures import PictureFolder
from sixlens.server.progress import Progress
from sixlens.server.review_rules import reason_for_review
from sixlens.server.settings import ServerSettings
from sixlens.server.store import P, Store, T

log = logging.getLogger("sixlens")

_FIRST_GUESS_S = 5.0
"""How long a judgment is thought to take before one has ended."""
_MEMORY = 0.2
"""The weight of the latest judgment in the mean time that one takes."""
_STORAGE_PAUSE_S = 5.0
"""Seconds until the data folder is tried again when its disk is full or gone."""
_LONGEST_RETRY_S = 600
"""The longest wait that is told, in seconds: those who come again too early are counted twice."""


class JudgmentQueue:
    """Takes judgments in, works through them in the order in which they came, and tells who follows.

    Args:
        settings: of the server.
        store: where judgments are kept, opened.
        pictures: where pictures are kept.
        judges: who judges, opened.
        metrics: what is counted.
    """

    def __init__(
        self, settings: ServerSettings, store: Store, pictures: PictureFolder, judges: Judges, metrics: Metrics
    ) -> None:
        self._settings = settings
        self._store = store
        self._pictures = pictures
        self._judges = judges
        self._metrics = metrics
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, Progress] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._reserved = 0
        self._turned_away = 0
        self._mean_s = _FIRST_GUESS_S
        self._stopped: set[str] = set()
        self._hurried = asyncio.Event()
        self.draining = False

    async def start(self) -> None:
        """Take up what an earlier server left, and begin to work."""
        now = time.time()
        for row in await self._store.run(rows.pending):
            problem = self._cannot_resume(row)
            if problem is None:
                self.enqueue(row["id"])
            else:
                await self._store.run(rows.fail, row["id"], "interrupted", problem, now, passing=True)
                await self._let_picture_go(row["id"], row["suffix"])
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.concurrency)]

    def _cannot_resume(self, row: Row) -> str | None:
        if row["url"] is None and not self._pictures.path(row["id"], row["suffix"]).is_file():
            return "The server ended before this was judged, and the picture is no longer there. Send it again."
        if row["attempts"] >= rows.MAX_ATTEMPTS:
            return "The server ended several times while this was judged, so it is not tried again."
        if row["ensemble"] not in self._judges:
            return f"The server was started again without the ensemble {row['ensemble']!r}."
        return None

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place in the queue for a request that is being read.

        Raises:
            ApiError: the server is going down, or there is no place; it says when to come again.
        """
        if self.draining:
            raise draining()
        if self.occupied >= self._settings.queue + self._settings.concurrency:
            self._turned_away += 1
            self._metrics.refused.inc()
            raise ApiError(429, "busy", "Too many judgments wait; come again later.", retry_after=self._retry_after())
        self._reserved += 1
        try:
            yield
        finally:
            self._reserved -= 1

    @property
    def occupied(self) -> int:
        """Judgments that wait, run or are being sent."""
        return self._waiting.qsize() + len(self._running) + self._reserved

    def _retry_after(self) -> int:
        """Seconds until there should be a place for the last one turned away: each before takes one."""
        seconds = self._mean_s / self._settings.concurrency * self._turned_away
        return max(1, min(_LONGEST_RETRY_S, math.ceil(seconds)))

    async def submit(self, new: NewJudgment) -> tuple[str, str]:
        """Keep a judgment and let it wait; its picture is in its place. Returns id and digest as `rows.insert` does."""
        ident, digest = await self._store.run(rows.insert, new)
        if ident == new.id:
            self.enqueue(ident)
        return ident, digest

    def enqueue(self, ident: str) -> None:
        """Let a judgment that is kept wait for its turn."""
        if self.draining:
            # It waits on disk for the next server.
            return
        self._progress[ident] = Progress()
        self._waiting.put_nowait(ident)
        self._metrics.queue.set(self._waiting.qsize())

    def progress(self, ident: str) -> Progress | None:
        """What has happened to a judgment that waits or runs; None for any other."""
        return self._progress.get(ident)

    async def wait(self, ident: str, seconds: float) -> None:
        """Wait until a judgment has ended, at most so long."""
        progress = self._progress.get(ident)
        if progress is None or seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await progress.ended.wait()
        except TimeoutError:
            return

    async def stop_judging(self, ident: str) -> None:
        """Stop a judgment that runs, for good: it is about to be deleted."""
        task = self._running.get(ident)
        if task is not None:
            self._stopped.add(ident)
            task.cancel()
            await asyncio.wait([task])
            self._stopped.discard(ident)
        progress = self._progress.pop(ident, None)
        if progress is not None:
            progress.add("failed", {"error": {"kind": "deleted", "message": "It was deleted."}}, last=True)

    async def drain(self) -> None:
        """Take nothing more in, finish what is under way within the grace, and leave the rest on disk."""
        self.draining = True
        for worker in self._workers:
            worker.cancel()
        for ident, progress in list(self._progress.items()):
            if ident not in self._running:
                self._leave(progress)
        tasks = list(self._running.values())
        if tasks:
            await self._grace(tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if self._workers:
            await asyncio.wait(self._workers)

    def hurry(self) -> None:
        """Let the grace be over now."""
        self._hurried.set()

    async def _grace(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Wait until all tasks are done, the grace is over, or somebody is in a hurry."""
        done = asyncio.ensure_future(asyncio.wait(tasks))
        hurried = asyncio.create_task(self._hurried.wait())
        await asyncio.wait([done, hurried], timeout=self._settings.grace_s, return_when=asyncio.FIRST_COMPLETED)
        for waiter in (done, hurried):
            waiter.cancel()

    def _leave(self, progress: Progress) -> None:
        progress.add("draining", {}, last=True)

    async def _work(self) -> None:
        while True:
            ident = await self._waiting.get()
            task = self._running[ident] = asyncio.create_task(self._perform(ident))
            self._metrics.queue.set(self._waiting.qsize())
            self._metrics.running.set(len(self._running))
            try:
                # The judgment goes on when the worker is sent home.
                await asyncio.wait([task])
            finally:
                if task.done():
                    self._forget(ident)
                else:
                    task.add_done_callback(partial(self._forget_done, ident))

    def _forget_done(self, ident: str, _: asyncio.Task[None]) -> None:
        self._forget(ident)

    def _forget(self, ident: str) -> None:
        self._running.pop(ident, None)
        # A place is free: one fewer of those turned away is before the next one; with nothing to do, none is.
        self._turned_away = max(0, self._turned_away - 1) if self._waiting.qsize() or self._running else 0
        self._progress.pop(ident, None)
        self._metrics.running.set(len(self._running))

    async def _perform(self, ident: str) -> None:
        """One judgment, from its turn to its end. Nothing that goes wrong with it costs the worker."""
        progress, began = self._progress.get(ident), time.monotonic()
        if progress is None:
            return
        try:
            await self._attempt(ident, progress)
        except asyncio.CancelledError:
            if ident not in self._stopped:
                await self._hand_back(ident)
                self._leave(progress)
        except STORE_ERRORS as error:
            self._break_off(ident, progress, error)
        finally:
            self._mean_s += _MEMORY * (time.monotonic() - began - self._mean_s)
            progress.end()

    async def _attempt(self, ident: str, progress: Progress) -> None:
        row = await self._surely(rows.begin, ident, time.time())
        if row is None:
            return
        self._metrics.waited.observe(row["started_at"] - row["created_at"])
        try:
            await self._judge(row, progress)
        except SixlensError as error:
            await self._fail(row, progress, error)
        except Exception as error:
            # The one net under all judgments; with `strict` a Judge lets everything through.
            log.exception("A fault in the program while judgment %s was under way", ident)
            words = f"A fault in the program ({type(error).__name__}); the server's log has the details."
            await self._fail(row, progress, ProgramError(words))

    def _break_off(self, ident: str, progress: Progress, error: Exception) -> None:
        """Nothing more of a judgment can be written down. The next server finds it on disk and takes it up."""
        log.error("Judgment %s is broken off: the database cannot be used", ident, exc_info=error)
        kind = kind_of(error) if isinstance(error, SixlensError) else "program"
        self._metrics.storage.inc()
        self._metrics.failures.labels(kind).inc()
        message = "The server's database cannot be used; the server's log has the details."
        progress.add("failed", {"error": {"kind": kind, "message": message}}, last=True)

    async def _surely(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], /, *arguments: P.args, **named: P.kwargs
    ) -> T:
        """Do some work of the store, as often as it takes until the disk is neither full nor gone.

        So a verdict is not lost, nor paid for again, and no judgment is left under way. The worker waits meanwhile: the
        next judgment would come no further. What does not pass by itself is not tried again.
        """
        while True:
            try:
                return await self._store.run(work, *arguments, **named)
            except StorageError as error:
                self._stumbled(error)
                await asyncio.sleep(_STORAGE_PAUSE_S)

    def _stumbled(self, error: Exception) -> None:
        # Only a mistake in the program has a place in it that is worth knowing.
        log.error("%s", error, exc_info=None if isinstance(error, SixlensError) else error)
        self._metrics.storage.inc()

    async def _hand_back(self, ident: str) -> None:
        """Let a judgment wait again. Where that cannot be noted, the next server finds it under way and takes it up."""
        try:
            await self._store.run(rows.hand_back, ident)
        except STORE_ERRORS as error:
            self._stumbled(error)

    async def _judge(self, row: Row, progress: Progress) -> None:
        ident, began = row["id"], time.monotonic()
        if row["ensemble"] not in self._judges:
            raise ConfigError(f"The ensemble {row['ensemble']!r} is not served any more.")
        judge = self._judges.get(row["ensemble"])
        progress.add("status", {"status": "running", "position": None})
        fetched: list[Image] = []
        source = partial(self._load, row, fetched)
        async with aclosing(judge.astream(source, deadline_s=row["deadline_s"])) as events:
            async for event in events:
                if fetched:
                    await self._note_fetched(ident, fetched.pop())
                await self._happened(row, progress, event, began)

    async def _happened(self, row: Row, progress: Progress, event: Event, began: float) -> None:
        match event:
            case Prepared(medium=medium):
                # What the picture shows stands in the verdict; on its own it would be a model's word about people.
                progress.add("prepared", {"medium": medium})
            case Reported(report=report):
                progress.add("reported", {"report": report.model_dump(mode="json")})
            case Decided(verdict=verdict):
                await self._decided(row, progress, verdict, time.monotonic() - began)

    def _load(self, row: Row, fetched: list[Image]) -> Image:
        """The picture of a judgment; runs beside the event loop."""
        if row["kept"]:
            return self._pictures.load(row["id"], row["suffix"], row["name"])
        image = self._pictures.fetch(row["id"], row["url"])
        fetched.append(image)
        return image

    async def _note_fetched(self, ident: str, image: Image) -> None:
        await self._surely(rows.note_picture, ident, image.name, image.sha256, len(image.data))

    async def _decided(self, row: Row, progress: Progress, verdict: Verdict, seconds: float) -> None:
        ident = row["id"]
        reason = reason_for_review(
            verdict,
            ident,
            self._settings.review_share,
            appealed=row["supersedes"] is not None,
            asked=bool(row["asked"]),
        )
        review = None if reason is None else (str(uuid.uuid4()), *reason)
        await self._surely(rows.finish, Finish(ident, verdict, time.time(), review))
        self._metrics.decided(verdict, seconds)
        await self._let_picture_go(ident, row["suffix"])
        if row["supersedes"] is not None:
            await self._let_ancestor_go(row["supersedes"])
        self._metrics.reviews.set(await self._surely(review_rows.waiting))
        ended = await self._surely(rows.read, ident)
        if ended is not None:
            progress.add("decided", {"judgment": views.judgment(ended)}, last=True)

    async def _fail(self, row: Row, progress: Progress, error: SixlensError) -> None:
        kind, message = kind_of(error), self._judges.without_paths(error)
        log.warning("There is no verdict for %s: %s", row["id"], error)
        passing = status_of(kind) == UNAVAILABLE
        await self._surely(rows.fail, row["id"], kind, message, time.time(), passing=passing)
        await self._let_picture_go(row["id"], row["suffix"])
        self._metrics.failures.labels(kind).inc()
        progress.add("failed", {"error": {"kind": kind, "message": message}}, last=True)

    async def _let_ancestor_go(self, ident: str) -> None:
        ancestor = await self._surely(rows.read, ident)
        if ancestor is not None:
            await self._let_picture_go(ident, ancestor["suffix"])

    async def _let_picture_go(self, ident: str, suffix: str) -> None:
        """Delete the picture of a judgment, unless somebody still needs it. What is left now, the next purge finds."""
        try:
            if await self._store.run(rows.release, ident, keep=self._settings.keep_pictures):
                await asyncio.to_thread(self._pictures.remove, ident, suffix)
        except STORE_ERRORS as error:
            self._stumbled(error)

    async def picture_done_with(self, ident: str, suffix: str) -> None:
        """After a decision: delete the picture, unless somebody still needs it."""
        await self._let_picture_go(ident, suffix)
        self._metrics.reviews.set(await self._store.run(review_rows.waiting))


def draining() -> ApiError:
    """The server is going down."""
    return ApiError(503, "draining", "The server is going down; come again in a moment.", retry_after=5)
