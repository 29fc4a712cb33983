from __future__ import annotations

import json
import socket
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from backends.errors import MissingExtraError
from orchestrator.config import ensemble_names
from paradigms.library import paradigm_names

MINE = """
$schema: paradigm.schema.json
name: mine
version: "1"
title: Mine
question: Is anything odd?
needs: [subject]
steps:
  - {name: notes, ask: text, picture: false, shared: {question: "Of {{ subject }}?"}}
  - {name: verdict, ask: verdict, shared: {question: "See {{ notes }}."}}
"""


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection is opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", ensemble_names())
def test_every_ensemble_that_ships_is_usable(name: str, cli: Any) -> None:
    ran = cli("validate", str(files("prompts") / "ensembles" / f"{name}.yaml"))
    assert (ran.code, ran.err) == (0, "")
    assert f"ensemble {name}:" in ran.out
    assert ran.out.endswith("; usable.\n")


@pytest.mark.parametrize("name", paradigm_names())
def test_every_paradigm_that_ships_is_usable_in_both_layouts(name: str, cli: Any) -> None:
    ran = cli("validate", str(files("prompts") / "paradigms" / f"{name}.yaml"), "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["ok"], found["kind"], found["name"]) == (0, True, "paradigm", name)
    assert {prompt["layout"] for prompt in found["prompts"]} == {"paper", "shared"}
    assert {prompt["paradigm"] for prompt in found["prompts"]} == {name}


def test_the_size_of_every_prompt_is_said(tmp_path: Path, cli: Any) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    (tmp_path / "ensemble.yaml").write_text("layout: paper\nparadigms: [mine.yaml, structural]\n")
    found = json.loads(cli("validate", "ensemble.yaml", "--json").out)
    assert [(prompt["paradigm"], prompt["step"]) for prompt in found["prompts"] if prompt["paradigm"] == "mine"] == [
        ("mine", "notes"),
        ("mine", "verdict"),
    ]
    assert {prompt["layout"] for prompt in found["prompts"]} == {"paper"}
    assert found["measures"] == 1
    notes = next(prompt for prompt in found["prompts"] if prompt["step"] == "notes")
    verdict = next(prompt for prompt in found["prompts"] if prompt["paradigm"] == "mine" and prompt["pictures"])
    assert notes["pictures"] == []
    assert 0 < notes["characters"] < verdict["characters"]
    assert 0 < notes["tokens_at_most"] < verdict["tokens_at_most"]
    text = cli("validate", "ensemble.yaml").out
    assert f"mine        notes       paper   text alone   {notes['characters']}" in text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (MINE.replace("{{ notes }}", "{{ note }}"), "layout shared: mine: a prompt cannot be rendered: 'note' is un"),
        (MINE.replace("{{ notes }}", "{% if %}"), "mine: a prompt cannot be rendered:"),
        (MINE.replace("steps:", "stepps: []\nsteps:"), "there is no key 'stepps'. Did you mean 'steps'?"),
        (MINE.replace("ask: text", "ask: txet"), "mine.yaml: steps.#1.ask"),
        ("backend: opnai:x", "There is no backend 'opnai'. Did you mean 'openai'?"),
        ("backend: gpt", "'gpt' is no backend; write PROVIDER:MODEL"),
        ("backend: 'openai:'", "openai: names no model; write openai:MODEL."),
        ("fallback: ['compatible:m@http://127.0.0.1:port']", "The address 'http://127.0.0.1:port' is malformed."),
        ("backend: 'compatible:m@http://u:hunter2@host'", "must not hold a user or a password"),
        ("backend: 'compatible:m'", "compatible:m names no server"),
        ("fusion: {backend: 'scripted:nofile.yaml'}", "nofile.yaml"),
        ("paradigms: {direct: {backend: 'ollama:'}}", "ollama: names no model"),
        ("backends: {'anthropic:': {}}", "anthropic: names no model"),
        (
            "backends: {'ollama:x': {attempt_secs: 1}}",
            "there is no key 'attempt_secs'. Did you mean 'attempt_seconds'?",
        ),
        ("paradigms: [commonsens]", "There is no paradigm 'commonsens'. Did you mean 'commonsense'?"),
        ("fusion: {strategy: vte}", "There is no fusion 'vte'. Did you mean 'vote'?"),
        ("exemplars: nowhere", "nowhere"),
        ("- 1", "neither an ensemble nor a paradigm"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_mistake_is_code_4_and_said_in_a_line(text: str, problem: str, tmp_path: Path, cli: Any) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    ran = cli("validate", "mine.yaml")
    assert ran.code == 4
    assert problem in ran.err
    assert [line for line in ran.err.splitlines() if not line.startswith("sixlens: ")] == []
    assert "; usable" not in ran.out


def test_problems_stand_in_the_json_too(tmp_path: Path, cli: Any) -> None:
    (tmp_path / "mine.yaml").write_text(MINE.replace("{{ notes }}", "{{ note }}"))
    ran = cli("validate", "mine.yaml", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["ok"], len(found["problems"])) == (4, False, 2)


def test_a_backend_that_is_named_needs_no_key_and_is_not_asked(tmp_path: Path, cli: Any) -> None:
    (tmp_path / "mine.yaml").write_text("backend: openai:x\nfallback: ['anthropic:y', 'ollama:nothing']\n")
    ran = cli("validate", "mine.yaml")
    assert (ran.code, ran.out.endswith("; usable.\n")) == (0, True)
    assert ran.err.splitlines() == [
        f"sixlens: mine.yaml: warning: {spec} needs a key to be asked: set the environment variable {name}_API_KEY."
        for spec, name in (("openai:x", "OPENAI"), ("anthropic:y", "ANTHROPIC"))
    ]
    found = json.loads(cli("validate", "mine.yaml", "--json").out)
    assert (found["ok"], found["problems"], len(found["warnings"])) == (True, [], 2)


def test_a_key_that_is_set_needs_no_warning(tmp_path: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sixlens-test-key-0123456789")
    (tmp_path / "mine.yaml").write_text("backend: openai:x\n")
    ran = cli("validate", "mine.yaml")
    assert (ran.code, ran.err) == (0, "")


def test_a_key_that_cannot_be_one_is_a_warning_too(tmp_path: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "two words")
    (tmp_path / "mine.yaml").write_text("backend: openai:x\n")
    ran = cli("validate", "mine.yaml")
    assert (ran.code, "warning: OPENAI_API_KEY holds blanks" in ran.err, "two words" in ran.err) == (0, True, False)


def test_an_extra_that_is_missing_is_a_warning(tmp_path: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(spec: str, settings: object) -> None:
        raise MissingExtraError("the hf: backend", "local")

    monkeypatch.setattr("sixlens.cli.validate_command.open_backend", lacking)
    (tmp_path / "mine.yaml").write_text("backend: hf:some/model\n")
    ran = cli("validate", "mine.yaml")
    assert ran.code == 0
    assert "warning: the hf: backend needs an extra: pip install -c constraints.txt -e '.[local]'" in ran.err


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("fusion: {quorum: 6}", False),
        ("fusion: {quorum: 7}", True),
        ("paradigms: [direct, commonsense]\nfusion: {quorum: 3, strategy: tally}", True),
        ("paradigms: [direct, commonsense]\nfusion: {quorum: 2}", False),
        ("fusion: {quorum: 7, strategy: decisive}", False),
        ("ask: false\nfusion: {quorum: 7, strategy: tally}", False),
    ],
)
def test_a_quorum_out_of_reach_is_a_warning(text: str, warned: bool, tmp_path: Path, cli: Any) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    ran = cli("validate", "mine.yaml")
    assert (ran.code, "so every verdict will be undecided" in ran.err) == (0, warned)


def test_a_file_that_is_not_there(cli: Any) -> None:
    ran = cli("validate", "none.yaml")
    assert (ran.code, ran.err) == (4, "sixlens: none.yaml: No such file or directory.\n")


@pytest.mark.parametrize("name", ["six", "measured", "structural"])
def test_what_ships_is_checked_by_its_name(name: str, cli: Any) -> None:
    ran = cli("validate", name)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.rstrip().endswith("usable.")
    assert f"{name}: {'paradigm' if name == 'structural' else 'ensemble'} {name}: " in ran.out


@pytest.mark.parametrize("name", ["Seams!", "a" * 90])
def test_what_a_name_may_be_is_said_in_words(name: str, tmp_path: Path, cli: Any) -> None:
    for text, words in (
        (f"name: {name}\nsteps: []\n", "lower-case letters, digits and _ only"),
        (f"name: {name}\n", "only"),
    ):
        (tmp_path / "mine.yaml").write_text(text)
        ran = cli("validate", "mine.yaml")
        assert words in ran.err
        assert "[a-z" not in ran.err.lower()
