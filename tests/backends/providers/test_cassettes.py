"""Conversations recorded with servers written by others (see `record.py`), replayed with the network refused."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

from backends.errors import ConnectError
from backends.registry import open_backend
from backends.request import Message, Request, Text

FOLDER = Path(__file__).parent / "cassettes"


def _load_record():
    spec = importlib.util.spec_from_file_location("record_of_backends", Path(__file__).with_name("record.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


record = _load_record()
EXPECTED = {name: json.loads((FOLDER / name / "expected.json").read_text("utf-8")) for name in record.RECORDINGS}


@pytest.fixture(autouse=True)
def no_network_at_all(monkeypatch):
    """A replay touches no socket, not even one of this machine."""
    import socket

    def refuse(*args, **kwargs):
        raise AssertionError("a replay opens a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(variable, "sixlens-replay-key-1")


@pytest.mark.parametrize("recording", record.RECORDINGS)
@pytest.mark.parametrize("name", list(record.conversations()))
async def test_a_recorded_conversation_comes_out_the_same(recording, name):
    with record.tape(recording, name) as cassette:
        outcome = await record.outcome(EXPECTED[recording]["spec"], record.conversations()[name])
    assert outcome == EXPECTED[recording]["outcomes"][name]
    assert cassette.all_played


@pytest.mark.parametrize("recording", record.RECORDINGS)
async def test_another_picture_is_another_request(recording):
    request = record.conversations()["picture"]
    (system, user) = request.messages
    other = Request(messages=(system, Message("user", (record.tiny_png(77), *user.parts[1:]))))
    with record.tape(recording, "picture"):
        backend = open_backend(EXPECTED[recording]["spec"])
        with pytest.raises((ConnectError, CannotOverwriteExistingCassetteException)) as caught:
            await backend.complete(other)
        await backend.aclose()
    below = caught.value.__cause__
    chain = {type(caught.value), type(below), type(below.__cause__ if below else None)}
    assert CannotOverwriteExistingCassetteException in chain


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_cassette_holds_no_key_and_no_picture(path):
    text = path.read_text("utf-8")
    assert len(text) < 10_000
    assert not re.search(r"authorization|x-api-key|bearer|cookie|organization", text, re.IGNORECASE)
    assert not re.search(r"\bsk-\w{6}|AIza\w{10}", text)
    assert not re.search(r"[A-Za-z0-9+/]{80,}", re.sub(r"sha256:[0-9a-f]{64}", "", text))


def test_every_conversation_is_recorded():
    for recording in record.RECORDINGS:
        assert set(EXPECTED[recording]["outcomes"]) == set(record.conversations())


def test_the_tiny_picture_is_one():
    import io

    from PIL import Image

    with Image.open(io.BytesIO(record.tiny_png(90).data)) as image:
        assert image.size == (4, 3)
        assert image.convert("RGB").getpixel((3, 2)) == (90, 30, 30)


def test_scrubbing_twice_changes_nothing():
    body = {"messages": [{"url": "data:image/png;base64," + "QUJD" * 50, "data": "QUJD" * 50, "text": "plain words"}]}
    once = record._scrubbed(body)
    assert record._scrubbed(once) == once
    assert "QUJD" not in json.dumps(once)
    assert once["messages"][0]["text"] == "plain words"


def test_text_is_not_taken_for_a_picture():
    words = Text("word " * 30)
    assert record._scrubbed(words.text) == words.text
