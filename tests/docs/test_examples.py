"""Every example of the README and of docs/*.md is true: it is executed, or says in its first line that it cannot be.

What a fenced block of a page becomes:

- `python` runs, every block by itself; `sh` runs line by line through the command line, in this
  process, and must end with exit code 0 or the one of a comment `# exit N`; `yaml` and `toml` must parse, and a block
  that begins with `# file: NAME` is written to the page's folder before anything runs; so is `json NAME.json`.
- A block `… output` must be what the block before it printed, but for seconds and for lines left out at `…`. A block
  of `text`, `json` or `mermaid` without that word shows something that differs from run to run.
- `no-run` marks commands that need somebody else's server, or minutes: `sixlens judge` is rehearsed with --dry-run.
- Anything else is an example that nobody tries, and fails.

Pages run in a folder of their own, with a drawn `photo.jpg` and an empty cache. The first two blocks of the README set
up a machine; only their form is checked here, since the checks of the repository run them in a fresh clone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import os
import re
import shlex
import socket
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from orchestrator.sample import draw_sample
from sixlens.cli import run
from tests.backends.local.model_folder import model_folder
from tests.evals.drawn import draw_data

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
SETUP = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e '.[{extra}]' && .venv/bin/{command}"
LOGGERS = ("sixlens", "evals", "orchestrator", "fusion", "paradigms", "backends")

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (?P<name>[\w./-]+)\n")
_EXIT = re.compile(r"#.*\bexit (\d+)")
_SECONDS = re.compile(r"\b\d+(?:\.\d+)? m?s\b")


@dataclass(frozen=True)
class Example:
    """A fenced block: its language, the word behind it, its text, and where it stands."""

    where: str
    line: int
    language: str
    mark: str
    body: str


def examples(text: str, name: str) -> list[Example]:
    """The fenced blocks of a page."""
    found = []
    for block in _FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        language, _, mark = block["info"].strip().partition(" ")
        found.append(Example(f"{name}:{line}", line, language, mark, block["body"]))
    return found


class Page:
    """Runs the examples of one page, in the working folder."""

    def __init__(self, listed: list[Example]) -> None:
        self._examples = listed
        self._printed = ""

    def run(self) -> None:
        for example in self._examples:
            self._write(example)
        for example in self._examples:
            if example.mark == "output":
                assert shows(example.body, self._printed), f"{example.where}: printed is\n{self._printed}"
            elif example.mark == "no-run":
                self._rehearse(example)
            else:
                assert not example.mark or _file_name(example), f"{example.where}: unknown mark {example.mark!r}"
                self._try(example)

    def _write(self, example: Example) -> None:
        name = _file_name(example)
        if name is not None:
            path = Path(name)
            assert not path.exists(), f"{example.where} writes {path} a second time"
            assert path.resolve().is_relative_to(Path.cwd())
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(example.body, "utf-8")

    def _try(self, example: Example) -> None:
        match example.language:
            case "python":
                code = compile("\n" * (example.line - 1) + example.body, example.where.partition(":")[0], "exec")
                with contextlib.redirect_stdout(io.StringIO()) as printed:
                    exec(code, {"__name__": "__page__"})
                self._printed = printed.getvalue()
            case "sh":
                self._printed = "".join(self._command(example, line) for line in _lines(example))
            case "yaml":
                assert yaml.safe_load(example.body) is not None, example.where
            case "toml":
                assert tomllib.loads(example.body), example.where
            case "text" | "json" | "mermaid":
                pass
            case language:
                pytest.fail(f"{example.where}: nobody tries an example in {language or 'no language'!r}")

    def _rehearse(self, example: Example) -> None:
        """Try what can be tried of an example that needs somebody else's server: the command line, asking nobody."""
        assert example.language == "sh", f"{example.where}: only commands may need a server"
        for line in _lines(example):
            scripts = [word for word in shlex.split(line, comments=True) if word.endswith(".py")]
            assert all((ROOT / script).is_file() for script in scripts), f"{example.where}: {line}"
            for word in shlex.split(line, comments=True):
                if word.startswith("hf:./"):
                    model_folder(Path(word.removeprefix("hf:")))
            # Without the extra `local` no `hf:` backend can be opened, not even to ask nothing.
            if "sixlens judge" in line and ("hf:" not in line or find_spec("torch") is not None):
                command, hash_mark, comment = line.partition(" #")
                self._command(example, f"{command} --dry-run{hash_mark}{comment}")

    def _command(self, example: Example, line: str) -> str:
        """What one line prints, after it ended as it should."""
        words = shlex.split(line.removeprefix("$ "), comments=True)
        expected = _EXIT.search(line)
        with pytest.MonkeyPatch.context() as environment, contextlib.redirect_stdout(io.StringIO()) as printed:
            while "=" in words[0]:
                environment.setenv(*words.pop(0).split("=", 1))
            assert words[0] == "sixlens", f"{example.where}: nobody tries {line!r}; mark the block no-run"
            code = run(words[1:])
        assert code == (int(expected[1]) if expected else 0), f"{example.where}: {line}"
        return printed.getvalue()


def _file_name(example: Example) -> str | None:
    """The file that a block is written to, if any. JSON has no comments, so there the name is the block's mark."""
    if example.language == "json" and example.mark.endswith(".json"):
        return example.mark
    marked = _FILE.match(example.body) if example.language == "yaml" else None
    return marked["name"] if marked else None


def _lines(example: Example) -> Iterator[str]:
    """The commands of a block, each with the lines that continue it."""
    joined = example.body.replace("\\\n", " ")
    return (line for line in joined.splitlines() if line.strip() and not line.startswith("#"))


def shows(block: str, printed: str) -> bool:
    """Whether a block shows what was printed: line by line, but for seconds; a line `…` stands for any lines."""
    lines = ("(?s:.*)" if line == "…" else re.escape(line) for line in _lines_without_seconds(block))
    return re.fullmatch("\n".join(lines), "\n".join(_lines_without_seconds(printed))) is not None


def _lines_without_seconds(text: str) -> list[str]:
    return [line.rstrip() for line in _SECONDS.sub("0 s", text).strip().splitlines()]


def _refuse(*_: object) -> None:
    raise ConnectionRefusedError("an example reaches out")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, an environment that names no backend and no key, no network, and the loggers as they were."""
    for name in os.environ:
        if name.endswith("_API_KEY") or name.startswith("SIXLENS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SIXLENS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket.socket, "connect", _refuse)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    kept = [(logger.handlers, logger.level, logger.propagate) for logger in loggers]
    yield tmp_path
    for logger, (handlers, level, propagate) in zip(loggers, kept, strict=True):
        logger.handlers, logger.level, logger.propagate = handlers, level, propagate


def page_examples(page: Path) -> list[Example]:
    """The examples of a page. Of the two commands that set a machine up only the first one's judging is left."""
    listed = examples(page.read_text("utf-8"), page.name)
    if page == README:
        judged = listed[0].body.rpartition(".venv/bin/")[2].replace("python3*", "python3")
        return [dataclasses.replace(listed[0], body=judged), *listed[2:]]
    return listed


def prepare(page: Path) -> None:
    """Put into the working folder what a page starts from."""
    draw_sample().save("photo.jpg", quality=90)
    if page == README:
        installed = find_spec("sklearn")
        assert installed is not None
        assert installed.origin is not None
        picture = Path(".venv/lib/python3/site-packages/sklearn/datasets/images/china.jpg")
        picture.parent.mkdir(parents=True)
        picture.symlink_to(Path(installed.origin).parent / "datasets" / "images" / "china.jpg")
    if page.name == "experiments.md":
        draw_data(Path("pictures"), 6)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_are_true(page: Path) -> None:
    listed = page_examples(page)
    prepare(page)
    Page(listed).run()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_fence_is_an_example(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(re.findall("^ *(?:```|~~~)", text, re.MULTILINE)) == 2 * len(examples(text, page.name))


def test_the_readme_begins_with_two_commands_for_a_fresh_machine() -> None:
    first, second = examples(README.read_text("utf-8"), "README.md")[:2]
    assert (first.language, first.mark, second.language, second.mark) == ("sh", "", "sh", "")
    judged = "sixlens judge .venv/lib/python3*/site-packages/sklearn/datasets/images/china.jpg"
    assert first.body == SETUP.format(extra="eval", command=judged) + "\n"
    assert second.body == SETUP.format(extra="dev", command="pytest -q -n auto") + "\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```sh\nrm -rf /\n```\n", "nobody tries 'rm -rf /'"),
        ("```rust\nfn main() {}\n```\n", "nobody tries an example in 'rust'"),
        ("```\nsixlens doctor\n```\n", "nobody tries an example in 'no language'"),
        ("```sh maybe\nsixlens doctor\n```\n", "unknown mark 'maybe'"),
        ("```sh\nsixlens judge photo.jpg --fusion nonsense\n```\n", "--fusion nonsense"),
        ("```sh\nsixlens judge photo.jpg  # exit 3\n```\n", "# exit 3"),
        ("```sh no-run\nsixlens judge photo.jpg --nonsense\n```\n", "--nonsense --dry-run"),
        ("```python no-run\nimport sixlens\n```\n", "only commands may need a server"),
        ("```python\nprint('this')\n```\n```text output\nthat\n```\n", "printed is"),
        ("```yaml\n# file: a.yaml\na: 1\n```\n```yaml\n# file: a.yaml\na: 2\n```\n", "a second time"),
        ("```json a.json\n{}\n```\n```json a.json\n{}\n```\n", "a second time"),
    ],
)
def test_an_example_that_is_not_true_is_found(text: str, problem: str) -> None:
    prepare(Path("page.md"))
    with pytest.raises((AssertionError, pytest.fail.Exception), match=re.escape(problem)):
        Page(examples(text, "page.md")).run()


def test_python_examples_run_each_by_itself() -> None:
    with pytest.raises(ZeroDivisionError):
        Page(examples("```python\n1 / 0\n```\n", "page.md")).run()
    with pytest.raises(NameError):
        Page(examples("```python\none = 1\n```\n```python\nprint(one)\n```\n", "page.md")).run()


def test_output_is_compared_but_for_seconds_and_lines_left_out() -> None:
    assert shows("a 12 ms\n…\nd\n", "a 0.3 s\nb\nc\nd\n")
    assert not shows("a\n…\ne\n", "a\nb\nd\n")
