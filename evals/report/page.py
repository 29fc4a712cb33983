"""The report as one HTML page that needs nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from evals.html import Style, base_css, page_environment, policy
from evals.report.cases import CaseList, CaseRow
from evals.report.section import Section
from evals.report.svg import shown
from evals.report.table import Cell, Figure, Number, Share, parts_of

_HERE = Path(__file__).parent
PLATE = 13
"""Pixels of either edge of the plate that a number stands on."""
Place = tuple[float, float]
"""x to the right and y downwards, in pixels."""
MOST_ROWS = 300
"""Rows of a table on the page, at most; the CSV file has all."""


def html_text(title: str, sections: Sequence[Section], cases: CaseList) -> str:
    """The whole page."""
    style = Style(f"{base_css()}\n{(_HERE / 'report.css').read_text('utf-8')}")
    environment = page_environment(_HERE / "templates")
    environment.filters["parts"] = parts_of
    environment.tests["numeric"] = _numeric
    return environment.get_template("report.html").render(
        title=title,
        sections=sections,
        cases=cases,
        most_rows=MOST_ROWS,
        picture=_picture,
        style=style,
        policy=policy(style),
    )


def _numeric(cell: Cell) -> bool:
    return isinstance(cell, int | Share | Number | Figure)


def _picture(row: CaseRow) -> Markup:
    """The thumbnail with its regions, numbered as in the list beside it."""
    picture = row.thumbnail
    if picture is None:
        return Markup("")
    parts = [
        Markup(
            '<svg class="thumb" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}">'
            '<image href="{uri}" width="{w}" height="{h}"/>'
        ).format(w=picture.width, h=picture.height, uri=picture.uri, label=shown(f"The picture {row.case}"))
    ]
    taken: list[Place] = []
    for number, sign in enumerate(row.signs, start=1):
        region = sign.region
        if region is None:
            continue
        x, y = region.x0 * picture.width, region.y0 * picture.height
        width, height = (region.x1 - region.x0) * picture.width, (region.y1 - region.y0) * picture.height
        parts.append(
            Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="halo"/>'
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="edge {}"/>'
            ).format(x, y, width, height, x, y, width, height, sign.points_to or "neither")
        )
        left, top = plate_place((x, y), taken, (picture.width, picture.height))
        taken.append((left, top))
        parts.append(
            Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{}" height="{}" class="plate {}"/>'
                '<text x="{:.1f}" y="{:.1f}" class="digit" text-anchor="middle">{}</text>'
            ).format(left, top, PLATE, PLATE, sign.points_to or "neither", left + 6.5, top + 10, number)
        )
    return Markup("").join(parts) + Markup("</svg>")


def plate_place(corner: Place, taken: Sequence[Place], size: tuple[int, int]) -> Place:
    """Where a number stands: at the corner of its box, or as near to it as it hides no other; inside the picture.

    Args:
        corner: of its box, in pixels.
        taken: where numbers stand already.
        size: width and height of the picture, in pixels.
    """
    width, height = (max(0, edge - PLATE) for edge in size)
    left, top = min(corner[0], width), min(corner[1], height)
    grid = itertools.product(range(0, width + 1, PLATE), range(0, height + 1, PLATE))
    free = [
        (x, y)
        for x, y in ((left, top), *grid)
        if all(abs(x - other) >= PLATE or abs(y - below) >= PLATE for other, below in taken)
    ]
    return min(free, key=lambda place: math.dist(place, (left, top)), default=(left, top))
