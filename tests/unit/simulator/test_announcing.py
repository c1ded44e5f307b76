"""A simulated host announces what real ZFS announced in the lab, as far as it is modelled."""

import pytest

from reconciler.simulator.announcing import announced, record
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Machine
from reconciler.simulator.run import run
from reconciler.zfs.events import NOT_UNDERSTOOD, Event, EventReader, filesystems_of

NOW = 1795384800
SETUP = (
    "zpool create tank disk",
    "zfs create tank/a",
    "zfs create tank/a/kid",
    "write tank/a file 300000",
    "zfs snapshot tank/a@one",
    "zfs snapshot tank/a@two",
    "zfs bookmark tank/a@one tank/a#one",
    "zfs hold keep tank/a@one",
)


def events(*commands: str) -> list[Event]:
    """Return what a host announces when the commands run."""
    cell = MemoryCell(Machine("alpha"))
    for line in SETUP:
        assert run(cell, tuple(line.split()), clock=lambda: NOW).status == 0, line
    before = cell.read()
    for line in commands:
        process = run(cell, tuple(line.split()), clock=lambda: NOW)
        assert process.status == 0, process.stderr
    reader = EventReader()
    found: list[Event] = []
    for number, event in enumerate(announced(before, cell.read()), 1):
        read = map(reader.feed, record(event, number, NOW))
        found += [event for event in read if event is not None]
    assert NOT_UNDERSTOOD not in found
    assert [event.eid for event in found] == list(range(1, len(found) + 1))
    return found


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("zfs snapshot tank/a@three tank/a/kid@three", ["snapshot", "snapshot"]),
        ("zfs destroy tank/a@two", ["destroy"]),
        ("zfs destroy -d tank/a@one", ["defer_destroy"]),
        ("zfs bookmark tank/a@two tank/a#two", ["bookmark"]),
        ("zfs destroy tank/a#one", ["remove bookmark"]),
        ("zfs hold more tank/a@one", ["hold"]),
        ("zfs release keep tank/a@one", ["release"]),
        ("zfs rename tank/a@one tank/a@uno", ["rename"]),
        ("zfs rename tank/a tank/b", ["rename", "rename"]),
        ("zfs create tank/c", ["create"]),
        ("zfs destroy tank/a/kid", ["destroy"]),
        ("zfs set reconciler:spec=x tank/a", ["set"]),
        ("zfs set reconciler:spec=x tank/a@one", ["set"]),
        ("zfs clone tank/a@one tank/c", ["clone"]),
    ],
)
def test_a_change_is_announced(command: str, said: list[str]) -> None:
    assert [event.operation for event in events(command)] == said


@pytest.mark.parametrize("command", ["write tank/a file 5000", "zfs unmount tank/a/kid"])
def test_some_changes_are_not_announced(command: str) -> None:
    assert events(command) == []


def test_the_filesystem_of_a_change_is_known() -> None:
    (event,) = events("zfs snapshot tank/a/kid@three")
    assert filesystems_of(event) == frozenset({"tank/a/kid"})
    assert (event.pool, event.time) == ("tank", NOW)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("zpool export tank", "sysevent.fs.zfs.pool_export"),
        ("zpool create more disk2", "sysevent.fs.zfs.pool_create"),
    ],
)
def test_a_pool_that_comes_or_goes_concerns_the_whole_host(command: str, kind: str) -> None:
    (event,) = events(command)
    assert event.kind == kind
    assert filesystems_of(event) is None


def test_a_filesystem_that_is_another_one_now_is_announced() -> None:
    found = events("zfs destroy tank/a/kid", "zfs create tank/a/kid")
    assert {event.dataset for event in found} == {"tank/a/kid"}
