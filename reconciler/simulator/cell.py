"""Where a machine lives while commands run on it: read whole, changed atomically.

One change is what one ioctl is to ZFS: nothing comes in between, it happens whole or not at all.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from reconciler.simulator.model import Machine

Transition = Callable[[Machine], Machine]


class Cell(Protocol):
    """Keeps one machine."""

    def read(self) -> Machine:
        """Return the machine as it is now."""
        ...

    def change(self, transition: Transition) -> Machine:
        """Replace the machine by what the transition makes of it; an exception changes nothing."""
        ...


class MemoryCell:
    """Keeps one machine in memory. Safe for use from several threads."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._lock = threading.RLock()

    def read(self) -> Machine:
        """Return the machine as it is now."""
        return self._machine

    def change(self, transition: Transition) -> Machine:
        """Replace the machine by what the transition makes of it."""
        with self._lock:
            self._machine = transition(self._machine)
            return self._machine
