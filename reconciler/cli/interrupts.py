"""What Ctrl-C and SIGTERM do.

While hosts are asked: connections are closed, which ends the questions, and the command ends.
While a plan is executed: at first nothing new is begun; the second time connections are closed;
the third time the process ends. Whatever a host is doing for us ends with our connection or our
process (see `hosts.shell`), and a send that is cut leaves a resume token behind, so nothing that
arrived is lost.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Protocol

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], None]

FINISHING = b"\nFinishing what runs (Ctrl-C again to cut it).\n"
CUTTING = b"\nCutting what runs (Ctrl-C again to leave at once).\n"
LEAVING = b"\nInterrupted.\n"

PATIENCE = 5.0
"""Seconds for hosts to let go of questions that nobody waits for any more."""

_INTERRUPTED = 130
_STDERR = 2
_SHOW_CURSOR = b"\x1b[?25h"


class Closable(Protocol):
    """A fleet."""

    def close(self) -> None:
        """Close all connections."""
        ...


@contextmanager
def closing_on_interrupt(fleet: Closable, *, patience: float = PATIENCE) -> Iterator[None]:
    """Close the fleet and raise KeyboardInterrupt when interrupted.

    Scripts on this machine have no connection to close: if what is asked does not let go in time,
    the process ends. Nothing is changed by asking.
    """
    last_resort = threading.Timer(patience, _leave)
    last_resort.daemon = True

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if last_resort.is_alive():
            _leave()
        last_resort.start()
        _close_elsewhere(fleet)
        raise KeyboardInterrupt

    with _handled(handle):
        try:
            yield
        finally:
            last_resort.cancel()


@contextmanager
def stopping_on_interrupt(fleet: Closable, stop: threading.Event) -> Iterator[None]:
    """Set `stop` when interrupted, close the fleet the second time, leave the third."""
    interruptions = 0

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal interruptions
        interruptions += 1
        # os.write: the handler may have come in the middle of a print.
        if interruptions == 1:
            stop.set()
            os.write(_STDERR, FINISHING)
        elif interruptions == 2:
            os.write(_STDERR, CUTTING)
            _close_elsewhere(fleet)
        else:
            _leave()

    with _handled(handle):
        yield


def _leave() -> NoReturn:
    """End the process, whatever its threads are waiting for."""
    if os.isatty(_STDERR):
        os.write(_STDERR, _SHOW_CURSOR)
    os.write(_STDERR, LEAVING)
    os._exit(_INTERRUPTED)


def _close_elsewhere(fleet: Closable) -> None:
    """Close in another thread: this one may hold the locks that closing needs."""
    threading.Thread(target=fleet.close, daemon=True).start()


@contextmanager
def _handled(handler: _Handler) -> Iterator[None]:
    """Handle signals; Python lets only the main thread do so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)
