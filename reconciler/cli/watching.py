"""Putting the controller together from the options of `reconciler watch`, and running it."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from reconciler import __version__
from reconciler.cli.logs import LogJournal
from reconciler.controller import atomic
from reconciler.controller.daemon import WORKERS, Daemon, Parts
from reconciler.controller.fleets import MakeFleet
from reconciler.controller.http.auth import Auth
from reconciler.controller.http.listen import Listen
from reconciler.controller.http.pages import Pages
from reconciler.controller.http.server import StatusServer
from reconciler.controller.http.tls import Tls
from reconciler.controller.notify import Notifier
from reconciler.controller.overview import Self
from reconciler.controller.sources import Source
from reconciler.controller.specs import SpecKeeper
from reconciler.controller.statedir import StateDir
from reconciler.controller.statement import Statement
from reconciler.controller.surroundings import Surroundings
from reconciler.controller.threads import at_once, launch
from reconciler.errors import UsageError
from reconciler.hosts.addresses import HostAddress, SshOptions
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.locking import HostLock, describe_process, who_i_am
from reconciler.report.metrics import Metrics
from reconciler.report.status import ControllerStatus


@dataclass(frozen=True)
class Watching:
    """One `reconciler watch`."""

    source: Source
    state: StateDir
    listen: Listen | None
    auth: Auth | None = None
    tls: Tls | None = None
    ssh_config: Path | None = None
    resync: float = 600.0
    grace: float = 30.0
    accept: str | None = None
    dry_run: bool = False
    per_filesystem: bool = True

    def run(self) -> None:
        """Run until SIGTERM or Ctrl-C. Raises LockHeld, UsageError, ReconcilerError."""
        if self.ssh_config is not None and not self.ssh_config.is_file():
            raise UsageError(f"--ssh-config {self.ssh_config}: there is no such file")
        with self.state.lock() as holder:
            daemon, server = self._put_together(holder.since)
            with self._served(server), _signals(daemon):
                ended = daemon.run()
        if not ended:
            LogJournal().said("warning", "something did not end in time, and is left behind")
            sys.stderr.flush()
            os._exit(0)

    def _put_together(self, started: int) -> tuple[Daemon, StatusServer | None]:
        journal = LogJournal()
        current: list[Statement] = []

        def status() -> ControllerStatus:
            return current[0].current()

        metrics = Metrics(status, per_filesystem=self.per_filesystem)
        keeper = SpecKeeper(
            self.source,
            self.state.specs,
            metrics,
            accept=self.accept,
            note=partial(journal.said, "warning"),
        )
        me = Self(
            __version__, f"{who_i_am()} process {os.getpid()}", started, WORKERS, self.dry_run
        )
        statement = Statement(me, keeper, self.state, journal)
        current.append(statement)
        parts = Parts(
            keeper=keeper,
            state=self.state,
            make_fleet=self._fleet_maker(),
            telemetry=metrics,
            journal=journal,
            notifier=Notifier.of(os.environ),
            statement=statement,
            surroundings=Surroundings(
                clock=time.time,
                ticks=time.monotonic,
                chance=random.Random(),  # noqa: S311 - chance, not secrets
                telemetry=metrics,
                journal=journal,
                launch=launch,
                each=at_once,
            ),
            resync=self.resync,
            grace=self.grace,
            dry_run=self.dry_run,
        )
        server = None
        if self.listen is not None:
            server = StatusServer(
                self.listen,
                Pages(status, metrics),
                auth=self.auth,
                tls=self.tls,
                failed=partial(_page_failed, journal),
            )
        return Daemon(parts), server

    def _fleet_maker(self) -> MakeFleet:
        lock = HostLock(self.state.identity(), describe_process())
        options = SshOptions(self.ssh_config)

        def make(addresses: Mapping[str, HostAddress]) -> Fleet:
            return Fleet(addresses, options, lock=lock)

        return make

    @contextmanager
    def _served(self, server: StatusServer | None) -> Iterator[None]:
        """Serve meanwhile, and leave word where."""
        if server is None:
            yield
            return
        server.start()
        LogJournal().said("info", f"listening on {server.url}")
        try:
            atomic.write(self.state.url, f"{server.url}\n")
            yield
        finally:
            server.close()
            self.state.url.unlink(missing_ok=True)


def _page_failed(journal: LogJournal, where: str, error: Exception) -> None:
    said = f"{where} could not be made: {type(error).__name__}: {error}"
    journal.said("error", said, error=error)


@contextmanager
def _signals(daemon: Daemon) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C stop the controller, the second one at once; SIGHUP looks anew."""
    stops = 0

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stops
        stops += 1
        if stops > 1:
            os._exit(130)
        daemon.stop()

    def reload(_signal: int, _frame: FrameType | None) -> None:
        daemon.reload()

    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
