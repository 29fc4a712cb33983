"""Records conversations with real servers, which the ordinary tests replay without any network.

    python tests/backends/providers/record.py chat=compatible:gpt-4o@http://127.0.0.1:8741/v1

The recordings that are checked in come from three servers that others wrote, on the loopback address:

- `chat`, `messages` and `native` (Ollama's protocol) from aimock (@copilotkit/aimock 1.43), started with
  `-p 8741 -h 127.0.0.1 -f tests/backends/providers/cassettes/fixtures.json`: the first as above, the others as
  `messages=anthropic:claude-haiku-4-5@http://127.0.0.1:8741` and `native=ollama:gpt-4o@http://127.0.0.1:8741`;
- `transformers` from `transformers serve` with the checkpoint that `tests/oracle` teaches, started by
  `tests/oracle/serve.py taught 8711` beside the folder: `transformers=compatible:taught@http://127.0.0.1:8711/v1`;
- `litellm` from LiteLLM's proxy before that server, where it is called `tiny`:
  `litellm=anthropic:tiny@http://127.0.0.1:8712`.

With keys in the environment the same conversations are recorded from the real services, for example
`chat=openai:gpt-4.1-mini`. A cassette holds no key (headers are kept by a list of allowed names) and no picture: base64
is replaced by its SHA-256, so that another picture is another request.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import vcr

from backends.errors import BackendError
from backends.registry import BackendSettings, open_backend
from backends.request import Message, Picture, Request, Text

FOLDER = Path(__file__).parent / "cassettes"
RECORDINGS = ("chat", "messages", "native", "transformers", "litellm")
KEPT_OF_A_REQUEST = {"accept", "anthropic-version", "content-type"}
KEPT_OF_AN_ANSWER = re.compile(r"content-type|retry-after(-ms)?|(x|anthropic)-ratelimit-[a-z-]+")
_DATA_URI = re.compile(r"data:([\w/+.-]+);base64,(.+)", re.DOTALL)
SCHEMA = {
    "type": "object",
    "properties": {"subject": {"type": "string"}},
    "required": ["subject"],
    "additionalProperties": False,
}


def tiny_png(red: int = 200) -> Picture:
    """A picture of 4 × 3 pixels whose bytes are the same under every version of every library."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((red, 30, 30)) * 4 for _ in range(3))
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(rows), len(rows) ^ 0xFFFF) + rows
    stored += struct.pack(">I", zlib.adler32(rows))
    header = struct.pack(">IIBBBBB", 4, 3, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", stored) + chunk(b"IEND", b"")
    return Picture(data, "image/png", hashlib.sha256(data).hexdigest(), 4, 3)


def _ask(*parts: Text | Picture, **changes: Any) -> Request:
    return Request(messages=(Message("system", (Text("You look closely."),)), Message("user", parts)), **changes)


def conversations() -> dict[str, Request]:
    """What is asked, by name."""
    picture, region = tiny_png(), tiny_png(90)
    panel = (
        Message("system", (Text("Combine the earlier answers."),)),
        Message("user", (picture, Text("Do the proportions hold?"))),
        Message("assistant", (Text("They do."),)),
        Message("user", (region, Text("All in all: real or generated?"))),
    )
    return {
        "picture": _ask(picture, Text("Does anything look unusual?")),
        "schema": _ask(picture, Text("What is the main subject?"), schema=SCHEMA, schema_name="subject"),
        "text_only": _ask(Text("List the components of a lamp.")),
        "panel": Request(messages=panel),
        "rate_limit": _ask(Text("limit please")),
        "server": _ask(Text("broken please")),
        "missing_model": _ask(Text("no such model please")),
        "context": _ask(Text("too long please")),
    }


def _scrubbed(node: Any) -> Any:
    """The body with every picture replaced by its digest; doing it twice changes nothing, as vcrpy does it twice."""
    if isinstance(node, dict):
        return {name: _scrubbed(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_scrubbed(value) for value in node]
    if not isinstance(node, str) or node.startswith("sha256:"):
        return node
    found = _DATA_URI.fullmatch(node)
    if found:
        return "sha256:" + hashlib.sha256(found[2].encode()).hexdigest()
    if len(node) > 60 and re.fullmatch(r"[A-Za-z0-9+/]+=*", node):
        return "sha256:" + hashlib.sha256(node.encode()).hexdigest()
    return node


def _before_request(request: Any) -> Any:
    for name in list(request.headers):
        if name.lower() not in KEPT_OF_A_REQUEST:
            del request.headers[name]
    if request.body:
        request.body = json.dumps(_scrubbed(json.loads(request.body)), sort_keys=True).encode()
    return request


def _before_answer(response: dict[str, Any]) -> dict[str, Any]:
    headers = response["headers"].items()
    response["headers"] = {name: value for name, value in headers if KEPT_OF_AN_ANSWER.fullmatch(name.lower())}
    return response


def tape(recording: str, name: str, record: bool = False) -> Any:
    """The cassette of a conversation, as a context manager. Hosts are not compared, since local ports change."""
    recorder = vcr.VCR(
        record_mode="all" if record else "none",
        match_on=["method", "path", "body"],
        before_record_request=_before_request,
        before_record_response=_before_answer,
        decode_compressed_response=True,
    )
    return recorder.use_cassette(str(FOLDER / recording / f"{name}.yaml"))


async def outcome(spec: str, request: Request) -> dict[str, Any]:
    """What comes of asking once, as far as it is the same in every run."""
    backend = open_backend(spec, BackendSettings(attempt_seconds=60))
    try:
        completion = await backend.complete(request)
        usage = completion.usage.model_dump(exclude_none=True)
        return {"text": completion.text, "stop": completion.stop, "model": completion.model, "usage": usage}
    except BackendError as error:
        return {"error": type(error).__name__, "status": error.status, "retry_after": error.retry_after}
    finally:
        await backend.aclose()


async def _record(specs: dict[str, str]) -> None:
    for recording, spec in specs.items():
        expected = {}
        for name, request in conversations().items():
            (FOLDER / recording / f"{name}.yaml").unlink(missing_ok=True)
            with tape(recording, name, record=True):
                expected[name] = await outcome(spec, request)
            print(recording, name, expected[name])  # noqa: T201
        text = json.dumps({"spec": spec, "outcomes": expected}, indent=1, ensure_ascii=False)
        (FOLDER / recording / "expected.json").write_text(text + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Record; each argument is RECORDING=SPEC."""
    specs = dict(argument.split("=", 1) for argument in arguments)
    unknown = set(specs) - set(RECORDINGS)
    if unknown or not specs:
        raise SystemExit(f"give RECORDING=SPEC; known are {', '.join(RECORDINGS)}")
    asyncio.run(_record(specs))


if __name__ == "__main__":
    main(sys.argv[1:])
