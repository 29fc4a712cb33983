from __future__ import annotations

import errno
import json
from types import SimpleNamespace
from typing import Any

import pytest
from rich.text import Text

from sixlens.cli.page import show
from sixlens.cli.terminal import OutputError, emit, emit_json, json_text, say, tell

NASTY = "a\x1b[2J\x9b31m\u202e\u2066\u200b\u2028\ud800\U000e0041b"


def test_json_escapes_what_a_terminal_could_obey_and_nothing_else() -> None:
    text = json_text({"name": NASTY, "plain": "héllo 世界 😀\u3000…"})
    assert json.loads(text) == {"name": NASTY, "plain": "héllo 世界 😀\u3000…"}
    assert "héllo 世界 😀\u3000…" in text
    assert not set(text) & set(NASTY) - set("a[2J31mb")
    text.encode()


def test_json_ends_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"a": [1]})
    emit_json({"a": [1]}, indent=None)
    assert capsys.readouterr().out == '{\n  "a": [\n    1\n  ]\n}\n{"a": [1]}\n'


def test_a_line_stays_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"one\ntwo {NASTY}")
    tell("    indented  line")
    assert capsys.readouterr().err == "sixlens: one two a[2J31m b\n    indented line\n"


@pytest.mark.parametrize(("number", "closed"), [(errno.EPIPE, True), (errno.ENOSPC, False)])
def test_an_answer_that_cannot_be_written(number: int, closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise OSError(number, "why")

    monkeypatch.setattr("sys.stdout", SimpleNamespace(write=fail))
    with pytest.raises(OutputError, match="why") as caught:
        emit("x")
    assert caught.value.closed is closed


def test_a_stderr_that_cannot_be_written_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", SimpleNamespace(write=fail, flush=lambda: None))
    say("x")


@pytest.mark.parametrize("width", [40, 80, 300])
def test_lines_fit_the_terminal_but_get_no_longer_than_can_be_read(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    show(Text("word " * 100 + "[bold]no markup[/bold] :smile:"))
    out = capsys.readouterr().out
    longest = max(len(line) for line in out.splitlines())
    assert min(width, 100) - 6 <= longest <= min(width, 100)
    assert "[bold]no markup[/bold] :smile:" in " ".join(out.split())
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_colours_are_for_terminals_and_only_where_they_are_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(**environment: str) -> str:
        with monkeypatch.context() as patch:
            for name in ("NO_COLOR", "FORCE_COLOR"):
                patch.delenv(name, raising=False)
            for name, value in environment.items():
                patch.setenv(name, value)
            show(Text("x", style="bold yellow"))
        return capsys.readouterr().out

    def tty(_: Any) -> bool:
        return True

    assert written() == "x\n"
    monkeypatch.setattr("rich.console.Console.is_terminal", property(tty))
    assert "33" in written(TERM="xterm-256color")
    assert "33" not in written(TERM="xterm-256color", NO_COLOR="1")
    assert written(TERM="dumb") == "x\n"
