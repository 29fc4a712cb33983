"""The whole command line against servers of the OpenAI and Anthropic protocols that somebody else wrote.

aimock comes from the npm registry (MIT, no dependencies) and is started on the loopback address.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import PIL.ImageDraw
import pytest

pytestmark = pytest.mark.peer
VERSION = "1.43.0"
FIXTURES = Path(__file__).parent / "aimock.json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """aimock's address."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("aimock")
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", f"@copilotkit/aimock@{VERSION}"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=180)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", "node_modules/.bin/llmock", "-h", "127.0.0.1", "-p", str(port), "-f", str(FIXTURES)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            journal(address)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("aimock did not start")


def journal(address: str) -> list[dict[str, Any]]:
    """What the server was asked."""
    with urllib.request.urlopen(f"{address}/__aimock/journal", timeout=5) as reply:
        entries: list[dict[str, Any]] = json.load(reply)
    return entries


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A drawn lamp."""
    image = PIL.Image.new("RGB", (320, 240), "tan")
    draw = PIL.ImageDraw.Draw(image)
    draw.polygon([(120, 40), (200, 40), (230, 110), (90, 110)], fill="darkred")
    draw.rectangle((155, 110, 165, 200), fill="grey")
    draw.ellipse((110, 195, 210, 220), fill="black")
    image.save(tmp_path / "lamp.jpg", quality=90)
    return tmp_path / "lamp.jpg"


@pytest.mark.parametrize("layout", ["shared", "paper"])
@pytest.mark.parametrize("spec", ["compatible:gpt-4o@{}/v1", "anthropic:claude-sonnet-4@{}"])
def test_six_paradigms_and_the_panel(server: str, photo: Path, tmp_path: Path, spec: str, layout: str) -> None:
    environment = {**os.environ, "SIXLENS_CACHE_DIR": str(tmp_path), "SIXLENS_COMPATIBLE_API_KEY": "sk-test-0123456789"}
    command = [sys.executable, "-m", "sixlens", "judge", str(photo), "--backend", spec.format(server), "--json"]
    command += ["--set", f"layout={layout}"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    verdict = json.loads(ran.stdout)
    assert [report["outcome"] for report in verdict["reports"]] == ["answered"] * 6
    assert (verdict["label"], verdict["votes"]["real"], verdict["panel"]["label"]) == ("real", 6, "real")
    assert verdict["usage"]["calls"] == 10
    assert "sk-test-0123456789" not in ran.stdout + ran.stderr
