"""Fetching a picture from an http(s) address, guarded: an address is data from strangers, and may point inwards.

Only public hosts are asked. A name is looked up once for each connection, every address it has is checked, and the
connection is made to exactly such an address, under the name (for `Host` and TLS): what a second lookup would say does
not matter. Redirects are followed by hand, each checked in full. There is one time limit for everything. Proxies,
cookies and credentials are not used. Messages name the host alone: paths and query strings may be secrets.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore2
import httpx2

from backends.errors import ImageError
from backends.images.image import ImageLimits

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = (
    IPv4Network("100.64.0.0/10"),  # shared by the customers of a carrier
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("168.63.129.16/32"),  # the platform of a large cloud, from inside its machines
    IPv6Network("2001::/23"),  # protocol assignments, tunnels among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Resolve = Callable[[str, int], Sequence[str]]
"""Look up a host and port: numeric addresses, best first. Raises `OSError` or `ValueError` for an unknown name."""


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Look up the addresses of a host with the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Say whether a numeric address belongs to the public internet, also when it wraps an IPv4 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public(parsed)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return _is_public(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    # `is_global` alone calls multicast global, and what else it says differs between versions of Python.
    inward = address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
    return address.is_global and not (inward or address.is_multicast or address.is_reserved)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches pictures. The parts that touch the outside can be replaced.

    `resolve` looks up a host, `allowed` says of a numeric address whether it may be connected to, `tls` makes the
    context for https.
    """

    resolve: Resolve = resolve
    allowed: Callable[[str], bool] = is_public
    tls: Callable[[], ssl.SSLContext] = lambda: httpx2.create_ssl_context(trust_env=False)

    def fetch(self, url: str, limits: ImageLimits) -> bytes:
        """Return what stands at an http(s) address.

        Raises:
            ImageError: the address is not allowed, not reachable, too slow or too large, or answers with an error. The
                message is one line and gives away no more of the address than its host.

        """
        deadline = _Deadline(limits.fetch_seconds)
        target = _parse(url)
        for _ in range(limits.max_redirects + 1):
            try:
                answer = self._get(target, deadline, limits.max_bytes)
            except httpcore2.TimeoutException as error:
                seconds = f"{limits.fetch_seconds:g} seconds"
                raise ImageError(
                    f"{_host(target)} took longer than {seconds}; download the picture yourself"
                ) from error
            except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
                raise ImageError(_failure(_host(target), error)) from error
            if isinstance(answer, bytes):
                return answer
            target = answer
        raise ImageError(f"the address redirects more than {limits.max_redirects} times")

    def _get(self, target: httpx2.URL, deadline: _Deadline, max_bytes: int) -> bytes | httpx2.URL:
        """Return the body, or where a redirect leads."""
        network = _GuardedNetwork(self, deadline)
        context = self.tls() if target.scheme == "https" else None
        url = httpcore2.URL(
            scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path or b"/"
        )
        headers = [
            (b"Host", target.netloc),
            (b"User-Agent", b"sixlens"),
            (b"Accept", b"image/*"),
            (b"Accept-Encoding", b"identity"),
            (b"Connection", b"close"),
        ]
        with (
            httpcore2.ConnectionPool(ssl_context=context, network_backend=network) as pool,
            pool.stream("GET", url, headers=headers) as response,
        ):
            found = httpx2.Headers(response.headers)
            if response.status in _REDIRECTS and "location" in found:
                return _parse(found["location"], base=target)
            _check_answer(_host(target), response.status, found, max_bytes)
            return _read(response.iter_stream(), max_bytes)


class _Deadline:
    """One time limit for many waits."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, more than zero. Raises `httpcore2.TimeoutException` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore2.TimeoutException
        return left


class _GuardedNetwork(httpcore2.NetworkBackend):
    """Connects to checked addresses only. The check and the connection use one and the same lookup."""

    def __init__(self, fetcher: Fetcher, deadline: _Deadline) -> None:
        self._fetcher = fetcher
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        del timeout, local_address, socket_options  # the deadline counts, and nothing else is asked for
        failure: httpcore2.ConnectError | None = None
        for address in self._addresses(host, port):
            try:
                stream = httpcore2.SyncBackend().connect_tcp(
                    address, port, timeout=self._deadline.left(), socket_options=[]
                )
            except httpcore2.ConnectError as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure or httpcore2.ConnectError("no address")

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        addresses = self._look_up(host, port)
        if not all(self._fetcher.allowed(address) for address in addresses):
            raise ImageError(f"{_printable(host)} is not a public address; only public ones are fetched")
        return addresses

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        """Resolve in a thread of its own: the system's resolver cannot be told how long it may take."""
        answers: queue.SimpleQueue[Sequence[str] | OSError | ValueError] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put(self._fetcher.resolve(host, port))
            except (OSError, ValueError) as error:
                answers.put(error)

        threading.Thread(target=work, name="sixlens-resolve", daemon=True).start()
        try:
            answer = answers.get(timeout=self._deadline.left())
        except queue.Empty as error:
            raise httpcore2.ConnectTimeout from error
        if isinstance(answer, OSError | ValueError) or not answer:
            cause = answer if isinstance(answer, Exception) else None
            raise ImageError(f"there is no host {_printable(host)}; check the address") from cause
        return answer


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends at the deadline, so that a server cannot drip for ever."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        del timeout
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _parse(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    what = "the address" if base is None else f"{_host(base)} redirects to an address that"
    try:
        target = httpx2.URL(url) if base is None else base.join(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise ImageError(f"{what} is not a valid web address") from error
    if target.scheme not in ("http", "https"):
        raise ImageError(f"{what} is not http or https; only these are fetched")
    port = 80 if target.port is None else target.port
    if not target.raw_host or not 1 <= port <= 65_535:
        raise ImageError(f"{what} is not a valid web address")
    if target.userinfo:
        raise ImageError(f"{what} carries a user name or password; leave it out")
    return target


def _check_answer(host: str, status: int, headers: httpx2.Headers, max_bytes: int) -> None:
    if status != 200:
        raise ImageError(f"{host} answered with status {status} instead of a picture; check the address")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ImageError(f"{host} sent a compressed answer that was not asked for; download the picture yourself")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise ImageError(_too_large(max_bytes))


def _read(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise ImageError(_too_large(max_bytes))
    return bytes(body)


def _too_large(max_bytes: int) -> str:
    return f"the file is larger than the {max_bytes / 1024**2:.4g} MiB allowed"


def _failure(host: str, error: Exception) -> str:
    if error.args and isinstance(error.args[0], ssl.SSLError):
        return f"no secure connection to {host}: its certificate is not trusted or TLS failed"
    if isinstance(error, httpcore2.ConnectError):
        return f"{host} cannot be reached; check the address and the network"
    return f"{host} dropped the connection or does not speak HTTP; try again"


def _host(target: httpx2.URL) -> str:
    return _printable(target.raw_host.decode("ascii"))


def _printable(host: str) -> str:
    return "".join(letter for letter in host if letter.isprintable())[:100]
