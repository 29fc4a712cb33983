from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backends.errors import ImageError
from backends.images.fetch import Fetcher, is_public
from backends.images.image import ImageLimits

LIMITS = ImageLimits(max_bytes=1000, fetch_seconds=5.0)
LOCAL = Fetcher(resolve=lambda host, port: ["127.0.0.1"], allowed=lambda address: True)


class PictureServer:
    """A server on this machine that answers each path with fixed bytes, and keeps what it was asked.

    An answer is a sequence of pieces: bytes are sent, numbers are seconds to wait. An endless answer repeats its last
    piece until the client goes away.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Sequence[bytes | float]] = {}
        self.endless: set[str] = set()
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []
        self._tls = tls
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept)

    def serve(self, path: str, body: bytes, status: str = "200 OK", headers: Sequence[str] = ()) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.answers[path] = ["\r\n".join(lines).encode() + body]

    def redirect(self, path: str, to: str) -> None:
        self.serve(path, b"", "302 Found", [f"Location: {to}"])

    def url(self, path: str, host: str = "pictures.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self) -> None:
        self._closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(self._answer, connection)

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(4096)
                    if not piece:
                        return
                    request += piece
                self.requests.append(request)
                path = request.split(b" ")[1].decode()
                pieces = self.answers[path]
                for part in pieces:
                    self._send(connection, part)
                while path in self.endless:
                    self._send(connection, pieces[-1])

    def _send(self, connection: socket.socket, piece: bytes | float) -> None:
        if isinstance(piece, bytes):
            connection.sendall(piece)
        else:
            self._closed.wait(piece)


@pytest.fixture
def server() -> Iterator[PictureServer]:
    server = PictureServer()
    yield server
    server.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for `pictures.example` that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pictures.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pictures.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "certificate.pem"
    file.write_bytes(certificate.public_bytes(pem) + secret)
    return file


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[PictureServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = PictureServer(context)
    yield server
    server.close()


def error_of(url: str, fetcher: Fetcher = LOCAL, limits: ImageLimits = LIMITS) -> str:
    with pytest.raises(ImageError) as caught:
        fetcher.fetch(url, limits)
    message = str(caught.value)
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.2.3", "168.63.129.16",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::", "2002:c0a8:101::",
        "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
        "", "localhost", "8.8.8", "1.2.3.4.5",
    ],
)  # fmt: skip
def test_addresses_that_lead_inwards_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
        "223.255.255.254", "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
        "2002:808:808::",
    ],
)  # fmt: skip
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


def test_fetches_a_body_under_the_name_of_the_host(server):
    server.serve("/a.png?size=1", b"picture")
    assert LOCAL.fetch(server.url("/a.png?size=1"), LIMITS) == b"picture"
    (request,) = server.requests
    assert f"Host: pictures.example:{server.port}".encode() in request
    assert b"Accept-Encoding: identity" in request
    assert b"Cookie" not in request
    assert b"Authorization" not in request


def test_a_chunked_body_is_put_together(server):
    server.answers["/a"] = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npic\r\n",
        b"4\r\nture\r\n0\r\n\r\n",
    ]
    assert LOCAL.fetch(server.url("/a"), LIMITS) == b"picture"


def test_the_proxy_of_the_environment_is_not_used(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.serve("/a", b"picture")
    assert LOCAL.fetch(server.url("/a"), LIMITS) == b"picture"


def test_the_default_refuses_this_machine(server):
    server.serve("/a", b"picture")
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert "not a public address" in error_of(server.url("/a", host), Fetcher())
    assert server.requests == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "0"])
def test_this_machine_in_disguise_is_refused(server, host):
    """The system's resolver reads these as 127.0.0.1 or 0.0.0.0, whatever a URL parser makes of them."""
    fetcher = Fetcher(resolve=lambda name, port: [socket.inet_ntoa(socket.inet_aton(name))])
    assert "not a" in error_of(server.url("/a", host), fetcher)
    assert server.requests == []


def test_one_private_address_among_public_ones_refuses_the_host(server):
    fetcher = Fetcher(resolve=lambda host, port: ["93.184.215.14", "10.0.0.7"])
    assert error_of(server.url("/a"), fetcher).startswith("pictures.example is not a public address")


def test_what_is_checked_is_what_is_connected_to(server):
    """A name that answers publicly first and privately afterwards gets no second question."""
    server.serve("/a", b"picture")
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])
    checked = []

    def allowed(address):
        checked.append(address)
        return address == "127.0.0.1"

    fetcher = Fetcher(resolve=lambda host, port: next(answers), allowed=allowed)
    assert fetcher.fetch(server.url("/a"), LIMITS) == b"picture"
    assert checked == ["127.0.0.1"]
    assert next(answers) == ["10.9.9.9"]


def test_the_next_address_is_tried_when_one_does_not_answer(server):
    server.serve("/a", b"picture")
    fetcher = Fetcher(resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"], allowed=lambda address: True)
    assert fetcher.fetch(server.url("/a"), LIMITS) == b"picture"


def test_redirects_are_followed_and_each_is_checked(server):
    server.redirect("/a", "/b?c=1")
    server.redirect("/b?c=1", server.url("/c", "other.example"))
    server.serve("/c", b"picture")
    hosts = []

    def look_up(host, port):
        hosts.append(host)
        return ["127.0.0.1"]

    fetcher = Fetcher(resolve=look_up, allowed=lambda address: True)
    assert fetcher.fetch(server.url("/a"), LIMITS) == b"picture"
    assert hosts == ["pictures.example", "pictures.example", "other.example"]


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[::1]", "localhost"])
def test_a_redirect_inwards_is_refused(server, host):
    server.redirect("/a", f"http://{host}/latest")

    def look_up(name, port):
        return {"pictures.example": ["127.0.0.1"], "localhost": ["::1", "127.0.0.1"]}.get(name, [name])

    first = iter([True])
    fetcher = Fetcher(resolve=look_up, allowed=lambda address: next(first, False) or is_public(address))
    assert "not a public address" in error_of(server.url("/a"), fetcher)
    assert len(server.requests) == 1


def test_the_number_of_redirects_is_limited(server):
    server.redirect("/a", "/a")
    assert error_of(server.url("/a")) == "the address redirects more than 3 times"
    assert len(server.requests) == 4
    assert "more than 0 times" in error_of(server.url("/a"), limits=ImageLimits(max_redirects=0))


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("ftp://pictures.example/a", "redirects to an address that is not http or https"),
        ("file:///etc/passwd", "redirects to an address that is not http or https"),
        ("gopher://x", "redirects to an address that is not http or https"),
        ("http://[::1", "is not a valid web address"),
        ("http://me:secret@pictures.example/", "carries a user name or password"),
    ],
)
def test_redirects_to_elsewhere_are_refused(server, to, expected):
    server.redirect("/a", to)
    message = error_of(server.url("/a"))
    assert expected in message
    assert "secret" not in message


def test_https_is_checked_against_the_name_while_the_address_is_pinned(tls_server, certificate):
    tls_server.serve("/a", b"picture")
    fetcher = Fetcher(
        resolve=LOCAL.resolve,
        allowed=LOCAL.allowed,
        tls=lambda: ssl.create_default_context(cafile=certificate),
    )
    assert fetcher.fetch(tls_server.url("/a", scheme="https"), LIMITS) == b"picture"
    assert tls_server.server_names == ["pictures.example"]
    assert "certificate is not trusted" in error_of(tls_server.url("/a", "other.example", "https"), fetcher)


def test_https_does_not_trust_strangers(tls_server):
    tls_server.serve("/a", b"picture")
    assert "certificate is not trusted" in error_of(tls_server.url("/a", scheme="https"))
    assert tls_server.requests == []


def test_the_certificates_of_the_environment_are_not_used(tls_server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert "certificate is not trusted" in error_of(tls_server.url("/a", scheme="https"))


def test_a_body_larger_than_it_may_be_is_refused_before_and_while_it_comes(server):
    server.serve("/said", b"x" * 1001)
    server.answers["/unsaid"] = [b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536]
    server.endless.add("/unsaid")
    server.serve("/fits", b"x" * 1000)
    assert "larger than" in error_of(server.url("/said"))
    assert "larger than" in error_of(server.url("/unsaid"))
    assert len(LOCAL.fetch(server.url("/fits"), LIMITS)) == 1000


@pytest.mark.parametrize(
    "pieces",
    [
        [5.0],
        [b"HTTP/1.1 200 OK\r\nX-Slow: ", *([b"x", 0.05] * 100)],
        [b"HTTP/1.1 200 OK\r\n\r\n", *([b"x", 0.05] * 100)],
    ],
    ids=["silent", "drips its headers", "drips its body"],
)
def test_a_slow_server_is_left_at_the_time_limit(server, pieces):
    server.answers["/a"] = pieces
    start = time.monotonic()
    message = error_of(server.url("/a"), limits=ImageLimits(fetch_seconds=0.3))
    assert message.startswith("pictures.example took longer than 0.3 seconds")
    assert time.monotonic() - start < 4


def test_the_time_limit_spans_redirects_and_looking_up(server):
    server.redirect("/a", "/a")

    def slow(host, port):
        time.sleep(0.15)
        return ["127.0.0.1"]

    fetcher = Fetcher(resolve=slow, allowed=lambda address: True)
    limits = ImageLimits(fetch_seconds=0.4, max_redirects=100)
    assert "took longer than 0.4 seconds" in error_of(server.url("/a"), fetcher, limits)


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "unknown"), UnicodeError("label too long"), None])
def test_an_unknown_host_is_named(failure):
    def look_up(host, port):
        if failure is not None:
            raise failure
        return []

    message = error_of("http://nowhere.example/a?key=secret", Fetcher(resolve=look_up))
    assert message == "there is no host nowhere.example; check the address"


def test_a_host_that_cannot_be_reached_is_named():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "x.example cannot be reached" in error_of(f"http://x.example:{port}/")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", "dropped the connection"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxxx", "dropped the connection"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "status 304"),
        (b"HTTP/1.1 206 Partial\r\nContent-Length: 1\r\n\r\nx", "status 206"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "status 302"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "compressed"),
    ],
)
def test_answers_that_are_no_picture(server, answer, expected):
    server.answers["/a"] = [answer]
    assert expected in error_of(server.url("/a"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ftp://x.example/a", "not http or https"),
        ("http://", "not a valid web address"),
        ("http:///a", "not a valid web address"),
        ("http://x.example:99999/", "not a valid web address"),
        ("http://x.example:0/", "not a valid web address"),
        ("http://[::1/", "not a valid web address"),
        ("http://1.2.3.4.5.6:x/", "not a valid web address"),
        ("http://x.example/\n", "not a valid web address"),
        ("http://\ud800.example/", "not a valid web address"),
        ("http://" + "x" * 70_000, "not a valid web address"),
        ("http://me@x.example/", "user name or password"),
        ("http://me:secret@x.example/", "user name or password"),
    ],
)
def test_addresses_that_are_none(url, expected):
    message = error_of(url)
    assert expected in message
    assert "secret" not in message


def test_messages_do_not_give_the_address_away(server):
    server.answers["/path-secret?key=query-secret"] = [b"HTTP/1.1 500 Oops\r\n\r\n"]
    message = error_of(server.url("/path-secret?key=query-secret#part-secret"))
    assert message.startswith("pictures.example answered with status 500")
    assert "secret" not in message
