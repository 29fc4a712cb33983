from __future__ import annotations

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from backends.errors import AuthError, BudgetError, ConfigError, ImageError, NoVerdictError, ProgramError, SixlensError
from orchestrator.judge import Judged
from sixlens.cli import judge_command
from sixlens.cli.judge_command import exit_code, worst
from sixlens.cli.local_models import Found, Server
from sixlens.schemas import schema

FAULT = "rules:\n  - {fault: auth}\n"


def stdin(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_a_person_reads_the_verdict_of_measuring(photo: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg")
    assert ran.code == 0
    assert ran.out.startswith("photo.jpg  JPEG, 96 × 64 pixels\n\nNobody has looked yet (no model attached).\n")
    assert ran.out.count("skipped   not done: needs a vision model") == 4
    assert "sixlens judge photo.jpg --backend" in ran.out
    assert ran.out.endswith("Nothing leaves this machine until you name a model elsewhere.\n")
    assert ran.err == ""


def test_a_person_reads_the_verdict_of_six(photo: Path, script: str, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "--backend", script)
    assert ran.code == 0
    assert "No signs of generation found in 6 of 6 examinations." in ran.out
    assert "Looked: scripted:script.yaml (served: script-1); one model in 6 examinations.\n" in ran.out
    assert "cached" not in ran.out
    assert "lens blur: the background blurs steadily" in ran.out
    assert "Known defects             real  The blur grows with the distance.\n" in ran.out
    assert "Panel                     real" in ran.out
    assert "10 calls; 7,000 tokens in and 700 out; cost unknown" in ran.out
    assert "Nothing leaves" not in ran.out
    lines = ran.err.splitlines()
    assert lines[0] == "sixlens: photo.jpg: looking (small boat)"
    assert len(lines) == 7
    assert "sixlens: photo.jpg: Known defects: real" in lines


def test_what_a_file_declares_is_said_without_its_prompt(declared: Path, cli: Any) -> None:
    ran = cli("judge", str(declared))
    assert ran.code == 0
    words = " ".join(ran.out.split())
    assert "The file declares that it was generated with “Stable Diffusion WebUI”" in words
    assert "secret" not in words
    assert "may be private (not shown)" in words


def test_json_is_one_object_for_one_picture(photo: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "--json")
    verdict = json.loads(ran.out)
    jsonschema.validate(verdict, schema("verdict"))
    assert (verdict["label"], verdict["image"]["path"], len(verdict["reports"])) == ("undecided", "photo.jpg", 6)
    assert (ran.code, ran.err) == (0, "")


def test_json_says_the_same_on_every_run(photo: Path, script: str, cli: Any) -> None:
    def once() -> dict[str, Any]:
        verdict: dict[str, Any] = json.loads(cli("judge", "photo.jpg", "--json", "-b", script).out)
        return {key: value for key, value in verdict.items() if key not in ("id", "created_at", "usage")}

    assert once() == once()


def test_json_is_a_list_for_several_in_their_order(photo: Path, declared: Path, cli: Any) -> None:
    ran = cli("judge", "declared.jpg", "photo.jpg", "declared.jpg", "--json")
    assert [verdict["image"]["name"] for verdict in json.loads(ran.out)] == [
        "declared.jpg",
        "photo.jpg",
        "declared.jpg",
    ]


def test_jsonl_is_one_object_a_line(photo: Path, declared: Path, cli: Any) -> None:
    ran = cli("judge", "declared.jpg", "photo.jpg", "--jsonl")
    names = {json.loads(line)["image"]["name"] for line in ran.out.splitlines()}
    assert names == {"declared.jpg", "photo.jpg"}


def test_json_cannot_steer_a_terminal(cli: Any, photo: Path) -> None:
    name = "a\u202e\x9b\u2028.jpg"
    photo.rename(photo.with_name(name))
    ran = cli("judge", name, "--json")
    assert json.loads(ran.out)["image"]["path"] == name
    assert not set(name) & set(ran.out) - set("a.jpg")


def test_an_unusable_picture_is_named_and_the_others_are_judged(photo: Path, tmp_path: Path, cli: Any) -> None:
    (tmp_path / "empty.jpg").touch()
    ran = cli("judge", "none.jpg", "photo.jpg", "empty.jpg", "--json")
    assert ran.code == 2
    first, second, third = json.loads(ran.out)
    assert first == {"path": "none.jpg", "error": "none.jpg: there is no such file; check the path"}
    assert second["image"]["name"] == "photo.jpg"
    assert third == {"path": "empty.jpg", "error": "empty.jpg: the file is empty"}
    assert ran.err.splitlines() == [
        "sixlens: none.jpg: there is no such file; check the path",
        "sixlens: empty.jpg: the file is empty",
    ]


def test_nothing_usable_prints_no_answer(cli: Any) -> None:
    assert cli("judge", "none.jpg").out == ""
    assert cli("judge", "none.jpg", "--json").out == ""
    assert [set(item) for item in json.loads(cli("judge", "none.jpg", "none.jpg", "--json").out)] == [
        {"path", "error"},
        {"path", "error"},
    ]


def test_jsonl_has_a_line_for_every_picture(photo: Path, cli: Any) -> None:
    lines = [json.loads(line) for line in cli("judge", "none.jpg", "photo.jpg", "--jsonl").out.splitlines()]
    assert sorted(line.get("path", "a verdict") for line in lines) == ["a verdict", "none.jpg"]
    (alone,) = cli("judge", "none.jpg", "--jsonl").out.splitlines()
    assert json.loads(alone)["error"] == "none.jpg: there is no such file; check the path"


def test_an_error_in_json_names_no_secret_of_an_address_and_no_data(cli: Any) -> None:
    ran = cli("judge", "https://user:secret@example.org/a.jpg?key=secret", "data:image/png;base64,c2VjcmV0", "--json")
    assert "secret" not in ran.out
    assert "c2VjcmV0" not in ran.out
    assert [item["path"] for item in json.loads(ran.out)] == ["https://example.org/a.jpg", None]


def test_standard_input_is_a_picture_too(photo: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin(photo.read_bytes(), monkeypatch)
    ran = cli("judge", "-", "photo.jpg", "-", "--json")
    assert [item.get("path") or item["image"]["path"] for item in json.loads(ran.out)] == ["-", "photo.jpg", "-"]
    assert (ran.code, ran.err) == (2, "sixlens: standard input: the file is empty\n")


def test_web_addresses_are_refused_unless_allowed(cli: Any) -> None:
    ran = cli("judge", "http://127.0.0.1:9/a.jpg")
    assert ran.code == 2
    assert "--allow-urls" in ran.err
    ran = cli("judge", "http://127.0.0.1:9/a.jpg", "--allow-urls")
    assert ran.code == 2
    assert "not a public address" in ran.err


def test_other_schemes_are_not_told_to_allow_urls(cli: Any) -> None:
    for flags in ((), ("--allow-urls",)):
        ran = cli("judge", "file:///etc/passwd", *flags)
        assert ran.code == 2
        assert "only http(s) addresses and plain paths are read" in ran.err
        assert "--allow-urls" not in ran.err


@pytest.mark.parametrize(
    ("spec", "variable"), [("openai:gpt-4o", "OPENAI_API_KEY"), ("anthropic:m", "ANTHROPIC_API_KEY")]
)
def test_a_missing_key_is_said_once_and_before_anything_else(
    spec: str, variable: str, photo: Path, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in ((), ("--json",), ("--jsonl",)):
        ran = cli("judge", "photo.jpg", "photo.jpg", "-b", spec, *form)
        assert (ran.code, ran.out) == (4, "")
        assert ran.err == f"sixlens: {spec} needs a key: set the environment variable {variable}.\n"
    ran = cli("judge", "photo.jpg", "-b", spec, "--dry-run")
    assert (ran.code, f"{spec} needs a key: set the environment variable {variable} before." in ran.out) == (0, True)
    monkeypatch.setenv(variable, "sk-something-1")
    assert "needs a key" not in cli("judge", "photo.jpg", "-b", spec, "--dry-run").out


def test_a_key_that_is_none_is_a_matter_of_configuration(
    photo: Path, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "two words")
    ran = cli("judge", "photo.jpg", "-b", "openai:gpt-4o")
    assert (ran.code, ran.err.count("\n")) == (4, 1)


def test_a_server_that_does_not_run_is_said_once_with_what_to_do(photo: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "-b", "ollama:llava@http://127.0.0.1:9")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert ran.err.endswith("Start it with `ollama serve`, and get the model with `ollama pull llava`.\n")


def test_without_any_answer_there_is_one_error_line_a_picture(photo: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", *HOSTED)
    assert ran.code == 1
    assert ran.err.count("could not be reached") == 1


def test_no_answer_from_any_backend_is_code_1(photo: Path, tmp_path: Path, cli: Any) -> None:
    (tmp_path / "fault.yaml").write_text(FAULT)
    ran = cli("judge", "photo.jpg", "-b", "scripted:fault.yaml", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("sixlens: photo.jpg: No backend answered:")


def test_a_spent_budget_is_code_3_and_keeps_what_was_done(photo: Path, script: str, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "-b", script, "--json", "--set", "budget.calls=4")
    verdict = json.loads(ran.out)
    assert (ran.code, verdict["undecided_because"], verdict["usage"]["attempts"]) == (3, "budget", 4)
    assert cli("judge", "photo.jpg", "none.jpg", "-b", script, "--no-cache", "--set", "budget.calls=1").code == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (NoVerdictError("x"), 1),
        (AuthError("x"), 1),
        (ProgramError("x"), 1),
        (ImageError("x"), 2),
        (BudgetError("x"), 3),
        (ConfigError("x"), 4),
    ],
)
def test_the_code_of_one_picture(error: SixlensError | None, code: int) -> None:
    assert exit_code(Judged(0, "x", error=error)) == code


@pytest.mark.parametrize(
    ("codes", "code"), [((), 0), ((0, 0), 0), ((0, 2), 2), ((2, 1), 1), ((1, 3, 2), 3), ((3, 4), 4)]
)
def test_the_worst_code_counts(codes: tuple[int, ...], code: int) -> None:
    assert worst(codes) == code


def test_trace_adds_the_prompts_and_answers(photo: Path, script: str, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "-b", script, "--json", "--trace")
    steps = [step for report in json.loads(ran.out)["reports"] for step in report["steps"] if step["kind"] == "ask"]
    assert all(step["trace"]["messages"] and step["trace"]["answer"] for step in steps)
    ran = cli("judge", "photo.jpg", "-b", script, "--trace")
    assert "prepare, subject\nsystem:\n  You examine one picture" in ran.out
    assert "regional, verdict\nsystem: as in prepare, subject\nuser [3 pictures]:\n" in ran.out
    assert "user [3 pictures]:" in ran.out
    assert ran.out.count("  You examine one picture") == 1
    assert "answer:\n  a hull; a sail\n" in ran.out


def test_answers_are_kept_unless_told_otherwise(photo: Path, script: str, tmp_path: Path, cli: Any) -> None:
    file = tmp_path / "cache" / "answers.sqlite"
    cli("judge", "photo.jpg", "-b", script, "--no-cache")
    assert not file.exists()
    cli("judge", "photo.jpg", "-b", script)
    assert file.exists()
    ran = cli("judge", "photo.jpg", "-b", script, "--json")
    assert json.loads(ran.out)["usage"]["cache_hits"] == 10


def test_a_dry_run_asks_nobody(photo: Path, script: str, tmp_path: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "photo.jpg", "-b", script, "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert "Calls for each picture: 10 (8 with the picture, 2 of text alone)" in ran.out
    assert "calls in all: 20; up to 14 more" in ran.out
    assert "photo.jpg: 96 × 64, delivered as JPEG of 96 × 64 without metadata" in ran.out
    assert "goes to this process" in ran.out
    assert "Estimated cost: unknown" in ran.out
    assert not (tmp_path / "cache").exists()


def test_a_dry_run_of_measuring_and_of_unusable_pictures(photo: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "none.jpg", "--dry-run")
    assert ran.code == 2
    assert "It asks no model" in ran.out
    assert ran.err == "sixlens: none.jpg: there is no such file; check the path\n"


HOSTED = ("-b", "compatible:m@http://127.0.0.1:1/v1", "--set", "retry.attempts=1", "--set", "deadlines.connect=0.2")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this machine's own addresses count as somebody else's."""
    monkeypatch.setattr("backends.providers.address._is_loopback", lambda _: False)


@pytest.mark.usefixtures("elsewhere")
def test_before_a_picture_leaves_the_machine_it_is_said_where_to(photo: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "--json", *HOSTED)
    assert ran.err.splitlines()[:2] == [
        "sixlens: photo.jpg goes as JPEG of 96 × 64 pixels, without metadata, to 127.0.0.1:1 "
        "(compatible:m@http://127.0.0.1:1/v1). Calls: 10 (8 with the picture, 2 of text alone); "
        "up to 7 more where an answer cannot be read at once.",
        "sixlens: Estimated cost: unknown (no price is known for a model; set `prices`).",
    ]
    ran = cli("judge", "photo.jpg", "photo.jpg", "--json", *HOSTED)
    assert ran.err.startswith("sixlens: 2 pictures go, each as JPEG of at most 1024 pixels a side, without metadata,")


@pytest.mark.usefixtures("elsewhere")
def test_nothing_is_announced_for_a_picture_that_goes_nowhere(cli: Any) -> None:
    ran = cli("judge", "none.jpg", *HOSTED)
    assert (ran.code, "goes as" in ran.err) == (2, False)
    ran = cli("judge", "none.jpg", "--dry-run", *HOSTED)
    assert "leaves this machine for 127.0.0.1:1" in ran.out


def test_a_server_on_this_machine_gets_pictures_without_announcement(photo: Path, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "--json", *HOSTED)
    assert ran.code == 1
    assert "goes as" not in ran.err


def test_a_model_found_on_this_machine_is_named(photo: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def found() -> tuple[Found, ...]:
        return (Found(Server("Ollama", 11434, "/api/tags"), ("ollama:llava:7b",)),)

    monkeypatch.setattr(judge_command, "find_servers", found)
    ran = cli("judge", "photo.jpg")
    assert "A vision model runs on this machine (Ollama) and was not used" in " ".join(ran.out.split())
    assert "  sixlens judge photo.jpg --backend ollama:llava:7b\n" in ran.out
    assert "ollama:llava" not in cli("judge", "photo.jpg", "--json").out


def test_verbose_says_more(photo: Path, cli: Any) -> None:
    assert "photo.jpg: looking" in cli("judge", "photo.jpg", "-v").err


def test_a_fault_of_the_program_is_one_line_and_a_traceback_only_with_v(photo: Path, tmp_path: Path, cli: Any) -> None:
    (tmp_path / "bug.yaml").write_text("rules:\n  - {paradigm: few_shot, fault: bug}\n  - {text: 'Verdict: real'}\n")
    ran = cli("judge", "photo.jpg", "-b", "scripted:bug.yaml", "--json", "--no-cache")
    assert [report["bug"] for report in json.loads(ran.out)["reports"]].count(True) == 1
    assert ran.err.count("\n") == 1
    assert "(-v shows where)" in ran.err
    assert "Traceback" in cli("judge", "photo.jpg", "-b", "scripted:bug.yaml", "--json", "--no-cache", "-v").err


def test_variants_are_judged_and_told(photo: Path, script: str, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "--backend", script, "--no-cache", "--stability", "2")
    assert ran.code == 0
    assert "Stability\n  2 of 2 mild variants of the picture read as a photograph too.\n" in ran.out
    calls = re.search(r"(\d+) calls", ran.out)
    assert calls is not None
    # The two lists that need no picture are asked once by variants that ask at the same moment.
    assert 26 <= int(calls[1]) <= 30
    verdict = json.loads(cli("judge", "photo.jpg", "--backend", script, "--stability", "1", "--json").out)
    jsonschema.validate(verdict, schema("verdict"))
    assert verdict["stability"]["variants"][0]["name"] == "jpeg_75"
    assert "stability" in cli("judge", "photo.jpg", "--stability", "9").err
