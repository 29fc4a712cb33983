from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from sixlens.cli import html_pages

NASTY_NAME = '"><svg onload=alert(1)>.png'


def test_one_picture_gets_one_page_beside_its_verdict(photo: Path, script: str, cli: Any) -> None:
    ran = cli("judge", "photo.jpg", "--backend", script, "--html", "page.html", "--json")
    assert ran.code == 0
    verdict = json.loads(ran.out)
    page = Path("page.html").read_text("utf-8")
    assert verdict["headline"] in page
    assert verdict["id"] in page
    assert page.count("data:image/jpeg;base64,") == 1
    assert sorted(path.name for path in Path().glob("*page*")) == ["page.html"]


def test_many_pictures_get_a_list_in_their_order(photo: Path, script: str, cli: Any) -> None:
    shutil.copy(photo, NASTY_NAME)
    Path("page.html").write_text("old", "utf-8")
    arguments = ("photo.jpg", "none.png", NASTY_NAME)
    ran = cli("judge", *arguments, "--backend", script, "--html", "page.html", "--jsonl")
    assert ran.code == 2
    assert len(ran.out.splitlines()) == 3
    page = Path("page.html").read_text("utf-8")
    assert page.index("./page-pages/0001.html") < page.index("no such file") < page.index("./page-pages/0003.html")
    assert "<svg" not in page
    assert "&lt;svg onload=alert(1)&gt;.png" in page
    assert sorted(path.name for path in Path("page-pages").iterdir()) == ["0001.html", "0003.html"]
    assert "<svg" not in Path("page-pages/0003.html").read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 2


def test_of_an_earlier_list_no_page_is_left(photo: Path, script: str, cli: Any) -> None:
    def pages(*pictures: str) -> list[str]:
        assert cli("judge", *pictures, "--backend", script, "--html", "page.html").code in (0, 2)
        return sorted(path.name for path in Path("page-pages").iterdir())

    Path("page-pages").mkdir()
    for name in ("0009.html", "mine.html", "0009.txt"):
        (Path("page-pages") / name).write_text("<!doctype html>by hand", "utf-8")
    own = ["0009.html", "0009.txt", "mine.html"]
    assert pages(*["photo.jpg"] * 4) == ["0001.html", "0002.html", "0003.html", "0004.html", *own]
    assert pages("photo.jpg", "none.jpg", "photo.jpg") == ["0001.html", "0003.html", *own]
    page = (Path("page-pages") / "0003.html").read_text("utf-8")
    assert "Made by sixlens, version" in page


def test_private_parts_are_shown_only_when_asked_for(declared: Path, cli: Any) -> None:
    assert cli("judge", str(declared), "--html", "page.html").code == 0
    assert "secret prompt" not in Path("page.html").read_text("utf-8")
    assert str(declared.parent) not in Path("page.html").read_text("utf-8")
    assert cli("judge", str(declared), "--html", "page.html", "--include-private").code == 0
    assert "secret prompt" in Path("page.html").read_text("utf-8")
    assert str(declared) in Path("page.html").read_text("utf-8")
    ran = cli("judge", str(declared), "--include-private")
    assert (ran.code, ran.out) == (4, "")
    assert "give --html FILE with it" in ran.err


def test_the_list_names_no_folder_of_a_picture_or_a_model(photo: Path, cli: Any) -> None:
    folder = Path("Anna Schmidt") / "secret case"
    folder.mkdir(parents=True)
    for name in ("a b.jpg", f"{'long ' * 30}.jpg"):
        shutil.copy(photo, folder / name)
    (folder / "silent.yaml").write_text("model: m\nrules:\n  - {paradigm: x, text: y}\n", "utf-8")
    pictures = [str(path) for path in sorted(folder.absolute().glob("*.jpg"))]
    backend = f"scripted:{(folder / 'silent.yaml').absolute()}"
    address = "https://somebody:password@example.org/a/b.png?token=secret"
    ran = cli("judge", *pictures, address, "--backend", backend, "--no-cache", "--html", "page.html")
    assert ran.code == 1
    assert "secret case" in ran.err
    assert not re.search("password|token", ran.err)
    page = Path("page.html").read_text("utf-8")
    assert not re.search("Anna|Schmidt|secret|password|token", page)
    assert [line in page for line in ("<bdi>a b.jpg</bdi>", "<bdi>b.png</bdi>", "scripted:…/silent.yaml")] == [True] * 3


def test_a_place_where_no_page_can_be_is_refused_before_anybody_is_asked(photo: Path, cli: Any) -> None:
    Path("folder.html").mkdir()
    Path("taken-pages").write_text("x", "utf-8")
    before = photo.read_bytes()
    for name in ("folder.html", "nowhere/page.html", "", "photo.jpg"):
        ran = cli("judge", "photo.jpg", "--html", name)
        assert (ran.code, ran.out) == (4, ""), name
        assert ran.err.count("\n") == 1, name
        assert "cannot be written" in ran.err, name
    ran = cli("judge", "photo.jpg", "photo.jpg", "--html", "taken.html")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert photo.read_bytes() == before


def test_a_pipe_is_not_replaced_by_a_page(photo: Path, cli: Any) -> None:
    if sys.platform == "win32":
        pytest.skip("no named pipes")
    os.mkfifo("page.html")
    assert cli("judge", "photo.jpg", "--html", "page.html").code == 4
    assert Path("page.html").is_fifo()


def test_a_page_that_cannot_be_written_costs_no_verdict(photo: Path, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    Path("page.html").write_text("old", "utf-8")
    monkeypatch.setattr(html_pages.os, "fsync", full)
    ran = cli("judge", "photo.jpg", "--html", "page.html", "--json")
    assert ran.code == 4
    assert json.loads(ran.out)["image"]["name"] == "photo.jpg"
    assert ran.err == "sixlens: page.html cannot be written: No space left on device.\n"
    assert Path("page.html").read_text("utf-8") == "old"
    assert list(Path().glob("*.part")) == list(Path().glob(".*.part")) == []


def test_a_dry_run_writes_no_page(photo: Path, cli: Any) -> None:
    assert cli("judge", "photo.jpg", "photo.jpg", "--dry-run", "--html", "page.html").code == 0
    assert not Path("page.html").exists()
    assert not Path("page-pages").exists()


def test_what_was_done_is_listed_also_when_the_rest_is_given_up(photo: Path, tmp_path: Path) -> None:
    from orchestrator.judge import Judged

    def give_up() -> None:
        with html_pages.HtmlPages(tmp_path / "page.html", 5) as pages:
            pages.add(Judged(3, "x", error=html_pages.ConfigError("no")), "x.png")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()
    assert "x.png" in (tmp_path / "page.html").read_text("utf-8")
