"""Where a server is: an http(s) address without secrets, and the model named beside it in a spec string."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from backends.errors import ConfigError

_PORTS = {"http": 80, "https": 443}
"""The ports that an address means without naming them."""
_MODEL_AND_URL = re.compile(r"(?P<model>.*?)@?(?P<url>https?://.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base address: `url` ends without a slash, `host` names a port other than the scheme's own."""

    url: str
    host: str
    loopback: bool

    @property
    def destination(self) -> str:
        """The host in words for people."""
        return f"{self.host} (this machine)" if self.loopback else self.host


def split_model(rest: str) -> tuple[str, str | None]:
    """The model and the address of `MODEL@URL`, `@URL` or `URL`; no address is None.

    Raises:
        ConfigError: something that is meant as an address does not begin with http:// or https://.
    """
    found = _MODEL_AND_URL.fullmatch(rest)
    if found:
        return found["model"], found["url"]
    if "://" in rest:
        raise ConfigError(f"{_without_userinfo(rest)!r} is no address: it must begin with http:// or https://.")
    return rest, None


def parse_address(url: str, default_path: str = "") -> Address:
    """Check an address; one without a path gets `default_path`.

    Raises:
        ConfigError: it is malformed, or holds something that may be a secret.
    """
    shown = _without_userinfo(url)
    if any(char.isspace() or not char.isprintable() for char in url):
        raise ConfigError(f"The address {shown!r} holds blanks or control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"The address {shown!r} is malformed.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"The address {shown!r} must begin with http:// or https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"The address {shown!r} must not hold a user or a password: keys come from the environment.")
    if parts.query or parts.fragment:
        raise ConfigError(f"The address {shown.split('?')[0].split('#')[0]!r} must end before '?' and '#'.")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    host = f"{name}:{port}" if port not in (None, _PORTS[parts.scheme]) else name
    path = parts.path.rstrip("/") or default_path
    return Address(f"{parts.scheme}://{host}{path}", host, _is_loopback(parts.hostname))


def _is_loopback(hostname: str) -> bool:
    if hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return False


def _without_userinfo(url: str) -> str:
    """The address for an error message: whatever stands before an `@` in its host part is left out."""
    return re.sub(r"//[^/]*@", "//", url)
