from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from sixlens.server.problem import form_words, words_of
from tests.sixlens.server.conftest import Serve


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, "x", "it has to be a whole number"),
        (Annotated[str, Field(max_length=9)], "\ud800", "it has to be a text without half characters"),
        (complex, "x", "it is not what is expected here; GET /v1/openapi.json says what is"),
    ],
)
def test_every_mistake_has_words_of_our_own(kind: Any, value: object, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    assert words_of(caught.value.errors()[0]) == words


def test_bounds_are_written_as_people_write_them() -> None:
    class Asked(BaseModel):
        seconds: float = Field(gt=0.0)

    with pytest.raises(ValidationError) as caught:
        Asked(seconds=0)
    assert words_of(caught.value.errors()[0]) == "it has to be more than 0"


PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


@pytest.mark.parametrize(
    ("sent", "media", "words"),
    [
        (b"--x\r\n", "multipart/form-data", "its Content-Type names no boundary"),
        (b"nothing", "multipart/form-data; boundary=x", "it is broken, or breaks off"),
        (PART % (b"reference", bytes(20_000)), "multipart/form-data; boundary=x", "one of its fields is too long"),
        (b"".join(PART % (b"a%d" % n, b"") for n in range(20)), "multipart/form-data; boundary=x", "too many fields"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x", "has no name"),
        (
            2 * (PART % (b"image", b"")).replace(b'e"', b'e"; filename="a.png"'),
            "multipart/form-data; boundary=x",
            "more than one file",
        ),
    ],
)
async def test_a_broken_form_is_told_in_words(serve: Serve, sent: bytes, media: str, words: str) -> None:
    async with serve(None) as server:
        answer = await server.client.post("/v1/judgments", content=sent, headers={"Content-Type": media})
        assert answer.status_code == 400
        message = answer.json()["error"]["message"]
        assert message.startswith("This is no multipart form that can be read: ")
        assert words in message


def test_what_no_reader_says_is_broken() -> None:
    assert form_words("") == "it is broken, or breaks off"
