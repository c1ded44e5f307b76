"""Which way a stream takes: where its command runs, and whose connections it goes over."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.actions import Send
from reconciler.desired.model import DataPath
from reconciler.hosts.addresses import HostAddress, LocalAddress, SimulatedAddress, SshAddress
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.host import Host
from reconciler.hosts.masters import is_worth_sharing
from reconciler.hosts.script import Script
from reconciler.hosts.streams import (
    MOST_LOOKED_AT,
    can_reach,
    direct,
    local_pipe,
    look_after,
    relay,
)

CHECK_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Routes:
    """Finds ways between the hosts of a fleet; remembers which senders reach which receivers."""

    fleet: Fleet
    _reach: dict[tuple[str, str], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def taken(self, send: Send) -> Iterator[tuple[Host, Script]]:
        """Keep a way for a stream: where its command runs, and the command.

        Raises HostError when the sender can't be asked whether it reaches the receiver.
        """
        sender = self.fleet.addresses[send.host]
        receiver = self.fleet.addresses[send.receiver_host]
        if sender == receiver or isinstance(sender.address, SimulatedAddress):
            yield self._at_one_place(send, sender, receiver)
        elif self._goes_direct(send, sender, receiver):
            look, lock = _look_along(send), self.fleet.lock
            step = direct(receiver, *_commands(send), lock, look, piping=send.piping)
            yield self.fleet.host(send.host), Script((step,))
        else:
            with self._through_us(send, sender, receiver) as script:
                yield self.fleet.controller(), script

    def _at_one_place(
        self, send: Send, sender: HostAddress, receiver: HostAddress
    ) -> tuple[Host, Script]:
        behind = look_after(send.look())
        if sender == receiver:
            pipe = Script((local_pipe(*_commands(send), send.piping), behind), mutates=True)
            return self.fleet.host(send.host), pipe
        link = self.fleet.link(send.host, send.receiver_host)
        return link, Script((local_pipe(*_commands(send)), behind), mutates=True)

    @contextmanager
    def _through_us(
        self, send: Send, sender: HostAddress, receiver: HostAddress
    ) -> Iterator[Script]:
        ends = [end.address for end in (sender, receiver) if isinstance(end.address, SshAddress)]
        small = is_worth_sharing(send.estimated_bytes)
        with self.fleet.masters.lent(ends if small else ()) as masters:
            step = relay(
                sender,
                receiver,
                *_commands(send),
                self.fleet.options,
                lock=self.fleet.lock,
                look=_look_along(send),
                piping=send.piping,
                masters=masters,
            )
            here = isinstance(receiver.address, LocalAddress)
            steps = (step, look_after(send.look())) if here else (step,)
            yield Script(steps, mutates=here)

    def _goes_direct(self, send: Send, sender: HostAddress, receiver: HostAddress) -> bool:
        if send.path != DataPath.AUTO:
            return send.path == DataPath.DIRECT
        if isinstance(receiver.address, LocalAddress) and receiver.peer_address is None:
            return False
        if isinstance(sender.address, LocalAddress):
            return False
        return self._reaches(sender, receiver)

    def _reaches(self, sender: HostAddress, receiver: HostAddress) -> bool:
        """Tell whether the sender can open an ssh connection to the receiver; asked once."""
        key = (sender.name, receiver.name)
        with self._lock:
            if key not in self._reach:
                script = can_reach(receiver)
                transcript = self.fleet.host(sender.name).run(script, timeout=CHECK_TIMEOUT)
                self._reach[key] = all(outcome.ok for outcome in transcript.outcomes.values())
            return self._reach[key]


def _commands(send: Send) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return send.send_command(), send.receive_command()


def _look_along(send: Send) -> tuple[str, ...] | None:
    """Return the look that goes along with the stream, None if it is too long for that."""
    look = send.look()
    return look if sum(map(len, look)) <= MOST_LOOKED_AT else None
