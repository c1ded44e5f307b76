"""The controller as its users run it: the real command, in its own process, against the lab."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.lab.machines import Lab

APPLY_TIMEOUT = 240
SLOT = 10
"""Seconds: the shortest `every:` there is."""


_OURS = re.compile(r"@rec-(\d{8}T\d{6}Z)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What one command did."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document it printed."""
        parsed = json.loads(self.stdout)
        assert isinstance(parsed, dict)
        return parsed

    @property
    def verbs(self) -> list[str]:
        """The actions of the plan it printed."""
        return [action["action"] for action in self.document["actions"]]

    @property
    def modes(self) -> dict[str, str]:
        """How it was to send each filesystem, by the events it printed."""
        events = map(json.loads, self.stdout.splitlines())
        plan = next(event["plan"] for event in events if event["type"] == "plan")
        return {a["filesystem"]: a["mode"] for a in plan["actions"] if a["action"] == "send"}


Event = dict[str, Any]
"""One line of `apply --json`."""

Enough = Callable[[list[Event]], bool]


@dataclass(frozen=True)
class Disturbed:
    """What came of an apply in the middle of which something was done."""

    code: int
    events: tuple[Event, ...]


class Controller:
    """Runs `reconciler` with a folder of specs of its own."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.specs = folder / "specs"
        self.specs.mkdir()
        self.folder = folder

    def specify(self, text: str) -> None:
        """Replace the specs."""
        (self.specs / "specs.yaml").write_text(text)

    def run(self, *arguments: str, timeout: float = APPLY_TIMEOUT) -> Run:
        """Run a command to its end."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def due_again(self) -> None:
        """Wait until `every: 10s` asks for a new snapshot on alpha, by the newest it has."""
        listed = self.lab.machines["alpha"].sh("zfs list -H -o name -t snapshot").stdout
        taken = [_instant(found) for found in _OURS.findall(listed)]
        next_slot = (max(taken, default=0.0) // SLOT + 1) * SLOT
        time.sleep(max(0.0, next_slot - time.time() + 0.1))

    def plan(self, *arguments: str) -> Run:
        """Run `reconciler plan --json`."""
        return self.run("plan", "-f", str(self.specs), "--json", *arguments)

    def apply(self, *arguments: str) -> Run:
        """Run `reconciler apply --auto-approve`."""
        return self.run("apply", "-f", str(self.specs), "--auto-approve", *arguments)

    def modes(self) -> dict[str, str]:
        """Apply, see to it that all went well, and return how each filesystem was sent."""
        done = self.apply("--json")
        assert done.code == 0, done.stdout + done.stderr
        return done.modes

    def converge(self) -> Run:
        """Apply, and see to it that all went well."""
        done = self.apply()
        assert done.code == 0, done.stdout + done.stderr
        return done

    def kill_when(self, enough: Enough) -> list[Event]:
        """Apply, and SIGKILL the controller as soon as its events so far are enough.

        Returns the events; the run may also end before that.
        """
        with self._applying() as process:
            events = _listen(process, enough)
            process.kill()
        return events

    def disturbed(self, enough: Enough, act: Callable[[], object], *saved: str) -> Disturbed:
        """Apply specs or a saved plan, and do something as soon as the events so far are enough."""
        with self._applying(*saved) as process:
            events = _listen(process, enough)
            assert enough(events), f"it was over before that: {events[-1]}"
            act()
            events += _listen(process, lambda _: False)
        return Disturbed(process.returncode, tuple(events))

    @contextmanager
    def _applying(self, *saved: str) -> Iterator["subprocess.Popen[bytes]"]:
        with subprocess.Popen(
            [*COMMAND, "apply", *saved, "-f", str(self.specs), "--auto-approve", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=self.environment,
            cwd=self.folder,
        ) as process:
            yield process

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment the command runs in."""
        return {**os.environ, "RECONCILER_SSH_CONFIG": str(self.lab.ssh_config), "NO_COLOR": "1"}


def _instant(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y%m%dT%H%M%S%z").timestamp()


COMMAND = (sys.executable, "-m", "reconciler.cli.main")


def _listen(process: "subprocess.Popen[bytes]", enough: Enough) -> list[Event]:
    """Return the events until they are enough, or all."""
    assert process.stdout is not None
    events: list[Event] = []
    for line in process.stdout:
        events.append(json.loads(line))
        if enough(events):
            break
    return events


def bytes_went(events: list[Event]) -> bool:
    """Tell whether some of a stream is on its way."""
    return any(event["type"] == "action_progress" and event["bytes"] > 0 for event in events)


def host(name: str, *, user: str = "root", extra: str = "") -> str:
    """Return the spec of a lab host; `extra` are more lines of its spec."""
    return f"""
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {{name: {name}}}
spec:
  connection:
    ssh: {{address: {name}, user: {user}}}
  {extra}
---"""


def peer(lab: Lab, name: str) -> str:
    """Return the spec line that says how other hosts reach this one."""
    machine = lab.machines[name]
    return f"peerAddress: {{address: {machine.peer_address}, port: {machine.port}}}"


def replication(
    *,
    name: str = "data",
    source: str = "alpha",
    filesystems: str = '"tank/data/**"',
    every: str = "1d",
    keep: str = "{}",
    target_keep: str = "{}",
    extra: str = "",
) -> str:
    """Return the spec of a replication to vault."""
    return f"""
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {{name: {name}}}
spec:
  source:
    host: {source}
    filesystems: [{filesystems}]
    snapshots: {{every: {every}, prefix: rec-}}
    keep: {keep}
  targets:
    - host: vault
      under: backup/{{host}}
      keep: {target_keep}
      {extra}
"""


def versions(lab: Lab, host: str, filesystem: str) -> dict[str, int]:
    """Return label → guid of what a host has of one filesystem, in createtxg order."""
    listed = lab.machines[host].sh(
        f"zfs list -Hp -d 1 -t snapshot,bookmark -o createtxg,name,guid '{filesystem}'"
    )
    rows = sorted(
        (int(txg), name, int(guid))
        for txg, name, guid in (line.split("\t") for line in listed.stdout.splitlines())
    )
    return {name[len(filesystem) :]: guid for _txg, name, guid in rows}


def snapshots(lab: Lab, host: str, filesystem: str) -> dict[str, int]:
    """Return name → guid of the snapshots of one filesystem, oldest first."""
    found = versions(lab, host, filesystem)
    return {label[1:]: guid for label, guid in found.items() if label.startswith("@")}
