from __future__ import annotations

import pytest

from sixlens.page.clean import Cleaner, without_paths


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


def test_the_pictures_own_path_is_found_also_with_spaces() -> None:
    path = "/home/me/my pictures/a boat.jpg"
    assert Cleaner(path=path).line(f"{path} was not read") == "…/a boat.jpg was not read"
    assert Cleaner(path="boat.jpg").line("boat.jpg was not read") == "boat.jpg was not read"


def test_lines_are_bounded_and_harmless() -> None:
    assert Cleaner().line("a\x00\u202eb\n" + "c" * 5000, 20) == f"ab {'c' * 16}…"
    assert len(Cleaner().words("word " * 100_000, 300)) == 300


def test_hostile_text_costs_no_time() -> None:
    for text in ("/" * 100_000, "/a" * 50_000, "~" * 100_000, "\\" * 100_000, "../" * 30_000, "file:" + "/" * 90_000):
        assert len(Cleaner().line(text, 2000)) <= 2000
