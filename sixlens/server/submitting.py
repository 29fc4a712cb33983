"""Taking a judgment in: from a request's fields and picture to an id that waits."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from pathlib import PurePath

from backends.errors import ImageError, UnknownNameError
from backends.images.source import display_name, written_path
from sixlens.server import judgment_rows as rows
from sixlens.server.errors import ApiError, StorageError, no_room
from sixlens.server.judgment_rows import NewJudgment, Row
from sixlens.server.pictures import Spooled, shown_name
from sixlens.server.service import Service
from sixlens.server.upload import AppealRequest, JudgmentRequest, Upload, request_digest

MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class Taken:
    """A judgment that was taken in."""

    id: str
    replayed: bool = False
    """An earlier request with the same key had asked for it."""


async def take_in(service: Service, asked: JudgmentRequest, upload: Upload, key: str | None) -> Taken:
    """Keep a new judgment, or find the one of an earlier request with the same key.

    Raises:
        ApiError: the request is wrong, or the key stands for another request.
    """
    _check(service, asked, upload, key)
    ident = str(uuid.uuid4())
    name, suffix, spooled = await _keep(service, ident, asked.url, upload)
    digest = request_digest(asked, None if spooled is None else spooled.sha256)
    new = NewJudgment(
        id=ident,
        created_at=time.time(),
        ensemble=asked.ensemble or service.judges.default,
        request_sha256=digest,
        name=name,
        reference=asked.reference,
        deadline_s=asked.deadline_s,
        asked=asked.review,
        url=asked.url,
        suffix=suffix,
        sha256=None if spooled is None else spooled.sha256,
        bytes=None if spooled is None else spooled.bytes,
        idempotency_key=key,
    )
    return await _submit(service, new)


async def take_appeal(service: Service, row: Row, asked: AppealRequest, upload: Upload) -> Taken:
    """Keep the judgment that follows an appeal: of a better file, or of the same one if it is kept.

    Raises:
        ApiError: the appeal is not possible.
    """
    if row["superseded_by"] is not None:
        message = "A newer judgment stands in its place; appeal against that one."
        raise ApiError(409, "superseded", message, more={"judgment": row["superseded_by"]})
    if row["status"] not in ("done", "failed"):
        raise ApiError(409, "not_done", "It is not judged yet.")
    if any(one["status"] in ("queued", "running") for one in row["appeals"]):
        raise _under_way()
    if upload.given and asked.url is not None:
        raise ApiError(422, "invalid", "Send either a better picture in the field `image`, or its `url`, not both.")
    if asked.url is not None and not service.settings.allow_urls:
        raise _no_urls()
    ident = str(uuid.uuid4())
    name, suffix, sha256, size = row["name"], row["suffix"], row["sha256"], row["bytes"]
    if upload.given or asked.url is not None:
        name, suffix, spooled = await _keep(service, ident, asked.url, upload)
        sha256, size = (None, None) if spooled is None else (spooled.sha256, spooled.bytes)
    else:
        await _link(service, ident, row)
    new = NewJudgment(
        id=ident,
        created_at=time.time(),
        ensemble=row["ensemble"] if row["ensemble"] in service.judges else service.judges.default,
        request_sha256=request_digest(asked, sha256, row["id"]),
        name=name,
        reference=row["reference"],
        deadline_s=row["deadline_s"],
        url=asked.url,
        suffix=suffix,
        sha256=sha256,
        bytes=size,
        supersedes=row["id"],
        appeal=asked.reason,
    )
    return await _submit(service, new)


def _check(service: Service, asked: JudgmentRequest, upload: Upload, key: str | None) -> None:
    if upload.given == (asked.url is not None):
        raise ApiError(422, "invalid", "Send either a picture in the field `image`, or a `url`.")
    if asked.url is not None and not service.settings.allow_urls:
        raise _no_urls()
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise ApiError(422, "invalid", f"An Idempotency-Key has 1 to {MAX_KEY} printable characters.")
    longest = service.settings.max_deadline_s
    if asked.deadline_s is not None and asked.deadline_s > longest:
        raise ApiError(422, "invalid", f"deadline_s is {asked.deadline_s:g}; it may be {longest:g} at most.")
    try:
        service.judges.get(asked.ensemble)
    except UnknownNameError as error:
        raise ApiError(422, "invalid", str(error)) from error


def _under_way() -> ApiError:
    return ApiError(409, "appeal_under_way", "An appeal against it is under way.")


def _no_urls() -> ApiError:
    return ApiError(422, "urls_not_allowed", "This server fetches no addresses; send the picture itself.")


async def _keep(service: Service, ident: str, url: str | None, upload: Upload) -> tuple[str, str, Spooled | None]:
    """Shown name, suffix and digest of the picture, which is kept now; of an address only its name."""
    if url is not None:
        place = written_path(url) or ""
        return display_name(PurePath(place).name or place), "", None
    name, suffix = shown_name(upload.name)
    try:
        return name, suffix, await asyncio.to_thread(service.pictures.spool, ident, suffix, upload.file)
    except ImageError as error:
        raise ApiError(415, "not_a_picture", f"{name}: {error}") from error
    except StorageError as error:
        raise no_room() from error


async def _link(service: Service, ident: str, row: Row) -> None:
    try:
        linked = row["kept"] and await asyncio.to_thread(service.pictures.link, ident, row["id"], row["suffix"])
    except StorageError as error:
        raise no_room() from error
    if not linked:
        message = "The picture is not kept any more: send it again, or a better file, as `image`."
        raise ApiError(409, "picture_gone", message)


async def _submit(service: Service, new: NewJudgment) -> Taken:
    """Let it wait; when the key of an earlier request comes again, the copy of the picture goes."""
    try:
        ident, digest = await service.queue.submit(new)
    except rows.AppealUnderWayError as error:
        await asyncio.to_thread(service.pictures.remove, new.id, new.suffix)
        raise _under_way() from error
    except StorageError as error:
        await asyncio.to_thread(service.pictures.remove, new.id, new.suffix)
        raise ApiError(507, "no_room", "The server cannot keep the judgment now; its disk may be full.") from error
    if ident == new.id:
        return Taken(ident)
    await asyncio.to_thread(service.pictures.remove, new.id, new.suffix)
    if digest != new.request_sha256:
        message = "This Idempotency-Key was used for another request; take a new one."
        raise ApiError(422, "idempotency_key_reused", message, more={"judgment": ident})
    return Taken(ident, replayed=True)


async def earlier(service: Service, key: str | None) -> bool:
    """Whether a request with this key was taken in before: then it needs no place in the queue."""
    return key is not None and await service.store.run(rows.find_replay, key) is not None
