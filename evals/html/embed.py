"""Pictures inside a page."""

from __future__ import annotations

import base64

_JPEG, _PNG, _RIFF, _WEBP = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"WEBP"


def data_uri(picture: bytes) -> str:
    """An encoded picture as a data URI; what kind it is, its first bytes say.

    Raises:
        ValueError: it is neither JPEG nor PNG nor WebP.
    """
    return f"data:{_media_type(picture)};base64,{base64.b64encode(picture).decode('ascii')}"


def _media_type(picture: bytes) -> str:
    if picture.startswith(_JPEG):
        return "image/jpeg"
    if picture.startswith(_PNG):
        return "image/png"
    if picture.startswith(_RIFF) and picture[8:12] == _WEBP:
        return "image/webp"
    raise ValueError("a picture in a page is JPEG, PNG or WebP")
