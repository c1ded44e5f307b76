"""What is shown while a plan is executed: lines or JSON; for terminals see `cli.live`."""

import time
from collections.abc import Mapping
from typing import Protocol, Self

from reconciler.cli.output import Output
from reconciler.executor.events import Event
from reconciler.report.events_json import event_line, event_object
from reconciler.report.run_text import RunLog


class View(Protocol):
    """Shows events. `event` is called from several threads, but one call at a time."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def event(self, event: Event) -> None:
        """Show what happened."""
        ...

    @property
    def because(self) -> Mapping[str, str]:
        """Action id → why it was not begun."""
        ...


class PlainView:
    """A line for each action that is done, for logs and mails."""

    def __init__(self, output: Output, total: int) -> None:
        self._output = output
        self._log = RunLog(total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def event(self, event: Event) -> None:
        """Print what is to be said of an event."""
        self._output.lines(self._log.take(event, time.time()))

    @property
    def because(self) -> Mapping[str, str]:
        """Action id → why it was not begun."""
        return self._log.because


class JsonView:
    """An object for each event."""

    because: Mapping[str, str] = {}

    def __init__(self, output: Output) -> None:
        self._output = output

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def event(self, event: Event) -> None:
        """Print the event's object."""
        self._output.text(event_line(event_object(event), time.time()))
