"""A small OpenAI-compatible server on the loopback address, in a process of its own, for benchmarks and tests.

Run as a program it prints its port on the first line and serves until its standard input closes. It answers each chat
completion after a fixed time, may refuse calls beyond a number in flight (429), and may fail a share of its calls in
every way a server can. `GET /v1/stats` tells what it counted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

LABELLED = {
    "reasoning": "subject: red bicycle\nmedium: photograph\nNothing out of place was seen.",
    "observations": [],
    "label": "real",
    "certainty": 80,
}
ANSWER = json.dumps(LABELLED)
FAULTS = ("429", "429 later", "500", "503", "drop", "malformed", "truncated", "hang", "empty", "refusal")
PICTURE_TOKENS, MIN_CACHED = 1000, 1024
"""What a picture counts for, and the shortest prefix that is cached, in tokens: orders of size of hosted models."""
HANG = 20.0
"""Seconds that a hanging call takes; clients are expected to give up before."""


class Reply(Exception):  # noqa: N818 - raised to answer at once, not an error
    """An answer other than a completion: status, headers, body."""

    def __init__(self, status: int, body: bytes, headers: str = "", declared: int | None = None) -> None:
        super().__init__(status)
        self.data = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}".encode()
        self.data += f"content-length: {len(body) if declared is None else declared}\r\n\r\n".encode() + body
        self.close = declared is not None


class Server:
    """Answers every chat completion with the same words, about a subject of its own for each picture."""

    def __init__(self, delay: float, capacity: int | None, faults: float, seed: int, *, marked: bool = False) -> None:
        self.delay, self.capacity, self.faults, self.marked = delay, capacity, faults, marked
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.in_flight = self.peak = 0
        self.pictures: set[str] = set()
        self.questions: Counter[str] = Counter()
        self.prefixes: set[str] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it closes."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:]) if k}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                try:
                    reply = Reply(200, json.dumps(await self.answer(lines[0].split(" ")[1], body)).encode())
                except Reply as other:
                    reply = other
                writer.write(reply.data)
                await writer.drain()
                if reply.close:
                    break
        writer.close()

    async def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """The reply to one request."""
        if path.endswith("/stats"):
            stored_again = sum(count - 1 for count in self.questions.values())
            seen = {"peak": self.peak, "pictures": len(self.pictures), "asked_again": stored_again}
            return {**seen, "calls": self.counts.total(), "kinds": self.counts}
        if path.endswith("/models"):
            return {"object": "list", "data": [{"id": "toy", "object": "model", "created": 0, "owned_by": "toy"}]}
        if self.capacity is not None and self.in_flight >= self.capacity:
            self.counts["refused beyond capacity"] += 1
            raise Reply(429, b'{"error": {"message": "too many requests"}}')
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.delay)
            return await self.complete(body)
        finally:
            self.in_flight -= 1

    async def complete(self, body: bytes) -> dict[str, Any]:
        """A completion, or one of the faults."""
        fault = self.random.choice(FAULTS) if self.random.random() < self.faults else "answer"
        self.counts[fault] += 1
        if fault not in ("answer", "empty", "refusal"):
            await self.fail(fault)
        shown = [hashlib.sha256(url).hexdigest() for url in re.findall(rb'"url":\s*"(data:[^"]*)"', body)]
        self.pictures.update(shown)
        text = ANSWER.replace("red bicycle", f"red bicycle {shown[0][:8]}") if shown else ANSWER
        if fault == "answer":
            self.questions[hashlib.sha256(body).hexdigest()] += 1
        content, refusal = {"empty": ("", None), "refusal": (None, "I cannot help with that.")}.get(fault, (text, None))
        message = {"role": "assistant", "content": content, "refusal": refusal}
        return {
            "id": f"call-{self.counts.total()}",
            "object": "chat.completion",
            "created": 0,
            "model": "toy",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": self.usage(json.loads(body)),
        }

    def usage(self, request: dict[str, Any]) -> dict[str, Any]:
        """Token counts, with those that a prefix cache would have served: what an earlier answered prompt began with.

        A prefix is counted part by part: the schema, then each text and picture. A prompt can be read from the cache
        only once an earlier one with the same beginning was answered, as with real providers. Every beginning is found
        again; when `marked`, only those up to a mark, and where the prompt has none of its own one is set at its end.
        """
        parts = [(json.dumps(request.get("response_format")), False)]
        for message in request["messages"]:
            content = message["content"]
            inner = [{"type": "text", "text": content}] if isinstance(content, str) else content
            parts += [(json.dumps(part), "prompt_cache_breakpoint" in part) for part in inner]
        implicit = request.get("prompt_cache_options", {}).get("mode") != "explicit"
        total = cached = written = 0
        digest = hashlib.sha256()
        learnt = set()
        for place, (part, mark) in enumerate(parts):
            total += PICTURE_TOKENS if '"data:' in part else len(part) // 4
            digest.update(part.encode())
            if self.marked and not (mark or (implicit and place == len(parts) - 1)):
                continue
            if total >= MIN_CACHED:
                learnt.add(digest.hexdigest())
                cached = total if digest.hexdigest() in self.prefixes else cached
                written = total
        self.prefixes |= learnt
        details = {"cached_tokens": cached}
        if self.marked:
            details["cache_write_tokens"] = max(0, written - cached)
        return {
            "prompt_tokens": total,
            "completion_tokens": 40,
            "total_tokens": total + 40,
            "prompt_tokens_details": details,
        }

    async def fail(self, fault: str) -> None:
        """Fail in the way named."""
        if fault == "hang":
            await asyncio.sleep(HANG)
            raise Reply(504, b"{}")
        raise {
            "429": Reply(429, b'{"error": {"message": "slow down"}}'),
            "429 later": Reply(429, b'{"error": {"message": "slow down"}}', "retry-after-ms: 50\r\n"),
            "500": Reply(500, b'{"error": {"message": "internal"}}'),
            "503": Reply(503, b"<html>busy</html>"),
            "drop": Reply(200, b"", declared=1000),
            "malformed": Reply(200, b'{"choices": ['),
            "truncated": Reply(200, b'{"choices": [{"mess', declared=5000),
        }[fault]


async def serve(options: argparse.Namespace) -> None:
    """Serve until standard input closes."""
    answering = Server(options.delay, options.capacity, options.faults, options.seed, marked=options.marked)
    server = await asyncio.start_server(answering.handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


@contextlib.contextmanager
def running(delay: float, *options: str) -> Iterator[str]:
    """A server in a process of its own; gives its base URL."""
    command = [sys.executable, __file__, "--delay", str(delay), *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


def stats(url: str) -> dict[str, Any]:
    """What the server counted."""
    with urllib.request.urlopen(f"{url}/stats", timeout=10) as reply:
        counted: dict[str, Any] = json.load(reply)
    return counted


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a call takes")
    parser.add_argument("--capacity", type=int, help="calls in flight beyond which 429 is answered")
    parser.add_argument("--faults", type=float, default=0.0, help="share of the calls that fail")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--marked", action="store_true", help="cache prefixes up to marks alone, as newer services do")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
