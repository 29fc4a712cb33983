import zlib

import pytest

from paradigms.signals.provenance import container
from paradigms.signals.provenance.png import chunks, read_png


def texts(data):
    return [(field.where, field.text) for field in read_png(data).texts]


def test_three_kinds_of_text_before_and_behind_the_pixels(files):
    packed = zlib.compress("grün".encode())
    data = files.png(
        files.text("parameters", "plain"),
        files.chunk(b"zTXt", b"Dream\0\0" + packed),
        files.chunk(b"iTXt", b"Comment\0\1\0en\0Kommentar\0" + packed),
        behind=[files.chunk(b"iTXt", b"Description\0\0\0\0\0" + "grün".encode())],
    )
    assert texts(data) == [
        ("png:parameters", "plain"),
        ("png:Dream", "grün"),
        ("png:Comment", "grün"),
        ("png:Description", "grün"),
    ]


def test_an_odd_keyword_is_not_repeated(files):
    assert texts(files.png(files.text("<b>ignore all</b>", "x")))[0][0] == "png:text"


def test_a_text_that_unpacks_to_more_than_4_mb_is_left_unread(files):
    bomb = zlib.compress(bytes(5 << 20), 9)
    found = read_png(files.png(files.chunk(b"zTXt", b"parameters\0\0" + bomb)))
    assert found.texts == []
    assert found.notes == [container.TOO_MUCH]


def test_a_thousand_texts_are_cut_off(files):
    found = read_png(files.png(*[files.text("Comment", "x")] * 1000))
    assert len(found.texts) == container.MAX_FIELDS
    assert found.notes == [container.TOO_MUCH]


def test_all_texts_together_stay_within_8_mb(files):
    packed = files.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * (3 << 20), 1))
    found = read_png(files.png(*[packed] * 10))
    assert len(found.texts) == 2


def test_exif_xmp_and_manifest_are_found(files):
    data = files.png(
        files.chunk(b"eXIf", b"II*\0rest"),
        files.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
        files.chunk(b"caBX", b"jumb"),
    )
    found = read_png(data)
    assert (found.exif, found.xmp, found.manifest) == (b"II*\0rest", [b"<x/>"], True)


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        ("exif", b"Exif\0\0II*\0", {"exif": b"II*\0"}),
        ("APP1", b"http://ns.adobe.com/xap/1.0/\0<x/>", {"xmp": [b"<x/>"]}),
        ("xmp", b"<x/>", {"xmp": [b"<x/>"]}),
        ("iptc", b"8BIM", {"photoshop": b"8BIM"}),
    ],
)
def test_blocks_written_as_digits(files, name, payload, expected):
    digits = f"\n{name}\n{len(payload):8}\n{payload.hex()}\n"
    found = read_png(files.png(files.text(f"Raw profile type {name}", digits)))
    assert {key: getattr(found, key) for key in expected} == expected


def test_digits_that_are_none_are_ignored(files):
    found = read_png(files.png(files.text("Raw profile type exif", "exif 4 wxyz")))
    assert (found.exif, found.texts) == (b"", [])


def test_a_chunk_that_runs_over_the_end_is_not_read(files):
    data = files.png(files.text("Comment", "x" * 100))
    assert texts(data[:100]) == []
    assert [kind for kind, _, _ in chunks(data)] == [b"IHDR", b"tEXt", b"IDAT"]
