"""A model in this process: one thread that computes, one queue in front of it, and batches out of the queue.

The queue lives in the event loop, the model in its thread. While a batch is computed, requests gather; then the oldest
of them and those that go with it become the next batch. A model decodes six answers in hardly more time than one, so
before a batch begins there is a short wait for more: the questions of one case are asked in the same moment, but reach
the queue some milliseconds apart. The wait ends with the first quiet moment, and costs a lone request only that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from backends.errors import AttemptTimeoutError, BackendError, DeviceMemoryError
from backends.local.engine import Engine, Written
from backends.local.holder import Holder, Known
from backends.local.queue import Asked, Queue
from backends.local.settings import LocalSettings
from backends.request import Request

log = logging.getLogger(__name__)

QUIET_S = 0.003
"""When no request came for so long, no more are expected."""
GATHER_S = 0.03
"""The longest wait for more requests."""
Result = TypeVar("Result")


class LocalModel:
    """One model, loaded when it is first needed. For one event loop; several backends may use it.

    Args:
        source: repository or folder, in messages.
        settings: `max_batch` and `idle_seconds` count here.
        load: loads the model; called in the model's own thread.

    """

    def __init__(self, source: str, settings: LocalSettings, load: Callable[[], Engine]) -> None:
        self._source = source
        self._idle_seconds = settings.idle_seconds
        self._most = settings.max_batch
        self._holder = Holder(load, source)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sixlens-{source.rsplit('/', 1)[-1]}")
        self._queue = Queue()
        self._batch: Sequence[Asked] = ()
        self._work: asyncio.Task[None] | None = None
        self._release: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def known(self) -> Known | None:
        """What the model says of itself, or None before it was loaded for the first time."""
        return self._holder.known

    async def ready(self) -> None:
        """Load the model unless it is there. Without a limit of time, since weights may have to be fetched.

        Raises:
            ConfigError: it cannot be loaded.
            DeviceMemoryError: the device has no room for it.
        """
        self._check_open()
        self._keep()
        try:
            if not self._holder.loaded:
                await self._in_thread(self._holder.open)
        finally:
            if self._work is None or self._work.done():
                self._release_later()

    async def answer(self, request: Request, seconds: float) -> Written:
        """Have the request computed in a batch.

        Args:
            request: what is asked.
            seconds: the longest that waiting in the queue and computing may take together.

        Raises:
            AttemptTimeoutError: it took longer.
            DeviceMemoryError: the device has no room for this request, even alone.
            BackendError: the request cannot be answered.
        """
        self._check_open()
        row = Asked(request, asyncio.get_running_loop().create_future())
        self._queue.add(row)
        self._keep()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._compute_all())
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await row.answer
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise self._late(row, seconds) from error
        finally:
            row.answer.cancel()
            self._stop_if_unwanted()

    async def aclose(self) -> None:
        """Release the model and end its thread. A batch under way is stopped; a load under way is not waited for."""
        if self._closed:
            return
        self._closed = True
        self._keep()
        for row in (*self._queue.waiting(), *self._batch):
            if not row.answer.done():
                row.answer.set_exception(self._fail(BackendError, f"{self._source} was closed before it answered."))
        self._stop_if_unwanted()
        released = self._in_thread(self._holder.close)
        if self._holder.loading:
            if self._work is not None:
                self._work.cancel()
            self._thread.shutdown(wait=False)
            return
        await asyncio.wait([released, *([self._work] if self._work is not None else [])])
        self._thread.shutdown()
        released.result()

    def _keep(self) -> None:
        """Do not release the model: it is needed."""
        if self._release is not None:
            self._release.cancel()

    def _release_later(self) -> None:
        """Release the model when it is not needed for a while, if it is set so."""
        self._keep()
        if self._idle_seconds is not None and not self._closed:
            loop = asyncio.get_running_loop()
            self._release = loop.call_later(self._idle_seconds, self._in_thread, self._holder.close)

    def _check_open(self) -> None:
        if self._closed:
            raise self._fail(BackendError, f"{self._source} is closed.")

    def _in_thread(self, call: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    async def _compute_all(self) -> None:
        """Compute batches until nobody waits."""
        while self._queue.waiting():
            await self._gather()
            batch = self._queue.take(self._most)
            if batch:
                await self._compute(batch)
        self._release_later()

    async def _gather(self) -> None:
        """Wait while more requests come that fit into the next batch."""
        loop = asyncio.get_running_loop()
        end = loop.time() + GATHER_S
        arrived = -1
        while (
            arrived < self._queue.arrived and loop.time() < end and len(self._queue.next_batch(self._most)) < self._most
        ):
            arrived = self._queue.arrived
            await asyncio.sleep(QUIET_S)

    async def _compute(self, batch: Sequence[Asked]) -> None:
        for row in batch:
            row.started = True
        self._batch = batch
        log.debug(
            "%s computes %d of %d requests at once", self._source, len(batch), len(batch) + len(self._queue.waiting())
        )
        work = self._in_thread(self._holder.write, [row.request for row in batch])
        await asyncio.wait([work])
        self._batch = ()
        error = work.exception()
        if error is None:
            self._give(batch, work.result())
        elif len(batch) > 1:
            # One request must not fail the others: each gets an error of its own, or its answer.
            for row in batch:
                row.alone = True
            self._queue.put_back(batch)
        elif not batch[0].answer.done():
            batch[0].answer.set_exception(error)

    def _give(self, batch: Sequence[Asked], written: Sequence[Written] | None) -> None:
        """Hand out the answers, or see to it that the rows of a batch that did not fit are tried in smaller ones."""
        if written is not None:
            for row, answer in zip(batch, written, strict=True):
                if not row.answer.done():
                    row.answer.set_result(answer)
        elif len(batch) > 1:
            self._most = min(self._most, len(batch) // 2)
            log.info("%s has no room for %d requests at once; %d from now on", self._source, len(batch), self._most)
            self._queue.put_back(batch)
        elif not batch[0].answer.done():
            text = f"The device has no room for one request to {self._source}; set a smaller `image.max_edge`, or "
            text += "`local: {dtype: bfloat16}` or `local: {quantization: int4}`, or take a smaller model."
            batch[0].answer.set_exception(self._fail(DeviceMemoryError, text))

    def _stop_if_unwanted(self) -> None:
        """Stop the batch under way when nobody waits for any of its answers."""
        if self._batch and all(row.answer.done() for row in self._batch):
            self._holder.stop()

    def _late(self, row: Asked, seconds: float) -> AttemptTimeoutError:
        """Whose turn did not come may ask again; a request that was computed for too long would take as long again."""
        what = "was still computing" if row.started else "had not begun, with other requests before it,"
        text = f"{self._source} {what} after {seconds:g} s; set a longer `deadlines.attempt`."
        failure = self._fail(AttemptTimeoutError, text)
        failure.transient = not row.started
        return failure

    def _fail(self, kind: type[Failure], text: str) -> Failure:
        return kind(text, provider="hf", model=self._source)


Failure = TypeVar("Failure", bound=BackendError)
