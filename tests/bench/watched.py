"""What a look and a plan cost in the watch loop, by how much has changed since the last ones.

One sender and one vault in order, each with half of the filesystems and what `zfs` prints of them.
Both are read again, which is more than the watch loop does: where events are heard, a host on which
nothing has changed is not asked.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from reconciler.desired.model import Desired
from reconciler.hosts.script import Outcome, Transcript
from reconciler.observed import probe
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.observed.read import read_probe
from reconciler.observed.remembered import Remembered
from reconciler.planner.memory import Memory
from reconciler.planner.planning import plan
from reconciler.planner.roots import roots_of
from reconciler.zfs.names import ancestors
from reconciler.zfs.types import Version
from tests.bench.worlds import NOW, VAULT, fleet
from tests.support.worlds import fs

Printed = dict[str, Transcript]
"""Host → what its probe prints."""


class Watched:
    """The two hosts, and all that the watch loop remembers of them."""

    def __init__(self, desired: Desired) -> None:
        self.desired = desired
        self._remembered = {host: Remembered() for host in desired.hosts}
        self._memory = Memory()

    def cycle(self, said: Printed) -> str:
        """Read it and plan, with what is known from the time before; say what took how long."""
        began = time.process_time()
        roots = roots_of(self.desired)
        observed: Observed = {
            host: read_probe(host, roots[host], transcript, NOW, remembered=self._remembered[host])
            for host, transcript in said.items()
        }
        read = time.process_time()
        made = plan(self.desired, observed, NOW, memory=self._memory)
        ended = time.process_time()
        unseen = [seen.cause for seen in observed.values() if not isinstance(seen, Seen)]
        assert not unseen, unseen
        assert not made.actions
        return f"two hosts; to read {read - began:.2f} s, to plan {ended - read:.2f} s"


def cycle(versions: int, each: int, changed: int | None) -> Callable[[], str]:
    """Return a cycle after which so many filesystems of all have changed; None: the first one."""
    desired, observed = fleet(1, versions // each // 2, each)
    watched, first = Watched(desired), _all_printed(observed, 0)
    if changed is None:
        return lambda: watched.cycle(first)
    watched.cycle(first)
    then = _all_printed(observed, changed)
    return lambda: watched.cycle(then)


def _all_printed(observed: Observed, changed: int) -> Printed:
    """Return what is printed once somebody has taken a snapshot of so many filesystems."""
    return {
        host: printed(seen if host == VAULT else _busy(seen, changed))
        for host, seen in observed.items()
        if isinstance(seen, Seen)
    }


def _busy(seen: Seen, changed: int) -> Seen:
    found = dict(seen.filesystems)
    busy = [one for one in found.values() if one.snapshots]
    for filesystem in islice(busy, 0, None, len(busy) // changed) if changed else ():
        last = filesystem.snapshots[-1]
        mine = last._replace(name="mine", guid=last.guid ^ 1 << 61, createtxg=10**9, spec=None)
        versions = (*filesystem.versions, mine)
        found[filesystem.name] = replace(filesystem, versions=versions)
    return replace(seen, filesystems=found)


def printed(seen: Seen) -> Transcript:
    """Return what the probe of a host prints that is as it was seen."""
    pools = seen.pools.values()
    above = {
        name: fs(name, "", disabled=True) for found in seen.filesystems for name in ancestors(found)
    }
    filesystems = dict(
        sorted({**{name: fs(name, disabled=True) for name in above}, **seen.filesystems}.items())
    )
    text = {
        probe.CLOCK: f"{NOW}\n",
        probe.RELEASE: "zfs-2.1.11-1\nzfs-kmod-2.1.11-1\n",
        probe.POOLS: "".join(f"{p.name}\t{p.guid}\t{p.free}\t{p.health}\toff\n" for p in pools),
        probe.FEATURES: "".join(
            f"{p.name}\tfeature@{name}\t{state}\n"
            for p in pools
            for name, state in p.features.items()
        ),
        probe.FILESYSTEMS: "".join(map(_filesystem_row, filesystems.values())),
        probe.VERSIONS: "".join(
            _version_row(found.name, version)
            for found in filesystems.values()
            for version in (*found.snapshots, *found.bookmarks)
        ),
        probe.HOLDS: "".join(_holds(seen)),
    }
    return Transcript({name: Outcome(0, said, "") for name, said in text.items()})


def _filesystem_row(found: Filesystem) -> str:
    name, mark = found.name, found.name if found.placeholder else "-"
    numbers = (found.guid, found.createtxg, found.used, found.written, found.referenced)
    switch = "disabled" if found.disabled else "-"
    facts = f"off\tnone\t-\t-\toff\tyes\t-\t0\t-\t{switch}\t{mark}\t-"
    return "\t".join((name, "filesystem", *map(str, numbers), facts, name)) + "\n"


def _version_row(filesystem: str, version: Version) -> str:
    full = version.of(filesystem)
    numbers = f"{version.guid}\t{version.createtxg}\t{version.creation}"
    said = (version.userrefs if version.is_snapshot else None, version.written, version.referenced)
    facts = "\t".join("-" if one is None else str(one) for one in (*said, version.spec))
    return f"{full}\t{numbers}\t{facts}\t{full}\n"


def _holds(seen: Seen) -> Iterator[str]:
    for found in seen.filesystems.values():
        for version in found.versions:
            for tag in version.holds:
                yield f"{version.of(found.name)}\t{tag}\tMon Nov 23 11:45 2026\n"
