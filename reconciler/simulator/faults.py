"""What goes wrong on a simulated host, at which moment.

The moments of one host are counted: one when a script arrives, one when a command starts, one at
each atomic change (what is an ioctl to ZFS). So a number names every place between any two things
that happen, and a run that is repeated with the same faults comes out the same.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.simulator.cell import Cell, Transition
from reconciler.simulator.model import Machine
from reconciler.simulator.process import Refused
from reconciler.zfs.types import Argv


class ConnectionLost(Exception):
    """Raised where the connection to the host breaks: what runs there is ended."""


class Hung(Exception):
    """Raised where a command goes on for ever."""


class ControllerDied(BaseException):
    """Raised where the controller is killed. Nothing may catch it but the test."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection can't be made, or breaks."""


@dataclass(frozen=True, slots=True)
class Hangs:
    """The command never ends."""


@dataclass(frozen=True, slots=True)
class Fails:
    """The command is refused with these lines, as ZFS would refuse it."""

    lines: tuple[str, ...]
    status: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """The output of the command ends after some bytes, and the command with this status.

    For `zfs send` that is its stream. Only at the start of a command.
    """

    bytes: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class ScriptCut:
    """All that the script did is done, but its output ends after some bytes.

    Only at the arrival of a script. With status 255, as when ssh breaks, or 0.
    """

    bytes: int
    status: int = 255


@dataclass(frozen=True, slots=True)
class Dies:
    """The controller is killed."""


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Somebody else runs these commands on the host, whatever comes of them."""

    commands: tuple[Argv, ...]


@dataclass(frozen=True, slots=True)
class Interlude:
    """Something happens that takes part in the world by itself: a second controller acts."""

    act: Callable[[], None]


Fault = Lost | Hangs | Fails | Cut | ScriptCut | Dies | Meanwhile | Interlude

Bystander = Callable[[Cell, Argv], None]
"""Runs somebody else's command."""


@dataclass
class Mortal:
    """Whether the controller still lives; shared by all hosts of a fleet."""

    dead: bool = False


@dataclass
class Faults:
    """The moments of one host and what happens at some of them. Safe for use from threads."""

    planned: Mapping[int, Fault] = field(default_factory=dict)
    """By the number of the moment, from 1."""
    controller: Mortal = field(default_factory=Mortal)
    moments: int = 0
    happened: list[Fault] = field(default_factory=list)
    started: dict[int, Argv] = field(default_factory=dict)
    """The moments at which commands started."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def moment(self, cell: Cell, bystander: Bystander, argv: Argv | None = None) -> Fault | None:
        """Count a moment, be it a command's start; raise, act or return what is planned for it."""
        with self._lock:
            if self.controller.dead:
                raise ControllerDied
            self.moments += 1
            if argv is not None:
                self.started[self.moments] = argv
            fault = self.planned.get(self.moments)
            if fault is not None:
                self.happened.append(fault)
        self._raise(fault)
        match fault:
            case Meanwhile(commands):
                for command in commands:
                    bystander(cell, command)
            case Interlude(act):
                act()
        return fault

    def _raise(self, fault: Fault | None) -> None:
        match fault:
            case Lost():
                raise ConnectionLost
            case Hangs():
                raise Hung
            case Fails(lines, status):
                raise Refused(*lines, status=status)
            case Dies():
                self.controller.dead = True
                raise ControllerDied


@dataclass(frozen=True, slots=True)
class FaultyCell:
    """A cell in which each change is a moment at which something may go wrong."""

    cell: Cell
    faults: Faults
    bystander: Bystander

    def read(self) -> Machine:
        """Return the machine as it is now."""
        return self.cell.read()

    def change(self, transition: Transition) -> Machine:
        """Replace the machine, unless something goes wrong right before that."""
        self.faults.moment(self.cell, self.bystander)
        return self.cell.change(transition)


def cut_after(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Yield the first bytes of an output."""
    left = limit
    for chunk in chunks:
        if left <= 0:
            return
        yield chunk[:left]
        left -= len(chunk)
