"""A sender and a receiver behind real sshd, and streams between them."""

from reconciler.hosts.addresses import HostAddress, LocalAddress, SshAddress
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.script import Outcome, Script, Step
from reconciler.hosts.streams import can_reach, relay
from reconciler.zfs.types import Argv
from tests.integration.server import Sshd

SIZE = 20_000_000
SEND = ("sh", "-c", f"echo progress >&2; head -c {SIZE} /dev/zero")
RECEIVE = ("sh", "-c", "wc -c; echo received >&2")
ARRIVED = Outcome(0, f"{SIZE}\nreceived\n", "progress\n")


class Pair:
    """A sender and a receiver, each behind an sshd, and the controller's fleet."""

    def __init__(self, sender: Sshd, receiver: Sshd) -> None:
        self.servers = sender, receiver
        self.shares = False
        receiver.allow(sender)
        self.options = sender.options
        self.sender = HostAddress("sender", sender.address())
        self.receiver = HostAddress("receiver", receiver.address(host_key=receiver.public_key))
        self.here = HostAddress("here", LocalAddress())
        hosts = (self.sender, self.receiver, self.here)
        self.fleet = Fleet({host.name: host for host in hosts}, self.options)

    def run(self, host: str, step: Step) -> Outcome:
        where = self.fleet.host(host) if host else self.fleet.controller()
        return where.run(Script((step,)), timeout=50).outcomes[step.name]

    def relay(
        self,
        sender: HostAddress,
        receiver: HostAddress,
        send: Argv = SEND,
        receive: Argv = RECEIVE,
        look: Argv | None = None,
    ) -> Outcome:
        """Lead a stream through the controller, over connections that it shares if asked for."""
        ends = [end.address for end in (sender, receiver) if isinstance(end.address, SshAddress)]
        with self.fleet.masters.lent(ends if self.shares else ()) as masters:
            step = relay(sender, receiver, send, receive, self.options, look=look, masters=masters)
            return self.run("", step)

    def reaches(self, receiver: HostAddress) -> bool:
        return self.run("sender", can_reach(receiver).steps[0]).ok
