from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from evals.metrics.estimate import Estimate
from evals.report.charts import Frame, Series, bar_chart, interval_chart, line_chart
from evals.report.svg import STYLES, Axis, fitting, short
from tests.evals.report.pages import DRAWN

HOSTILE = "a<script>&\"'\u202e"


def test_lines_are_told_apart_by_dash_and_marker() -> None:
    frame = Frame("k", "Title", Axis("X"), Axis("Y"), diagonal=True)
    series = [Series(f"arm {n}", ((0.0, 0.0), (0.5, 0.25), (1.0, 1.0)), n) for n in range(STYLES)]
    chart = ET.fromstring(line_chart(frame, series))
    marks = {
        re.sub(r"^M[\d.]+ [\d.]+", "", it.get("d", "")) for it in chart.iter("path") if "mark" in it.get("class", "")
    }
    assert len(marks) == STYLES
    assert {it.get("class") for it in chart.iter("path") if "line" in it.get("class", "")} == {
        f"line s{n}" for n in range(STYLES)
    }
    texts = [it.text for it in chart.iter("text")]
    assert {"X", "Y", "0 %", "100 %", "arm 0", "arm 5"} <= set(texts)
    said = chart.find(".//desc")
    assert said is not None
    assert said.text is not None
    assert "arm 3: 3 points, Y from 0.00 at 0 % to 1.00 at 100 %" in said.text


def test_a_line_stays_in_its_frame_and_is_parted_where_nothing_is_known() -> None:
    frame = Frame("k", "T", Axis("X"), Axis("Y"))
    chart = ET.fromstring(line_chart(frame, [Series("a", ((0.0, 5.0), (0.2, -1.0), (0.5, None), (1.0, 0.5)))]))
    lines = [it.get("d", "") for it in chart.iter("path") if "line" in it.get("class", "")]
    assert lines[0] == "M54.0 12.0 L122.4 262.0"
    assert len(lines) == 2


def test_steps_keep_the_value_up_to_the_next_place() -> None:
    frame = Frame("k", "T", Axis("X"), Axis("Y"), steps=True)
    chart = ET.fromstring(line_chart(frame, [Series("a", ((1.0, 0.5), (0.5, 1.0), (0.0, 1.0)))]))
    (line, *_) = [it.get("d", "") for it in chart.iter("path") if "line" in it.get("class", "")]
    assert line == "M396.0 137.0 L225.0 137.0 L225.0 12.0 L54.0 12.0 L54.0 12.0"
    assert sum("mark" in it.get("class", "") for it in chart.iter("path")) == 4  # three places, and one below


def test_intervals_say_what_is_not_known() -> None:
    rows = [("a", Estimate(value=0.1, n=10, events=1, low=0.0, high=0.44)), ("b", Estimate(value=None, n=0))]
    chart = ET.fromstring(interval_chart("k", "T", rows))
    texts = [it.text for it in chart.iter("text")]
    assert {"10.0 % (1 of 10)", "not known", "50 %"} <= set(texts)
    assert sum(it.get("class") == "mark s0" for it in chart.iter("path")) == 1


def test_bars_go_to_either_side() -> None:
    chart = ET.fromstring(bar_chart("k", "T", [("up", 0.2), ("down", -0.1)], "points"))
    up, down = (it for it in chart.iter("rect"))
    assert float(up.get("x", "")) == float(down.get("x", "")) + float(down.get("width", ""))
    assert down.get("class") == "bar below"
    assert {"+20.0 points", "−10.0 points"} <= {it.text for it in chart.iter("text")}


def test_names_are_text() -> None:
    for chart in (
        line_chart(Frame("k", HOSTILE, Axis(HOSTILE), Axis(HOSTILE)), [Series(HOSTILE, ((0.0, 0.1),))]),
        interval_chart("k", HOSTILE, [(HOSTILE, Estimate(value=0.5, n=2))]),
        bar_chart("k", HOSTILE, [(HOSTILE, 0.5)], "points"),
    ):
        tree = ET.fromstring(chart)
        assert {it.tag for it in tree.iter()} <= {"figure", "figcaption", "svg", "title", *DRAWN}
        assert "\u202e" not in chart


def test_axes_fit() -> None:
    assert (fitting("", [0.03]).high, fitting("", [0.11, 0.2]).high, fitting("", [0.7]).high) == (0.05, 0.2, 1.0)
    assert fitting("", []).high == 1.0
    assert short("abcdef", 4) == "abc…"
