"""Getting a status from where it is to be had, and showing it."""

import os
import random
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from reconciler import __version__
from reconciler.cli.output import Output
from reconciler.cli.session import Session
from reconciler.controller.engine import Engine
from reconciler.controller.journal import Quiet
from reconciler.controller.overview import Self, overview
from reconciler.controller.requests import Requests, read
from reconciler.controller.statedir import StateDir
from reconciler.controller.surroundings import Surroundings
from reconciler.errors import ReconcilerError
from reconciler.hosts.locking import who_i_am
from reconciler.report.status import ControllerStatus, SpecsStatus
from reconciler.report.status_json import dumps, loads
from reconciler.report.status_summary import of_status
from reconciler.report.status_text import status_lines
from reconciler.report.telemetry import Silent

PERIOD = 2.0
"""Seconds between two showings."""

_TIMEOUT = 3.0
_NEVER = 10 * 365 * 86400.0
_CLEAR = "\x1b[H\x1b[2J"


class Stating:
    """One `reconciler status`."""

    def __init__(
        self, specs: Path, state: StateDir, ssh_config: Path | None, *, direct: bool
    ) -> None:
        self._specs = specs
        self._state = state
        self._ssh_config = ssh_config
        self._direct = direct

    def show(self, output: Output, *, as_json: bool) -> int:
        """Show the status once, and return the exit code it stands for."""
        status = self._status()
        self._print(status, output, as_json=as_json)
        return int(of_status(status).code)

    def watch(self, output: Output, *, as_json: bool) -> int:
        """Show the status again and again; what can't be had just now is said and tried again."""
        while True:
            try:
                status = self._status()
            except ReconcilerError as error:
                output.text(f"{error}\n")
            else:
                if sys.stdout.isatty() and not as_json:
                    output.text(_CLEAR)
                self._print(status, output, as_json=as_json)
            time.sleep(PERIOD)

    def _print(self, status: ControllerStatus, output: Output, *, as_json: bool) -> None:
        if as_json:
            output.text(dumps(status))
        else:
            output.lines(status_lines(status, int(time.time())))

    def _status(self) -> ControllerStatus:
        if not self._direct and self._state.holder() is not None:
            return self._from_controller()
        return self._from_hosts()

    # -- from a controller -------------------------------------------------------------------------

    def _from_controller(self) -> ControllerStatus:
        """Ask it; where it can't be asked, take what it wrote down when something changed last."""
        try:
            url = self._state.url.read_text(encoding="utf-8").strip()
            return loads(_fetched(f"{url}api/v1/status"))
        except (OSError, ValueError, ReconcilerError):
            return self._written()

    def _written(self) -> ControllerStatus:
        try:
            return loads(self._state.status.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ReconcilerError(
                f"the controller of {self._state.path} has just begun and has said nothing yet"
            ) from error
        except OSError as error:
            raise ReconcilerError(
                f"{self._state.status} can't be read: {error.strerror}"
            ) from error

    # -- from the hosts ----------------------------------------------------------------------------

    def _from_hosts(self) -> ControllerStatus:
        """Look at all hosts once, as a controller would that changes nothing."""
        with Session(self._specs, self._ssh_config) as session:
            observed = session.observe()
            around = Surroundings(
                clock=session.clock,
                ticks=time.monotonic,
                chance=random.Random(),  # noqa: S311 - chance, not secrets
                telemetry=Silent(),
                journal=Quiet(),
            )
            engine = Engine(around, resync=_NEVER, dry_run=True, ask=observed.__getitem__)
            engine.adopt(session.desired, session.fleet)
            engine.suspend(self._suspended())
            engine.wake()
            while (key := engine.take()) is not None:
                engine.work(key)
            now = int(time.time())
            me = Self(__version__, f"{who_i_am()} process {os.getpid()}", now, 0, dry_run=True)
            specs = SpecsStatus(
                source=str(self._specs),
                digest=session.desired.digest,
                revision=session.desired.revision,
                objects=session.desired.objects,
                loaded_at=now,
                problem=None,
            )
            return overview(engine, me, specs, None, now)

    def _suspended(self) -> dict[str, str]:
        asked = read(self._state.requests)
        return {s.name: str(s) for s in asked.suspended} if isinstance(asked, Requests) else {}


def _fetched(url: str) -> str:
    """Return what the controller on this machine answers; OSError where it does not."""
    # Loopback: no proxy may stand between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_TIMEOUT) as answer:
            return str(answer.read().decode("utf-8"))
    except urllib.error.HTTPError as error:
        error.close()
        raise
