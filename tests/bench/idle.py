"""What a controller costs while nothing happens: three quiet hosts of the lab with real ZFS."""

import os
import tempfile
import time
from pathlib import Path

from tests.lab.controller import host, replication
from tests.lab.machines import Lab, start
from tests.lab.watching import Watching

QUIET = 180.0
"""Seconds that are measured."""

SETTLE = 45.0
"""Seconds after the last action until what was done has died away."""


def idle_cost(folder: Path) -> list[tuple[str, str, str]]:
    """Return rows of what it costs: what, figure, remark."""
    wish = os.environ.get("RECONCILER_LAB", "")
    lab = Lab.attach(Path(wish)) if wish else start(dir=folder / "run")
    watching = Watching(lab, folder, "--resync", "1h")
    try:
        lab.renew_pools()
        for name in ("alpha", "beta"):
            lab.machines[name].sh("zfs create tank/data")
        specs = host("alpha") + host("beta") + host("vault")
        specs += replication(name="data") + "---" + replication(name="more", source="beta")
        watching.controller.specify(specs)
        watching.start()
        watching.until(lambda: watching.is_ready("data") and watching.is_ready("more"), "ready")
        time.sleep(SETTLE)
        return _measured(lab, watching)
    finally:
        watching.kill()
        lab.hang_up() if wish else lab.stop()


def _measured(lab: Lab, watching: Watching) -> list[tuple[str, str, str]]:
    looks, cpu = _looks(watching), watching.cpu_seconds
    began = time.monotonic()
    while time.monotonic() < began + QUIET:
        time.sleep(5)
    used = (watching.cpu_seconds - cpu) / (time.monotonic() - began) * 3600
    asked = _looks(watching) - looks
    ours = lab.machines["vault"].sh(
        "ps -eo args= | grep -E '^(zpool|zfs|sshd: .*@|sudo zpool)' | grep -v grep; true"
    )
    there = [line for line in ours.stdout.splitlines() if line.strip()]
    return [
        ("controller, 3 quiet hosts: CPU", f"{used:.0f} s/h", f"looks meanwhile: {asked:.0f}"),
        ("on a quiet host: ssh sessions and zfs", f"{len(there)}", "; ".join(there)[:100]),
    ]


def _looks(watching: Watching) -> float:
    name = "reconciler_host_observations_total"
    return sum(
        watching.metric(name, host=host, result="seen") for host in ("alpha", "beta", "vault")
    )


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="idle-") as folder:
        for what, figure, remark in idle_cost(Path(folder)):
            print(f"{what:58} {figure:>9}   {remark}")


if __name__ == "__main__":
    main()
