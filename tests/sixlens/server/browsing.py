"""Debian's Chromium, and servers on the loopback address for it: what the tests of the page share."""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.sample import draw_sample

AXE = "4.14.1"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PHONE, DESK = (360, 740), (1280, 900)
TOKEN = "a-token-for-the-tests-0123456789"
NEVER = re.compile(r"\b(?:fake|forged|authentic|verified|detected|confirmed)\b|\d\s*%|per ?cent", re.IGNORECASE)
ORDER = ("commonsense", "defect_query", "few_shot", "regional", "structural", "stereotype")
NASTY_NAME = '"><svg onload=alert(1)>.png'
NASTY = (
    "<script>alert(1)</script><img src=x onerror=alert(2)></style></bdi><svg onload=alert(3)>"
    "\u202e\u2067right to left\u200f \u05d0\u05d1\u05d2 "
)
Visit = Callable[..., Any]


def sign(name: str, side: str, box: tuple[float, float, float, float] | None, **more: str) -> dict[str, Any]:
    region = None if box is None else dict(zip(("x0", "y0", "x1", "y1"), box, strict=True))
    fields = {
        "phenomenon": f"{name} is seen there",
        "reasoning": f"{name} matters",
        "ordinary_cause": "a long exposure",
    }
    return {"name": name, **fields, "severity": 4, "points_to": side, "category": "optics", "region": region, **more}


BLUR = sign("steady blur", "real", (0.1, 0.15, 0.45, 0.5))
EDGES = sign("melted edges", "generated", (0.55, 0.5, 0.9, 0.85))
GRAIN = sign("even grain", "real", None)


def answer(label: str, *observations: dict[str, Any], reasoning: str = "The light comes from one side.") -> str:
    content = {"reasoning": reasoning, "observations": observations, "label": label, "certainty": 80}
    return json.dumps(content)


def script(folder: Path, verdicts: dict[str, str], *, seconds: float = 0.0) -> Path:
    """A scripted backend: what each paradigm answers, each later than the one before; `*` for the others."""
    rules: list[dict[str, Any]] = [
        {"paradigm": "prepare", "text": "subject: small boat\nmedium: photograph"},
        {"purpose": "text", "text": "a hull; a sail"},
    ]
    for place, paradigm in enumerate(ORDER):
        text = verdicts.get(paradigm, verdicts["*"])
        rules.append({"paradigm": paradigm, "step": "verdict", "text": text, "seconds": seconds * (place + 1)})
    rules.append({"text": verdicts.get("panel", verdicts["*"])})
    content = {"model": "script-1", "capabilities": {"box_format": "unit"}, "rules": rules}
    path = folder / "script.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return path


class Served:
    """`sixlens serve` as a process of its own."""

    def __init__(self, folder: Path, backend: Path | None, *options: str, token: str | None = None) -> None:
        self.folder = folder
        asked = ("--backend", f"scripted:{backend}") if backend is not None else ()
        command = [sys.executable, "-m", "sixlens", "serve", "--port", "0", "--data-dir", str(folder / "data")]
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        environment |= {"SIXLENS_CACHE_DIR": str(folder / "cache"), **({"SIXLENS_TOKEN": token} if token else {})}
        self._process = subprocess.Popen(
            [*command, *asked, "--no-cache", *options], stderr=subprocess.PIPE, text=True, env=environment
        )
        self.address = self._started()

    def _started(self) -> str:
        assert self._process.stderr is not None
        lines: list[str] = []
        for line in self._process.stderr:
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                return found[0]
        raise RuntimeError("".join(lines))

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.address}{path}", timeout=60) as reply:
            content: bytes = reply.read()
        return content

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    running: list[Served] = []

    def start(backend: Path | None, *options: str, **more: str) -> Served:
        running.append(Served(tmp_path, backend, *options, **more))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def needed(program: str) -> str:
    """Where a program is. Without it the tests are left out, but not where everything must be tested."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is needed")
        pytest.skip(f"needs {program}")
    return found


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    folder = tmp_path_factory.mktemp("axe")
    install = [needed("npm"), "install", "--ignore-scripts", "--no-audit", "--no-fund", f"axe-core@{AXE}"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=180)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = needed("chromium")
    if not os.environ.get("CI"):
        pytest.importorskip("playwright")
    playwright = importlib.import_module("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Opens the page. At the end nothing may have run, complained, or gone anywhere but to the server."""
    contexts: list[Any] = []
    happened: list[str] = []

    def open_page(served: Served, size: tuple[int, int] = DESK, scheme: str = "light", path: str = "/") -> Any:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        own = (f"{served.address}/", "data:", f"blob:{served.address}/")
        page.on("dialog", lambda dialog: happened.append(f"dialog {dialog.message}"))
        page.on("console", lambda message: happened.append(f"console {message.text}"))
        page.on("pageerror", lambda error: happened.append(f"error {error}"))
        page.on("request", lambda it: None if it.url.startswith(own) else happened.append(it.url))
        page.goto(f"{served.address}{path}")
        return page

    open_page.allowed = []  # type: ignore[attr-defined]
    yield open_page
    for context in contexts:
        context.close()
    allowed: list[str] = open_page.allowed  # type: ignore[attr-defined]
    assert [line for line in happened if not any(text in line for text in allowed)] == []


def picture(folder: Path, name: str = "boat.png") -> Path:
    path = folder / name
    draw_sample().resize((480, 320)).save(path, "PNG")
    return path


def drop(page: Any, path: Path) -> None:
    """Drop a file onto the page, as from a folder beside it."""
    data = base64.b64encode(path.read_bytes()).decode()
    page.wait_for_selector(".drop")
    page.evaluate(
        """([data, name]) => {
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: "image/png" }));
            for (const kind of ["dragover", "drop"])
                document.querySelector(".drop").dispatchEvent(
                    new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        [data, path.name],
    )


def judge(page: Any, path: Path) -> str:
    """Drop and send a picture, and wait for the verdict; the judgment's id."""
    drop(page, path)
    page.get_by_role("button", name="Judge this picture").click()
    page.wait_for_selector("section.label")
    return str(page.url.rpartition("/")[2])


def serious(page: Any, axe: str) -> list[str]:
    """What axe finds serious or critical."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{item['id']}: {node['html'][:160]}"
        for item in found
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"]
    ]


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """Five examinations see a photograph, one a generated picture."""
    return script(tmp_path, {"*": answer("real", BLUR, GRAIN), "structural": answer("generated", EDGES)})
