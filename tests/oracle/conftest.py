from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
READY = 90.0
"""Seconds that the server may take to start."""


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a checkpoint that answers the questions about drawings; takes half a minute."""
    pytest.importorskip("torch")
    import torch

    from tests.oracle.lessons import teach

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small are computed faster by one thread than by several
    try:
        return teach("qwen2_5_vl", tmp_path_factory.mktemp("oracle") / "taught", steps=300)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def address(taught: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server of the OpenAI protocol, written by others, serves the taught checkpoint."""
    pytest.importorskip("fastapi")
    home = tmp_path_factory.mktemp("home")
    (home / "hub").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    log = home / "log"
    command = [sys.executable, str(HERE / "serve.py"), str(taught), str(port)]
    with log.open("wb") as stream, subprocess.Popen(command, env=environment, stdout=stream, stderr=stream) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _wait(health: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + READY
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(health, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"transformers serve did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
