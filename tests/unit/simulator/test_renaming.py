"""`zfs rename`, `zfs rollback`, `zfs clone` and `zfs promote`."""

from dataclasses import replace

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import NOTHING, Partial, Sending
from tests.support.machines import edit, lines, machine, make, shell, zfs

KEY = "-o encryption=on -o keyformat=passphrase -o keylocation=file:///k"


@pytest.fixture
def cell() -> MemoryCell:
    made = machine()
    make(made, "tank/a", "tank/a/b", "tank/c")
    zfs(made, "snapshot -r tank/a@1")
    return made


def done(cell: MemoryCell, *commands: str) -> None:
    for line in commands:
        result = zfs(cell, line)
        assert (result.status, result.stderr) == (0, ""), line


def names(cell: MemoryCell, root: str = "tank") -> list[str]:
    return lines(cell, f"list -H -r -t all -o name {root}")


# -- rename of snapshots ---------------------------------------------------------------------------


def test_a_renamed_snapshot_keeps_its_guid_and_holds(cell: MemoryCell) -> None:
    guid = lines(cell, "get -H -o value guid tank/a@1")
    done(cell, "hold t tank/a@1", "rename tank/a@1 @one")

    assert lines(cell, "get -H -o value guid tank/a@one") == guid
    assert lines(cell, "list -H -t snapshot -o name,userrefs tank/a") == ["tank/a@one\t1"]


def test_snapshots_are_renamed_all_the_way_down_in_one_transaction_group(
    cell: MemoryCell,
) -> None:
    before = cell.read().pools["tank"].txg
    done(cell, "rename -r tank/a@1 one")

    assert lines(cell, "list -H -t snapshot -o name") == ["tank/a@one", "tank/a/b@one"]
    assert cell.read().pools["tank"].txg == before + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "tank/a@1 tank/c@1",
            "cannot rename to 'tank/c@1': snapshots must be part of same dataset",
        ),
        ("tank/a@1 @x%y", "cannot rename to '@x%y': invalid character % in name"),
        ("-u tank/a@1 @x", "cannot open 'tank/a@1': snapshot delimiter '@' is not expected here"),
    ],
)
def test_a_snapshot_stays_where_it_is(cell: MemoryCell, arguments: str, said: str) -> None:
    result = zfs(cell, f"rename {arguments}")

    assert (result.status, result.stderr) == (1, f"{said}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "missing source dataset argument"),
        ("tank/a", "missing target dataset argument"),
        ("a b c", "too many arguments"),
        ("-p -r a b", "-p and -r options are mutually exclusive"),
        ("-p -u a b", "-u and -p options are mutually exclusive"),
        ("-r tank/a tank/x", "source dataset for recursive rename must be a snapshot"),
    ],
)
def test_wrong_usage_ends_with_two(cell: MemoryCell, arguments: str, said: str) -> None:
    result = zfs(cell, f"rename {arguments}")

    assert (result.status, result.stderr.splitlines()[0]) == (2, said)


# -- rename of filesystems -------------------------------------------------------------------------


def test_a_filesystem_moves_with_all_below_and_clones_still_know_their_origin(
    cell: MemoryCell,
) -> None:
    done(cell, "clone tank/a/b@1 tank/x", "rename tank/a tank/c/d")

    assert names(cell) == [
        *("tank", "tank/c", "tank/c/d", "tank/c/d@1"),
        *("tank/c/d/b", "tank/c/d/b@1", "tank/x"),
    ]
    assert lines(cell, "get -H -o value origin tank/x") == ["tank/c/d/b@1"]
    assert lines(cell, "get -H -o value mountpoint,mounted tank/c/d/b") == ["/tank/c/d/b", "yes"]


def test_a_moved_filesystem_is_unmounted_where_there_is_no_place_for_it(cell: MemoryCell) -> None:
    done(cell, "create -o mountpoint=none tank/none", "rename tank/a tank/none/a")
    assert lines(cell, "list -H -o mounted tank/none/a tank/none/a/b") == ["no", "no"]

    done(cell, "rename -u tank/c tank/none/c")
    assert lines(cell, "list -H -o mounted tank/none/c") == ["yes"]


def test_a_partial_receive_moves_along(cell: MemoryCell) -> None:
    edit(cell, "tank/c", partial=Partial(7, "src/c@9", 8, NOTHING))
    done(cell, "rename tank/c tank/d")

    assert cell.read().datasets["tank/d"].partial is not None


def test_parents_are_made_on_request(cell: MemoryCell) -> None:
    done(cell, "rename -p tank/c tank/x/y/c")

    assert lines(cell, "list -H -o name,mounted -r tank/x") == [
        "tank/x\tyes",
        "tank/x/y\tyes",
        "tank/x/y/c\tyes",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("tank/a tank/a/x", "cannot rename to 'tank/a/x': New dataset name cannot be a descendant"),
        ("tank x/y", "cannot create 'x/y': no such pool 'x'"),
        ("tank tank/y", "cannot rename to 'tank/y': datasets must be within same pool"),
        ("tank/a x", "cannot create 'x': missing dataset name"),
        ("tank/a tank/vol/x", "cannot create 'tank/vol/x': parent is not a filesystem"),
        (f"tank/a tank/{'n' * 249}", "cannot rename 'tank/a': dataset name is too long"),
    ],
)
def test_a_filesystem_can_not_go_everywhere(cell: MemoryCell, arguments: str, said: str) -> None:
    done(cell, "create -V 16M tank/vol")
    result = zfs(cell, f"rename {arguments}")

    assert result.status == 1
    assert result.stderr.startswith(said)


def test_an_encrypted_child_stays_below_its_root(cell: MemoryCell) -> None:
    done(cell, f"create {KEY} tank/e", "create tank/e/kid", "create tank/e/d")

    assert zfs(cell, "rename tank/e/kid tank/kid").stderr == (
        "cannot rename 'tank/e/kid': cannot move encrypted child outside of its encryption root\n"
    )
    done(cell, "rename tank/e/kid tank/e/d/kid", "rename tank/e tank/f")
    assert lines(cell, "get -H -o value encryptionroot tank/f/d/kid") == ["tank/f"]


def test_the_same_name_is_no_change(cell: MemoryCell) -> None:
    before = cell.read()
    done(cell, "rename tank/a tank/a")

    assert cell.read() is before


# -- rollback --------------------------------------------------------------------------------------


def test_rollback_brings_back_the_content(cell: MemoryCell) -> None:
    shell(cell, "write tank/a f 1000")
    done(cell, "snapshot tank/a@2")
    shell(cell, "write tank/a f 2000")
    assert lines(cell, "get -H -p -o value written tank/a") == ["2000"]

    done(cell, "rollback tank/a@2")
    assert lines(cell, "get -H -p -o value written tank/a") == ["0"]
    dataset = cell.read().datasets["tank/a"]
    assert dataset.changed <= dataset.snapshots[-1].createtxg


def test_rollback_destroys_newer_ones_one_by_one(cell: MemoryCell) -> None:
    done(cell, "snapshot tank/a@2", "bookmark tank/a@2 #b", "snapshot tank/a@3")
    before = cell.read().pools["tank"].txg
    done(cell, "rollback -r tank/a@1")

    assert names(cell, "tank/a") == ["tank/a", "tank/a@1", "tank/a/b", "tank/a/b@1"]
    assert cell.read().pools["tank"].txg == before + 4


def test_rollback_is_refused_after_some_newer_ones_are_gone(cell: MemoryCell) -> None:
    done(cell, "snapshot tank/a@2", "snapshot tank/a@3", "hold t tank/a@2")
    result = zfs(cell, "rollback -r tank/a@1")

    assert (result.status, result.stderr) == (1, "cannot destroy 'tank/a@2': dataset is busy\n")
    assert lines(cell, "list -H -o name -t snapshot tank/a") == ["tank/a@1", "tank/a@2"]


def test_rollback_over_clones_needs_to_be_told(cell: MemoryCell) -> None:
    done(cell, "snapshot tank/a@2", "clone tank/a@2 tank/x")

    assert zfs(cell, "rollback -r tank/a@1").stderr == (
        "cannot rollback to 'tank/a@1': clones of previous snapshots exist\n"
        "use '-R' to force deletion of the following clones and dependents:\n"
        "tank/x\n"
    )
    done(cell, "rollback -R tank/a@1")
    assert names(cell) == ["tank", "tank/a", "tank/a@1", "tank/a/b", "tank/a/b@1", "tank/c"]


def test_not_more_than_32_newer_ones_are_listed(cell: MemoryCell) -> None:
    for number in range(2, 40):
        done(cell, f"snapshot tank/a@{number}")
    said = zfs(cell, "rollback tank/a@1").stderr.splitlines()

    assert len(said) == 2 + 32 + 1
    assert said[-1] == "Output limited to 32 snapshots/bookmarks"


def test_a_readonly_pool_is_not_rolled_back(cell: MemoryCell) -> None:
    cell.change(lambda m: change.with_pool(m, replace(m.pools["tank"], readonly=True)))

    assert zfs(cell, "rollback tank/a@1").stderr == "cannot rollback 'tank/a': pool is read-only\n"


# -- clone and promote -----------------------------------------------------------------------------


def test_a_clone_has_the_content_and_properties_of_its_own(cell: MemoryCell) -> None:
    shell(cell, "write tank/c f 1000")
    done(cell, "snapshot tank/c@1", "clone -o readonly=on -o com.x:y=1 tank/c@1 tank/x")

    assert cell.read().datasets["tank/x"].files == cell.read().datasets["tank/c"].files
    assert lines(cell, "get -H -o value,source readonly,com.x:y tank/x") == [
        "on\tlocal",
        "1\tlocal",
    ]
    assert lines(cell, "get -H -o value mounted tank/x") == ["yes"]


def test_a_clone_is_made_with_its_parents(cell: MemoryCell) -> None:
    done(cell, "clone -p tank/a@1 tank/x/y", "clone -p tank/a@1 tank/x/y")

    assert lines(cell, "get -H -o value origin tank/x/y") == ["tank/a@1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("tank/a@1 tank/c", "cannot create 'tank/c': dataset already exists"),
        ("tank/a@1 tank/x/y", "cannot create 'tank/x/y': parent does not exist"),
        ("tank/a@1 tank/x@y", "cannot create 'tank/x@y': snapshot delimiter '@'"),
        ("-o bogus=1 tank/a@1 tank/x", "cannot create 'tank/x': invalid property 'bogus'"),
        (
            "-o keyformat=raw tank/a@1 tank/x",
            "cannot create 'tank/x': Encryption properties must inherit from origin dataset.",
        ),
    ],
)
def test_a_clone_is_refused(cell: MemoryCell, arguments: str, said: str) -> None:
    result = zfs(cell, f"clone {arguments}")

    assert result.status == 1
    assert result.stderr.startswith(said)


def test_promote_moves_older_snapshots_with_holds_and_bookmarks(cell: MemoryCell) -> None:
    done(
        cell,
        *("bookmark tank/a@1 #b", "hold t tank/a@1", "snapshot tank/a@2", "bookmark tank/a@2 #c"),
        *("clone tank/a@1 tank/x", "snapshot tank/x@own", "promote tank/x"),
    )

    assert names(cell, "tank/x") == ["tank/x", "tank/x@1", "tank/x@own", "tank/x#b"]
    assert names(cell, "tank/a")[:3] == ["tank/a", "tank/a@2", "tank/a#c"]
    assert len(lines(cell, "holds -H tank/x@1")) == 1
    assert lines(cell, "get -H -o value origin tank/a tank/x") == ["tank/x@1", "-"]


def test_promote_needs_free_names(cell: MemoryCell) -> None:
    done(cell, "clone tank/a@1 tank/x", "snapshot tank/x@1")

    assert zfs(cell, "promote tank/x").stderr == (
        "cannot promote 'tank/x': conflicting snapshot '1' from parent 'tank/a@1'\n"
    )


def test_promote_waits_for_sends(cell: MemoryCell) -> None:
    done(cell, "clone tank/a@1 tank/x")
    number = cell.read().datasets["tank/a"].snapshots[0].object
    cell.change(lambda before: replace(before, sending=(Sending("someone", (number,)),)))

    assert zfs(cell, "promote tank/x").stderr == "cannot promote 'tank/x': dataset is busy\n"


def test_only_a_clone_can_be_promoted(cell: MemoryCell) -> None:
    assert zfs(cell, "promote tank/a").stderr == (
        "cannot promote 'tank/a': not a cloned filesystem\n"
    )
