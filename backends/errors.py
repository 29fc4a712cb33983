"""The error tree of sixlens. Everything a user can cause or meet is one of these.

```
SixlensError
├── InputError              an input is unusable                                    exit code 2
│   └── ImageError          a picture cannot be read
├── ConfigError             a setting, file, prompt or name is wrong                exit code 4
│   ├── UnknownNameError    a name that does not exist, with the nearest one
│   ├── MissingExtraError   an optional dependency, with its `pip install` line
│   └── PromptError         a prompt that cannot be rendered
├── BudgetError             the budget is spent                                     exit code 3
├── ProgramError            a fault of sixlens itself; please report it             exit code 1
├── NoVerdictError          no backend answered, so there is nothing to fuse        exit code 1
└── BackendError            a backend gave no usable answer                         exit code 1
    ├── ConnectError        the server could not be reached, or the line dropped
    ├── AttemptTimeoutError an attempt took longer than it may
    ├── RateLimitError      too many requests; `retry_after` and `rate` say when to come back
    ├── ServerError         the server failed (5xx)
    ├── MalformedError      the server's answer does not follow its own protocol
    ├── AuthError           the key is wrong or lacks a right
    │   └── MissingKeyError a key that is needed is not set in the environment          exit code 4
    ├── QuotaError          the account has no money or quota left
    ├── InvalidRequestError the server refuses the request as it is
    ├── UnsupportedError    the model does not take a setting or a kind of input
    ├── ContextLengthError  the prompt is longer than the model's context
    ├── DeviceMemoryError   a local model's device has no room for one request
    └── ScriptError         a scripted backend has no answer for this step
```

Every message is one line that says what to do. No message carries a key, a header or image bytes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from backends.completion import RateState


_BUSY = (503, 529)
"""Statuses of a server that has too much to do; 529 is Anthropic's."""


class SixlensError(Exception):
    """Root of the tree. `exit_code` is what the command line returns for it."""

    exit_code: int = 1

    def again(self, message: str | None = None) -> Self:
        """A copy to raise somewhere else: the same kind and fields, a traceback of its own, perhaps other words."""
        twin = type(self).__new__(type(self))
        twin.args = self.args if message is None else (message,)
        twin.__dict__.update(self.__dict__)
        return twin


class InputError(SixlensError):
    """An input is unusable."""

    exit_code = 2


class ImageError(InputError):
    """A picture cannot be read, or is refused as unsafe."""


class ConfigError(SixlensError):
    """A setting, a file or a name is wrong."""

    exit_code = 4


class UnknownNameError(ConfigError):
    """A name that does not exist; says which one was probably meant.

    Args:
        kind: what is named, for example `paradigm`.
        name: the name as given.
        known: the names that exist.

    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"There is no {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}.")
        self.kind = kind
        self.name = name


def install_line(extra: str) -> str:
    """How an extra is installed. The constraints keep to the builds that are tested, and torch to a small one."""
    return f"pip install -c constraints.txt -e '.[{extra}]' in the clone of sixlens"


class MissingExtraError(ConfigError):
    """An optional dependency is not installed.

    Args:
        what: what needs it, for example `the hf: backend`.
        extra: the extra's name in `pyproject.toml`.

    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra: {install_line(extra)}")


class PromptError(ConfigError):
    """A prompt cannot be rendered."""


class BudgetError(SixlensError):
    """The budget is spent; what was done before is kept."""

    exit_code = 3


class ProgramError(SixlensError):
    """A fault of sixlens itself; its traceback is in the log."""


class NoVerdictError(SixlensError):
    """No backend answered, so there is nothing to fuse."""


class BackendError(SixlensError):
    """A backend gave no usable answer.

    Args:
        message: one line, without keys or image bytes.
        provider: the provider's name, for example `compatible`.
        model: the model asked for.
        status: the HTTP status, if there was one.
        request_id: the provider's id of the request, if it gave one.
        retry_after: seconds after which to come back, if the provider said so.
        rate: what the provider's rate headers said, if there were any.
        transient: whether asking again may help, where it is not what the class says.

    """

    transient: bool = False

    @property
    def turned_away(self) -> bool:
        """Whether the server had no time for the request, and did nothing for it."""
        return self.status in _BUSY

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        rate: RateState | None = None,
        transient: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.rate = rate
        if transient is not None:
            self.transient = transient


class ConnectError(BackendError):
    """The server could not be reached, or the connection dropped."""

    transient = True


class AttemptTimeoutError(BackendError):
    """An attempt took longer than it may."""

    transient = True


class RateLimitError(BackendError):
    """Too many requests; `retry_after` and `rate` say when to come back, if known."""

    transient = True

    @property
    def turned_away(self) -> bool:
        """Always."""
        return True


class ServerError(BackendError):
    """The server failed (5xx)."""

    transient = True


class MalformedError(BackendError):
    """The server's answer does not follow its own protocol."""

    transient = True


class AuthError(BackendError):
    """The key is wrong or lacks a right."""


class MissingKeyError(AuthError):
    """A key that is needed is not set in the environment, or what is set cannot be one: a matter of configuration."""

    exit_code = ConfigError.exit_code


class QuotaError(BackendError):
    """The account has no money or quota left; waiting does not help."""


class InvalidRequestError(BackendError):
    """The server refuses the request as it is."""


class UnsupportedError(BackendError):
    """The model does not take a setting or a kind of input."""

    learnt: bool = False
    """The provider has understood which setting it is, and the next attempt goes out without it."""


class ContextLengthError(BackendError):
    """The prompt is longer than the model's context."""


class DeviceMemoryError(BackendError):
    """The device of a local model has no room, for its weights or for a single request; asking again does not help."""


class ScriptError(BackendError):
    """A scripted backend has no answer for this step."""
