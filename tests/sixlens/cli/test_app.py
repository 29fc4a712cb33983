from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from orchestrator.perturbations import MILD

COMMANDS = ("judge", "graph", "validate", "ensembles", "paradigms", "backends", "schema", "doctor", "cache")
HEAVY = ("torch", "transformers", "openai", "anthropic", "langgraph", "langchain_core", "numpy", "PIL")
PROGRAM = "import sys; from sixlens.cli import main; main(sys.argv[1:])"


def start(*arguments: str, program: str = PROGRAM, **options: Any) -> subprocess.Popen[bytes]:
    """The command line in a process of its own."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], **(pipes | options))


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_says_what_there_is(command: str, cli: Any) -> None:
    ran = cli(*command.split(), "--help")
    assert ran.code == 0
    assert ran.out.startswith("Usage: sixlens")
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert ran.err == ""
    if not command:
        assert all(f"\n  {name} " in ran.out for name in COMMANDS)


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    loaded = f"json.dumps([name for name in {HEAVY} if name in sys.modules])"
    code = f"import atexit, json, sys\natexit.register(lambda: print({loaded}, file=sys.stderr))\n{PROGRAM}"
    pages = ["--help"], ["--version"], *([command, "--help"] for command in COMMANDS), ["cache", "clear", "--help"]
    for arguments in pages:
        began = time.perf_counter()
        run = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
        assert json.loads(run.stderr) == [], arguments
        assert time.perf_counter() - began < 30


def test_the_version(cli: Any) -> None:
    assert cli("--version").out == f"sixlens {importlib.metadata.version('sixlens')}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Usage: sixlens"),
        (("jugde",), "sixlens: No such command 'jugde'. Did you mean 'judge'? See `sixlens --help`."),
        (("judge",), "sixlens: Missing argument 'IMAGE'. See `sixlens judge --help`."),
        (
            ("judge", "--bakend", "x", "a"),
            "sixlens: No such option: --bakend. Did you mean --backend? See `sixlens judge --help`.",
        ),
        (
            ("judge", "--jason", "a"),
            "sixlens: No such option: --jason. Did you mean --json? See `sixlens judge --help`.",
        ),
        (("judge", "--frobnicate", "a"), "sixlens: No such option: --frobnicate. See `sixlens judge --help`."),
        (("judge", "a.jpg", "--set"), "sixlens: Option '--set' requires an argument. See `sixlens"),
        (("judge", "a.jpg", "--json", "--jsonl"), "sixlens: Give --json or --jsonl, not both."),
        (("judge", "a.jpg", "-e", "sixx"), "sixlens: There is no ensemble 'sixx'. Did you mean 'six'?"),
        (
            ("judge", "a.jpg", "-b", "olama:x"),
            "sixlens: There is no backend 'olama'. Did you mean 'ollama'? Known: anthropic, compatible, hf, ollama",
        ),
        pytest.param(
            ("judge", "a.jpg", "-b", "hf:"),
            "sixlens: hf: names no model; write hf:REPO_OR_FOLDER",
            marks=pytest.mark.skipif(find_spec("torch") is None, reason="without the extra `local` that is said first"),
        ),
        (("judge", "a.jpg", "-b", "openai"), "sixlens: 'openai' is no backend; write openai:MODEL."),
        (("judge", "a.jpg", "-b", "gpt-9"), "sixlens: 'gpt-9' is no backend; write PROVIDER:MODEL, for example"),
        (("judge", "a.jpg", "--stability", "7"), "sixlens: Invalid value for '--stability'"),
        (("judge", "a.jpg", "--fusion", "vte"), "sixlens: There is no fusion 'vte'. Did you mean 'vote'?"),
        (("judge", "a.jpg", "--set", "fusion.quorom=1"), "Did you mean 'quorum'?"),
        (
            ("judge", "a.jpg", "--set", "fusion.quorum=abc"),
            "sixlens: --set: fusion.quorum: Input should be a valid int",
        ),
        (("judge", "a.jpg", "--set", "nonsense"), "sixlens: --set takes KEY.KEY=VALUE"),
        (("judge", "a.jpg", "-e", "six"), "names no backend"),
        (("judge", "a.jpg", "-e", "none.yaml"), "sixlens: none.yaml: No such file or directory."),
        (("graph", "sixx"), "sixlens: There is no ensemble 'sixx'. Did you mean 'six'?"),
        (("schema", "verdit"), "sixlens: There is no schema 'verdit'. Did you mean 'verdict'?"),
        (("cache", "clean"), "sixlens: No such command 'clean'. Did you mean 'clear'? See `sixlens cache --help`."),
    ],
)
def test_a_mistake_is_one_line_and_code_4(arguments: tuple[str, ...], says: str, cli: Any) -> None:
    ran = cli(*arguments)
    assert ran.code == 4
    assert ran.out == ""
    assert says in ran.err
    assert not arguments or ran.err.count("\n") == 1


def test_an_untrusted_name_cannot_steer_the_terminal(cli: Any) -> None:
    ran = cli("judge", "a\x1b[31m\x9b1m\u202e\n[red]b.jpg")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert not set(ran.err) & set("\x1b\x9b\u202e")
    assert "[red]" in ran.err


def test_the_range_of_stability_is_that_of_the_ensemble(cli: Any) -> None:
    assert f"[0<=x<={len(MILD)}]" in cli("judge", "--help").out


def test_a_picture_in_place_of_a_command_is_told_the_command(cli: Any, photo: Path) -> None:
    ran = cli("photo.jpg")
    assert ran.code == 4
    assert ran.err == "sixlens: No such command 'photo.jpg'. A picture is judged by `sixlens judge IMAGE`.\n"


@pytest.mark.parametrize("form", [(), ("--json", "-v")])
def test_ctrl_c_ends_it_with_130_and_no_traceback(form: tuple[str, ...], photo: Path, tmp_path: Path) -> None:
    (tmp_path / "hang.yaml").write_text("rules:\n  - {paradigm: prepare, text: x}\n  - {fault: hang}\n")
    process = start("judge", "photo.jpg", "-b", "scripted:hang.yaml", "--no-cache", *form, bufsize=0)
    assert process.stderr is not None
    assert b"photo.jpg: looking" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err


def test_ctrl_c_while_standard_input_is_read() -> None:
    reading = (
        "import sys\nfrom sixlens.cli import judge_command as work\nread = work._standard_input\n"
        "work._standard_input = lambda: (print('reading', file=sys.stderr, flush=True), read())[1]\n"
    )
    process = start("judge", "-", program=reading + PROGRAM, stdin=subprocess.PIPE, bufsize=0)
    assert process.stderr is not None
    assert process.stderr.readline() == b"reading\n"
    process.send_signal(signal.SIGINT)
    process.wait(timeout=120)
    assert (process.returncode, process.stderr.read()) == (130, b"")
    process.communicate()


@pytest.mark.parametrize("arguments", [("--help",), ("judge", "photo.jpg")])
def test_a_reader_that_has_gone_is_no_reason_to_complain(arguments: tuple[str, ...], photo: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*arguments, stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_answer_that_cannot_be_written_is_said(photo: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("judge", "photo.jpg", stdout=full)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err == b"sixlens: the answer cannot be written: No space left on device.\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--version",), 0), (("judge", "none.jpg"), 2), (("judge", "--nonsense"), 4)],
)
def test_the_process_ends_with_the_code(arguments: tuple[str, ...], code: int, photo: Path) -> None:
    process = start(*arguments)
    process.communicate(timeout=120)
    assert process.returncode == code
