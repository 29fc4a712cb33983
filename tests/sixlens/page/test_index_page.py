from __future__ import annotations

from pathlib import Path

import sixlens
from paradigms.label import Label
from sixlens.page import IndexEntry, index_page, small_picture

from .conftest import NASTY, NASTY_NAME, Document


def test_pictures_stand_in_the_order_given_with_their_labels(verdict: sixlens.Verdict, photo: Path) -> None:
    small = small_picture(sixlens.load_image(photo))
    accused = verdict.model_copy(update={"label": Label.GENERATED, "headline": "Reads as generated in 6 of 6."})
    entries = [
        IndexEntry.of(verdict, href="pages/0001.html", thumbnail=small),
        IndexEntry.unusable("broken.png", "broken.png is no picture"),
        IndexEntry.of(accused, href="pages/0003.html"),
    ]
    document = Document(index_page(entries))
    words = document.words
    assert words.index(verdict.headline) < words.index("broken.png is no picture") < words.index("6 of 6.")
    assert "1 × No signs of generation found 1 × No verdict 1 × Reads as generated" in words
    assert document.all("href") == ["#main", "./pages/0001.html", "./pages/0003.html"]
    assert len(document.all("src")) == 1


def test_nothing_untrusted_becomes_an_element_or_leads_elsewhere(verdict: sixlens.Verdict) -> None:
    image = verdict.image.model_copy(update={"name": NASTY_NAME})
    nasty = verdict.model_copy(update={"image": image, "headline": NASTY})
    plain = index_page([IndexEntry.of(verdict, href="x.html"), IndexEntry.unusable("a", "b")])
    page = index_page(
        [IndexEntry.of(nasty, href='javascript:alert(1)"><svg onload=x>'), IndexEntry.unusable(NASTY, NASTY)]
    )
    document = Document(page)
    assert document.tags == Document(plain).tags
    assert document.attributes == Document(plain).attributes
    assert document.all("href")[1] == "./javascript%3Aalert%281%29%22%3E%3Csvg%20onload%3Dx%3E"
    assert NASTY_NAME in document.words


def test_an_error_gives_no_path_away_unless_asked_to() -> None:
    error = "/home/somebody/a.png: there is no such file"
    assert "somebody" not in index_page([IndexEntry.unusable("a.png", error)])
    assert "somebody" in index_page([IndexEntry.unusable("a.png", error, include_private=True)])


def test_a_known_path_in_an_error_is_cut_whole() -> None:
    error = "my trip/of 2026/a.png: No backend answered."
    page = index_page([IndexEntry.unusable("a.png", error, paths=["my trip/of 2026/a.png"])])
    assert "…/a.png: No backend answered." in page
    assert "2026" not in page


def test_a_folder_name_that_is_no_text_is_still_found() -> None:
    assert "./a%FF/1.html" in index_page([IndexEntry("n", "s", href="a\udcff/1.html")])
