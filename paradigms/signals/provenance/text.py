"""Untrusted text: decoded, bounded and made safe to show."""

from __future__ import annotations

import json
import unicodedata

MAX_BYTES = 4 * 1024 * 1024
"""No single piece of metadata is read beyond this, before or after decompression."""

MAX_JSON = 2 * 1024 * 1024
"""Characters of a JSON text: what it unpacks to takes many times its size."""
MAX_WORD = 200
"""Characters of a value that should be a word, a name or a number."""

_USER_COMMENT_PREFIX = 8


def plain(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without control, bidi, invisible and unassigned characters."""
    head = text[: limit * 8]
    kept = (" " if c.isspace() else c for c in head if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def decode(data: bytes) -> str:
    """Text up to the first NUL, as UTF-8 where it is that, else as Latin-1."""
    head = data.split(b"\0", 1)[0]
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        return head.decode("latin-1")


def decode_utf16(data: bytes, *, big_endian: bool) -> str:
    """UTF-16 in the byte order that the zero bytes suggest; `big_endian` when they do not say."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").rstrip("\0")
    high, low = data[0:8192:2].count(0), data[1:8192:2].count(0)
    if high == low == 0:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    big = big_endian if high == low else high > low
    return data.decode("utf-16-be" if big else "utf-16-le", "replace").rstrip("\0")


def decode_user_comment(data: bytes, *, big_endian: bool) -> str:
    """The text of EXIF's UserComment, whose first eight bytes name its character set, or should."""
    charset, body = data[:_USER_COMMENT_PREFIX], data[_USER_COMMENT_PREFIX:]
    if charset == b"UNICODE\0":
        return decode_utf16(body, big_endian=big_endian)
    if charset in (b"ASCII\0\0\0", bytes(_USER_COMMENT_PREFIX)):
        return decode(body) if b"\0" not in body.rstrip(b"\0") else decode_utf16(body, big_endian=big_endian)
    if charset == b"JIS\0\0\0\0\0":
        return body.decode("iso2022_jp", "replace")
    return decode(data)


def word(value: object) -> str:
    """A short JSON value as text; empty for objects, lists and nothing, which may be nested without end."""
    if isinstance(value, str):
        return value[:MAX_WORD]
    return str(value)[:MAX_WORD] if isinstance(value, int | float) else ""


def load_json(text: str) -> object:
    """The value of a JSON text of at most 2 MB; None when it is none, too large, or nested too deeply."""
    if len(text) > MAX_JSON:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
