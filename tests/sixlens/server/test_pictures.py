from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.images.image import ImageLimits
from sixlens.server.errors import StorageError
from sixlens.server.pictures import PictureFolder, shown_name


@pytest.fixture
def folder(tmp_path: Path) -> PictureFolder:
    made = PictureFolder(tmp_path / "pictures", ImageLimits())
    made.open()
    return made


def test_a_picture_that_is_linked_a_moment_before_the_purge_is_left(folder: PictureFolder, photo: Path) -> None:
    with photo.open("rb") as source:
        folder.spool("old", ".jpg", source)
    os.utime(folder.path("old", ".jpg"), (0, 0))
    assert folder.link("new", "old", ".jpg")
    folder.remove_orphans(set())  # nothing is known of the new judgment yet
    assert folder.path("new", ".jpg").read_bytes() == photo.read_bytes()


def test_what_is_gone_cannot_be_linked_and_a_folder_that_is_gone_is_trouble(folder: PictureFolder, photo: Path) -> None:
    assert not folder.link("new", "old", ".jpg")
    folder.path("x", "").parent.rmdir()
    with photo.open("rb") as source, pytest.raises(StorageError, match="cannot be used now") as caught:
        folder.spool("old", ".jpg", source)
    assert str(photo.parent) not in str(caught.value)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("%22><svg onload=alert(1)>.png", ('"><svg onload=alert(1)>.png', ".png")),
        ("a%0D%0Ab%20c.JPG", ("ab%20c.JPG", ".jpg")),
        ("C:\\pictures\\100%.webp", ("100%.webp", ".webp")),
        (None, ("unnamed picture", "")),
    ],
)
def test_names_are_those_of_the_files(sent: str | None, shown: tuple[str, str]) -> None:
    assert shown_name(sent) == shown
