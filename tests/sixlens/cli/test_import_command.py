from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sixlens.conftest import Cli

PROMPT = {
    "format_version": "3",
    "name": "tide",
    "conversations": [
        {
            "payload": [["user", "Does the water stand level? Made or taken?", "{image_url}"]],
            "response_var_name": "result",
        }
    ],
}


@pytest.fixture
def prompt(tmp_path: Path) -> str:
    (tmp_path / "tide.json").write_text(json.dumps(PROMPT), "utf-8")
    return "tide.json"


def test_an_imported_prompt_judges(cli: Cli, prompt: str, photo: Path, script: str) -> None:
    ran = cli("paradigms", "import", prompt, "-o", "tide.yaml")
    assert (ran.code, ran.out) == (0, "")
    assert "Wrote tide.yaml" in ran.err
    assert cli("validate", "tide.yaml").code == 0
    Path("e.yaml").write_text(
        "extends: six\nparadigms: [tide.yaml]\nlayout: paper\nfusion: {strategy: tally, quorum: 1}\n", "utf-8"
    )
    judged = cli("judge", str(photo), "--ensemble", "e.yaml", "--backend", script, "--json")
    assert json.loads(judged.out)["label"] == "real"


def test_it_goes_to_stdout_or_into_json(cli: Cli, prompt: str) -> None:
    text = cli("paradigms", "import", prompt).out
    assert text.startswith("name: tide\n")
    assert json.loads(cli("paradigms", "import", prompt, "--json").out)["yaml"] == text


def test_nothing_is_overwritten(cli: Cli, prompt: str) -> None:
    assert cli("paradigms", "import", prompt, "-o", "tide.yaml").code == 0
    ran = cli("paradigms", "import", prompt, "-o", "tide.yaml")
    assert (ran.code, "is there already" in ran.err) == (4, True)
    assert cli("paradigms", "import", prompt, "-o", "no/where.yaml").code == 4
    assert cli("paradigms", "import", "none.json").code == 4


def test_without_a_command_paradigms_are_listed(cli: Cli) -> None:
    assert "commonsense" in cli("paradigms").out
    assert json.loads(cli("paradigms", "--json").out)[0]["name"] == "defect_query"
