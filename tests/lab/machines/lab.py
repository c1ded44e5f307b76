"""A running lab: start it, find one that runs, cut hosts off, stop it.

Hosts started with `dies_with_us` are killed by the kernel when the thread that started them ends,
so tests leave nothing behind however they end. Others run until somebody stops them.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from . import access, boot, builder, places, plan, qemu, record
from .boot import Booting
from .commands import say
from .errors import LabError
from .image import Image
from .machine import Machine
from .plan import Host
from .processes import Process
from .record import Record

HOSTS = ("alpha", "beta", "vault")
MEMORY = 1024
_SSH_TIMEOUT = 120


class Lab:
    """Hosts that run, the files to reach them, and the power over them."""

    def __init__(self, state: Record, *, dies_with_us: bool) -> None:
        self._state = state
        self._dies_with_us = dies_with_us
        self._cut_off: set[str] = set()
        self.machines = {name: Machine.of(host) for name, host in state.hosts.items()}

    @classmethod
    def attach(cls, dir: Path | None = None) -> Self:  # noqa: A002 - as the command's --dir
        """Return the lab that runs in this folder."""
        folder = (dir or places.default_run()).resolve()
        state = record.read(folder)
        if state is None or len(state.running()) < len(state.hosts):
            raise LabError(f"no lab runs in {folder}")
        return cls(state, dies_with_us=False)

    @property
    def dir(self) -> Path:
        """Return the lab's own folder."""
        return self._state.lab

    @property
    def ssh_config(self) -> Path:
        """Return the ssh configuration in which the hosts have their names."""
        return access.Access(self.dir).ssh_config

    @property
    def known_hosts(self) -> Path:
        """Return the keys the hosts show, as seen from this machine."""
        return access.Access(self.dir).known_hosts

    @property
    def identity(self) -> Path:
        """Return the private key every host accepts, for root and for zfs."""
        return access.Access(self.dir).identity

    @property
    def processes(self) -> dict[str, Process]:
        """Return the processes that run the hosts."""
        return dict(self._state.processes)

    def stop(self) -> None:
        """End all hosts and remove everything the lab wrote into its folder."""
        self.hang_up()
        for process in self._state.processes.values():
            process.kill()
        self._state.erase()

    def hang_up(self) -> None:
        """Close our connections to the hosts; the next command opens new ones."""
        for machine in self.machines.values():
            machine.hang_up()

    def disconnect(self, name: str) -> None:
        """Pull the host's network cable: it runs on, but nothing reaches it and nothing answers.

        New connections open (QEMU listens) and stay silent; established ones hang.
        """
        qemu.order(self._state.hosts[name], "set_link", name="nic", up=False)
        self._cut_off.add(name)

    def reconnect(self, name: str) -> None:
        """Plug the cable in again and wait until the host answers."""
        qemu.order(self._state.hosts[name], "set_link", name="nic", up=True)
        self.machines[name].hang_up()
        self.machines[name].wait_until_it_answers(_SSH_TIMEOUT)
        self._cut_off.discard(name)

    def power_off(self, name: str) -> None:
        """Cut the host's power: what ZFS had not written is lost, connections are refused."""
        self.machines[name].hang_up()
        self._state.processes[name].kill()

    def power_on(self, name: str) -> None:
        """Start the host again with the pool it had, and wait until it answers."""
        self._boot([name], self._spawn)

    def heal(self) -> None:
        """Plug in and power on what was cut off and not put back."""
        for name in sorted(self._cut_off):
            self.reconnect(name)
        off = [name for name in self.machines if name not in self._state.running()]
        self._boot(off, self._spawn)

    def renew_pools(self) -> None:
        """Give every host a new, empty pool."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Machine.renew_pool, self.machines.values()))

    def boot(self) -> None:
        """Start all hosts with new pools and wait until they answer; used once, by start()."""
        self._boot(self.machines, self._spawn_with_new_disk)

    def _boot(self, names: Iterable[str], spawn: Callable[[Host], Process]) -> None:
        booting = [Booting(self._state.hosts[name], spawn) for name in names]
        boot.wait_for(booting)
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._greet, (host.host.name for host in booting)))

    def _spawn_with_new_disk(self, host: Host) -> Process:
        # Also when a boot is tried again: a pool half made would be in the way.
        qemu.make_disk(host.disk)
        return self._spawn(host)

    def _spawn(self, host: Host) -> Process:
        process = qemu.spawn(
            host, self._state.image, memory=self._state.memory, dies_with_us=self._dies_with_us
        )
        self._state = self._state.with_process(host.name, process)
        return process

    def _greet(self, name: str) -> None:
        machine = self.machines[name]
        try:
            machine.wait_until_it_answers(_SSH_TIMEOUT)
            machine.set_clock()
        except LabError as error:
            raise LabError(f"{error}\n{boot.last_words(self._state.hosts[name])}") from error


def start(
    hosts: Iterable[str] = HOSTS,
    dir: Path | None = None,  # noqa: A002 - as the command's --dir
    *,
    memory: int = MEMORY,
    dies_with_us: bool = True,
) -> Lab:
    """Boot a lab with new, empty pools in the folder; build the image first if need be."""
    folder = (dir or places.default_run()).resolve()
    image = builder.find_or_build()
    folder.mkdir(parents=True, exist_ok=True)
    clear(folder)
    began = time.monotonic()
    with plan.planned(hosts, folder) as planned:
        lab = Lab(_prepared(folder, image, memory, planned), dies_with_us=dies_with_us)
        with _stopped_if_it_fails(lab.stop):
            lab.boot()
    say(f"{', '.join(lab.machines)}: ready after {time.monotonic() - began:.1f} s")
    return lab


def clear(folder: Path) -> None:
    """Remove what a lab that no longer runs whole has left in the folder."""
    state = record.read(folder)
    if state is None:
        return
    running = state.running()
    if len(running) == len(state.hosts):
        raise LabError(f"a lab runs in {folder} already")
    say(f"removing a stale lab ({', '.join(running) or 'nothing'} of it still runs)")
    Lab(state, dies_with_us=False).stop()
    folder.mkdir(parents=True, exist_ok=True)


def _prepared(folder: Path, image: Image, memory: int, hosts: dict[str, Host]) -> Record:
    state = Record(folder, image, memory, hosts)
    state.write()
    with _stopped_if_it_fails(state.erase):
        for host in hosts.values():
            host.folder.mkdir()
        keys = access.prepare(folder, hosts.values())
        for host in hosts.values():
            qemu.write_initramfs(host, access.host_archive(host, hosts.values(), keys), image)
    return state


@contextlib.contextmanager
def _stopped_if_it_fails(undo: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        undo()
        raise
