"""Asking through an official SDK: its client sends the body, and its errors become ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

from backends.errors import BackendError, InvalidRequestError, MalformedError
from backends.providers.body import encode
from backends.providers.failures import Reply, status_failure, transport_failure, wrapped
from backends.providers.target import Target


class Client(Protocol):
    """What the SDKs' clients have in common, as far as it is used."""

    async def post(self, path: str, *, cast_to: type[httpx2.Response], content: bytes) -> httpx2.Response:
        """Send a body and give the raw answer."""
        ...


@dataclass(frozen=True, slots=True)
class Sdk:
    """An SDK by its errors. They have the same names and fields in each, and no class in common."""

    name: str
    every: type[Exception]
    status: Any
    """An answer that is no success; has a `response`."""
    connection: type[Exception]
    unreadable: type[Exception]

    def failure(self, error: Exception, target: Target) -> BackendError:
        """Our error for one of the SDK's, or of the HTTP client below it."""
        if isinstance(error, self.unreadable):
            return target.fail(MalformedError, f"{target.address.host} answered something that follows no protocol.")
        if isinstance(error, self.status):
            response = error.response
            return status_failure(Reply(response.status_code, response.headers, response.text), target)
        if isinstance(error, self.connection):
            return transport_failure(wrapped(error), target)
        if isinstance(error, self.every):
            return target.fail(InvalidRequestError, f"The {self.name} SDK gave up: {error}")
        return transport_failure(error, target)

    async def post(self, client: Client, path: str, body: Mapping[str, Any], target: Target) -> httpx2.Response:
        """The whole answer to a body, whatever its status.

        Not by the SDKs' own methods for it: the body is built in one place, here they know fewer fields than servers
        do, and warn of models near their end, which is for the caller.

        Raises:
            BackendError: there is no whole answer.
        """
        try:
            return await client.post(path, cast_to=httpx2.Response, content=encode(body))
        except self.status as error:
            response: httpx2.Response = error.response
            return response
        except (self.every, httpx2.HTTPError, ValueError) as error:
            raise self.failure(error, target) from error
