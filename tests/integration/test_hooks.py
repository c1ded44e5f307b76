"""Hooks on this machine, around snapshots of a simulated pool, and with real databases."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.server import alive, wait_until

SPECS = """\
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {{name: here}}
spec: {{connection: {{local: {{}}}}}}
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {{name: data}}
spec:
  source:
    host: here
    filesystems: [tank/a]
    snapshots:
      every: 1h
      prefix: rec-
      hooks: {hooks}
  targets: []
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {{name: other}}
spec:
  source:
    host: here
    filesystems: [tank/b]
    snapshots: {{every: 1h, prefix: rec-}}
  targets: []
"""


@dataclass(frozen=True)
class Here:
    """This machine, with a simulated pool under real zfs commands."""

    folder: Path

    def begin(self, hooks: str) -> "subprocess.Popen[str]":
        """Begin `reconciler apply` with hooks around the snapshots of tank/a."""
        (self.folder / "specs.yaml").write_text(SPECS.format(hooks=hooks))
        command = ("apply", "-f", str(self.folder / "specs.yaml"), "--auto-approve")
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler.cli.main", *command],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def apply(self, hooks: str) -> tuple[int, str]:
        """Run it; return the exit code and what it printed."""
        with self.begin(hooks) as running:
            return running.wait(120), running.communicate()[0]

    @property
    def environment(self) -> dict[str, str]:
        """The simulated pool's commands come first."""
        path = f"{self.folder / 'bin'}:{self.folder / 'shims'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": str(Path.cwd())}

    def snapshots(self, filesystem: str) -> list[str]:
        """Return the names of a filesystem's snapshots."""
        argv = ["zfs", "list", "-H", "-o", "name", "-t", "snapshot", filesystem]
        found = subprocess.run(
            argv, env=self.environment, check=True, capture_output=True, text=True
        )
        return found.stdout.split()

    def while_snapshotting(self, code: str) -> None:
        """Have something done each time just before a snapshot is taken."""
        shim = self.folder / "bin" / "zfs"
        real = self.folder / "shims" / "zfs"
        shim.write_text(f'#!/bin/sh\n[ "$1" != snapshot ] || {{ {code}\n}}\nexec {real} "$@"\n')
        shim.chmod(0o755)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    state = tmp_path / "state.json"
    program = [sys.executable, "-m", "reconciler.cli.main", "simulator"]
    for argv in ("zpool create tank disk", "zfs create tank/a", "zfs create tank/b"):
        subprocess.run([*program, "exec", str(state), "--", *argv.split()], check=True)
    subprocess.run([*program, "shims", str(tmp_path / "shims"), str(state)], check=True)
    (tmp_path / "bin").mkdir()
    return Here(tmp_path)


def test_hooks_are_run_around_the_snapshots_and_what_they_print_is_told(here: Here) -> None:
    """H25"""
    log = here.folder / "log"
    here.while_snapshotting(f'echo "$*" >>{log}')
    told = "echo $RECONCILER_HOOK $RECONCILER_REPLICATION $RECONCILER_FILESYSTEMS"
    code, said = here.apply(
        f"[{{name: app, before: '{told} | tee -a {log}; echo one', after: '{told} >>{log}'}}]"
    )

    assert code == 0, said
    (name,) = here.snapshots("tank/a")
    lines = [line for line in log.read_text().splitlines() if "tank/b@" not in line]
    assert lines[0] == "before data tank/a"
    assert lines[1].endswith(name)
    assert lines[2:] == ["after data tank/a"]
    assert "hook app, before: one" in said


def test_a_hook_that_fails_keeps_its_own_snapshots_from_being_taken_and_no_others(
    here: Here,
) -> None:
    """H25"""
    done = here.folder / "done"
    code, said = here.apply(f"[{{before: 'echo no disk >&2; exit 4', after: 'touch {done}'}}]")

    assert code == 3
    assert "hook 1, before: it ended with status 4: no disk, so no snapshots were taken" in said
    assert (here.snapshots("tank/a"), len(here.snapshots("tank/b"))) == ([], 1)
    assert done.exists()


def test_a_hook_that_hangs_is_ended_with_all_that_it_started(here: Here) -> None:
    """H25"""
    pids = here.folder / "pids"
    hang = f"sleep 1000 & echo $! >{pids}; wait"
    began = time.monotonic()
    code, said = here.apply(f"[{{before: '{hang}', timeout: 2s, onFailure: continue}}]")

    assert code == 0, said
    assert time.monotonic() - began < 60
    assert "hook 1, before: it was not done after 2 s" in said
    assert len(here.snapshots("tank/a")) == 1
    wait_until(lambda: not alive(int(pids.read_text())))


def test_what_a_hook_stopped_is_started_again_though_the_controller_was_killed(here: Here) -> None:
    """H25"""
    begun, go_on, done = (here.folder / name for name in ("begun", "go_on", "done"))
    wait = f"touch {begun}; while [ ! -e {go_on} ]; do sleep 0.1; done; echo hear me"
    running = here.begin(f"[{{before: '{wait}', after: 'echo and me; touch {done}'}}]")
    wait_until(begun.exists)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    go_on.touch()
    wait_until(done.exists)


# -- databases -------------------------------------------------------------------------------------


@contextmanager
def folder_of(user: str) -> Iterator[Path]:
    """Make a folder that a user can get at; pytest's are for us alone."""
    made = Path(tempfile.mkdtemp(prefix="reconciler-test-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(made, user)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def by(user: str, *argv: str) -> list[str]:
    """Return a command that runs with a user's rights: servers refuse root."""
    return ["runuser", "-u", user, "--", *argv] if os.geteuid() == 0 else list(argv)


def run(argv: Sequence[str]) -> str:
    found = subprocess.run(argv, check=False, capture_output=True, text=True, cwd="/")
    assert found.returncode == 0, f"{argv}\n{found.stdout}{found.stderr}"
    return found.stdout


def me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def postgres() -> Iterator[Path]:
    """Start a PostgreSQL of our own; the folder has its socket, and its data in `data`."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    assert programs is not None, "install the package postgresql"
    user = "postgres" if os.geteuid() == 0 else me()
    with folder_of(user) as folder:
        data = str(folder / "data")
        run(by(user, str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-N"))
        control = by(user, str(programs / "pg_ctl"), "-D", data, "-w", "-l", f"{folder}/log")
        run([*control, "-o", f"-k {folder} -h ''", "start"])
        try:
            yield folder
        finally:
            run([*control, "-m", "immediate", "stop"])


def test_postgresql_has_written_everything_when_the_snapshots_are_taken(
    here: Here, postgres: Path
) -> None:
    def asked(sql: str) -> str:
        return run(["psql", "-h", str(postgres), "-U", "postgres", "-X", "-A", "-t", "-c", sql])

    asked("CREATE TABLE t (n int)")
    asked("INSERT INTO t SELECT generate_series(1, 10000)")
    dirty = asked("SELECT pg_current_wal_insert_lsn()").strip()
    user = "postgres" if os.geteuid() == 0 else me()
    connection = f"host={postgres} user=postgres"
    code, said = here.apply(
        f"[{{postgresCheckpoint: {{connection: {connection}, runAs: {user}}}}}]"
        if os.geteuid() == 0
        else f"[{{postgresCheckpoint: {{connection: {connection}}}}}]"
    )

    assert code == 0, said
    assert len(here.snapshots("tank/a")) == 1
    redo = asked("SELECT redo_lsn FROM pg_control_checkpoint()").strip()
    assert position(redo) >= position(dirty)


def position(lsn: str) -> tuple[int, int]:
    """Read a place in the write-ahead log: two numbers in hex."""
    high, low = lsn.split("/")
    return int(high, 16), int(low, 16)


def test_a_database_that_is_away_is_a_failure_with_its_own_words(here: Here) -> None:
    code, said = here.apply("[{postgresCheckpoint: {connection: host=/nowhere user=x}}]")

    assert code == 3
    assert "hook 1 (PostgreSQL checkpoint), before: it ended with status 2" in said
    assert here.snapshots("tank/a") == []


@pytest.fixture
def mariadb() -> Iterator[Path]:
    """Start a MariaDB of our own; the folder has a client's defaults in `cnf`."""
    assert shutil.which("mariadb-install-db"), "install the package mariadb-server"
    with folder_of(me()) as folder:
        data = ("--no-defaults", f"--datadir={folder / 'data'}", f"--user={me()}")
        run(["mariadb-install-db", *data, "--auth-root-authentication-method=normal"])
        daemon = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        (folder / "cnf").write_text(f"[client]\nsocket={folder / 's'}\nuser=root\n")
        options = (f"--socket={folder / 's'}", "--skip-networking", f"--pid-file={folder / 'pid'}")
        with (folder / "log").open("w") as log:
            server = subprocess.Popen([daemon, *data, *options], stdout=log, stderr=log)
        try:
            wait_until((folder / "s").exists)
            run(sql(folder, "CREATE DATABASE d; CREATE TABLE d.t (n int)"))
            yield folder
        finally:
            server.kill()
            server.wait()


def sql(folder: Path, text: str) -> list[str]:
    return ["mariadb", f"--defaults-file={folder / 'cnf'}", "-N", "-e", text]


INSERT = "SET SESSION lock_wait_timeout = 1; INSERT INTO d.t VALUES (1)"


def test_nothing_is_written_to_mariadb_while_the_snapshots_are_taken(
    here: Here, mariadb: Path
) -> None:
    refused = here.folder / "refused"
    write = f"mariadb --defaults-file={mariadb / 'cnf'} -e '{INSERT}'"
    here.while_snapshotting(f'case "$*" in *tank/a*) {write} 2>{refused} ;; esac')
    code, said = here.apply(f"[{{mysqlReadLock: {{defaultsFile: {mariadb / 'cnf'}}}}}]")

    assert code == 0, said
    assert len(here.snapshots("tank/a")) == 1
    assert "Lock wait timeout exceeded" in refused.read_text()
    run(sql(mariadb, INSERT))
    assert run(sql(mariadb, "SELECT count(*) FROM d.t")).strip() == "1"


def test_a_lock_that_was_lost_meanwhile_is_told_of(here: Here, mariadb: Path) -> None:
    client = f"mariadb --defaults-file={mariadb / 'cnf'} -N"
    others = "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()"
    kill = f'{client} -e "KILL $({client} -e "{others} AND user = \'root\'")"'
    here.while_snapshotting(f'case "$*" in *tank/a*) {kill} ;; esac')
    code, said = here.apply(f"[{{mysqlReadLock: {{defaultsFile: {mariadb / 'cnf'}}}}}]")

    assert code == 3
    assert "the lock was lost before it was given back" in said
    run(sql(mariadb, INSERT))


def test_a_lock_that_can_not_be_had_in_time_is_not_waited_for_any_longer(
    here: Here, mariadb: Path
) -> None:
    hold = "LOCK TABLES d.t WRITE; SELECT SLEEP(1000)"
    with subprocess.Popen(sql(mariadb, hold), stdout=subprocess.DEVNULL) as holder:
        try:
            busy = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
            wait_until(lambda: run(sql(mariadb, busy)) != "")
            lock = f"[{{mysqlReadLock: {{defaultsFile: {mariadb / 'cnf'}}}, timeout: 3s}}]"
            code, said = here.apply(lock)
        finally:
            holder.kill()

    assert code == 3
    assert "hook 1 (MySQL read lock), before: it" in said
    assert here.snapshots("tank/a") == []
