from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
import pytest

from orchestrator.sample import draw_sample
from sixlens.cli import local_models, run

SCRIPT = """
model: script-1
rules:
  - {paradigm: prepare, text: "subject: small boat\\nmedium: photograph"}
  - {purpose: text, text: "a hull; a sail"}
  - step: verdict
    usage: {input_tokens: 1000, output_tokens: 100}
    answer:
      reasoning: The blur grows with the distance. It fits a lens.
      observations:
        - {name: lens blur, phenomenon: the background blurs steadily, reasoning: lenses do that, severity: 3,
           points_to: real, category: optics, ordinary_cause: "", region: null}
      label: real
      certainty: 80
"""


@dataclass(frozen=True)
class Ran:
    """What one command line did."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys, no backend, a cache and a working folder of the test's own, and no look at this machine's ports."""
    for name in os.environ:
        if name.endswith("_API_KEY") or name.startswith("SIXLENS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SIXLENS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(local_models.find_servers, "__defaults__", ((),))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command line in this process."""

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(arguments)
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    return call


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A drawn picture, as JPEG without metadata."""
    path = tmp_path / "photo.jpg"
    draw_sample().resize((96, 64)).save(path)
    return path


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    """A picture whose file says, unsigned, that it was generated, with a prompt in it."""
    path = tmp_path / "declared.jpg"
    exif = PIL.Image.Exif()
    text = "a secret prompt about a boat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x64, Model: m"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode("utf-16-be")
    PIL.Image.new("RGB", (64, 64), "teal").save(path, exif=exif)
    return path


@pytest.fixture
def script(tmp_path: Path) -> str:
    """The spec of a backend that sees a photograph."""
    (tmp_path / "script.yaml").write_text(SCRIPT, "utf-8")
    return "scripted:script.yaml"
