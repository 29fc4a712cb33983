"""`sixlens doctor`: what is installed and what works here. Only loopback addresses are looked at."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from importlib.util import find_spec

import PIL.features

from backends.errors import install_line
from backends.registry import describe
from sixlens.api import cache_file
from sixlens.cli.local_models import Found, find_servers
from sixlens.cli.page import show
from sixlens.cli.table import columns
from sixlens.cli.terminal import emit_json

_PACKAGES = ("sixlens", "langgraph", "openai", "anthropic", "pillow", "pydantic", "c2pa-python", "httpx2")
_FORMATS = {"JPEG": "jpg", "PNG": "zlib", "WebP": "webp", "TIFF": "libtiff", "AVIF": "avif"}
_EXTRAS = {
    "eval": "scipy",
    "local": "torch",
    "serve": "fastapi",
    "datasets": "pyarrow",
    "ray": "ray",
    "traces": "opentelemetry-sdk",
}
"""The extras that people use, each with a package out of it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `ok` is None for what is neither good nor bad."""

    what: str
    ok: bool | None
    says: str


def run_doctor(*, as_json: bool) -> None:
    """Print every check."""
    checks = list(_checks())
    if as_json:
        emit_json([asdict(check) for check in checks])
    else:
        marks = {True: "ok", False: "bad", None: "-"}
        show(columns([(marks[check.ok], check.what, check.says) for check in checks]))


def _checks() -> Iterator[Check]:
    yield Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}")
    yield from (_package(name) for name in _PACKAGES)
    yield from _formats()
    yield _cache()
    for info in describe():
        if info.key is not None:
            there = bool(os.environ.get(info.key))
            yield Check(f"key {info.key}", None, f"{'set' if there else 'not set'}, for {info.spec}")
    yield from (_extra(extra, package) for extra, package in _EXTRAS.items())
    yield from _servers(asyncio.run(find_servers()))


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, f"not installed: pip install {name}")


def _extra(extra: str, package: str) -> Check:
    there = any(distributions(name=package))
    return Check(f"extra {extra}", there or None, "installed" if there else f"not installed: {install_line(extra)}")


def _formats() -> Iterator[Check]:
    for name, feature in _FORMATS.items():
        there = bool(PIL.features.check(feature))
        yield Check(f"pictures {name}", there, "readable" if there else "this Pillow cannot read them")
    there = find_spec("pillow_heif") is not None
    yield Check("pictures HEIC", None, "readable" if there else "not readable: pip install pillow-heif")


def _cache() -> Check:
    path = cache_file()
    # Unlike Path.exists, os.path does not raise where a folder may not be searched.
    folder = next(folder for folder in path.parents if os.path.exists(folder))  # noqa: PTH110
    there = os.path.exists(path)  # noqa: PTH110
    writable = os.path.isdir(folder) and os.access(path if there else folder, os.W_OK | (0 if there else os.X_OK))  # noqa: PTH112
    return Check("cache", writable, f"{path}{'' if writable else ' cannot be written; set SIXLENS_CACHE_DIR'}")


def _servers(found: tuple[Found, ...]) -> Iterator[Check]:
    if not found:
        yield Check("model servers here", None, "none answers on the usual ports of this machine")
    for item in found:
        models = ", ".join(item.flags) or "no model that seems to see"
        yield Check(f"{item.server.name} on port {item.server.port}", None, models)
