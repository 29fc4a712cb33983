"""The parts that charts are made of, as SVG. Everything is told apart by shape or dash too, never by colour alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from evals.html.environment import unstacked

WIDTH = 420
"""Units of every chart; a unit is about a pixel on a phone."""
STYLES = 6
"""Series that can be told apart: colour, dash and marker, as the style sheet knows them."""
_MARKERS = (
    "M{x:.1f} {y:.1f}m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "M{x:.1f} {y:.1f}m-3.2 -3.2h6.4v6.4h-6.4z",
    "M{x:.1f} {y:.1f}m0 -4.2l4 7h-8z",
    "M{x:.1f} {y:.1f}m0 -4.4l4.4 4.4l-4.4 4.4l-4.4 -4.4z",
    "M{x:.1f} {y:.1f}m0 4.2l-4 -7h8z",
    "M{x:.1f} {y:.1f}m-4 -1h3v-3h2v3h3v2h-3v3h-2v-3h-3z",
)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it shows, from where to where, and where a number stands."""

    title: str
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[tuple[float, str], ...] = tuple((place / 5, f"{20 * place} %") for place in range(6))

    def place(self, value: float, start: float, end: float) -> float:
        """Where a value lies between two places of the drawing; what lies outside is drawn at the edge."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return start + min(1.0, max(0.0, share)) * (end - start)


def fitting(title: str, values: Iterable[float], steps: int = 5) -> Axis:
    """An axis of shares from 0 to the first round share that is high enough."""
    top = max(values, default=1.0)
    high = next((edge for edge in (0.05, 0.1, 0.2, 0.5) if top <= edge), 1.0)
    ticks = tuple((high * place / steps, f"{100 * high * place / steps:g} %") for place in range(steps + 1))
    return Axis(title, 0.0, high, ticks)


def drawing(key: str, title: str, said: str, height: float, parts: Iterable[Markup]) -> Markup:
    """A whole chart with its name and, for whoever cannot see it, what it says."""
    return Markup(
        '<figure class="chart"><figcaption>{title}</figcaption><svg viewBox="0 0 {width} {height:.0f}" role="img" '
        'aria-labelledby="{key}-title {key}-desc">'
        '<title id="{key}-title">{title}</title><desc id="{key}-desc">{said}</desc>{parts}</svg></figure>'
    ).format(width=WIDTH, height=height, key=key, title=shown(title), said=shown(said), parts=Markup("").join(parts))


def line(x0: float, y0: float, x1: float, y1: float, kind: str) -> Markup:
    """A straight line of a class of the style sheet."""
    form = '<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>'
    return Markup(form).format(x0, y0, x1, y1, kind)


def text(x: float, y: float, words: str, kind: str = "tick", anchor: str = "start") -> Markup:
    """Words on one line."""
    form = '<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>'
    return Markup(form).format(x, y, kind, anchor, shown(words))


def upright(x: float, y: float, words: str) -> Markup:
    """The title of a vertical axis, read from below."""
    form = '<text transform="translate({:.1f} {:.1f}) rotate(-90)" class="label" text-anchor="middle">{}</text>'
    return Markup(form).format(x, y, shown(words))


def slanted(x: float, y: float, words: str) -> Markup:
    """A word below an axis that has no room for it lying down."""
    form = '<text transform="translate({:.1f} {:.1f}) rotate(-40)" class="tick" text-anchor="end">{}</text>'
    return Markup(form).format(x, y, shown(words))


def box(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    """A filled box."""
    form = '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}"/>'
    return Markup(form).format(x, y, max(0.0, width), height, kind)


def path(points: Iterable[tuple[float, float]], style: int) -> Markup:
    """A line through points."""
    steps = " ".join(f"{'L' if place else 'M'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
    return Markup('<path d="{}" class="line s{}"/>').format(steps, style % STYLES)


def marker(x: float, y: float, style: int) -> Markup:
    """A point, in the shape of its series."""
    shape = _MARKERS[style % STYLES].format(x=x, y=y)
    return Markup('<path d="{}" class="mark s{}"/>').format(shape, style % STYLES)


def short(words: str, most: int) -> str:
    """At most so many letters; tables have the whole name."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


def shown(words: str) -> str:
    """Without what turns text around or hides in it."""
    return unstacked("".join(letter for letter in words if unicodedata.category(letter)[0] != "C"))
