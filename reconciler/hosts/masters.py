"""Connections that small streams through the controller share: one ssh master for each host.

A login costs more than most streams. A master is an `ssh` of the controller's own that runs nothing
on the host; the ssh of a stream finds it by its socket. It is a script of the controller's machine
like any other, so it ends with the controller, however that ends, and its sockets go with it.

Sharing never fails a stream: where there is no master, or none with room, the stream's ssh has a
connection of its own, as it has when its master turns out to be dead or refused.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from reconciler.errors import HostError
from reconciler.hosts.addresses import SshAddress, SshOptions
from reconciler.hosts.cutting import Cut
from reconciler.hosts.host import Host
from reconciler.hosts.openssh import can_be_socket, mastering
from reconciler.hosts.script import Script, Step

LARGEST = 64 << 20
"""Bytes of the largest stream that shares. One connection is one TCP window, and one process on
either side that encrypts for all that go over it: streams that take longer than some logins do are
quicker side by side."""

MOST_STREAMS = 8
"""Streams that share one connection at the same time: sshd takes ten (MaxSessions), and one that
was cut may still hold its place."""

MOST_MASTERS = 64
"""Of a fleet; hosts beyond that are entered by each stream."""

IDLE = 150.0
"""Seconds that a master waits for the next stream: those of a schedule of a minute or two share."""

HOLD_OFF = 60.0
"""Seconds for which a host that could not be entered is left to the streams' own connections, so
that each of them waits in vain once, not twice."""

_LOGIN = 20.0
"""Seconds; ssh gives up to connect after fifteen."""
_LOOK = 0.01
_LIFE = 10 * 365 * 86400.0

# The folder has a socket in it at most, and goes with the ssh even when the controller is dead. A
# handler, unlike an ignored signal, is not inherited: TERM ends the ssh, and the shell after it.
_SHARE = 'trap : TERM; "$@"; rm -f "$0/s"; rmdir "$0"'


class Master(Protocol):
    """A connection that streams can share."""

    @property
    def socket(self) -> Path:
        """Where the ssh of a stream finds it."""

    def is_up(self) -> bool:
        """Tell whether it can be used, once that is known."""

    def is_over(self) -> bool:
        """Tell whether it has ended."""

    def end(self) -> None:
        """End it, and what goes over it. It may have ended before."""


def is_worth_sharing(estimated_bytes: int | None) -> bool:
    """Tell whether a stream of an estimated size is to share a connection; not if it is unknown."""
    return estimated_bytes is not None and estimated_bytes <= LARGEST


class Masters:
    """Lends connections to streams. Safe for use from threads."""

    def __init__(
        self,
        start: Callable[[SshAddress], Master | None],
        *,
        clock: Callable[[], float] = time.monotonic,
        timer: Callable[[float, Callable[[], None]], threading.Timer] = threading.Timer,
    ) -> None:
        self._start = start
        self._clock = clock
        self._timer = timer
        self._lock = threading.Lock()
        self._loans: dict[SshAddress, _Loan] = {}
        """The longest unused one first."""
        self._not_before: dict[SshAddress, float] = {}

    @contextmanager
    def lent(self, addresses: Iterable[SshAddress]) -> Iterator[Mapping[SshAddress, Path]]:
        """Lend connections to hosts for one stream: the sockets of those that there are.

        Waits for logins that this makes necessary, at most twenty seconds.
        """
        with ExitStack() as given_back:
            taken = {address: self._taken(address) for address in dict.fromkeys(addresses)}
            for loan in filter(None, taken.values()):
                given_back.callback(self._give_back, loan)
            yield {
                address: loan.master.socket
                for address, loan in taken.items()
                if loan is not None and self._can_be_used(loan)
            }

    def close(self) -> None:
        """End all, and what goes over them. They are made anew when they are wanted again."""
        with self._lock:
            loans = list(self._loans.values())
            self._loans.clear()
            self._not_before.clear()
        for loan in loans:
            loan.end()

    def _taken(self, address: SshAddress) -> "_Loan | None":
        """Take a place on a connection; None when there is none to be had."""
        with self._lock:
            loan = self._loans.pop(address, None)
            if loan is None or loan.master.is_over():
                loan = self._new(address)
                if loan is None:
                    return None
            self._loans[address] = loan
            if loan.streams >= MOST_STREAMS:
                return None
            loan.take()
            return loan

    def _new(self, address: SshAddress) -> "_Loan | None":
        if self._clock() < self._not_before.get(address, 0.0):
            return None
        if len(self._loans) >= MOST_MASTERS:
            unused = next((loan for loan in self._loans.values() if loan.streams == 0), None)
            if unused is None:
                return None
            del self._loans[unused.address]
            unused.end()
        master = self._start(address)
        return None if master is None else _Loan(address, master)

    def _can_be_used(self, loan: "_Loan") -> bool:
        if loan.master.is_up():
            return True
        with self._lock:
            self._not_before[loan.address] = self._clock() + HOLD_OFF
            self._forget(loan)
        loan.end()
        return False

    def _give_back(self, loan: "_Loan") -> None:
        with self._lock:
            loan.give_back(self._timer(IDLE, lambda: self._retire(loan)))
            if self._loans.get(loan.address) is loan:
                self._loans[loan.address] = self._loans.pop(loan.address)

    def _retire(self, loan: "_Loan") -> None:
        """End a connection that nothing has used for some time, unless something does again."""
        with self._lock:
            if loan.streams:
                return
            self._forget(loan)
        loan.end()

    def _forget(self, loan: "_Loan") -> None:
        if self._loans.get(loan.address) is loan:
            del self._loans[loan.address]


class _Loan:
    """A connection and how many streams have it."""

    def __init__(self, address: SshAddress, master: Master) -> None:
        self.address = address
        self.master = master
        self.streams = 0
        self._timer: threading.Timer | None = None

    def take(self) -> None:
        self.streams += 1
        self._stop_waiting()

    def give_back(self, timer: threading.Timer) -> None:
        """Note that one stream less has it; the last one starts the time after which it ends."""
        self.streams -= 1
        if self.streams or self.master.is_over():
            return
        self._timer = timer
        timer.daemon = True
        timer.start()

    def end(self) -> None:
        self._stop_waiting()
        self.master.end()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class SshMaster:
    """The ssh that shares its connection: a script that the controller's machine runs."""

    def __init__(
        self, controller: Host, address: SshAddress, options: SshOptions, folder: Path
    ) -> None:
        self._controller = controller
        self.socket = folder / "s"
        argv = ("sh", "-c", _SHARE, str(folder), *mastering(address, options, self.socket))
        self._script = Script((Step("share", argv),))
        self._cut = Cut()
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def is_up(self) -> bool:
        """Wait for the login, and tell whether it succeeded in time.

        ssh makes the socket then: whatever LocalCommand or the host say comes at another time, or
        through a shell that may be anything.
        """
        deadline = time.monotonic() + _LOGIN
        while not self.socket.exists():
            if time.monotonic() > deadline or self._ended.wait(_LOOK):
                return False
        return not self._ended.is_set()

    def is_over(self) -> bool:
        """Tell whether the ssh has ended."""
        return self._ended.is_set()

    def end(self) -> None:
        """End the ssh."""
        self._cut.make()

    def _run(self) -> None:
        # What it said does not matter: the streams' own connections fail or don't by themselves.
        try:
            with suppress(HostError):
                self._controller.run(self._script, timeout=_LIFE, cut=self._cut)
        finally:
            self._ended.set()
            shutil.rmtree(self.socket.parent, ignore_errors=True)


def master(controller: Host, address: SshAddress, options: SshOptions) -> SshMaster | None:
    """Start a master for a host; None where no socket can be made for it."""
    try:
        # Of this user alone (0700): who can open the socket can enter the host.
        folder = Path(tempfile.mkdtemp(prefix="reconciler-"))
    except OSError:
        return None
    if not can_be_socket(folder / "s"):
        folder.rmdir()
        return None
    return SshMaster(controller, address, options, folder)
