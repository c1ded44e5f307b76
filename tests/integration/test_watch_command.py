"""`reconciler watch` and `reconciler status` on simulated hosts, as processes of their own."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator.store import StateFile

COMMAND = (sys.executable, "-m", "reconciler.cli.main")
PATIENCE = 60.0
pytestmark = pytest.mark.timeout(240)

SPECS = """
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: alpha}
spec: {connection: {simulated: {state: ../alpha.json}}}
---
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {name: vault}
spec: {connection: {simulated: {state: ../vault.json}}}
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {name: web}
spec:
  source:
    host: alpha
    filesystems: ["tank/www"]
    snapshots: {every: 1h, prefix: rec-}
    keep: {last: 3}
  targets:
    - {host: vault, under: "backup/{host}", keep: {last: 5}, maxLag: 3h}
"""


class Watch:
    """A controller in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log = folder / "log"
        (folder / "specs").mkdir()
        self.specify(SPECS)
        for host, lines in (
            ("alpha", ("zpool create tank disk", "zfs create tank/www")),
            ("vault", ("zpool create backup disk", "zfs create backup/alpha")),
        ):
            for line in lines:
                self.sh(host, line)

    def specify(self, text: str) -> None:
        (self.folder / "specs" / "web.yaml").write_text(text)

    def sh(self, host: str, line: str) -> None:
        state = str(self.folder / f"{host}.json")
        self.run("simulator", "exec", state, "--", *line.split(), code=0)

    def run(self, *arguments: str, code: int | None = None) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*COMMAND, "watch", "--state", "state", "--listen", "127.0.0.1:0", *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        self.until((self.folder / "state" / "url").exists, "it listens")
        return process

    def status(self) -> Any:
        return json.loads(self.get("api/v1/status"))

    def get(self, path: str) -> str:
        url = (self.folder / "state" / "url").read_text().strip()
        with urllib.request.urlopen(url + path, timeout=10) as answer:  # noqa: S310 - our own
            text: bytes = answer.read()
            return text.decode()

    def snapshots(self, host: str, filesystem: str) -> list[str]:
        dataset = StateFile(self.folder / f"{host}.json").read().datasets.get(filesystem)
        return [snapshot.name for snapshot in dataset.snapshots] if dataset is not None else []

    def ready(self) -> bool:
        found = self.status()["replications"]
        return bool(found) and all(
            condition["status"] == "True"
            for replication in found
            for condition in replication["conditions"]
            if condition["type"] == "Ready"
        )

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what}\n{self.log.read_text()}"
            time.sleep(0.1)

    @property
    def records(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = Watch(tmp_path)
    yield watch
    for process in watch.processes:
        process.kill()
        process.wait()


def test_the_hosts_come_to_be_as_the_specs_say_and_the_logs_tell_it_to_programs(
    watch: Watch,
) -> None:
    process = watch.start()
    watch.until(lambda: watch.snapshots("vault", "backup/alpha/tank/www"), "it arrives")
    watch.until(watch.ready, "the replication is ready")
    assert watch.snapshots("alpha", "tank/www") == watch.snapshots("vault", "backup/alpha/tank/www")
    assert "reconciler_ready 1.0" in watch.get("metrics")
    assert watch.get("healthz").strip() == "ok"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE) == 0
    assert not (watch.folder / "state" / "url").exists()
    sent = next(record for record in watch.records if record["message"] == "send done")
    assert sent["host"] == "alpha"
    assert sent["filesystem"] == "tank/www"
    assert sent["action"].startswith("send:alpha:tank/www@rec-")
    assert len(sent["reconcile"]) == 8
    assert sent["level"] == "info"


def test_status_says_how_things_are_from_the_controller_and_without_one(watch: Watch) -> None:
    before = watch.run("status", "--state", "state", code=3)
    assert "1 over the lag goal" in before.stdout
    assert "controller" not in before.stdout.splitlines()[-1]
    assert watch.snapshots("alpha", "tank/www") == [], "it changed nothing"
    process = watch.start()
    watch.until(watch.ready, "the replication is ready")
    watch.until(lambda: watch.snapshots("vault", "backup/alpha/tank/www"), "it arrives")
    told = watch.run("status", "--state", "state", code=0)
    assert f"process {process.pid}" in told.stdout
    assert "The replication is ready." in told.stdout
    process.kill()
    process.wait()
    direct = watch.run("status", "--state", "state", "--json", code=0)
    (lag,) = json.loads(direct.stdout)["replications"][0]["lags"]
    assert lag["replicated"] == lag["newest"] is not None


def test_new_specs_are_taken_and_broken_ones_are_not(watch: Watch) -> None:
    watch.start()
    watch.until(watch.ready, "the replication is ready")
    generation = watch.status()["replications"][0]["generation"]
    watch.specify("nonsense: [")
    watch.until(lambda: watch.status()["specs"]["problem"], "it is told")
    assert "web.yaml:2:1: this is not YAML" in watch.status()["specs"]["problem"]
    assert watch.status()["replications"][0]["generation"] == generation
    told = watch.run("status", "--state", "state")
    assert told.returncode == 3
    assert "newest specs are not in force" in told.stdout
    assert any("not in force" in record["message"] for record in watch.records)
    watch.specify(SPECS.replace("last: 3", "last: 4"))
    watch.until(
        lambda: watch.status()["replications"][0]["generation"] != generation, "others in force"
    )
    watch.until(lambda: watch.status()["specs"]["problem"] is None, "no problem any more")


def test_what_happens_on_a_host_is_heard_and_put_right(watch: Watch) -> None:
    watch.start()
    watch.until(watch.ready, "the replication is ready")
    watch.until(lambda: watch.snapshots("vault", "backup/alpha/tank/www"), "it arrives")
    watch.until(lambda: watch.status()["hosts"][0]["hearing"] == "events", "it listens")
    watch.until(watch.ready, "the replication is ready")
    watch.sh("vault", "zfs snapshot backup/alpha/tank/www@manual")
    watch.until(
        lambda: [b["code"] for b in watch.status()["replications"][0]["blocked"]] == ["diverged"],
        "the conflict is seen",
    )
    assert watch.run("status", "--state", "state").returncode == 4
    watch.sh("vault", "zfs destroy backup/alpha/tank/www@manual")
    watch.until(watch.ready, "the replication is ready again")


def test_a_second_controller_is_told_who_is_there_already(watch: Watch) -> None:
    process = watch.start()
    second = watch.run("watch", "--state", "state", "--listen", "none")
    assert second.returncode == 11
    assert f"process {process.pid}" in second.stderr
    process.kill()
    process.wait()
    (watch.folder / "state" / "url").unlink()
    watch.start()


def test_suspended_means_that_nothing_is_done(watch: Watch) -> None:
    (watch.folder / "state").mkdir()
    watch.run("suspend", "web", "--state", "state", "--reason", "moving house", code=0)
    watch.start()
    watch.until(
        lambda: (watch.status()["replications"] or [{"suspended": None}])[0]["suspended"],
        "it is told",
    )
    assert "moving house" in watch.status()["replications"][0]["suspended"]
    time.sleep(3)
    assert watch.snapshots("alpha", "tank/www") == []
    watch.run("resume", "web", "--state", "state", code=0)
    watch.until(lambda: watch.snapshots("vault", "backup/alpha/tank/www"), "it goes on")


def test_a_dry_run_only_looks(watch: Watch) -> None:
    watch.specify(SPECS.replace(", maxLag: 3h", ""))
    watch.start("--dry-run")
    watch.until(watch.ready, "all was looked at")
    (ready,) = watch.status()["replications"][0]["conditions"]
    assert ready["message"] == "to be done: 1 snapshot; to be done: 1 create-filesystem"
    assert "reconciler_dry_run 1.0" in watch.get("metrics")
    assert watch.snapshots("alpha", "tank/www") == []


def test_hanging_up_looks_at_everything_anew(watch: Watch) -> None:
    process = watch.start("--resync", "1d")
    watch.until(watch.ready, "the replication is ready")

    def looks() -> float:
        lines = watch.get("metrics").splitlines()
        name = 'reconciler_host_observations_total{host="alpha",result="seen"} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    time.sleep(3)
    before = looks()
    process.send_signal(signal.SIGHUP)
    watch.until(lambda: looks() > before, "alpha is looked at")


def test_status_can_be_watched_until_interrupted(watch: Watch) -> None:
    watch.start()
    watch.until(watch.ready, "the replication is ready")
    with subprocess.Popen(
        [*COMMAND, "status", "--state", "state", "--watch"],
        cwd=watch.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        watch.processes.append(watching)  # type: ignore[arg-type]
        assert watching.stdout is not None
        shown = 0
        while shown < 2:
            shown += watching.stdout.readline().startswith("The replication is ")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=PATIENCE) == 130
