from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from evals.html import Mark, Style, base_css, data_uri, overlay_css, page_environment, policy
from evals.html.environment import bdi


def mark(number: int, *box: float) -> Mark:
    return Mark(number, (box[0], box[1], box[2], box[3]), "generated", "a sign")


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"\xff\xd8\xff\xe0x", "jpeg"), (b"\x89PNG\r\n\x1a\nx", "png"), (b"RIFF\x04\x00\x00\x00WEBPx", "webp")],
)
def test_the_first_bytes_say_what_a_picture_is(data: bytes, kind: str) -> None:
    assert data_uri(data) == f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"GIF89a", b"RIFF\x04\x00\x00\x00WAVE"])
def test_nothing_else_is_embedded(data: bytes) -> None:
    with pytest.raises(ValueError, match="JPEG, PNG or WebP"):
        data_uri(data)


@pytest.mark.parametrize("text", ["</style><script>", "a<b", "a\r\nb"])
def test_a_style_that_could_end_its_element_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="style sheet"):
        Style(text)


def test_the_policy_names_the_style_by_its_hash() -> None:
    assert policy(Style("a{}")).count(Style("a{}").hash) == 1
    assert Style("a{}").hash != Style("b{}").hash
    assert "script" not in policy(Style(base_css()))


def test_regions_stand_where_they_are_and_numbers_make_room_for_each_other() -> None:
    css = overlay_css([mark(1, 0.1, 0.2, 0.3, 0.4), mark(2, 0.1, 0.2, 0.35, 0.5), mark(3, 0.7, 0, 1, 1)])
    assert "#region-1{left:10.00%;top:20.00%;width:20.00%;height:20.00%}" in css
    assert "#number-1{left:clamp(0px,calc(10.00% + 0 * var(--number))" in css
    assert "#number-2{left:clamp(0px,calc(10.00% + 1 * var(--number))" in css
    assert "#number-3{right:clamp(0px,calc(0.00% + 0 * var(--number))" in css
    assert ":root:has(#evidence-3:target) #region-3{" in css


@pytest.mark.parametrize(
    "box", [(0.2, 0.1, 0.1, 0.2), (-0.1, 0, 1, 1), (0, 0, 1.1, 1), (0, 0, float("nan"), 1), (0, float("inf"), 1, 1)]
)
def test_a_box_outside_the_picture_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="inside the picture"):
        mark(1, *box)


def test_what_a_template_is_filled_with_is_escaped_and_nothing_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "t.html").write_text("{{ a|bdi }}{{ a }}{{ b }}", "utf-8")
    template = page_environment(tmp_path).get_template("t.html")
    assert template.render(a="<b>&'", b="") == "<bdi>&lt;b&gt;&amp;&#39;</bdi>&lt;b&gt;&amp;&#39;"
    with pytest.raises(jinja2.UndefinedError):
        template.render(a="")


def test_marks_are_not_piled_on_a_letter() -> None:
    assert bdi("Z" + "\u0300" * 500 + "a\u0301e\u0308") == "<bdi>Z\u0300\u0300\u0300a\u0301e\u0308</bdi>"
    assert bdi("نص हिन्दी ไทย") == "<bdi>نص हिन्दी ไทย</bdi>"


def test_pages_need_no_statistics() -> None:
    heavy = ("numpy", "scipy", "sklearn", "pandas", "langgraph", "openai", "PIL")
    code = f"import evals.html, sys, json; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert json.loads(run.stdout) == []
