"""zrepl as it leaves hosts behind: what its daemon would have run, on a stage.

Names and order: zrepl 0.7, `internal/endpoint` and `internal/zfs`.
"""

import shlex
from datetime import UTC, datetime

from reconciler.desired.files import SpecFile
from reconciler.desired.load import of_files
from reconciler.desired.model import Desired
from reconciler.importing.zrepl_specs import Known, import_zrepl, text
from reconciler.simulator.process import ChunkedInput, Process
from reconciler.simulator.run import pipe, start
from tests.support.stage import Cell, Stage


def snapshot_name(prefix: str, at: int) -> str:
    """Return the name of a snapshot in the format `dense`."""
    return f"{prefix}{datetime.fromtimestamp(at, UTC):%Y%m%d_%H%M%S}_000"


def imported(config: str, known: Known, under: str = "") -> Desired:
    """Import a zrepl.yml, fill in where the sink receives, and load the specs."""
    written = text(import_zrepl(SpecFile("zrepl.yml", config.encode()), known), "zrepl.yml")
    if under:
        assert UNKNOWN_SINK in written
        written = written.replace(UNKNOWN_SINK, under)
    return of_files([SpecFile("specs.yaml", written.encode())])


UNKNOWN_SINK = '"<root_fs of the sink>/<client identity>"'


class Zrepl:
    """A push job from one host to a sink on another."""

    def __init__(self, stage: Stage, sender: str, receiver: str, root: str, job: str) -> None:
        self.stage = stage
        self.sender, self.receiver = sender, receiver
        self.root = root
        """`root_fs` and client identity."""
        self.job = job
        self.last: dict[str, str] = {}
        """Filesystem → the snapshot that was replicated last."""

    def snapshot(self, filesystem: str, prefix: str = "zrepl_") -> str:
        """Take a snapshot; return its full name."""
        full = f"{filesystem}@{snapshot_name(prefix, self.stage.now)}"
        self.do(self.sender, f"zfs snapshot {full}")
        return full

    def replicate(self, full: str) -> None:
        """Send a snapshot, and move cursor and holds as `guarantee_resumability` has it."""
        filesystem = full.partition("@")[0]
        base, there = self.last.get(filesystem), f"{self.root}/{filesystem}"
        self.do(self.sender, f"zfs hold zrepl_STEP_J_{self.job} {full}")
        if base is None:
            self.placeholders(there)
        self.stream(f"-i {base} {full}" if base else full, there)
        received = f"{there}@{full.partition('@')[2]}"
        self.do(self.receiver, f"zfs hold zrepl_last_received_J_sink {received}")
        if base is not None:
            old = f"{there}@{base.partition('@')[2]}"
            self.do(self.receiver, f"zfs release zrepl_last_received_J_sink {old}")
        self.cursor(full, base)
        self.do(self.sender, f"zfs release zrepl_STEP_J_{self.job} {full}")
        self.last[filesystem] = full

    def placeholders(self, there: str) -> None:
        """Make the parents of a receiver that are missing."""
        parts = there.split("/")
        for depth in range(1, len(parts)):
            name = "/".join(parts[:depth])
            if name not in self.stage.world[self.receiver].datasets:
                options = "-o zrepl:placeholder=on -o mountpoint=none"
                self.do(self.receiver, f"zfs create {options} {name}")

    def cursor(self, full: str, base: str | None) -> None:
        """Put the cursor bookmark on what was received, and take it off what was before."""
        bookmark = f"zfs bookmark {full} {self.mark(full)}"
        self.do(self.sender, bookmark)
        if base is not None:
            self.do(self.sender, f"zfs destroy {self.mark(base)}")

    def mark(self, full: str) -> str:
        """Return the name of the cursor of a snapshot."""
        got = self.do(self.sender, f"zfs get -Hp -o value guid {full}")
        return f"{full.partition('@')[0]}#zrepl_CURSOR_G_{int(got):016x}_J_{self.job}"

    def stream(self, what: str, there: str) -> None:
        """Send and receive, with the options of a job that sets none."""
        sending, receiving = self.ends(what, there)
        with self.stage.somebody_else():
            for result in pipe(sending, receiving):
                assert result.status == 0, result.stderr

    def cut_stream(self, what: str, there: str, share: float) -> None:
        """Let a part of a stream arrive."""
        sending, receiving = self.ends(what, there)
        with self.stage.somebody_else():
            whole = b"".join(start(sending))
            receiving.stdin = ChunkedInput(iter([whole[: int(len(whole) * share)]]))
            assert b"".join(start(receiving)) == b""
            assert receiving.status != 0

    def ends(self, what: str, there: str) -> tuple[Process, Process]:
        """Return the two processes of a stream, not started yet."""
        lines = ((self.sender, f"zfs send {what}"), (self.receiver, f"zfs receive -s {there}"))
        sending, receiving = (
            Process(Cell(self.stage, host), tuple(shlex.split(line)), self.stage.clock)
            for host, line in lines
        )
        return sending, receiving

    def do(self, host: str, line: str) -> str:
        """Run a command that has to succeed; return what it printed."""
        result = self.stage.sh(host, line)
        assert result.status == 0, f"{line}: {result.stderr}"
        return result.stdout.decode().strip()
