"""Base64 of pictures, made once for each picture: the calls of one case send the same bytes again and again."""

from __future__ import annotations

import base64
from collections import OrderedDict

from backends.request import Picture

MAX_CHARS = 32 * 1024 * 1024


class EncodedPictures:
    """A small store of base64 texts by the digest of the picture; the one used longest ago goes first.

    Args:
        max_chars: how many characters of base64 are kept at most.

    """

    def __init__(self, max_chars: int = MAX_CHARS) -> None:
        self._max_chars = max_chars
        self._chars = 0
        self._texts: OrderedDict[str, str] = OrderedDict()

    def base64(self, picture: Picture) -> str:
        """The picture's bytes in base64."""
        text = self._texts.get(picture.sha256)
        if text is not None:
            self._texts.move_to_end(picture.sha256)
            return text
        text = base64.b64encode(picture.data).decode("ascii")
        self._texts[picture.sha256] = text
        self._chars += len(text)
        while self._chars > self._max_chars and len(self._texts) > 1:
            _, oldest = self._texts.popitem(last=False)
            self._chars -= len(oldest)
        return text

    def data_uri(self, picture: Picture) -> str:
        """The picture as a data URI."""
        return f"data:{picture.media_type};base64,{self.base64(picture)}"
