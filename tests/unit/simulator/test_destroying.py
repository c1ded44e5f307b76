"""`zfs destroy`: what goes, what keeps it from going, and what is left when it can't."""

from dataclasses import replace

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell, Transition
from reconciler.simulator.model import NOTHING, Health, Machine, Partial, Sending
from reconciler.simulator.run import run
from tests.support.machines import CLOCK, edit, lines, machine, make, shell, zfs


@pytest.fixture
def cell() -> MemoryCell:
    made = machine()
    make(made, "tank/a", "tank/a/b", "tank/c")
    for name in ("1", "2", "3"):
        zfs(made, f"snapshot -r tank/a@{name}")
    return made


def names(cell: MemoryCell, root: str = "tank/a") -> list[str]:
    return lines(cell, f"list -H -r -t all -o name {root}")


def send(cell: MemoryCell, name: str) -> None:
    """Let a send of a snapshot of tank/a run."""
    snapshots = cell.read().datasets["tank/a"].snapshots
    number = next(s.object for s in snapshots if s.name == name)
    cell.change(lambda before: replace(before, sending=(Sending("someone", (number,)),)))


def receive(cell: MemoryCell, base: str, *, owner: str | None = None) -> None:
    """Let an increment of tank/a be half received."""
    snapshots = cell.read().datasets["tank/a"].snapshots
    guid = next(s.guid for s in snapshots if s.name == base)
    edit(cell, "tank/a", partial=Partial(7, "src/a@9", guid, NOTHING, owner=owner))


# -- snapshots -------------------------------------------------------------------------------------


def test_all_snapshots_of_a_list_go_or_none(cell: MemoryCell) -> None:
    zfs(cell, "hold t tank/a@2")
    before = names(cell)

    assert zfs(cell, "destroy tank/a@1,2,3").stderr == (
        "cannot destroy snapshot tank/a@2: dataset is busy\n"
    )
    assert names(cell) == before


def test_later_releases_say_who_may_know(cell: MemoryCell) -> None:
    cell.change(lambda before: replace(before, release="2.3.2"))
    zfs(cell, "hold t tank/a@2")
    send(cell, "3")

    assert zfs(cell, "destroy tank/a@2,3").stderr == (
        "cannot destroy snapshot tank/a@2: it's being held."
        " Run 'zfs holds -r tank/a@2' to see holders.\n"
        "cannot destroy snapshot tank/a@3: dataset is busy\n"
    )


@pytest.mark.parametrize("options", ["", "-d"])
def test_a_snapshot_that_is_sent_stays(cell: MemoryCell, options: str) -> None:
    send(cell, "2")
    result = zfs(cell, f"destroy {options} tank/a@2")

    assert result.stderr == "cannot destroy snapshot tank/a@2: dataset is busy\n"
    assert lines(cell, "get -H -o value defer_destroy tank/a@2") == ["off"]


def test_another_snapshot_than_the_sent_one_goes(cell: MemoryCell) -> None:
    send(cell, "2")

    assert zfs(cell, "destroy tank/a@1").status == 0


def test_a_recursive_destroy_passes_over_what_lacks_the_snapshot(cell: MemoryCell) -> None:
    zfs(cell, "destroy tank/a@1")

    assert zfs(cell, "destroy -r tank/a@1").status == 0
    assert "tank/a/b@1" not in names(cell)


def test_the_base_of_a_partial_receive_is_cloned(cell: MemoryCell) -> None:
    receive(cell, "2")

    assert zfs(cell, "destroy tank/a@2").stderr == (
        "cannot destroy 'tank/a@2': snapshot has dependent clones\n"
        "use '-R' to destroy the following datasets:\n"
        "tank/a/%recv\n"
    )
    assert zfs(cell, "destroy tank/a@1").status == 0


def test_with_its_clones_the_base_of_a_partial_receive_goes(cell: MemoryCell) -> None:
    receive(cell, "2")

    assert zfs(cell, "destroy -R tank/a@2").status == 0
    assert cell.read().datasets["tank/a"].partial is None
    assert "tank/a@2" not in names(cell)


def test_the_base_of_a_running_receive_stays(cell: MemoryCell) -> None:
    receive(cell, "2", owner="someone")
    result = zfs(cell, "destroy -R tank/a@2")

    assert result.stderr == (
        "cannot destroy 'tank/a/%recv': dataset is busy\n"
        "cannot destroy snapshot tank/a@2: snapshot is cloned\n"
    )
    assert result.status == 1


def test_a_deferred_base_goes_with_the_partial_receive(cell: MemoryCell) -> None:
    receive(cell, "2")
    zfs(cell, "destroy -d tank/a@2")
    assert "tank/a@2" in names(cell)

    assert zfs(cell, "destroy tank/a/%recv").status == 0
    assert "tank/a@2" not in names(cell)


def test_clones_and_what_is_in_them_go_with_r(cell: MemoryCell) -> None:
    zfs(cell, "clone tank/a@2 tank/x")
    zfs(cell, "snapshot tank/x@s")
    result = zfs(cell, "destroy -R -v tank/a@2")

    assert result.stdout.decode().splitlines() == [
        "will destroy tank/a@2",
        "will destroy tank/a/b@2",
        "will reclaim 0B",
        "will destroy tank/x@s",
        "will destroy tank/x",
    ]
    assert names(cell, "tank") == [
        *("tank", "tank/a", "tank/a@1", "tank/a@3"),
        *("tank/a/b", "tank/a/b@1", "tank/a/b@3", "tank/c"),
    ]


def test_a_dry_run_destroys_nothing(cell: MemoryCell) -> None:
    before = cell.read()
    zfs(cell, "destroy -n -R tank/a@1%3")
    zfs(cell, "destroy -n -r tank/a")

    assert cell.read() is before


def test_what_only_destroyed_neighbours_share_is_reclaimed(cell: MemoryCell) -> None:
    shell(cell, "write tank/c f 1000")
    zfs(cell, "snapshot tank/c@1")
    zfs(cell, "snapshot tank/c@2")
    shell(cell, "write tank/c f 2000")

    assert lines(cell, "destroy -n -p tank/c@1")[-1] == "reclaim\t0"
    assert lines(cell, "destroy -n -p tank/c@2")[-1] == "reclaim\t0"
    assert lines(cell, "destroy -n -p tank/c@1,2")[-1] == "reclaim\t1000"
    assert lines(cell, "destroy -n -v tank/c@%")[-1] == "would reclaim 1000B"


def test_a_snapshot_that_is_held_since_then_stays(cell: MemoryCell) -> None:
    """Between looking and destroying somebody else acts: the change itself checks again."""
    held = _BusyCell(cell, "hold t tank/a@1")
    result = run(held, ("zfs", "destroy", "tank/a@1,2"), clock=lambda: CLOCK)

    assert result.stderr == "cannot destroy snapshot tank/a@1: dataset is busy\n"
    assert "tank/a@2" in names(cell)


class _BusyCell(MemoryCell):
    """A host on which somebody runs a command right before the first change."""

    def __init__(self, cell: MemoryCell, line: str) -> None:
        self.cell = cell
        self.line: str | None = line

    def read(self) -> Machine:
        return self.cell.read()

    def change(self, transition: Transition) -> Machine:
        if self.line is not None:
            zfs(self.cell, self.line)
            self.line = None
        return self.cell.change(transition)


# -- bookmarks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "what"), [("-n", "dryrun"), ("-d", "defer destroy"), ("-r", "recursive")]
)
def test_bookmarks_go_plainly_or_not_at_all(cell: MemoryCell, option: str, what: str) -> None:
    result = zfs(cell, f"destroy {option} tank/a#b")

    assert (result.status, result.stderr) == (255, f"{what} is not supported with bookmark\n")


def test_a_bookmark_of_a_suspended_pool_seems_not_to_exist(cell: MemoryCell) -> None:
    zfs(cell, "bookmark tank/a@1 tank/a#b")
    suspended = Health.SUSPENDED
    cell.change(lambda m: change.with_pool(m, replace(m.pools["tank"], health=suspended)))

    assert zfs(cell, "destroy tank/a#b").stderr == "bookmark 'tank/a#b' does not exist.\n"


# -- filesystems -----------------------------------------------------------------------------------


def test_a_filesystem_goes_with_its_bookmarks(cell: MemoryCell) -> None:
    zfs(cell, "snapshot tank/c@1")
    zfs(cell, "bookmark tank/c@1 tank/c#b")
    zfs(cell, "destroy tank/c@1")

    assert zfs(cell, "destroy tank/c").status == 0
    assert names(cell, "tank")[-1] == "tank/a/b@3"


def test_what_is_not_empty_is_listed(cell: MemoryCell) -> None:
    receive(cell, "2")

    assert zfs(cell, "destroy tank/a").stderr.splitlines() == [
        "cannot destroy 'tank/a': filesystem has children",
        "use '-r' to destroy the following datasets:",
        *("tank/a/b@1", "tank/a/b@2", "tank/a/b@3", "tank/a/b"),
        *("tank/a@1", "tank/a/%recv", "tank/a@2", "tank/a@3"),
    ]


def test_a_whole_tree_goes_with_r(cell: MemoryCell) -> None:
    receive(cell, "2")
    result = zfs(cell, "destroy -r tank/a")

    assert (result.status, result.stderr) == (0, "")
    assert names(cell, "tank") == ["tank", "tank/c"]


def test_a_partial_receive_without_a_base_goes_with_its_filesystem(cell: MemoryCell) -> None:
    edit(cell, "tank/c", partial=Partial(7, "src/c@9", None, NOTHING))

    assert zfs(cell, "destroy tank/c").status == 0
    assert names(cell, "tank")[-1] == "tank/a/b@3"


def test_clones_outside_of_the_tree_forbid_it(cell: MemoryCell) -> None:
    zfs(cell, "clone tank/a/b@2 tank/x")

    assert zfs(cell, "destroy -r tank/a").stderr == (
        "cannot destroy 'tank/a': filesystem has dependent clones\n"
        "use '-R' to destroy the following datasets:\n"
        "tank/x\n"
    )
    assert zfs(cell, "destroy -R tank/a").status == 0
    assert names(cell, "tank") == ["tank", "tank/c"]


def test_a_held_snapshot_keeps_its_filesystem_and_those_above(cell: MemoryCell) -> None:
    zfs(cell, "hold t tank/a/b@2")
    result = zfs(cell, "destroy -r tank/a")

    assert result.stderr == (
        "cannot destroy snapshot tank/a/b@2: dataset is busy\n"
        "cannot unmount '/tank/a': pool or dataset is busy\n"
    )
    assert result.status == 1
    assert names(cell) == ["tank/a", "tank/a/b", "tank/a/b@1", "tank/a/b@2", "tank/a/b@3"]


def test_a_running_first_receive_keeps_its_filesystem(cell: MemoryCell) -> None:
    partial = Partial(7, "src/c@9", None, NOTHING, owner="someone")
    edit(cell, "tank/c", inconsistent=True, partial=partial, mounted=False)
    assert zfs(cell, "destroy tank/c").stderr == "cannot destroy 'tank/c': dataset is busy\n"

    edit(cell, "tank/c", partial=replace(partial, owner=None))
    assert zfs(cell, "destroy tank/c").status == 0


def test_a_pool_can_not_be_destroyed_but_all_in_it_can(cell: MemoryCell) -> None:
    assert zfs(cell, "destroy tank").status == 1
    assert zfs(cell, "destroy -r tank").status == 0
    assert names(cell, "tank") == ["tank"]


def test_a_filesystem_can_not_be_deferred(cell: MemoryCell) -> None:
    assert zfs(cell, "destroy -d tank/c").stderr == (
        "cannot open 'tank/c': missing '@' delimiter in snapshot name\n"
    )


def test_a_readonly_pool_keeps_its_filesystems(cell: MemoryCell) -> None:
    cell.change(lambda m: change.with_pool(m, replace(m.pools["tank"], readonly=True)))

    assert zfs(cell, "destroy tank/c").stderr == "cannot destroy 'tank/c': pool is read-only\n"
