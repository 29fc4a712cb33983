from __future__ import annotations

import hashlib
import json
from typing import Any

from backends.backend import Capabilities
from backends.completion import Completion, Stop
from backends.providers.function import FunctionBackend
from backends.request import Picture, Request
from paradigms.library import load_common
from paradigms.paradigm import Layout
from paradigms.region import Region
from paradigms.render import Renderer
from paradigms.view import Means, TokenLimits, View

CASE = "c" * 64
LIMITS = TokenLimits(verdict=1500, text=500, follow_up=60, more_room=2.0)


def draw(name: str = "image") -> Picture:
    """A picture of 200 by 100 pixels whose bytes are its name."""
    data = name.encode()
    return Picture(data, "image/png", hashlib.sha256(data).hexdigest(), 200, 100)


def form(label: str = "real", **fields: Any) -> str:
    """An answer in the form, as a model would fill it in."""
    content = {"reasoning": f"It looks {label}.", "observations": [], "label": label, "certainty": None}
    return json.dumps({**content, **fields}, ensure_ascii=False)


def sign(**fields: Any) -> dict[str, Any]:
    """One observation of an answer."""
    content = {
        "name": "merged straps",
        "phenomenon": "two straps run into one",
        "reasoning": "straps are separate",
        "severity": 4,
        "points_to": "generated",
        "category": "geometry",
        "ordinary_cause": "overlap",
        "region": None,
    }
    return {**content, **fields}


def said(text: str, stop: Stop = Stop.COMPLETE, **fields: Any) -> Completion:
    """A completion as a backend gives it."""
    return Completion(text=text, stop=stop, model="toy-1", backend="function:toy", seconds=0.25, **fields)


class Toy:
    """Gives prepared answers by step, the last one for ever, and remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {step: list(given) if isinstance(given, list) else [given] for step, given in answers.items()}
        self.requests: list[Request] = []

    @property
    def steps(self) -> list[str]:
        return [request.origin.step for request in self.requests]

    async def __call__(self, request: Request) -> Completion | str:
        self.requests.append(request)
        given = self.answers[request.origin.step]
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Completion) else said(answer, Stop.COMPLETE if answer else Stop.EMPTY)


def renderer(layout: Layout = Layout.SHARED) -> Renderer:
    return Renderer(layout, load_common())


def means(toy: Toy | None, layout: Layout = Layout.SHARED, **options: Any) -> Means:
    """Means to ask the toy, or nobody."""
    capabilities = options.pop("capabilities", Capabilities())
    backend = None if toy is None else FunctionBackend(toy, "function:toy", capabilities)
    return Means(**{"backend": backend, "renderer": renderer(layout), "limits": LIMITS, **options})


def view(**fields: Any) -> View:
    """A case with a picture of 200 by 100 pixels delivered from 400 by 200, one region and a subject."""
    content = {
        "case": CASE,
        "size": (400, 200),
        "image": draw(),
        "regions": (Region(x0=0.1, y0=0.1, x1=0.5, y1=0.5),),
        "region_pictures": (draw("region"),),
        "subject": "red bicycle",
    }
    return View(**{**content, **fields})
