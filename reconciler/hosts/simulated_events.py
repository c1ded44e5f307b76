"""Following `zpool events` on a simulated host: its state is looked at again and again."""

from collections.abc import Callable
from itertools import count

from reconciler.errors import CommandEnded, HostError, Unreachable
from reconciler.hosts.following import TICK, Listener
from reconciler.simulator.announcing import announced, kept, record
from reconciler.simulator.cell import Cell
from reconciler.simulator.faults import ConnectionLost, Hung
from reconciler.simulator.process import Refused
from reconciler.simulator.store import StateError
from reconciler.zfs.queries import follow_events
from reconciler.zfs.types import Argv

COMMAND = follow_events()


def follow(host: str, cell: Cell, clock: Callable[[], float], listener: Listener) -> None:
    """Hand on what a machine announces from now on, in real time, until it is to stop.

    Of what was before, it is kept that the pools were imported.
    """
    try:
        known, eids = cell.read(), count(1)
        for event in kept(known):
            for line in record(event, next(eids), clock() + known.skew):
                listener.on_line(line)
        while not listener.stop.is_set():
            if listener.on_pulse is not None:
                listener.on_pulse()
            now = cell.read()
            for event in announced(known, now):
                for line in record(event, next(eids), clock() + now.skew):
                    listener.on_line(line)
            known = now
            listener.stop.wait(TICK)
    except StateError as error:
        raise Unreachable(host, str(error)) from error


def check(host: str, argv: Argv, arrive: Callable[[], object]) -> None:
    """Raise HostError if a command can't be followed, be it for what goes wrong as it starts."""
    if argv != COMMAND:
        said = f"only `{' '.join(COMMAND)}` can be followed on a simulated host"
        raise CommandEnded(host, said, status=2, stderr=said)
    try:
        arrive()
    except (ConnectionLost, Hung, Refused) as error:
        raise _failure(host, error) from error


def _failure(host: str, error: Exception) -> HostError:
    if isinstance(error, Refused):
        said = "\n".join(error.lines)
        return CommandEnded(host, said, status=error.status, stderr=said)
    return Unreachable(host, "the connection broke")
