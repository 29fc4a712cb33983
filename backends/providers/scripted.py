"""`scripted:FILE`: answers out of a YAML or JSON file, for tests and demonstrations. Nobody is asked.

```yaml
model: script-1                        # what a completion says it came from
rules:
  - paradigm: structural               # glob patterns on where the request comes from; all by default
    step: subject
    contains: main subject             # a part of the last user text
    answer: {subject: dog}             # a mapping, sent as JSON; or `text`; or `texts`, chosen by the case
    seconds: 0.5                       # waited, and stated in the completion
  - paradigm: "*"
    fault: rate_limit                  # instead of an answer, or before it
    times: 2                           # only on the first attempts of each case, paradigm and step
    retry_after: 0.1
  - text: "Nothing unusual. Verdict: undecided"
```

The first rule that matches answers. A rule whose fault has happened `times` times goes on to its answer, or, having
none, to the rules after it. Nothing is drawn at random, so a run says the same each time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from backends.backend import Capabilities
from backends.completion import Completion, Stop, TokenUsage, with_prefill
from backends.errors import (
    AttemptTimeoutError,
    AuthError,
    BackendError,
    ConfigError,
    ConnectError,
    MalformedError,
    RateLimitError,
    ScriptError,
    ServerError,
)
from backends.models import ModelFacts
from backends.request import Request
from backends.settings import BackendSettings
from backends.yaml_file import build, read_yaml

REFUSAL = "I'm sorry, but I can't help with judging this image."
GIBBERISH = "zq vlorp 0x3f ,, eteoin shrdlu {[ 17 blft"


class Fault(StrEnum):
    """What goes wrong."""

    REFUSAL = "refusal"
    EMPTY = "empty"
    GIBBERISH = "gibberish"
    HANG = "hang"
    """Nothing comes until the attempt's time is over."""
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    AUTH = "auth"
    BUG = "bug"
    """A `RuntimeError`, as a mistake in a program would raise."""


_ERRORS: Mapping[Fault, tuple[type[BackendError], str, int | None]] = {
    Fault.RATE_LIMIT: (RateLimitError, "The script says that there are too many requests.", 429),
    Fault.SERVER: (ServerError, "The script says that the server failed.", 500),
    Fault.CONNECT: (ConnectError, "The script says that the server cannot be reached.", None),
    Fault.TIMEOUT: (AttemptTimeoutError, "The script says that the attempt took too long.", None),
    Fault.MALFORMED: (MalformedError, "The script says that the answer follows no protocol.", None),
    Fault.AUTH: (AuthError, "The script says that the key is refused.", 401),
}
_ANSWERS: Mapping[Fault, tuple[str, Stop]] = {
    Fault.REFUSAL: (REFUSAL, Stop.REFUSAL),
    Fault.EMPTY: ("", Stop.EMPTY),
    Fault.GIBBERISH: (GIBBERISH, Stop.COMPLETE),
}


class Rule(BaseModel):
    """One rule: which requests it is about, and what happens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paradigm: str = "*"
    step: str = "*"
    purpose: str = "*"
    contains: str | None = None
    sample: int | None = None
    text: str | None = None
    answer: dict[str, JsonValue] | None = None
    texts: tuple[str, ...] | None = Field(default=None, min_length=1)
    """One of these, always the same for one case."""
    seconds: float = Field(default=0.0, ge=0, le=3600)
    stop: Stop | None = None
    usage: TokenUsage = TokenUsage()
    fault: Fault | None = None
    times: int | None = Field(default=None, ge=1)
    retry_after: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _one_answer(self) -> Rule:
        answers = sum(value is not None for value in (self.text, self.answer, self.texts))
        if answers > 1:
            raise ValueError("give only one of text, answer and texts")
        if not answers and self.fault is None:
            raise ValueError("give one of text, answer, texts and fault")
        if self.times is not None and self.fault is None:
            raise ValueError("times counts faults; give a fault")
        return self

    @property
    def answers(self) -> bool:
        """Whether the rule has an answer beside its fault."""
        return self.text is not None or self.answer is not None or self.texts is not None

    def matches(self, request: Request) -> bool:
        """Whether the rule is about the request."""
        origin = request.origin
        patterns = ((origin.paradigm, self.paradigm), (origin.step, self.step), (origin.purpose, self.purpose))
        return (
            all(fnmatchcase(name, pattern) for name, pattern in patterns)
            and (self.sample is None or self.sample == request.sampling.sample)
            and (self.contains is None or self.contains in _last_user_text(request))
        )

    def text_for(self, case: str) -> str:
        """The answer's text."""
        if self.answer is not None:
            return json.dumps(self.answer, ensure_ascii=False)
        if self.texts is not None:
            return self.texts[int.from_bytes(hashlib.sha256(case.encode()).digest()[:4], "big") % len(self.texts)]
        return self.text or ""


class Script(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "scripted"
    capabilities: ModelFacts = ModelFacts()
    """What the model is said to be able to do; it takes pictures, schemas and begun answers unless this says no."""
    rules: tuple[Rule, ...] = Field(min_length=1)


_ABLE = ModelFacts(images=True, json_schema=True, prefill=True, logprobs=False, prefix_cache=False)


class ScriptedBackend:
    """Answers out of a script.

    Args:
        script: the rules.
        spec: the spec string of this backend.
        revision: what tells this script from others, for the cache.
        settings: `attempt_seconds` and `capabilities` count.

    """

    def __init__(self, script: Script, spec: str, revision: str, settings: BackendSettings) -> None:
        self._script = script
        self._spec = spec
        self._revision = revision
        self._settings = settings
        self._faults: Counter[tuple[int, str, str, str, int]] = Counter()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._spec}>"

    @property
    def spec(self) -> str:
        """The spec string."""
        return self._spec

    @property
    def capabilities(self) -> Capabilities:
        """What the script says the model can do; nothing leaves this process."""
        facts = self._settings.capabilities.over(self._script.capabilities.over(_ABLE))
        return facts.capabilities("this process", hosted=False)

    @property
    def identity(self) -> str:
        """The script's name and content."""
        return f"{self._spec}|{self._script.model}|{self._revision}"

    @property
    def account(self) -> str:
        """There is none."""
        return ""

    async def prepare(self) -> None:
        """Nothing to find out."""

    async def complete(self, request: Request) -> Completion:
        """Answer as the script says.

        Raises:
            ScriptError: no rule matches.
            BackendError: the rule's fault.
            RuntimeError: the fault `bug`.
        """
        for index, rule in enumerate(self._script.rules):
            if not rule.matches(request):
                continue
            fault = self._due(index, rule, request)
            if fault is not None:
                return await self._fail(fault, rule)
            if rule.answers:
                await self._wait(rule.seconds)
                text = with_prefill(request.prefill, rule.text_for(request.origin.case))
                return self._completion(text, rule.stop or (Stop.COMPLETE if text.strip() else Stop.EMPTY), rule)
        origin = request.origin
        where = f"paradigm {origin.paradigm!r}, step {origin.step!r}, sample {request.sampling.sample}"
        raise ScriptError(f"{self._spec} has no rule for {where}; add one.", provider="scripted")

    async def aclose(self) -> None:
        """Nothing to release."""

    def _due(self, index: int, rule: Rule, request: Request) -> Fault | None:
        """The rule's fault, if it still happens to this case, paradigm and step."""
        if rule.fault is None or rule.times is None:
            return rule.fault
        origin = request.origin
        who = (index, origin.case, origin.paradigm, origin.step, request.sampling.sample)
        if self._faults[who] >= rule.times:
            return None
        self._faults[who] += 1
        return rule.fault

    async def _fail(self, fault: Fault, rule: Rule) -> Completion:
        if fault is Fault.HANG:
            await self._wait(self._settings.attempt_seconds)
        await self._wait(rule.seconds)
        if fault in _ANSWERS:
            text, stop = _ANSWERS[fault]
            return self._completion(text, rule.stop or stop, rule)
        if fault is Fault.BUG:
            raise RuntimeError("the script asks for a mistake in the program")
        kind, message, status = _ERRORS[fault]
        raise kind(message, provider="scripted", model=self._script.model, status=status, retry_after=rule.retry_after)

    async def _wait(self, seconds: float) -> None:
        """Wait as long as a server would take, but no longer than an attempt may."""
        if seconds <= 0:
            return
        limit = self._settings.attempt_seconds
        await asyncio.sleep(min(seconds, limit))
        if seconds >= limit:
            raise AttemptTimeoutError(f"The script did not answer within {limit:g} s.", provider="scripted")

    def _completion(self, text: str, stop: Stop, rule: Rule) -> Completion:
        return Completion(
            text=text,
            stop=stop,
            model=self._script.model,
            backend=self._spec,
            usage=rule.usage,
            seconds=rule.seconds,
        )


def _last_user_text(request: Request) -> str:
    return next((message.text for message in reversed(request.messages) if message.role == "user"), "")


def open_scripted(rest: str, settings: BackendSettings) -> ScriptedBackend:
    """Open a script; the path counts from the working folder.

    Raises:
        ConfigError: there is no file, or it is no script.
    """
    if not rest:
        raise ConfigError("scripted: names no file; write scripted:FILE.")
    path = Path(rest)
    script = build(Script, read_yaml(path), str(path))
    revision = hashlib.sha256(script.model_dump_json().encode()).hexdigest()[:12]
    return ScriptedBackend(script, f"scripted:{rest}", revision, settings)
