"""A small OpenAI-compatible server on the loopback address, in a process of its own, that answers after a fixed time.

Run as a program it prints its port on the first line and serves until its standard input closes. `GET /stats` tells how
many calls came, how many were in flight at the peak, and how many different pictures were seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

ANSWER = {
    "reasoning": "subject: red bicycle\nmedium: photograph\nNothing out of place was seen.",
    "observations": [],
    "label": "real",
    "certainty": 80,
}


class Server:
    """Answers every chat completion with `ANSWER` after `delay` seconds."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.calls = 0
        self.in_flight = 0
        self.peak = 0
        self.pictures: set[str] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it closes."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = head.split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:]) if k}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                answer = await self.answer(lines[0].split(" ")[1], body)
                data = json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
                writer.write(f"content-length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        writer.close()

    async def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """The reply to one request."""
        if path.endswith("/stats"):
            return {"calls": self.calls, "peak": self.peak, "pictures": len(self.pictures)}
        if path.endswith("/models"):
            return {"object": "list", "data": [{"id": "toy", "object": "model", "created": 0, "owned_by": "toy"}]}
        self.calls += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        for chunk in body.split(b'"url"')[1:]:
            self.pictures.add(hashlib.sha256(chunk.split(b"}")[0]).hexdigest())
        await asyncio.sleep(self.delay)
        self.in_flight -= 1
        message = {"role": "assistant", "content": json.dumps(ANSWER), "refusal": None}
        return {
            "id": f"call-{self.calls}",
            "object": "chat.completion",
            "created": 0,
            "model": "toy",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 40, "total_tokens": 1040},
        }


async def serve(delay: float) -> None:
    """Serve until standard input closes."""
    server = await asyncio.start_server(Server(delay).handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


@contextlib.contextmanager
def running(delay: float) -> Iterator[str]:
    """A server in a process of its own; gives its base URL."""
    command = [sys.executable, __file__, str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.kill()


def stats(url: str) -> dict[str, int]:
    """What the server counted."""
    with urllib.request.urlopen(f"{url}/stats", timeout=10) as reply:
        counted: dict[str, int] = json.load(reply)
    return counted


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
