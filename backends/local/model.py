"""A model in this process: one thread that computes, one queue in front of it, and batches out of the queue.

The queue lives in the event loop, the model in its thread. While a batch is computed, requests gather; then the oldest
of them and those that go with it become the next batch. A model decodes six answers in hardly more time than one, so
before a batch begins there is a short wait for more: the questions of one case are asked in the same moment, but reach
the queue some milliseconds apart. The wait ends with the first quiet moment, and costs a lone request only that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from backends.backend import Capabilities
from backends.errors import AttemptTimeoutError, BackendError, DeviceMemoryError, SixlensError
from backends.local.batch_size import BatchSize
from backends.local.engine import Prospect, Written
from backends.local.holder import Holder
from backends.local.queue import Asked, Queue
from backends.local.settings import LocalSettings
from backends.request import Request
from backends.waiting import waiting

log = logging.getLogger(__name__)

QUIET_S = 0.003
"""When no request came for so long, no more are expected."""
GATHER_S = 0.03
"""The longest wait for more requests."""
Result = TypeVar("Result")


class LocalModel:
    """One model, looked at when it is first named and loaded when it is first asked. For one event loop.

    Several backends may use it.

    Args:
        source: repository or folder, in messages.
        settings: `max_batch` and `idle_seconds` count here.
        survey: looks at the model's small files; called in the model's own thread, as is what it gives to load it.
        others: the models that may be loaded beside this one, itself among them.

    """

    def __init__(
        self,
        source: str,
        settings: LocalSettings,
        survey: Callable[[], Prospect],
        others: Callable[[], Iterable[LocalModel]] = tuple,
    ) -> None:
        self.source = source
        self._idle_seconds = settings.idle_seconds
        self._others = others
        self._size = BatchSize(settings.max_batch)
        self._holder = Holder(survey)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sixlens-{source.rsplit('/', 1)[-1]}")
        self._queue = Queue()
        self._batch: Sequence[Asked] = ()
        self._load: asyncio.Task[None] | None = None
        self._work: asyncio.Task[None] | None = None
        self._release: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def prospect(self) -> Prospect | None:
        """What is known of the model without its weights, or None before `look`."""
        return self._holder.prospect

    @property
    def capabilities(self) -> Capabilities | None:
        """What the model can do, or None before `look`."""
        return self._holder.capabilities

    @property
    def loaded(self) -> bool:
        """Whether the weights are here, and are to stay."""
        return self._load is not None and self._load.done() and not _failed(self._load)

    @property
    def idle(self) -> bool:
        """Whether the weights are here and nobody waits for an answer."""
        return self.loaded and (self._work is None or self._work.done())

    async def look(self) -> Prospect:
        """Find out what is known of the model without its weights. The first time, its small files may be fetched.

        Raises:
            ConfigError: it cannot be loaded.
        """
        self._check_open()
        found = self.prospect
        return found if found is not None else await self._in_thread(self._holder.look)

    async def answer(self, request: Request, seconds: float) -> Written:
        """Have the request computed in a batch. The weights are loaded before, if they are not here.

        Args:
            request: what is asked.
            seconds: the longest that waiting in the queue and computing may take together. Loading has no limit, since
                weights may have to be fetched.

        Raises:
            ConfigError: the model cannot be loaded.
            AttemptTimeoutError: it took longer.
            DeviceMemoryError: the device has no room for the weights, or for this request, even alone.
            BackendError: the request cannot be answered.
        """
        self._check_open()
        row = Asked(request, asyncio.get_running_loop().create_future())
        self._queue.add(row)
        self._keep()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._compute_all())
        limit = asyncio.timeout(None)
        try:
            if not self.loaded:
                loaded_or_refused: list[asyncio.Future[Any]] = [self._loading(), row.answer]
                await asyncio.wait(loaded_or_refused, return_when=asyncio.FIRST_COMPLETED)
            async with limit:
                limit.reschedule(asyncio.get_running_loop().time() + seconds)
                return await row.answer
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise self._late(row, seconds) from error
        finally:
            # From here on nobody wants it: it leaves the queue, and a batch under way writes nothing more for it.
            row.answer.cancel()

    def release(self) -> asyncio.Future[None]:
        """Let go of the weights, which is done when the result is; they are loaded again when they are needed."""
        self._load = None
        return self._in_thread(self._holder.close)

    async def aclose(self) -> None:
        """Release the model and end its thread. A batch under way is stopped; a load under way is not waited for."""
        if self._closed:
            return
        self._closed = True
        self._keep()
        closed = self._fail(BackendError, f"{self.source} was closed before it answered.")
        _refuse((*self._queue.waiting(), *self._batch), closed)
        released = self._in_thread(self._holder.close)
        if self._holder.occupied:
            for task in (self._work, self._load):
                if task is not None:
                    task.cancel()
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
            self._release = asyncio.get_running_loop().call_later(self._idle_seconds, self.release)

    def _check_open(self) -> None:
        if self._closed:
            raise self._fail(BackendError, f"{self.source} is closed.")

    def _in_thread(self, call: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def _loading(self) -> asyncio.Task[None]:
        """The one load of the weights that all wait for: done, under way, or begun now."""
        if self._load is None or (self._load.done() and _failed(self._load)):
            self._load = asyncio.create_task(self._load_weights())
            self._load.add_done_callback(_failed)  # looked at, also when nobody waits for it any more
        return self._load

    async def _load_weights(self) -> None:
        """Load the weights; if there is no room, once more after idle models have made some."""
        fetches = (await self.look()).fetches
        with waiting(f"loading {self.source}{'; what is not here yet is fetched first' if fetches else ''}"):
            if await self._in_thread(self._holder.open):
                return
            others = [model for model in self._others() if model is not self]
            idle = [model for model in others if model.idle]
            for model in idle:
                # It may have been asked while an earlier one was released.
                if model.idle:
                    log.info("%s is released, since %s needs its room", model.source, self.source)
                    await model.release()
            opened = bool(idle) and await self._in_thread(self._holder.open)
        if not opened:
            beside = ", ".join(model.source for model in others if model.loaded)
            text = f"There is no room for the weights of {self.source}{f' beside {beside}' if beside else ''}; try "
            text += "`local: {dtype: bfloat16}`, `local: {quantization: int4}`, another `local.device`, or a smaller "
            raise self._fail(DeviceMemoryError, f"{text}model.")

    async def _compute_all(self) -> None:
        """Compute batches until nobody waits."""
        while self._queue.waiting():
            loading = self._loading()
            await asyncio.wait([loading])
            error = loading.exception()
            if error is not None:
                _refuse(self._queue.waiting(), error)
                continue
            await self._gather()
            batch = self._queue.take(self._size.now)
            if batch:
                await self._compute(batch)
        self._release_later()

    async def _gather(self) -> None:
        """Wait while more requests come that fit into the next batch."""
        loop = asyncio.get_running_loop()
        end, most = loop.time() + GATHER_S, self._size.now
        arrived = -1
        while arrived < self._queue.arrived and loop.time() < end and len(self._queue.next_batch(most)) < most:
            arrived = self._queue.arrived
            await asyncio.sleep(QUIET_S)

    async def _compute(self, batch: Sequence[Asked]) -> None:
        for row in batch:
            row.started = True
        self._batch = batch
        log.debug(
            "%s computes %d of %d requests at once", self.source, len(batch), len(batch) + len(self._queue.waiting())
        )
        requests = [row.request for row in batch]
        work = self._in_thread(self._holder.write, requests, lambda place: batch[place].wanted)
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
        else:
            _refuse(batch, error)

    def _give(self, batch: Sequence[Asked], written: Mapping[int, Written] | None) -> None:
        """Hand out the answers, or see to it that the rows of a batch that did not fit are tried in smaller ones."""
        if written is not None:
            self._size.fits(len(written))
            for place, answer in written.items():
                if batch[place].wanted:
                    batch[place].answer.set_result(answer)
        elif len(batch) > 1:
            self._size.does_not_fit(len(batch))
            log.info("%s has no room for %d requests at once; %d for now", self.source, len(batch), self._size.now)
            self._queue.put_back(batch)
        else:
            text = f"The device has no room for one request to {self.source}; set a smaller `image.max_edge`, or "
            text += "`local: {dtype: bfloat16}` or `local: {quantization: int4}`, or take a smaller model."
            _refuse(batch, self._fail(DeviceMemoryError, text))

    def _late(self, row: Asked, seconds: float) -> AttemptTimeoutError:
        """Whose turn did not come may ask again; a request that was computed for too long would take as long again."""
        what = "was still computing" if row.started else "had not begun, with other requests before it,"
        text = f"{self.source} {what} after {seconds:g} s; set a longer `deadlines.attempt`."
        failure = self._fail(AttemptTimeoutError, text)
        failure.transient = not row.started
        return failure

    def _fail(self, kind: type[Failure], text: str) -> Failure:
        return kind(text, provider="hf", model=self.source)


Failure = TypeVar("Failure", bound=BackendError)


def _failed(task: asyncio.Task[None]) -> bool:
    """Whether a task that is over was given up, or ended in an error."""
    return task.cancelled() or task.exception() is not None


def _refuse(rows: Iterable[Asked], error: BaseException) -> None:
    """Each of those who still wait gets the error, with a traceback of its own."""
    for row in rows:
        if row.wanted:
            row.answer.set_exception(error.again() if isinstance(error, SixlensError) else error)
