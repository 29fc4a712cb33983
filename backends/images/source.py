"""Turning what a user gives into an `Image`: a path, bytes, a PIL image, standard input, a data URI, a web address."""

from __future__ import annotations

import base64
import binascii
import errno
import io
import os
import re
import stat
import sys
import unicodedata
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, BinaryIO

import PIL.Image

from backends.errors import ImageError
from backends.images.decode import DAMAGE, orientation_of, turn_upright
from backends.images.image import DEFAULT_LIMITS, Image, ImageLimits
from backends.images.quiet import quiet

if TYPE_CHECKING:
    from backends.images.fetch import Fetcher

Source = str | bytes | os.PathLike[str] | PIL.Image.Image
"""What can be loaded. A string is a path, `-`, a `data:` URI or a web address."""

_LONGEST_NAME = 120
_LONGEST_MESSAGE = 300
_CHUNK = 1024 * 1024

_WEB = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # what a terminal could obey or not show

_CLAIMS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", "image/jpeg", "image/jpg"), ("JPEG", "MPO")),
    **dict.fromkeys((".png", ".apng", "image/png", "image/apng"), ("PNG",)),
    **dict.fromkeys((".webp", "image/webp"), ("WEBP",)),
    **dict.fromkeys((".gif", "image/gif"), ("GIF",)),
    **dict.fromkeys((".tif", ".tiff", "image/tiff"), ("TIFF",)),
    **dict.fromkeys((".bmp", ".dib", "image/bmp"), ("BMP",)),
    **dict.fromkeys((".avif", "image/avif"), ("AVIF",)),
    **dict.fromkeys((".heic", ".heif", "image/heic", "image/heif"), ("HEIF",)),
}

_LOSSLESS_PNG = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B"})
_LOSSLESS_TIFF = frozenset({"I", "F", "CMYK"})
_TO_LOSSLESS = {"PA": "RGBA", "RGBa": "RGBA", "La": "LA", "I;16L": "I;16", "I;16N": "I;16"}

_OS_REASONS = {
    errno.ENOENT: "there is no such file; check the path",
    errno.ENOTDIR: "there is no such file; a part of its path is not a folder",
    errno.EACCES: "the file may not be read; check its permissions",
    errno.EPERM: "the file may not be read; check its permissions",
    errno.ELOOP: "the file is a symbolic link that leads in a circle",
    errno.ENAMETOOLONG: "the name of the file is too long",
}

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder; name the pictures in it"),
    (stat.S_ISFIFO, "a pipe, not a file; use - to read standard input"),
    (stat.S_ISSOCK, "a socket, not a file"),
    (stat.S_ISCHR, "a device, not a file"),
    (stat.S_ISBLK, "a device, not a file"),
)


@dataclass(frozen=True, slots=True)
class _Label:
    """What is known of a source before it is read. `claim` is the file extension or media type that it goes by."""

    name: str
    path: str | None = None
    claim: str = ""


def load_image(
    source: Source,
    *,
    allow_urls: bool = False,
    limits: ImageLimits = DEFAULT_LIMITS,
    stdin: BinaryIO | None = None,
    fetcher: Fetcher | None = None,
) -> Image:
    """Read and decode one picture.

    Args:
        source: a path, the bytes of a file, a PIL image, `-` for standard input, a `data:` URI or an http(s) address.
        allow_urls: fetch web addresses; otherwise they are refused.
        limits: what is accepted.
        stdin: what to read for `-`; the standard input of the process by default.
        fetcher: how to fetch; only public hosts by default.

    Raises:
        ImageError: the picture cannot be read or is refused. The message is one line of at most 300 characters, safe
            for a terminal, and says what to do.

    """
    label = _label(source)
    notes: tuple[str, ...] = ()
    try:
        if isinstance(source, PIL.Image.Image):
            data = _encode(source, limits)
            notes = ("given as a PIL image, kept without loss and without metadata",)
        else:
            data = _read(source, allow_urls, limits, stdin, fetcher)
        image = Image.read(data, name=label.name, path=label.path, notes=notes, limits=limits)
    except ImageError as error:
        raise ImageError(f"{label.name}: {error}"[:_LONGEST_MESSAGE]) from error
    formats = _CLAIMS.get(label.claim)
    if formats is None or image.format in formats:
        return image
    return image.noted(f"named {label.claim} but is {image.format}")


def display_name(text: str) -> str:
    """Return text as one line of at most 120 characters that no terminal obeys: no control, bidi or hidden ones."""
    clean = "".join(letter for letter in text if unicodedata.category(letter) not in _HIDDEN).strip()
    if len(clean) > _LONGEST_NAME:
        tail = PurePath(clean).suffix[-10:]
        clean = f"{clean[: _LONGEST_NAME - len(tail) - 1]}…{tail}"
    return clean or "unnamed picture"


def written_path(source: str) -> str | None:
    """The path or address as a record may hold it: no user, query or fragment of an address, None for a data URI."""
    return _label(source).path


def written_name(source: str) -> str:
    """What the picture is called on its own: the last part of its path or address, without hidden characters."""
    return _label(source).name


def _label(source: object) -> _Label:
    if isinstance(source, PIL.Image.Image):
        return _Label("PIL image")
    if isinstance(source, bytes):
        return _Label("bytes")
    if isinstance(source, str):
        if source == "-":
            return _Label("standard input", "-")
        if _is_data_uri(source):
            return _Label("data URI", claim=source[5:100].partition(",")[0].partition(";")[0].strip().lower())
        if _WEB.match(source):
            return _web_label(source)
    if isinstance(source, str | os.PathLike):
        path = os.fsdecode(source)
        # Names that are not UTF-8 come as lone surrogates, which no record can be written with.
        written = path.encode("utf-8", "backslashreplace").decode()
        return _Label(display_name(PurePath(written).name or written), written, PurePath(path).suffix.lower())
    return _Label("picture")


def _web_label(url: str) -> _Label:
    """Label an address without its user, query string and fragment, which may be secrets."""
    scheme, _, rest = url.partition("://")
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    authority, slash, path = place.partition("/")
    host = authority.rpartition("@")[2]
    last = urllib.parse.unquote(path.rpartition("/")[2])
    written = f"{scheme}://{host}{slash}{path}".encode("utf-8", "backslashreplace").decode()
    return _Label(display_name(last or host), written, PurePath(last).suffix.lower())


def _is_data_uri(source: str) -> bool:
    return source[:5].lower() == "data:"


def _read(
    source: object,
    allow_urls: bool,
    limits: ImageLimits,
    stdin: BinaryIO | None,
    fetcher: Fetcher | None,
) -> bytes:
    if isinstance(source, bytes):
        return _bounded(source, limits)
    if isinstance(source, str):
        if not source:
            raise ImageError("the name is empty; give a path")
        if source == "-":
            return _read_stdin(stdin, limits)
        if _is_data_uri(source):
            return _read_data_uri(source, limits)
        if _WEB.match(source):
            if not source.lower().startswith(("http://", "https://")):
                raise ImageError("only http(s) addresses and plain paths are read; give the path without a scheme")
            if not allow_urls:
                raise ImageError("web addresses are not fetched unless you allow it: --allow-urls, or allow_urls=True")
            return (fetcher or _default_fetcher()).fetch(source, limits)
    if isinstance(source, str | os.PathLike):
        return _read_file(source, limits)
    raise ImageError(f"an object of type {type(source).__name__} is no picture; give a path, bytes or a PIL image")


def _default_fetcher() -> Fetcher:
    # The HTTP client takes longer to import than everything else here, and most pictures are files.
    from backends.images.fetch import Fetcher

    return Fetcher()


def _bounded(data: bytes, limits: ImageLimits) -> bytes:
    if len(data) > limits.max_bytes:
        raise _too_large(limits)
    return data


def _too_large(limits: ImageLimits) -> ImageError:
    return ImageError(
        f"the file is larger than the {limits.max_bytes / 1024**2:.4g} MiB allowed; scale the picture down"
    )


def _read_file(path: str | os.PathLike[str], limits: ImageLimits) -> bytes:
    # Opening a pipe would wait for a writer, opening a device may do things: so look first. What is opened may be
    # another file than what was looked at: so do not wait, and look again.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    try:
        _check_regular(Path(path).stat().st_mode)
        with os.fdopen(os.open(path, flags), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            _check_regular(status.st_mode)
            if status.st_size > limits.max_bytes:
                raise _too_large(limits)
            return _read_stream(file, limits)
    except OSError as error:
        reason = _OS_REASONS.get(error.errno or 0, f"the file cannot be read ({error.strerror})")
        raise ImageError(reason) from error
    except ValueError as error:
        raise ImageError("no file can have such a name") from error


def _check_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "not a regular file")
    raise ImageError(f"this is {kind}")


def _read_stream(stream: BinaryIO | io.FileIO, limits: ImageLimits) -> bytes:
    data = bytearray()
    while len(data) <= limits.max_bytes and (chunk := stream.read(min(_CHUNK, limits.max_bytes + 1 - len(data)))):
        data += chunk
    return _bounded(bytes(data), limits)


def _read_stdin(stdin: BinaryIO | None, limits: ImageLimits) -> bytes:
    stream = stdin if stdin is not None else getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise ImageError("there is no standard input")
    try:
        if stream.isatty():
            raise ImageError("standard input is a terminal; pipe a picture into it")
        return _read_stream(stream, limits)
    except (OSError, ValueError) as error:
        raise ImageError("standard input cannot be read") from error


def _read_data_uri(uri: str, limits: ImageLimits) -> bytes:
    header, comma, payload = uri[5:].partition(",")
    if not comma:
        raise ImageError("the data URI has no comma, so no data; give data:image/…;base64,…")
    # A byte takes up to three characters, and some room is left for line breaks.
    if len(payload) > 4 * limits.max_bytes + 1024:
        raise _too_large(limits)
    raw = urllib.parse.unquote_to_bytes(payload)
    if header.rpartition(";")[2].strip().lower() != "base64":
        return _bounded(raw, limits)
    packed = b"".join(raw.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return _bounded(base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True), limits)
    except binascii.Error as error:
        raise ImageError("the data URI is not valid base64") from error


def _encode(picture: PIL.Image.Image, limits: ImageLimits) -> bytes:
    """Write a PIL image to a file in memory, without loss, upright, without metadata."""
    if picture.width * picture.height > limits.max_pixels:
        raise ImageError(f"the picture has {picture.width} × {picture.height} pixels, more than allowed; scale it down")
    if not picture.width or not picture.height:
        raise ImageError("the picture has no pixels")
    try:
        with quiet:
            return _bounded(_write(picture), limits)
    except DAMAGE as error:
        raise ImageError("the PIL image cannot be loaded or encoded") from error


def _write(picture: PIL.Image.Image) -> bytes:
    picture.load()
    clean = turn_upright(picture.copy(), orientation_of(picture))
    kept: dict[str | tuple[int, int], Any] = {
        key: clean.info[key] for key in ("transparency", "icc_profile") if clean.info.get(key) is not None
    }
    if clean.mode not in _LOSSLESS_PNG | _LOSSLESS_TIFF:
        clean = clean.convert(_TO_LOSSLESS.get(clean.mode, "RGB"))
    clean.info = kept
    buffer = io.BytesIO()
    if clean.mode in _LOSSLESS_TIFF:
        clean.save(buffer, "TIFF")
    else:
        clean.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
