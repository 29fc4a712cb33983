"""How a server is set up, and what is refused before it starts."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from backends.errors import ConfigError
from backends.images.image import ImageLimits
from orchestrator.config import Overrides

TOKEN_VARIABLE = "SIXLENS_TOKEN"
SHORTEST_TOKEN = 16
"""Characters, inclusive; shorter ones can be guessed."""
MAX_WAIT = 120.0
"""Seconds that one request may wait for a verdict."""
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What a server is started with."""

    data_dir: Path
    """The folder of the database and of the pictures."""
    host: str = "127.0.0.1"
    port: int = 8080
    ensembles: tuple[str, ...] = ()
    """Names or YAML files; the first is the default. None: what the command line's `judge` would use."""
    overrides: Overrides = field(default_factory=Overrides)
    cache: bool = True
    """Keep answers of models in the data folder, so that the same question is not asked twice."""
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    """Further names that a request may call this server by, for example that of a reverse proxy."""
    allow_urls: bool = False
    concurrency: int = 4
    """Pictures judged at once, at least 1."""
    queue: int = 64
    """Judgments that wait beside those; more are refused with 429. 0 or more."""
    max_bytes: int = 50 * 1024 * 1024
    """The largest picture, in bytes."""
    max_pixels: int = 100_000_000
    """The largest picture, in pixels: judging one takes up to 9 bytes of memory for each, at times for all at once."""
    max_deadline_s: float = 600.0
    """The longest `deadline_s`."""
    keep_pictures: bool = False
    """Keep every picture as long as its judgment."""
    retention_days: float = 200.0
    """Judgments older than this are deleted."""
    review_share: float = 0.02
    """The share of decided judgments that a person looks at, 0 to 1."""
    grace_s: float = 30.0
    """How long a server that is told to stop works on what is under way, in seconds."""
    body_s: float = 120.0
    """How long a client may take to send a request, in seconds."""
    uploads: int = 16
    """Requests whose bodies are read at once; others wait, unread."""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def loopback(self) -> bool:
        """Whether only programs on this machine can reach the address."""
        return is_loopback(self.host)

    @property
    def hosts(self) -> frozenset[str] | None:
        """The names, in lower case and without a port, that a request may call this server by; None for any.

        A page of another site can make a browser resolve that site's own name to this machine. It would then still call
        the server by that name. Beyond loopback a token stands in the way, which such a page does not have.
        """
        if not self.loopback and not self.allowed_hosts:
            return None
        own = f"[{self.host}]" if ":" in self.host else self.host
        return _LOCAL_NAMES | {own.lower()} | {name.lower() for name in self.allowed_hosts}

    @property
    def limits(self) -> ImageLimits:
        """What a picture may weigh."""
        return ImageLimits(max_bytes=self.max_bytes, max_pixels=self.max_pixels)

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the server."""
        host = self.host if self.host not in ("0.0.0.0", "::") else "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def is_token(self, text: str) -> bool:
        """Whether this is the token. Takes as long for a near miss as for a far one."""
        return self.token is not None and hmac.compare_digest(text.encode(), self.token.encode())


def is_loopback(host: str) -> bool:
    """Whether an address, or the name `localhost`, is one that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def default_data_dir() -> Path:
    """Where judgments are kept when nobody says otherwise."""
    return platformdirs.user_data_path("sixlens") / "server"


def read_token(path: Path | None, environment: Mapping[str, str]) -> str | None:
    """The token: the first line of a file, or else `SIXLENS_TOKEN`; None when there is neither.

    Raises:
        ConfigError: the file cannot be read or is empty.
    """
    if path is None:
        return environment.get(TOKEN_VARIABLE) or None
    try:
        with path.open(encoding="utf-8") as file:
            token = file.readline(4096).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the token cannot be read from it; give a text file with the token.") from error
    if not token:
        raise ConfigError(f"{path}: its first line is empty; put the token there.")
    return token


def _check(settings: ServerSettings) -> None:
    token = settings.token
    if token is None and not settings.loopback:
        raise ConfigError(
            f"{settings.host} can be reached from other machines, so a token is required: set {TOKEN_VARIABLE} or give "
            "--token-file. Or leave --host out to serve this machine alone."
        )
    if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise ConfigError(f"The token needs at least {SHORTEST_TOKEN} printable ASCII characters.")
    bounds = (
        ("--port", settings.port, 0, 65535),
        ("--concurrency", settings.concurrency, 1, 256),
        ("--queue", settings.queue, 0, 100_000),
        ("--max-bytes", settings.max_bytes, 1024, 1024**3),
        ("--max-pixels", settings.max_pixels, 4096, 178_000_000),
        ("--retention-days", settings.retention_days, 0.001, 36_500),
        ("--review-share", settings.review_share, 0, 1),
        ("--grace", settings.grace_s, 0, 3600),
    )
    for name, value, low, high in bounds:
        if not low <= value <= high:
            raise ConfigError(f"{name} is {value:g}; it must be {low:g} to {high:g}.")
