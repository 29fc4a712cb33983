"""`function`: a backend that answers with a Python function, for tests and for trying things out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backends.backend import Capabilities
from backends.completion import Completion, Stop
from backends.request import Request


class FunctionBackend:
    """Answers by awaiting a function.

    Args:
        function: gets the request; returns a completion, or a text that becomes one. What it raises is raised.
        spec: under which name the backend stands in reports.
        capabilities: what it claims to be able to do.
        account: tells accounts apart, as a provider's does.
    """

    def __init__(
        self,
        function: Callable[[Request], Awaitable[Completion | str]],
        spec: str = "function:test",
        capabilities: Capabilities | None = None,
        account: str = "",
    ) -> None:
        self._function = function
        self._spec = spec
        self._capabilities = capabilities or Capabilities()
        self._account = account
        self.closed = False

    @property
    def spec(self) -> str:
        """The name under which the backend stands in reports."""
        return self._spec

    @property
    def identity(self) -> str:
        """The spec: a function has no revision."""
        return self._spec

    @property
    def account(self) -> str:
        """As given."""
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        """As given."""
        return self._capabilities

    async def prepare(self) -> None:
        """Nothing has to be found out."""

    async def complete(self, request: Request) -> Completion:
        """Await the function."""
        answer = await self._function(request)
        if isinstance(answer, Completion):
            return answer
        stop = Stop.COMPLETE if answer else Stop.EMPTY
        return Completion(text=answer, stop=stop, model=self._spec, backend=self._spec)

    async def aclose(self) -> None:
        """Remember that it was closed (`closed`)."""
        self.closed = True
