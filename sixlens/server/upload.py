"""Reading a request for a judgment or an appeal: bounded in size and time, the picture never whole in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated, Any, BinaryIO

from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from sixlens.server.errors import ApiError, no_room
from sixlens.server.problem import field_of, form_words, words_of

ENVELOPE = 64 * 1024
"""Bytes that a request may have beside the picture."""
JSON_BYTES = 16 * 1024
_FIELDS = 8


def _blank_is_none(value: object) -> object:
    return None if value == "" else value


_Text = Annotated[str | None, BeforeValidator(_blank_is_none)]
_Seconds = Annotated[float | None, BeforeValidator(_blank_is_none)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class JudgmentRequest(_Asked):
    """What is asked for, beside the picture."""

    url: _Text = Field(default=None, max_length=4000, pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://")
    """Where the picture is fetched from, when it is not sent."""
    ensemble: _Text = Field(default=None, max_length=80)
    """One of those that `GET /v1/ensembles` names; None for the default."""
    reference: _Text = Field(default=None, max_length=200)
    """Your own name for it."""
    deadline_s: _Seconds = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    """Seconds that the judging may take once it has begun."""
    review: bool = False
    """A person shall look at it, whatever the verdict."""


class AppealRequest(_Asked):
    """An objection to a verdict."""

    reason: str = Field(min_length=1, max_length=2000)
    url: _Text = Field(default=None, max_length=4000, pattern=r"^[Hh][Tt][Tt][Pp][Ss]?://")


class Upload:
    """The picture that came with a request, if any. Close it when it has been copied."""

    def __init__(self, file: UploadFile | None) -> None:
        self._sent = file
        # A form without a choice sends a file without name and bytes; an empty file that has a name was meant.
        self._file = file if file is not None and (file.size or file.filename) else None

    @property
    def given(self) -> bool:
        """Whether there is one."""
        return self._file is not None

    @property
    def name(self) -> str | None:
        """As the client calls it; untrusted."""
        return None if self._file is None else self._file.filename

    @property
    def file(self) -> BinaryIO:
        """Its bytes, from the first on."""
        assert self._file is not None
        return self._file.file

    async def close(self) -> None:
        """Let go of its temporary file."""
        if self._sent is not None:
            await self._sent.close()


class _Parser(MultiPartParser):
    spool_max_size = 64 * 1024


async def read_request(request: Request, model: type[BaseModel], max_bytes: int) -> tuple[BaseModel, Upload]:
    """The fields of a request and its picture.

    Args:
        request: multipart/form-data or application/json.
        model: of the fields.
        max_bytes: the largest picture.

    Raises:
        ApiError: it is too large or wrong; one line says how.
        HTTPException: it is too slow.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    fields: object
    if media == "multipart/form-data":
        fields, upload = await _multipart(request, max_bytes)
    elif media == "application/json":
        fields, upload = await _json(request), Upload(None)
    else:
        raise ApiError(415, "unsupported_media_type", "Send multipart/form-data with `image`, or application/json.")
    try:
        return model.model_validate(fields), upload
    except ValidationError as error:
        await upload.close()
        raise invalid(error.errors()) from error


def invalid(errors: Sequence[Mapping[str, Any]]) -> ApiError:
    """What is wrong with the fields, naming each. Takes the errors as pydantic lists them."""
    problems = [{"field": field_of(one), "message": words_of(one)} for one in errors]
    message = f"{problems[0]['field']}: {problems[0]['message']}"
    return ApiError(422, "invalid", message[:300], more={"fields": problems[:20]})


def request_digest(fields: BaseModel, picture: str | None, about: str = "") -> str:
    """A hash of everything that was asked, the picture's own hash included."""
    asked = json.dumps([fields.model_dump(mode="json"), picture, about], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes]:
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and len(length) < 20 and int(length) > limit:
        raise _too_large(limit)
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> ApiError:
    shown = f"{limit / 1024**2:.4g} MiB" if limit >= 1024**2 else f"{limit / 1024:.4g} KiB"
    hint = "" if limit == JSON_BYTES else " Scale the picture down."
    return ApiError(413, "too_large", f"The request is larger than the {shown} allowed.{hint}")


async def _multipart(request: Request, max_bytes: int) -> tuple[dict[str, str], Upload]:
    stream = _bounded(request, max_bytes + ENVELOPE)
    parser = _Parser(request.headers, stream, max_files=1, max_fields=_FIELDS, max_part_size=JSON_BYTES)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        words = f"This is no multipart form that can be read: {form_words(error.message)}."
        raise ApiError(400, "bad_request", words) from error
    except OSError as error:
        raise no_room() from error
    fields: dict[str, str] = {}
    upload = Upload(None)
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and name == "image":
            upload = Upload(value)
        elif isinstance(value, UploadFile):
            await form.close()
            raise ApiError(422, "invalid", "The file belongs into the field `image`.")
        elif name in fields:
            await form.close()
            raise ApiError(422, "invalid", f"The field {name[:40]!r} is there twice.")
        elif name != "image" or value:
            fields[name] = value
    return fields, upload


async def _json(request: Request) -> object:
    data = b"".join([chunk async for chunk in _bounded(request, JSON_BYTES)])
    try:
        return json.loads(data)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ApiError(400, "bad_request", "The body is not valid JSON.") from error
