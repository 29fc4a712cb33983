from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sixlens.cli import serve_command
from tests.sixlens.conftest import Cli

pytest.importorskip("fastapi")


def test_without_the_extra_it_says_how_to_get_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_command, "find_spec", lambda name: None)
    ran = cli("serve")
    assert (ran.code, ran.out) == (4, "")
    line = "pip install -c constraints.txt -e '.[serve]' in the clone of sixlens"
    assert ran.err == f"sixlens: sixlens serve needs an extra: {line}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "0.0.0.0"), "a token is required"),
        (("--host", "0.0.0.0", "--token-file", "none"), "cannot be read"),
        (("--concurrency", "0"), "--concurrency is 0; it must be 1 to 256"),
        (("--ensemble", "sixx"), "Did you mean 'six'?"),
        (("--ensemble", "measured", "--ensemble", "measured"), "Two ensembles are named 'measured'"),
        (("--ensemble", "six"), "names no backend"),
        (("--backend", "openai:gpt-x"), "OPENAI_API_KEY"),
        (("--backend", "scripted:none.yaml"), "none.yaml"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_4(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    ran = cli("serve", "--port", "0", "--data-dir", "data", *arguments)
    assert ran.code == 4
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1
    assert "Traceback" not in ran.err


def test_an_address_that_is_taken_is_named(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = cli("serve", "--port", port, "--data-dir", "data")
    assert (ran.code, len(ran.err.splitlines())) == (4, 1)
    assert f"127.0.0.1:{port} cannot be served" in ran.err


def test_a_data_folder_that_is_a_file_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", "utf-8")
    ran = cli("serve", "--port", "0", "--data-dir", "data")
    assert (ran.code, len(ran.err.splitlines())) == (4, 1)
    assert "data folder" in ran.err


@pytest.mark.parametrize(("arguments", "wanted"), [((), False), (("--traces",), True)])
def test_traces_are_off_unless_asked_for(
    cli: Cli, arguments: tuple[str, ...], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    @contextmanager
    def noted(*, wanted: bool) -> Iterator[None]:
        asked.append(wanted)
        yield None

    monkeypatch.setattr(serve_command, "exported_traces", noted)
    assert cli("serve", "--port", "0", "--data-dir", "data", "--ensemble", "sixx", *arguments).code == 4
    assert asked == [wanted]
