import pytest

from paradigms.signals.provenance.text import decode, decode_user_comment, decode_utf16, load_json, plain, word


def test_plain_leaves_one_short_line_without_hidden_characters():
    assert plain("a\u202eb\x00\x1b[31m\n c\u200b\ud800\ue000", 200) == "ab[31m c"
    assert plain("x" * 300, 200) == "x" * 199 + "…"
    assert plain("grün 鴨", 200) == "grün 鴨"


def test_decode_takes_utf8_or_latin1_up_to_the_first_nul():
    assert decode("grün".encode() + b"\0rest") == "grün"
    assert decode("grün".encode("latin-1")) == "grün"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("big_endian", [True, False])
def test_the_byte_order_is_read_from_the_text(encoding, big_endian):
    text = "Steps: 20, 鴨"
    assert decode_utf16(text.encode(encoding), big_endian=big_endian) == text


def test_utf8_in_place_of_utf16_is_read():
    assert decode_utf16(b"Steps: 20 ", big_endian=True) == "Steps: 20 "


def test_a_text_without_zero_bytes_takes_the_order_of_the_file():
    data = "鴨池".encode("utf-16-be")
    assert decode_utf16(data, big_endian=True) == "鴨池"
    assert decode_utf16("鴨池".encode("utf-16-le"), big_endian=False) == "鴨池"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"ASCII\0\0\0a duck", "a duck"),
        (b"UNICODE\0" + "a duck".encode("utf-16-be"), "a duck"),
        (b"UNICODE\0" + "a duck".encode("utf-16-le"), "a duck"),
        (b"ASCII\0\0\0" + "a duck".encode("utf-16-le"), "a duck"),
        (bytes(8) + b"a duck", "a duck"),
        (b"JIS\0\0\0\0\0" + "鴨".encode("iso2022_jp"), "鴨"),
        (b"no prefix at all", "no prefix at all"),
        (b"", ""),
        (b"UNICODE\0\xd8", "\ufffd"),
    ],
)
def test_a_user_comment_in_any_dress(data, text):
    assert decode_user_comment(data, big_endian=True) == text


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":' * 50_000, "1" * 5000, '"' + "x" * (2 << 20) + '"'])
def test_json_that_is_none_too_deep_or_too_large_is_nothing(text):
    assert load_json(text) is None


def test_a_word_is_short_and_never_a_structure():
    assert (word("a" * 300), word(3), word(None), word({"a": 1}), word([1])) == ("a" * 200, "3", "", "", "")
