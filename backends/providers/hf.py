"""`hf:REPO_OR_FOLDER`: a model run in this process with transformers. Pictures stay here; weights may be fetched.

Opening one loads nothing. `prepare` imports torch and reads the small files of the model, which is all that the cache
and the prompts depend on; its weights come with the first request that has to be computed. Backends of the same model
with the same `local` settings that were opened with one `Shared` use one loaded model, released with the last of them.
Loading is not part of an attempt's time; waiting for other requests is.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import logging
import time

from backends.backend import Capabilities
from backends.completion import Completion
from backends.errors import ConfigError, ContextLengthError, UnsupportedError
from backends.local.engine import Prospect
from backends.local.folder import folder_of
from backends.local.load import survey
from backends.local.model import LocalModel
from backends.local.quiet import no_chatter, no_telemetry
from backends.local.settings import LocalSettings
from backends.models import ModelFacts, known_facts
from backends.request import Request
from backends.settings import BackendSettings
from backends.shared import Lease, Shared
from backends.tokens import at_least

log = logging.getLogger("backends")
_ABLE = ModelFacts(images=True, json_schema=True, logprobs=True, prefill=True)
"""What every local model can do, for answers are written here token by token."""


class HfBackend:
    """A model in this process.

    Args:
        source: repository or folder.
        settings: `attempt_seconds`, `capabilities` and `local` count.
        lease: the model; given back with `aclose`.

    """

    def __init__(self, source: str, settings: BackendSettings, lease: Lease[LocalModel]) -> None:
        self._source = source
        self._settings = settings
        self._lease = lease
        self._model = lease.item

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.spec}>"

    @property
    def spec(self) -> str:
        """The spec string."""
        return f"hf:{self._source}"

    @property
    def capabilities(self) -> Capabilities:
        """What the model's files say it can do, under what the user says; before `prepare`, what its name says."""
        known, said = self._model.capabilities, self._settings.capabilities
        if known is None:
            return said.over(known_facts("hf", self._source).over(_ABLE)).capabilities("this process", hosted=False)
        facts = {name: value for name, value in said if value is not None and name in Capabilities.model_fields}
        return known.model_copy(update=facts)

    @property
    def identity(self) -> str:
        """Model and revision, which stands for the `local` settings that change answers too; and what the user says."""
        found = self._model.prospect
        said = self._settings.capabilities.model_dump_json(exclude_none=True)
        digest = hashlib.sha256(said.encode()).hexdigest()[:12]
        return "|".join(("hf", found.name if found else self._source, found.revision if found else "", digest))

    @property
    def account(self) -> str:
        """There is none."""
        return ""

    @property
    def most_in_flight(self) -> int:
        """Calls in flight that make sense: one batch being computed, and one that gathers."""
        return 2 * self._settings.local.max_batch

    async def prepare(self) -> None:
        """Look at the model's small files and at this machine; no weights are loaded.

        Raises:
            ConfigError: there is no such model, or it cannot be loaded with these settings.
        """
        await self._model.look()

    async def complete(self, request: Request) -> Completion:
        """Have the request answered, in a batch with others that are drawn alike.

        Raises:
            AttemptTimeoutError: it waited and was computed for longer than `attempt_seconds`.
            DeviceMemoryError: the device has no room for the weights, or for the request.
            ContextLengthError: prompt and answer do not fit into the model's context.
            UnsupportedError: it needs what the user says that the model cannot do.
            ConfigError: as `prepare`, or the weights cannot be loaded.
        """
        found = await self._model.look()
        asked, notes = self._fitted(request)
        started = time.perf_counter()
        written = await self._model.answer(asked, self._settings.attempt_seconds)
        return Completion(
            text=(request.prefill or "") + written.text,
            stop=written.stop,
            model=found.name,
            backend=self.spec,
            usage=written.usage,
            seconds=time.perf_counter() - started,
            logprobs=written.logprobs,
            notes=(*notes, *written.notes),
        )

    async def aclose(self) -> None:
        """Let go of the model."""
        await self._lease.aclose()

    def _fitted(self, request: Request) -> tuple[Request, tuple[str, ...]]:
        """The request without what the model cannot do, and notes on what was left out."""
        able, notes = self.capabilities, []
        if request.pictures and not able.images:
            raise UnsupportedError(f"{self.spec} takes no pictures; name a model that sees.", provider="hf")
        if request.prefill and not able.prefill:
            text = f"{self.spec} cannot have its answer begun for it; take `prefill` out."
            raise UnsupportedError(text, provider="hf")
        needed = at_least(request) + request.sampling.max_tokens
        if able.context_tokens is not None and needed > able.context_tokens:
            text = f"The prompt and its answer need at least {needed} tokens, and {self.spec} has room for "
            raise ContextLengthError(f"{text}{able.context_tokens}.", provider="hf")
        if request.schema is not None and able.json_schema is False:
            request = dataclasses.replace(request, schema=None)
            notes.append(f"{self.spec} follows no schema; it was asked without one.")
        if request.logprobs and able.logprobs is False:
            request = dataclasses.replace(request, logprobs=False)
            notes.append(f"{self.spec} gives no token probabilities.")
        return request, tuple(notes)


def open_hf(rest: str, settings: BackendSettings, *, shared: Shared | None = None) -> HfBackend:
    """Open `REPO_OR_FOLDER`; a folder counts from the working folder. Nothing is loaded yet.

    Raises:
        ConfigError: nothing is named, it reads as a folder and there is none with a model in it, a folder is to have a
            revision, or `extra` is set, which is for servers.
    """
    if not rest:
        raise ConfigError("hf: names no model; write hf:REPO_OR_FOLDER, for example hf:Qwen/Qwen2.5-VL-3B-Instruct.")
    if settings.extra:
        raise ConfigError(f"hf:{rest}: `extra` adds to what is sent to a server; take it out.")
    local = settings.local
    folder = folder_of(rest, local.revision)
    # Two ways to write one folder are one model.
    place = rest if folder is None else str(folder.resolve())
    held = shared or Shared()
    look = functools.partial(_survey, rest, local)
    lease = held.take(
        ("hf", place, local), lambda: LocalModel(f"hf:{rest}", local, look, others=lambda: held.held(LocalModel))
    )
    return HfBackend(rest, settings, lease)


def _survey(source: str, settings: LocalSettings) -> Prospect:
    """Look at the model, in its own thread. Importing torch alone takes seconds, so it is done here."""
    no_telemetry()
    try:
        if not log.isEnabledFor(logging.DEBUG):
            no_chatter()
        return survey(source, settings)
    except ImportError as error:
        raise ConfigError(f"hf:{source}: the packages of the extra `local` do not work here: {error}.") from error
