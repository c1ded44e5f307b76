"""What Ctrl-C and SIGTERM do.

While hosts are asked: connections are closed, which ends the questions, and the command ends.
While a plan is executed: at first nothing new is begun, the second time connections are closed. A
send that is cut leaves a resume token behind, so nothing that arrived is lost.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], None]

FINISHING = b"\nFinishing what runs (Ctrl-C again to cut it).\n"
CUTTING = b"\nCutting what runs.\n"


class Closable(Protocol):
    """A fleet."""

    def close(self) -> None:
        """Close all connections."""
        ...


@contextmanager
def closing_on_interrupt(fleet: Closable) -> Iterator[None]:
    """Close the fleet and raise KeyboardInterrupt when interrupted."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        _close_elsewhere(fleet)
        raise KeyboardInterrupt

    with _handled(handle):
        yield


@contextmanager
def stopping_on_interrupt(fleet: Closable, stop: threading.Event) -> Iterator[None]:
    """Set `stop` when interrupted, close the fleet when interrupted again."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        # os.write: the handler may have come in the middle of a print.
        if not stop.is_set():
            stop.set()
            os.write(2, FINISHING)
        else:
            os.write(2, CUTTING)
            _close_elsewhere(fleet)

    with _handled(handle):
        yield


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
