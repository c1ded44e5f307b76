"""Large worlds to measure with."""

from dataclasses import replace
from pathlib import Path

from reconciler.desired.model import (
    Calendar,
    Desired,
    Every,
    Keep,
    Last,
    Period,
    Replication,
    Snapshots,
    Target,
)
from reconciler.desired.selection import Selection
from reconciler.hosts.addresses import HostAddress, LocalAddress
from reconciler.observed.model import Observation, Observed, Pool, Seen
from reconciler.planner.marks import snapshot_name
from reconciler.planner.planning import plan
from reconciler.zfs.types import Version, VersionKind
from tests.support.converge import converge
from tests.support.worlds import fs

HOUR = 3600
NOW = 1_795_000_000 // HOUR * HOUR
PREFIX = "rec-"


def steady_world(hosts: int, filesystems: int, versions: int) -> tuple[Desired, Observed]:
    """Return senders and one vault that are in order at NOW: every hour a snapshot, all sent."""
    names = [f"host{number}" for number in range(hosts)]
    desired = Desired(
        hosts={name: HostAddress(name, LocalAddress()) for name in (*names, "vault")},
        replications={
            name: Replication(
                name=name,
                senders=(name,),
                selection=Selection.parse(["tank/data/**"]),
                snapshots=Snapshots(Every(HOUR), PREFIX),
                keep=Keep((Last(versions),)),
                targets=(
                    Target(
                        host="vault",
                        roots={name: f"backup/{name}"},
                        keep=Keep((Last(versions), Calendar(Period.DAILY, 30))),
                    ),
                ),
            )
            for name in names
        },
        digest="sha256:0",
    )
    observed: dict[str, Observation] = {
        name: _seen(name, "tank", filesystems, versions) for name in names
    }
    pools, root = {"backup": _pool("backup")}, {"backup": fs("backup", "")}
    observed["vault"] = Seen("vault", NOW, NOW, "2.1.11", pools, root)
    world = converge(desired, observed, NOW)
    assert not plan(desired, world, NOW).actions
    return desired, world


def _seen(host: str, pool: str, filesystems: int, versions: int) -> Seen:
    base = fs(f"{pool}/data", "")
    found = {}
    for number in range(filesystems):
        name = f"{pool}/data/fs{number:04}"
        made = tuple(
            Version(
                kind=VersionKind.SNAPSHOT,
                name=snapshot_name(PREFIX, NOW - (versions - place - 1) * HOUR),
                guid=hash((host, number, place)) & (2**63 - 1),
                createtxg=place + 10,
                creation=NOW - (versions - place - 1) * HOUR,
                written=4096,
                referenced=1 << 20,
                spec=host,
            )
            for place in range(versions)
        )
        found[name] = replace(base, name=name, versions=made)
    return Seen(host, NOW, NOW, "2.1.11", {pool: _pool(pool)}, found)


def _pool(name: str) -> Pool:
    features = {"large_blocks": "enabled", "lz4_compress": "active", "embedded_data": "active"}
    return Pool(name, 1, "ONLINE", readonly=False, free=1 << 40, features=features)


def thousand_specs(folder: Path) -> None:
    """Write 1,000 replications, one filesystem each, from ten hosts to one vault."""
    folder.mkdir()
    hosts = [_HOST.format(name=name) for name in (*(f"h{n}" for n in range(10)), "vault")]
    (folder / "hosts.yaml").write_text("---\n".join(hosts))
    for host in range(10):
        specs = (_SPEC.format(name=f"r{host}-{n}", host=f"h{host}", n=n) for n in range(100))
        (folder / f"h{host}.yaml").write_text("---\n".join(specs))


_HOST = """\
apiVersion: reconciler/v1alpha1
kind: Host
metadata: {{name: {name}}}
spec:
  connection:
    ssh: {{address: {name}.example.com, user: zfs}}
"""

_SPEC = """\
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {{name: {name}}}
spec:
  source:
    host: {host}
    filesystems: ["tank/data/fs{n}", "tank/data/fs{n}/**"]
    snapshots: {{every: 15m, prefix: rec-}}
    keep: {{last: 4, hourly: 24}}
  targets:
    - host: vault
      under: backup/{{host}}
      keep: {{hourly: 48, daily: 30, monthly: 12}}
"""


def version_rows(count: int) -> str:
    """Return a listing of so many snapshots as `zfs list` prints it for the probe."""
    rows = (
        f"tank/data/fs{n % 100:03}@rec-{n:08}\t{n + 10**18}\t{n + 5}\t1795000000\t0\t4096\t1048576"
        f"\tweb\ttank/data/fs{n % 100:03}@rec-{n:08}\n"
        for n in range(count)
    )
    return "".join(rows)
