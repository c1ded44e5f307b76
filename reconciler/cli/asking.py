"""Asking a controller for something: by a note in its state directory, whether it runs or not."""

import json
import os
import time
from pathlib import Path

from reconciler.controller import requests
from reconciler.controller.requests import Requests
from reconciler.controller.statedir import StateDir, default_path
from reconciler.errors import ReconcilerError, UsageError
from reconciler.hosts.locking import who_i_am
from reconciler.report.fields import Fields
from reconciler.report.lines import Line

_SEES_TO_IT = "sees to it within a second; what runs already goes on to its end"
_GOES_ON = "goes on within a second"
_BEGINS = "begins within a second"


def state_dir(path: Path | None) -> StateDir:
    """Return the state directory that `--state` names, or the default one."""
    return StateDir(path or default_path(os.environ))


class Asking:
    """What a person asks of the controller that uses a state directory."""

    def __init__(self, state: StateDir) -> None:
        self.state = state

    def suspend(self, name: str, reason: str) -> list[Line]:
        """Suspend a replication; raise ReconcilerError where that can't be noted down."""
        self._check_name(name)
        self.state.make()
        file = self.state.requests
        made = requests.suspend(file, name, at=_now(), by=who_i_am(), reason=reason)
        why = f" ({made.reason})" if made.reason else ""
        return [
            Line(f"{name} is suspended{why}: nothing is begun for it before"),
            Line(f"  reconciler resume {name}"),
            self._when(_SEES_TO_IT),
        ]

    def resume(self, name: str) -> list[Line]:
        """End a suspension; raise ReconcilerError where that can't be noted down."""
        asked = requests.read(self.state.requests)
        if isinstance(asked, Requests) and asked.suspension(name) is None:
            self._check_name(name)
            return [
                Line(f"{name} was not suspended in {self.state.path}."),
                Line("If its spec says `suspend: true`, that has to be changed there."),
            ]
        found = requests.resume(self.state.requests, name)
        return [Line(f"{name} is no longer {found or 'suspended'}."), self._when(_GOES_ON)]

    def reconcile(self, name: str) -> list[Line]:
        """Ask that a replication be reconciled now; raise ReconcilerError where it won't be."""
        self._check_name(name)
        self.state.make()
        file = self.state.requests
        asked = requests.read(file)
        suspension = asked.suspension(name) if isinstance(asked, Requests) else None
        if suspension is not None:
            raise ReconcilerError(
                f"{name} is {suspension}. Nothing is done for it before `reconciler resume {name}`"
            )
        requests.ask(file, name, at=_now(), by=who_i_am())
        return [Line(f"{name} is to be reconciled."), self._when(_BEGINS)]

    def _when(self, what: str) -> Line:
        """Say when it will be done, and by whom."""
        holder = self.state.holder()
        if holder is None:
            return Line(
                f"No controller runs on {self.state.path}; it counts as soon as one is started."
            )
        return Line(f"The controller ({holder.who}, process {holder.pid}) {what}.")

    def _check_name(self, name: str) -> None:
        """Refuse a name that the controller does not know, where it has said what it knows."""
        known = _known(self.state.status)
        if known is not None and name not in known:
            raise UsageError(
                f"the controller of {self.state.path} has no replication {name}; it has:"
                f" {', '.join(known) or 'none'}"
            )


def _known(status: Path) -> tuple[str, ...] | None:
    """Return the replications in a status file; None when it can't tell."""
    try:
        document = Fields(json.loads(status.read_bytes()))
        return tuple(found.text("name") for found in document.objects("replications"))
    except (OSError, ValueError, RecursionError, ReconcilerError):
        return None


def _now() -> int:
    return int(time.time())
