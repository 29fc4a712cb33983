import pytest

from paradigms.signals.provenance.jpeg import read_jpeg


def test_every_kind_of_segment(files):
    data = files.jpeg(
        files.segment(0xE1, files.XMP_HEAD + b"<x/>"),
        files.segment(0xEB, b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\0"),
        files.segment(0xED, b"Photoshop 3.0\x00abc"),
        files.segment(0xED, b"Photoshop 3.0\x00def"),
        files.segment(0xFE, b"a comment\0"),
        exif=b"II*\0first",
    )
    found = read_jpeg(data)
    assert found.exif == b"II*\0first"
    assert found.xmp == [b"<x/>"]
    assert found.photoshop == b"abcdef"
    assert [(field.where, field.text) for field in found.texts] == [("jpeg:comment", "a comment")]
    assert found.manifest


def test_what_lies_behind_the_start_of_the_pixels_is_not_read(files):
    data = files.jpeg() + files.segment(0xFE, b"late")
    assert read_jpeg(data).texts == []


def test_the_first_exif_block_counts_and_fill_bytes_are_skipped(files):
    second = b"\xff\xff" + files.segment(0xE1, b"Exif\0\0MM\0*second")
    assert read_jpeg(files.jpeg(second, exif=b"II*\0first")).exif == b"II*\0first"
    assert read_jpeg(files.jpeg(second)).exif == b"MM\0*second"


@pytest.mark.parametrize("payload", [b"HDR_RI ver=11", b"JP\0\1\0\0\0\1\0\0\0\x40JPEG"])
def test_other_users_of_the_manifest_segment_are_no_manifest(files, payload):
    assert not read_jpeg(files.jpeg(files.segment(0xEB, payload))).manifest


def test_a_segment_that_runs_over_the_end_is_not_read(files):
    data = files.jpeg(files.segment(0xFE, b"x" * 100))
    assert read_jpeg(data[:50]).texts == []
