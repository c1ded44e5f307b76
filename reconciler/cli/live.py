"""A live display of a run on a terminal: a bar for each running send and one for all actions."""

import sys
import time
from collections.abc import Mapping
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from reconciler.actions import Bookmark, Hold, Release, Send
from reconciler.cli.output import painted
from reconciler.executor.events import Completed, Event, Progressed, Started
from reconciler.report.lines import Line, clean
from reconciler.report.run_text import RunLog, progress_text

BAR = 10
FIGURES = 54
"""Columns kept for what is said of a send: bytes, share, rate and time left."""


class LiveView:
    """Lines for what is done, and below them what runs."""

    def __init__(self, total: int, *, colour: bool) -> None:
        console = Console(
            file=sys.stdout, no_color=not colour, highlight=False, markup=False, soft_wrap=True
        )
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=BAR),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            transient=True,
            redirect_stderr=sys.stderr.isatty(),
        )
        self._name_width = max(16, console.width - BAR - FIGURES)
        self._colour = colour
        self._log = RunLog(total)
        self._whole = self._progress.add_task("actions", total=total, said=f"0 of {total}")
        self._sends: dict[str, tuple[TaskID, float]] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def event(self, event: Event) -> None:
        """Move the bars, and print a line for what is worth one."""
        now = time.time()
        lines = list(self._log.take(event, now))
        if not _goes_without_saying(event):
            for line in lines:
                self._print(line)
        self._move(event, now)
        done = f"{self._log.finished} of {self._log.total}"
        self._progress.update(self._whole, completed=self._log.finished, said=done)

    @property
    def because(self) -> Mapping[str, str]:
        """Action id → why it was not begun."""
        return self._log.because

    def _print(self, line: Line) -> None:
        self._progress.console.print(Text.from_ansi(painted(line) if self._colour else str(line)))

    def _move(self, event: Event, now: float) -> None:
        match event:
            case Started(action=Send() as send):
                name = clipped(clean(_name(send)), self._name_width)
                task = self._progress.add_task(name, total=send.estimated_bytes, said="")
                self._sends[event.id] = (task, now)
            case Progressed() if event.id in self._sends:
                task, begun = self._sends[event.id]
                total = event.estimated_bytes
                said = progress_text(event.bytes, total, now - begun)
                self._progress.update(task, completed=event.bytes, total=total, said=said)
            case _ if event.id in self._sends and not isinstance(event, Started):
                task, _ = self._sends.pop(event.id)
                self._progress.remove_task(task)


def clipped(text: str, width: int) -> str:
    """Return a text cut in its middle where it is too long: both ends tell it from others."""
    if len(text) <= width:
        return text
    left = (width - 1) // 2
    return f"{text[:left]}…{text[len(text) - (width - 1 - left) :]}"


def _name(send: Send) -> str:
    return f"{send.host} {send.filesystem} → {send.receiver_host}"


def _goes_without_saying(event: Event) -> bool:
    """Tell whether a bar says it already, or it is one of the many small things of each send."""
    if isinstance(event, Completed):
        return isinstance(event.action, Hold | Release | Bookmark) and not event.note
    return isinstance(event, Started | Progressed)
