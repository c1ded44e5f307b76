"""Large worlds to measure with."""

import zlib
from collections.abc import Iterable, Iterator
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
from reconciler.observed import probe
from reconciler.observed.model import Filesystem, Observation, Observed, Pool, Seen
from reconciler.planner.marks import snapshot_name
from reconciler.planner.planning import plan
from reconciler.zfs.types import Version, VersionKind
from reconciler.zfs.versions import Versions
from tests.support.converge import converge
from tests.support.worlds import fs

HOUR = 3600
NOW = 1_795_000_000 // HOUR * HOUR
PREFIX = "rec-"
VAULT = "vault"


def steady_world(
    hosts: int, filesystems: int, versions: int, *, first: int = 0
) -> tuple[Desired, Observed]:
    """Return senders and one vault that are in order at NOW: every hour a snapshot, all sent."""
    names = [f"host{number}" for number in range(first, first + hosts)]
    desired = Desired(
        hosts={name: HostAddress(name, LocalAddress()) for name in (*names, VAULT)},
        replications={
            name: Replication(
                name=name,
                senders=(name,),
                selection=Selection.parse(["tank/data/**"]),
                snapshots=Snapshots(Every(HOUR), PREFIX),
                keep=Keep((Last(versions),)),
                targets=(
                    Target(
                        host=VAULT,
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
    observed[VAULT] = Seen(VAULT, NOW, NOW, "2.1.11", pools, root)
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
    hosts = [_HOST.format(name=name) for name in (*(f"h{n}" for n in range(10)), VAULT)]
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


def fleet(
    senders: int, filesystems: int, versions: int, *, alike: bool = True
) -> tuple[Desired, Observed]:
    """Return a steady world of any size: one filesystem of each sender in order, many times over.

    What is in order is found out by planning for one; the others are the same with other guids,
    and if they are not to be `alike`, were snapshotted a second later than the one before.
    """
    parts = [steady_world(1, 1, versions, first=number) for number in range(senders)]
    hosts: dict[str, HostAddress] = {}
    replications: dict[str, Replication] = {}
    observed: dict[str, Observation] = {}
    vault: dict[str, Filesystem] = {}
    for desired, world in parts:
        hosts |= desired.hosts
        replications |= desired.replications
        for host, seen in world.items():
            assert isinstance(seen, Seen)
            later = 0 if alike else 1
            copies = dict(_copies(seen.filesystems.values(), filesystems, later))
            observed[host] = replace(seen, filesystems=copies)
            vault |= copies if host == VAULT else {}
    last = parts[-1][1][VAULT]
    assert isinstance(last, Seen)
    observed[VAULT] = replace(last, filesystems=dict(sorted(vault.items())))
    return Desired(hosts=hosts, replications=replications, digest="sha256:0"), observed


def _copies(
    found: Iterable[Filesystem], times: int, later: int
) -> Iterator[tuple[str, Filesystem]]:
    """Yield filesystems by name, those with versions so many times, each so many seconds later."""
    for one in found:
        if not one.versions:
            yield one.name, one
            continue
        for number in range(times):
            name = f"{one.name}-{number:04}"
            versions = [_other(version, number, number * later) for version in one.versions]
            yield name, replace(one, name=name, versions=Versions.of(versions))


def _other(version: Version, number: int, later: int) -> Version:
    """Return a version with a guid of its own, which a cursor has in its name."""
    guid = version.guid ^ number
    name = version.name if version.is_snapshot else f"{version.name[:-16]}{guid:016x}"
    found = version._replace(guid=guid, name=name)
    return found._replace(creation=version.creation + later) if later else found


def listings(folder: Path, filesystems: int, versions: int) -> dict[str, Path]:
    """Write what a probe of one host prints, below `tank/data`, into a file for each step."""
    text = {
        probe.CLOCK: f"{NOW}\n",
        probe.RELEASE: "zfs-2.1.11-1\nzfs-kmod-2.1.11-1\n",
        probe.POOLS: f"tank\t1\t{1 << 40}\tONLINE\toff\n",
        probe.FEATURES: "tank\tfeature@large_blocks\tenabled\n",
        probe.HOLDS: "",
    }
    files = {name: folder / name for name in (*text, probe.FILESYSTEMS, probe.VERSIONS)}
    for name, said in text.items():
        files[name].write_text(said)
    names = ["tank", "tank/data", *(f"tank/data/fs{number:06}" for number in range(filesystems))]
    with files[probe.FILESYSTEMS].open("w") as file:
        file.writelines(map(_filesystem_row, names))
    with files[probe.VERSIONS].open("w") as file:
        for place, name in enumerate(names[2:]):
            file.writelines(
                _version_row(name, place, number) for number in reversed(range(versions))
            )
    return files


def _filesystem_row(name: str) -> str:
    guid = 10**18 + zlib.crc32(name.encode())
    return (
        f"{name}\tfilesystem\t{guid}\t{guid % 10**6}\t98304\t0\t98304\toff\tnone\t-\t-\toff\tyes"
        f"\t-\t0\t-\t-\t-\t-\t{name}\n"
    )


def _version_row(filesystem: str, place: int, number: int) -> str:
    guid = 10**18 + place * 10**4 + number
    name = f"{filesystem}@{snapshot_name(PREFIX, NOW - number * HOUR)}"
    numbers = f"{guid}\t{10**6 - number}\t{NOW - number * HOUR}\t0\t4096\t1048576"
    return f"{name}\t{numbers}\tweb\t{name}\n"
