"""`reconciler watch` as it is run for years: its own process against the lab, asked over HTTP."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.lab.controller import COMMAND, Controller
from tests.lab.machines import Lab

Status = Mapping[str, Any]

START = 60.0
GRACE = 30


class Watching:
    """A controller with specs and a state directory of its own, which may die and live again."""

    def __init__(self, lab: Lab, folder: Path, *options: str) -> None:
        self.lab = lab
        self.controller = Controller(lab, folder)
        self.state = folder / "state"
        self.log = folder / "watch.log"
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        argv = [*COMMAND, "watch", "-f", str(self.controller.specs), "--state", str(self.state)]
        argv += ["--listen", "127.0.0.1:0", "--grace", f"{GRACE}s", *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.controller.environment,
            )
        self.until(self.answers, "the controller answers", START)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; return the exit code and how many seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=GRACE + 20)
        self.process = None
        return code, time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL: it gets to say nothing."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    # -- what it says ------------------------------------------------------------------------------

    def answers(self) -> bool:
        """Tell whether it answers over HTTP."""
        assert self.process is not None
        assert self.process.poll() is None, self.last_words()
        try:
            self.status()
        except (OSError, ValueError):
            return False
        return True

    def get(self, path: str) -> str:
        """Return a page."""
        url = (self.state / "url").read_text().strip()
        with urllib.request.urlopen(url + path, timeout=10) as answer:  # noqa: S310 - our own
            text: bytes = answer.read()
            return text.decode()

    def status(self) -> Status:
        """Return what /api/v1/status says."""
        document: Status = json.loads(self.get("api/v1/status"))
        return document

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of a series; 0 when there is none."""
        for line in self.get("metrics").splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if found is None:
                continue
            given = dict(re.findall(r'(\w+)="([^"]*)"', found[1] or ""))
            if labels.items() <= given.items():
                return float(found[2])
        return 0.0

    def condition(self, name: str, type_: str = "Ready") -> Mapping[str, Any]:
        """Return a condition of a replication or host; empty when it has none of that type."""
        status = self.status()
        for thing in (*status["replications"], *status["hosts"]):
            if thing["name"] == name:
                found = (c for c in thing["conditions"] if c["type"] == type_)
                return next(found, {})
        return {}

    def is_ready(self, name: str) -> bool:
        """Tell whether a replication or host is ready."""
        return self.condition(name).get("status") == "True"

    def replication(self, name: str) -> Mapping[str, Any]:
        """Return what is said of a replication."""
        found = (r for r in self.status()["replications"] if r["name"] == name)
        return next(found, {})

    # -- waiting -----------------------------------------------------------------------------------

    def until(self, condition: Callable[[], object], what: str, timeout: float = 60.0) -> float:
        """Wait until something is so; return how many seconds that took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() < began + timeout, f"not within {timeout:g} s: {what}\n" + (
                self.last_words()
            )
            time.sleep(0.5)
        return time.monotonic() - began

    def last_words(self) -> str:
        """Return the status and the end of the log."""
        try:
            status = json.dumps(self.status(), indent=1)
        except (OSError, ValueError) as error:
            status = f"no status: {error}"
        log = self.log.read_text(errors="replace").splitlines()
        return "\n".join([status, *log[-40:]])

    @property
    def cpu_seconds(self) -> float:
        """The CPU time the controller has used."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
