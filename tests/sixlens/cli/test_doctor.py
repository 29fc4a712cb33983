from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sixlens.cli import doctor
from sixlens.cli.local_models import Found, Server


def checks(cli: Any) -> dict[str, dict[str, Any]]:
    return {check["what"]: check for check in json.loads(cli("doctor", "--json").out)}


def test_everything_is_looked_at(cli: Any) -> None:
    found = checks(cli)
    assert all(found[name]["ok"] for name in ("python", "sixlens", "langgraph", "pictures JPEG", "cache"))
    assert found["key OPENAI_API_KEY"]["says"] == "not set, for openai:MODEL"
    assert found["model servers here"]["says"].startswith("none answers")
    table = cli("doctor")
    assert (table.code, table.err) == (0, "")
    assert "ok   python" in table.out or "ok  python" in table.out


def test_the_extras_that_people_use_are_listed(cli: Any) -> None:
    listed = checks(cli)
    extras = [name for name in listed if name.startswith("extra ")]
    assert extras == [f"extra {name}" for name in ("eval", "local", "serve", "datasets", "ray", "traces")]
    assert "sixlens[" not in cli("doctor").out


def test_an_extra_that_is_not_installed_is_named_with_its_line(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "distributions", lambda name: iter(() if name == "ray" else (name,)))
    listed = checks(cli)
    says = "not installed: pip install -c constraints.txt -e '.[ray]' in the clone of sixlens"
    assert (listed["extra ray"]["says"], listed["extra serve"]["says"]) == (says, "installed")


def test_keys_are_never_shown(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert checks(cli)["key OPENAI_API_KEY"]["says"] == "set, for openai:MODEL"
    assert "secret" not in cli("doctor").out


def test_a_cache_that_cannot_be_written_is_said(cli: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert "set SIXLENS_CACHE_DIR" in checks(cli)["cache"]["says"]


def test_servers_here_are_listed_with_their_flags(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def found() -> tuple[Found, ...]:
        ollama, vllm = Server("Ollama", 11434, "/api/tags"), Server("vLLM", 8000, "/v1/models")
        return Found(ollama, ("ollama:llava:7b",)), Found(vllm, ())

    monkeypatch.setattr(doctor, "find_servers", found)
    listed = checks(cli)
    assert listed["Ollama on port 11434"]["says"] == "--backend ollama:llava:7b"
    assert listed["vLLM on port 8000"]["says"] == "no model that seems to see"


def test_it_loads_no_model_library() -> None:
    code = (
        "import sys\nfrom sixlens.cli import run\nrun(['doctor', '--json'])\n"
        "print([name for name in ('torch', 'transformers', 'ray') if name in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stderr == "[]\n"
