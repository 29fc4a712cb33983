"""Whom a provider asks: which model, at which address, with which key; errors never give the key away."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from backends.backend import Capabilities
from backends.errors import BackendError, ContextLengthError, MissingKeyError, UnsupportedError
from backends.models import ModelFacts, known_facts
from backends.providers.address import Address
from backends.providers.redact import one_line
from backends.providers.transport import rate_state, request_id, retry_after
from backends.request import Request
from backends.settings import BackendSettings
from backends.tokens import at_least

Failure = TypeVar("Failure", bound=BackendError)


CLOUD = "ollama.com"


def is_cloud(model: str) -> bool:
    """Whether a model's tag says that an Ollama server runs it elsewhere, in whatever protocol it is asked."""
    return model.lower().endswith(("-cloud", ":cloud"))


@dataclass(frozen=True)
class Target:
    """One model at one address.

    `model` is empty until it was found out, `remote` names a host behind the address, `said` is what the server says of
    the model. `needs` names the environment variable of a key without which nobody can be asked.
    """

    provider: str
    spec: str
    model: str
    address: Address
    settings: BackendSettings
    key: str | None = field(default=None, repr=False)
    revision: str = ""
    remote: str = ""
    said: ModelFacts = field(default_factory=ModelFacts)
    needs: str | None = None

    @cached_property
    def facts(self) -> ModelFacts:
        """What the records say of the model, under what the server says of it, under what the user says."""
        return self.settings.capabilities.over(self.said.over(known_facts(self.provider, self.model)))

    @cached_property
    def capabilities(self) -> Capabilities:
        """The facts that callers see, and where pictures go."""
        remote = self.remote or self.settings.remote or (CLOUD if is_cloud(self.model) else "")
        if remote and self.address.loopback:
            known = self.facts.capabilities(f"{remote} (through {self.address.host})", hosted=True)
        else:
            known = self.facts.capabilities(self.address.destination, hosted=not self.address.loopback)
        return known.model_copy(update={"missing_key": None if self.key else self.needs})

    @cached_property
    def identity(self) -> str:
        """Provider, address, model, revision, and the settings that change what is asked."""
        changes = self.settings.model_dump(mode="json", include={"capabilities", "extra"}, exclude_none=True)
        text = json.dumps(changes, sort_keys=True)
        asked = "" if changes == {"capabilities": {}, "extra": {}} else hashlib.sha256(text.encode()).hexdigest()[:12]
        return "|".join((self.provider, self.address.url, self.model, self.revision, asked))

    @property
    def endpoint(self) -> str:
        """Address and model, the same however the spec string was spelled."""
        return f"{self.address.url}|{self.model}"

    @cached_property
    def account(self) -> str:
        """The first characters of the key's hash, or nothing."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:12] if self.key else ""

    def say(self, text: str) -> str:
        """`text` from a server, fit for an error line."""
        return one_line(text, (self.key or "",))

    def fail(
        self, kind: type[Failure], message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Failure:
        """An error that carries who failed."""
        return kind(
            self.say(message),
            provider=self.provider,
            model=self.model,
            status=status,
            request_id=request_id(headers) if headers else None,
            retry_after=retry_after(headers) if headers else None,
            rate=rate_state(headers) if headers else None,
        )

    def check_key(self) -> None:
        """Refuse to go on without the key that is needed.

        Raises:
            MissingKeyError: it is not set.
        """
        if self.needs and not self.key:
            raise self.fail(MissingKeyError, f"{self.spec} needs a key: set the environment variable {self.needs}.")

    def check(self, request: Request) -> None:
        """Refuse a request that the model cannot take, before anything is sent.

        Raises:
            UnsupportedError: it holds pictures and the model sees none, or begins the answer and the model cannot.
            ContextLengthError: the prompt and the room for the answer are beyond the model's context.
        """
        capabilities = self.capabilities
        if request.pictures and not capabilities.images:
            raise self.fail(UnsupportedError, f"{self.model} takes no pictures; name a model that sees.")
        if request.prefill and not capabilities.prefill:
            hint = "take `prefill` out, or say `capabilities: {prefill: true}` if it does"
            raise self.fail(UnsupportedError, f"{self.model} cannot have its answer begun for it; {hint}.")
        room, needed = capabilities.context_tokens, at_least(request) + request.sampling.max_tokens
        if room is not None and needed > room:
            text = f"The prompt and its answer need at least {needed} tokens, and {self.model} has room for {room}."
            raise self.fail(ContextLengthError, text)


def key_of(settings: BackendSettings, shared: str) -> str | None:
    """The key of a backend: that of its own variable, or of the one that all of its kind share.

    Blanks around a key are dropped, and an empty one is none.

    Raises:
        MissingKeyError: it holds characters that no key has, which would break the request's header.
    """
    variable = settings.key_variable or shared
    key = os.environ.get(variable, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise MissingKeyError(f"{variable} holds blanks or other characters that no key has; set it again.")
    return key or None
