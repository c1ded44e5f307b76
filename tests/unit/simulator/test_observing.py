"""What the simulator prints for the probe is understood: a simulated host can be observed."""

from dataclasses import replace

import pytest

from reconciler.hosts.simulated import SimulatedHost
from reconciler.observed.model import Seen, Unseen
from reconciler.observed.probe import probe
from reconciler.observed.read import read_probe
from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Block, Bookmark, Health, Partial
from reconciler.zfs.types import FilesystemKind
from tests.support.machines import CLOCK, edit, lines, machine, make, shell


def observed(cell: MemoryCell, *roots: str) -> Seen | Unseen:
    host = SimulatedHost("here", cell, lambda: CLOCK)
    return read_probe("here", roots, host.run(probe(roots), timeout=60), CLOCK)


def seen(cell: MemoryCell, *roots: str) -> Seen:
    found = observed(cell, *roots)
    assert isinstance(found, Seen), found
    return found


@pytest.fixture
def cell() -> MemoryCell:
    cell = machine()
    make(cell, "tank/www", "tank/www/logs", "tank/mail", "dst/www")
    make(cell, "tank/disk", kind=FilesystemKind.VOLUME, volsize=1 << 20)
    lines(cell, "snapshot -o reconciler:spec=daily tank/www@a tank/www/logs@a")
    lines(cell, "snapshot tank/www@b")
    return cell


def test_without_roots_there_are_the_pools(cell: MemoryCell) -> None:
    found = seen(cell)
    assert sorted(found.pools) == ["dst", "tank"]
    assert found.pools["tank"].features["bookmarks"] == "enabled"
    assert found.zfs_version == "2.1.11"
    assert found.clock == CLOCK


def test_filesystems_of_the_roots_pools_are_seen_with_versions_below_the_roots(
    cell: MemoryCell,
) -> None:
    found = seen(cell, "tank/www")
    assert sorted(found.filesystems) == [
        "tank",
        "tank/disk",
        "tank/mail",
        "tank/www",
        "tank/www/logs",
    ]
    www = found.filesystems["tank/www"]
    assert [(v.label, v.spec) for v in www.versions] == [("@a", "daily"), ("@b", None)]
    assert www.mounted
    assert www.encryption == "off"
    assert found.filesystems["tank/disk"].kind is FilesystemKind.VOLUME


def test_holds_and_bookmarks_are_seen(cell: MemoryCell) -> None:
    snapshots = cell.read().datasets["tank/www"].snapshots
    first = replace(snapshots[0], holds={"reconciler:a": CLOCK, "tag with\ttab": CLOCK})
    mark = Bookmark("cursor", first.guid, first.createtxg, first.creation, 24576)
    edit(cell, "tank/www", snapshots=(first, *snapshots[1:]), bookmarks=(mark,))
    versions = seen(cell, "tank/www").filesystems["tank/www"].versions
    assert [v.label for v in versions] == ["#cursor", "@a", "@b"]
    assert versions[1].holds == ("reconciler:a", "tag with\ttab")
    assert versions[0].guid == versions[1].guid


def test_properties_of_ours_are_seen(cell: MemoryCell) -> None:
    lines(cell, "set reconciler:reconcile=disabled reconciler:placeholder=tank/www tank/www")
    lines(cell, "set readonly=on tank/www")
    found = seen(cell, "tank/www").filesystems
    assert found["tank/www"].placeholder
    assert not found["tank/www/logs"].placeholder
    assert found["tank/www/logs"].disabled
    assert found["tank/www/logs"].readonly


def test_partial_receives_are_seen(cell: MemoryCell) -> None:
    files = {"f": Block(7, 1 << 20, 0)}
    edit(cell, "dst/www", inconsistent=True, partial=Partial(99, "tank/www@a", None, files))
    found = seen(cell, "dst").filesystems["dst/www"]
    assert found.inconsistent
    assert found.resume_token is not None


def test_missing_roots_and_exported_pools_are_answers(cell: MemoryCell) -> None:
    shell(cell, "zpool export dst")
    found = seen(cell, "tank/new", "tank/www", "dst/www")
    assert found.listed == ("tank/new", "tank/www")
    assert "dst" not in found.pools


def test_of_a_suspended_pool_nothing_but_its_health_is_seen(cell: MemoryCell) -> None:
    suspended = replace(cell.read().pools["dst"], health=Health.SUSPENDED)
    cell.change(lambda before: change.with_pool(before, suspended))
    found = seen(cell, "tank/www", "dst/www")
    assert found.pools["dst"].health == "SUSPENDED"
    assert "dst/www" not in found.filesystems
    assert "tank/www" in found.filesystems
