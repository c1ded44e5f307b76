"""All hosts of the specs by name, each made when it is first asked for."""

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from reconciler.hosts.addresses import (
    HostAddress,
    LocalAddress,
    SimulatedAddress,
    SshAddress,
    SshOptions,
)
from reconciler.hosts.host import Host
from reconciler.hosts.local import LocalHost
from reconciler.hosts.locking import HostLock, lock_of_this_process
from reconciler.hosts.masters import Masters, master
from reconciler.hosts.programs import Programs


class Fleet:
    """Gives out hosts; their connections are closed together. Safe for use from threads."""

    def __init__(
        self,
        addresses: Mapping[str, HostAddress],
        options: SshOptions | None = None,
        *,
        clock: Callable[[], float] = time.time,
        lock: HostLock | None = None,
    ) -> None:
        self.addresses = addresses
        self.options = options or SshOptions()
        self.clock = clock
        """The true time for simulated hosts."""
        self.lock = lock or lock_of_this_process()
        """Keeps other controllers from hosts while they are changed; not from simulated ones."""
        self.programs = Programs()
        """Where channel programs are worth a try."""
        self._controller = LocalHost(HostAddress("controller", LocalAddress()), self.lock)
        self.masters = Masters(lambda address: master(self._controller, address, self.options))
        """Connections for streams that go through the controller."""
        self._hosts: dict[str, Host] = {}
        self._lock = threading.Lock()

    def host(self, name: str) -> Host:
        """Return the host of that name in the specs."""
        with self._lock:
            if name not in self._hosts:
                self._hosts[name] = self._make(self.addresses[name])
            return self._hosts[name]

    def adopt(self, host: Host) -> None:
        """Use a host that was made elsewhere under its name."""
        with self._lock:
            self._hosts[host.name] = host

    def link(self, sender: str, receiver: str) -> Host:
        """Return what runs streams between two simulated hosts."""
        from reconciler.hosts.simulated import SimulatedHost, SimulatedLink

        ends = self.host(sender), self.host(receiver)
        match ends:
            case SimulatedHost() as one, SimulatedHost() as other:
                return SimulatedLink(one, other)
        raise ValueError(f"{sender} and {receiver} are not both simulated")

    def controller(self) -> LocalHost:
        """Return the machine this runs on, where streams are relayed."""
        return self._controller

    def close(self) -> None:
        """Close all connections and cut what runs. The hosts can be used again afterwards."""
        with self._lock:
            hosts = list(self._hosts.values())
        self.masters.close()
        for host in (*hosts, self._controller):
            host.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _make(self, address: HostAddress) -> Host:
        match address.address:
            case LocalAddress():
                return LocalHost(address, self.lock)
            case SimulatedAddress() as simulated:
                from reconciler.hosts.simulated import SimulatedHost
                from reconciler.simulator.store import StateFile

                return SimulatedHost(address.name, StateFile(simulated.path), self.clock)
            case SshAddress():
                # Here, not above: Fabric takes long to import and is not always needed.
                from reconciler.hosts.ssh import SshHost

                return SshHost(address, self.options, self.lock)
