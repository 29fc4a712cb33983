"""Progress while pictures are judged, on stderr: a live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
from typing import Protocol

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from orchestrator.judge import Event, Prepared, Reported
from paradigms.label import Outcome
from paradigms.signals.provenance.text import plain
from sixlens.cli.aside import Aside
from sixlens.cli.terminal import say
from sixlens.words.verdict import says

LONGEST_NAME = 40


class Watcher(Protocol):
    """Hears what happens to each picture."""

    def began(self, index: int, name: str) -> None:
        """A picture's case begins."""

    def happened(self, index: int, event: Event) -> None:
        """Something happened in the case."""

    def ended(self, index: int) -> None:
        """The case has ended, whatever came of it."""

    def stepped_aside(self) -> contextlib.AbstractContextManager[None]:
        """While the answer is written, so that the two do not mix on one screen."""


class Silence:
    """Says nothing."""

    def began(self, index: int, name: str) -> None:
        """Nothing."""

    def happened(self, index: int, event: Event) -> None:
        """Nothing."""

    def ended(self, index: int) -> None:
        """Nothing."""

    def stepped_aside(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is in the way."""
        return contextlib.nullcontext()


class Lines(Silence):
    """One line an event.

    Args:
        reasons: say why an examination failed. The verdict, or the error in its place, says it in any case.
    """

    def __init__(self, *, reasons: bool = False) -> None:
        self._names: dict[int, str] = {}
        self._reasons = reasons

    def began(self, index: int, name: str) -> None:
        """Remember the name."""
        self._names[index] = name

    def happened(self, index: int, event: Event) -> None:
        """Say what happened."""
        words = _words(event, reasons=self._reasons)
        if words:
            say(f"{self._names[index]}: {words}")

    def ended(self, index: int) -> None:
        """Forget the name."""
        self._names.pop(index, None)


class Live:
    """A line for each picture under way that follows its examinations; gone when all is done.

    Args:
        console: where to draw.
        examinations: how many a case has.
        pictures: how many there are.
    """

    def __init__(self, console: Console, examinations: int, pictures: int) -> None:
        self._examinations = examinations
        self._tasks: dict[int, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
        )
        self._aside = Aside(self._progress)
        self._shown = contextlib.ExitStack()
        self._all = self._progress.add_task("pictures", total=pictures, words="") if pictures > 1 else None

    def __enter__(self) -> Live:
        self._shown.enter_context(self._progress)
        self._shown.enter_context(self._aside)
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def began(self, index: int, name: str) -> None:
        """Show a line for the picture."""
        self._tasks[index] = self._progress.add_task(
            plain(name, LONGEST_NAME), total=self._examinations, words="preparing"
        )

    def happened(self, index: int, event: Event) -> None:
        """Move the picture's line on."""
        words = _words(event)
        if words:
            advance = 1 if isinstance(event, Reported) else 0
            self._progress.update(self._tasks[index], advance=advance, words=plain(words, 60))

    def ended(self, index: int) -> None:
        """Take the picture's line away."""
        task = self._tasks.pop(index, None)
        if task is not None:
            self._progress.remove_task(task)
        if self._all is not None:
            self._progress.advance(self._all)

    def stepped_aside(self) -> contextlib.AbstractContextManager[None]:
        """Clear the display while something else is written."""
        return self._aside.stepped()


def _words(event: Event, *, reasons: bool = False) -> str:
    """What happened, in words; empty for the verdict, which is shown by itself."""
    if isinstance(event, Prepared):
        return f"looking ({event.subject})" if event.subject else "looking"
    if isinstance(event, Reported):
        report = event.report
        seconds = f" ({report.seconds:.1f} s)" if report.seconds else ""
        reason = f" ({report.reason})" if reasons and report.outcome is Outcome.FAILED else ""
        return f"{report.title}: {says(report)}{reason or seconds}"
    return ""
