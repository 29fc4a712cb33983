"""The kinds of charts: lines, intervals and bars."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from evals.metrics.estimate import Estimate
from evals.report.svg import (
    WIDTH,
    Axis,
    box,
    drawing,
    fitting,
    line,
    marker,
    path,
    short,
    slanted,
    text,
    upright,
)
from evals.report.table import minus

_LEFT, _RIGHT, _TOP, _PLOT = 54.0, WIDTH - 24.0, 12.0, 250.0
_MARKED = 12
"""Longer lines carry so many markers, spread evenly."""
_ROW = 36.0
_NAME = 44
"""Letters of a name in a chart."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart. A place with None parts the line."""

    name: str
    points: tuple[tuple[float, float | None], ...]
    style: int = 0
    """Its colour, dash and marker: the same for an arm in every chart."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a line chart is called and what it is drawn in."""

    key: str
    """Unique on the page."""
    title: str
    x: Axis
    y: Axis
    diagonal: bool = False
    """Draw the line on which both axes are equal."""
    steps: bool = False
    """Draw steps: from each place to the next a line keeps its value, for nothing lies between the two."""


def line_chart(frame: Frame, series: Sequence[Series]) -> Markup:
    """Lines over two axes, with their names below."""
    crowded = any(len(label) > 5 for _, label in frame.x.ticks)
    bottom = _TOP + _PLOT
    foot = bottom + (78 if crowded else 38)
    parts = [*_grid(frame, crowded=crowded)]
    if frame.diagonal:
        parts.append(line(_LEFT, bottom, _RIGHT, _TOP, "diagonal"))
    for row, each in enumerate(series):
        style = each.style
        parts += _line(each, frame, style)
        y = foot + 18 * row + 6
        parts += [path([(_LEFT, y), (_LEFT + 34, y)], style), marker(_LEFT + 17, y, style)]
        parts.append(text(_LEFT + 42, y + 4, short(each.name, 54), "label"))
    said = "; ".join(_said(each, frame) for each in series)
    return drawing(frame.key, frame.title, said, foot + 18 * len(series) + 2, parts)


def _grid(frame: Frame, *, crowded: bool) -> Iterator[Markup]:
    bottom = _TOP + _PLOT
    for value, label in frame.y.ticks:
        y = frame.y.place(value, bottom, _TOP)
        yield line(_LEFT, y, _RIGHT, y, "grid")
        yield text(_LEFT - 6, y + 4, label, anchor="end")
    for value, label in frame.x.ticks:
        x = frame.x.place(value, _LEFT, _RIGHT)
        yield line(x, bottom, x, bottom + 4, "axis")
        yield slanted(x + 3, bottom + 15, label) if crowded else text(x, bottom + 16, label, anchor="middle")
    yield line(_LEFT, _TOP, _LEFT, bottom, "axis")
    yield line(_LEFT, bottom, _RIGHT, bottom, "axis")
    yield upright(13, (_TOP + bottom) / 2, frame.y.title)
    if frame.x.title:
        yield text((_LEFT + _RIGHT) / 2, bottom + 31, frame.x.title, "label", "middle")


def _line(series: Series, frame: Frame, style: int) -> Iterator[Markup]:
    bottom = _TOP + _PLOT
    for known, group in itertools.groupby(series.points, key=lambda point: point[1] is not None):
        if not known:
            continue
        drawn = [(frame.x.place(x, _LEFT, _RIGHT), frame.y.place(y, bottom, _TOP)) for x, y in group if y is not None]
        if len(drawn) > 1:
            yield path(_stepped(drawn) if frame.steps else drawn, style)
        stride = max(1, math.ceil(len(drawn) / _MARKED))
        # Lines that cross get their markers at different places.
        yield from (marker(x, y, style) for x, y in drawn[(style % stride) :: stride])


def _stepped(drawn: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The places with a corner between each two of them."""
    corners = [(after[0], before[1]) for before, after in itertools.pairwise(drawn)]
    return [drawn[0], *itertools.chain.from_iterable(zip(corners, drawn[1:], strict=True))]


def _said(series: Series, frame: Frame) -> str:
    known = [(x, y) for x, y in series.points if y is not None]
    if not known:
        return f"{series.name}: nothing known"
    (x0, y0), (x1, y1) = known[0], known[-1]
    return (
        f"{series.name}: {len(known)} points, {frame.y.title} from {y0:.2f} at {_tick(frame.x, x0)} to {y1:.2f} at "
        f"{_tick(frame.x, x1)}"
    )


def _tick(axis: Axis, value: float) -> str:
    return next((label for place, label in axis.ticks if abs(place - value) < 1e-9), f"{value:.2f}")


def interval_chart(key: str, title: str, rows: Sequence[tuple[str, Estimate]]) -> Markup:
    """Shares as points, each with its interval, on one axis from 0; rows without a value say so."""
    known = [estimate for _, estimate in rows if estimate.value is not None]
    axis = fitting("", (estimate.high or estimate.value or 0.0 for estimate in known))
    left, bottom = 12.0, _TOP + _ROW * len(rows)
    parts = []
    for value, label in axis.ticks:
        x = axis.place(value, left, _RIGHT)
        parts += [line(x, _TOP, x, bottom, "grid"), text(x, bottom + 16, label, anchor="middle")]
    for row, (name, estimate) in enumerate(rows):
        parts += _interval(name, estimate, axis, _TOP + _ROW * row)
    said = "; ".join(f"{name}: {_words(estimate)}" for name, estimate in rows)
    return drawing(key, title, said, bottom + 24, parts)


def _interval(name: str, estimate: Estimate, axis: Axis, top: float) -> Iterator[Markup]:
    left, right, y = 12.0, _RIGHT, top + 25
    yield text(left, top + 13, short(name, _NAME), "label")
    yield text(right, top + 13, _words(estimate), "value", "end")
    if estimate.value is None:
        return
    if estimate.low is not None and estimate.high is not None:
        x0, x1 = (axis.place(end, left, right) for end in (estimate.low, estimate.high))
        yield line(x0, y, x1, y, "whisker")
        yield from (line(x, y - 4, x, y + 4, "whisker") for x in (x0, x1))
    yield marker(axis.place(estimate.value, left, right), y, 0)


def _words(estimate: Estimate) -> str:
    if estimate.value is None:
        return "not known"
    among = "" if estimate.events is None else f" ({estimate.events:,} of {estimate.n:,})"
    return f"{100 * estimate.value:.1f} %{among}"


def bar_chart(key: str, title: str, rows: Sequence[tuple[str, float]], unit: str) -> Markup:
    """Bars from a common 0 to either side, each with its value in words: values are shares, shown in hundredths."""
    low = min(0.0, *(value for _, value in rows)) if rows else 0.0
    high = max(0.0, *(value for _, value in rows)) if rows else 1.0
    axis = Axis("", low, high if high > low else low + 1)
    left, bottom = 12.0, _TOP + _ROW * len(rows)
    zero = axis.place(0.0, left, _RIGHT)
    parts = [line(zero, _TOP, zero, bottom, "axis")]
    for row, (name, value) in enumerate(rows):
        top, x = _TOP + _ROW * row, axis.place(value, left, _RIGHT)
        parts.append(text(left, top + 13, short(name, _NAME), "label"))
        parts.append(text(_RIGHT, top + 13, minus(f"{100 * value:+.1f} {unit}"), "value", "end"))
        parts.append(box(min(zero, x), top + 18, abs(x - zero), 11, "bar" if value >= 0 else "bar below"))
    said = "; ".join(f"{name}: {minus(f'{100 * value:+.1f}')} {unit}" for name, value in rows)
    return drawing(key, title, said, bottom + 6, parts)
