from __future__ import annotations

import re

import pytest

import sixlens
from paradigms.signals.provenance.text import plain
from sixlens.page.clean import Cleaner, path_in, without_paths


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read /home/me/models/x.gguf: no", "cannot read …/x.gguf: no"),
        ("hf:/home/me/models/eye", "hf:…/eye"),
        ("hf:~/models/eye", "hf:…/eye"),
        ("~/secret/x.jpg is gone", "…/x.jpg is gone"),
        ("~me/secret/x.jpg", "…/x.jpg"),
        ("(../my/secret/x.yaml)", "(…/x.yaml)"),
        (r"C:\Users\me\x.jpg", "…/x.jpg"),
        (r"\\server\share\x.png", "…/x.png"),
        ("file:///etc/x/y", "…/y"),
        ("key=/home/me/x", "key=…/x"),
    ],
)
def test_a_path_on_this_machine_is_cut_to_its_last_part(text: str, shown: str) -> None:
    assert without_paths(text) == shown
    assert Cleaner().line(text) == shown
    assert Cleaner(include_private=True).line(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "compatible:org/model@http://127.0.0.1:8000/v1/chat",
        "hf:org/name",
        "1/2/3 and/or 3/4",
        "https://example.org/a/b/c",
        "image/jpeg",
        "a: b",
    ],
)
def test_what_is_no_path_stays(text: str) -> None:
    assert without_paths(text) == text


def test_a_known_path_is_found_also_with_spaces() -> None:
    path = "/home/me/my  pictures/a boat.jpg"
    clean = Cleaner.knowing([path, None, "", "/home/me/my  pictures", "boat.jpg"])
    assert clean.line(f"{path} was not read") == "…/a boat.jpg was not read"
    assert clean.line("boat.jpg was not read") == "boat.jpg was not read"
    assert clean.line("nothing in /home/me/my pictures") == "nothing in …/my pictures"
    assert Cleaner.knowing([path], include_private=True).line("in /home/me/my pictures") == "in /home/me/my pictures"


@pytest.mark.parametrize("limit", range(1, 60))
def test_of_a_known_path_that_was_cut_nothing_is_left(limit: int) -> None:
    clean = Cleaner.knowing(["/home/Anna Schmidt/secret case/real.yaml"])
    text = "no rule in scripted:/home/Anna Schmidt/secret case/real.yaml for it"
    assert not re.search("Anna|Schmidt|secret|case", clean.line(plain(text, limit)))
    assert not re.search("Anna|Schmidt|secret|case", clean.line(text, limit))


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("scripted:/tmp/x/Anna Schmidt/real.yaml", "/tmp/x/Anna Schmidt/real.yaml"),
        ("scripted:cases/real.yaml", "cases/real.yaml"),
        ("hf:~/my models/eye", "~/my models/eye"),
        ("hf:my models/eye", "my models/eye"),
        (r"hf:C:\my models\eye", r"C:\my models\eye"),
        ("hf:../eye", "../eye"),
        ("hf:organisation/eye-2.5", None),
        ("compatible:/srv/my models/eye@http://127.0.0.1:8000/v1", "/srv/my models/eye"),
        ("compatible:organisation/eye@http://127.0.0.1:8000/v1", None),
        ("ollama:qwen2.5vl:7b", None),
    ],
)
def test_the_path_in_a_spec(spec: str, path: str | None) -> None:
    assert path_in(spec) == path


def test_lines_are_bounded_and_harmless() -> None:
    assert Cleaner().line("a\x00\u202eb\n" + "c" * 5000, 20) == f"ab {'c' * 16}…"
    assert len(Cleaner().words("word " * 100_000, 300)) == 300


def test_hostile_text_costs_no_time() -> None:
    for text in ("/" * 100_000, "/a" * 50_000, "~" * 100_000, "\\" * 100_000, "../" * 30_000, "file:" + "/" * 90_000):
        assert len(Cleaner().line(text, 2000)) <= 2000


def test_a_served_name_of_any_length_costs_bounded_time_and_is_not_told(verdict: sixlens.Verdict) -> None:
    served = "/home/Anna Schmidt/secret case/" + "a " * 100_000
    reports = tuple(report.model_copy(update={"model_served": served}) for report in verdict.reports)
    clean = Cleaner.of(verdict.model_copy(update={"reports": reports}))
    assert max(map(len, clean.paths)) <= 1000
    assert not re.search("Anna|Schmidt|secret|case", clean.line(f"asked {served}", 200))
    assert not re.search("Anna|Schmidt|secret|case", clean.line(plain(f"asked {served}", 200)))
