import base64

import pytest

from backends.providers.redact import MAX_CHARS, one_line


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: my-own-key-of-any-form-77.",
        "Incorrect API key provided: sk-proj-abc123DEF456.",
        "Incorrect API key provided: sk-ab***************7xyz.",
        "header was Authorization: Bearer abcdefgh1234",
        "AIzaSyA1234567890abcdef is no key",
    ],
)
def test_keys_are_hidden(text):
    shown = one_line(text, ["my-own-key-of-any-form-77"])
    assert "[hidden]" in shown
    for part in ("my-own-key", "abc123", "7xyz", "abcdefgh1234", "AIza"):
        assert part not in shown


def test_model_names_are_not_taken_for_keys():
    text = "no model hf-internal-testing/tiny-model, sk-learn, rk-x"
    assert one_line(text) == text


def test_image_bytes_are_hidden():
    data = base64.b64encode(bytes(range(256)) * 4).decode()
    shown = one_line(f"bad url data:image/png;base64,{data} and {data}")
    assert shown == "bad url [bytes] and [bytes]"


def test_one_short_line_without_control_characters():
    shown = one_line("a\x1b[31m b\r\n\tc\u2028d" + " word" * 1000)
    assert shown.startswith("a [31m b c d word")
    assert len(shown) == MAX_CHARS
    assert shown.isprintable()


def test_an_empty_key_hides_nothing():
    assert one_line("plain", ["", "a"]) == "plain"
