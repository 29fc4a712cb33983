"""What several routes share: parameters, documented responses, paging, streams of lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from paradigms.label import Label
from sixlens.server.errors import ApiError
from sixlens.server.judgment_rows import Filter
from sixlens.server.records import ErrorBody, Status
from sixlens.server.service import Service

Responses = dict[int | str, dict[str, Any]]
Id = Annotated[
    str, Path(alias="id", max_length=64, description="A judgment's id, or the id that stands in its verdict.")
]
ReviewId = Annotated[str, Path(alias="id", max_length=64, description="A review's id.")]
Cursor = Annotated[str | None, Query(max_length=20, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]
Format = Annotated[Literal["jsonl", "csv"], Query(alias="format", description="One JSON object a line, or a table.")]

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_TYPES: Mapping[str, str] = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def service_of(request: Request) -> Service:
    """The service behind the server."""
    return cast("Service", request.app.state.service)


Shared = Annotated[Service, Depends(service_of)]


def errors(*statuses: int) -> Responses:
    """Documented errors of these statuses."""
    return {status: {"model": ErrorBody} for status in statuses}


def chosen(
    status: Status | None = None,
    label: Label | None = None,
    reference: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[AwareDatetime | None, Query(description="Inclusive, with a time zone.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Exclusive, with a time zone.")] = None,
) -> Filter:
    """The filter in a request's query."""
    return Filter(status, None if label is None else label.value, reference, _seconds(since), _seconds(until))


Chosen = Annotated[Filter, Depends(chosen)]


def _seconds(time: datetime | None) -> float | None:
    try:
        return None if time is None else time.timestamp()
    except (OverflowError, ValueError) as error:
        raise ApiError(422, "invalid", "A time is out of range.") from error


def position(cursor: str | None) -> int | None:
    """The place in a list that a cursor stands for."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and int(cursor) < 2**63):
        raise ApiError(422, "invalid", "This is no cursor; take `next_cursor` of the page before.")
    return int(cursor)


def next_cursor(rows: list[dict[str, Any]], limit: int) -> str | None:
    """What the next page begins with; None when there is none."""
    return str(rows[-1]["seq"]) if len(rows) == limit else None


def stream(rows: AsyncIterator[Mapping[str, Any]], form: str, columns: Iterable[str], name: str) -> StreamingResponse:
    """Rows as a file, written as they come."""
    lines = _jsonl(rows) if form == "jsonl" else _csv(rows, tuple(columns))
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return StreamingResponse(lines, media_type=_TYPES[form], headers=headers)


async def _jsonl(rows: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[str]:
    async for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


async def _csv(rows: AsyncIterator[Mapping[str, Any]], columns: tuple[str, ...]) -> AsyncIterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    yield buffer.getvalue()
    async for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([_cell(row.get(column)) for column in columns])
        yield buffer.getvalue()


def _cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
