"""Everything that the routes of one server share, opened and closed together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from backends.backend import Backend
from orchestrator.ensemble import Ensemble
from sixlens.server import judgment_rows as rows
from sixlens.server import review_rows
from sixlens.server.errors import STORE_ERRORS, ApiError, not_found
from sixlens.server.judges import Judges
from sixlens.server.judgment_rows import Row
from sixlens.server.metrics import Metrics
from sixlens.server.pictures import PictureFolder
from sixlens.server.queue import JudgmentQueue
from sixlens.server.settings import ServerSettings
from sixlens.server.store import Store

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

log = logging.getLogger("sixlens")

PICTURES = "pictures"
_PURGE_EVERY_S = 3600.0
_DAY_S = 86_400.0


class Service:
    """What a server is made of. Use it as an async context manager, from one event loop.

    Args:
        settings: of the server.
        ensembles: what can be chosen; the first is the default.
        backends: backends to use in place of those that the specs would open, by spec.
        tracer_provider: OpenTelemetry's, for traces of the judging; None for none.

    Raises:
        ConfigError: (on entering) the data folder or a backend cannot be used.
        MissingKeyError: (on entering) a backend needs a key that is not set.
    """

    def __init__(
        self,
        settings: ServerSettings,
        ensembles: Sequence[Ensemble],
        backends: Mapping[str, Backend] | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.store = Store(settings.data_dir)
        self.pictures = PictureFolder(settings.data_dir / PICTURES, settings.limits)
        self.judges = Judges(ensembles, settings, backends, tracer_provider)
        self.queue = JudgmentQueue(settings, self.store, self.pictures, self.judges, self.metrics)
        self.uploads = asyncio.Semaphore(settings.uploads)
        """Requests whose bodies are read at once."""
        self.drawing = asyncio.Semaphore(2)
        """Pictures that are decoded for people at once."""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.store)
            await asyncio.to_thread(self.pictures.open)
            await stack.enter_async_context(self.judges)
            await self.purge()
            await self.queue.start()
            stack.push_async_callback(self.queue.drain)
            self.metrics.reviews.set(await self.store.run(review_rows.waiting))
            purging = asyncio.create_task(self._purge_now_and_then())
            stack.callback(purging.cancel)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def judgment(self, name: str) -> Row:
        """A judgment by its id or its verdict's.

        Raises:
            ApiError: there is none.
        """
        row = await self.store.run(rows.read, name)
        if row is None:
            raise not_found("judgment")
        return row

    async def forget(self, ident: str) -> None:
        """Delete a judgment, with its picture, reviews and decisions."""
        # In this order, since a judgment that was stopped and then could not be deleted would go on no more.
        await self.store.run(rows.delete, ident)
        await self.queue.stop_judging(ident)
        await asyncio.to_thread(self.pictures.remove_all, [ident])
        self.metrics.reviews.set(await self.store.run(review_rows.waiting))

    async def purge(self) -> None:
        """Delete judgments whose time is over, and pictures that nobody needs. The labels that people gave are kept."""
        before = time.time() - self.settings.retention_days * _DAY_S
        while ids := await self.store.run(rows.retire, before):
            await asyncio.to_thread(self.pictures.remove_all, ids)
        await asyncio.to_thread(self.judges.drop_old_answers)
        if not self.settings.keep_pictures:
            await self.store.run(rows.release_all)
        kept = await self.store.run(rows.with_pictures)
        await asyncio.to_thread(self.pictures.remove_orphans, kept)

    async def _purge_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_PURGE_EVERY_S)
            try:
                await self.purge()
            except STORE_ERRORS:
                # The next time may go well: judgments and pictures are not to be kept beyond their time.
                log.exception("Old judgments cannot be deleted")
                self.metrics.storage.inc()


def gone() -> ApiError:
    """The picture is not kept any more."""
    return ApiError(404, "picture_gone", "The picture is not kept any more; it is only kept while a case waits.")
