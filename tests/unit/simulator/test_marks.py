"""Bookmarks, holds and releases beyond what the recordings have."""

from dataclasses import replace

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Pool, Sending
from tests.support.machines import lines, machine, make, zfs


@pytest.fixture
def cell() -> MemoryCell:
    made = machine()
    make(made, "tank/a", "tank/a/b", "tank/c")
    zfs(made, "snapshot -r tank@1")
    return made


def txgs(cell: MemoryCell, line: str) -> int:
    """Return how many transaction groups a command takes; it has to succeed."""
    before = cell.read().pools["tank"].txg
    assert zfs(cell, line).status == 0
    return cell.read().pools["tank"].txg - before


def pool_edited(cell: MemoryCell, pool: Pool) -> None:
    cell.change(lambda before: change.with_pool(before, pool))


# -- bookmarks -------------------------------------------------------------------------------------


def test_a_bookmark_has_the_identity_of_its_snapshot(cell: MemoryCell) -> None:
    zfs(cell, "bookmark tank/a@1 tank/a#b")
    columns = "list -H -p -d 1 -t snapshot,bookmark -o guid,createtxg,creation tank/a"

    assert len(set(lines(cell, columns))) == 1


def test_a_bookmark_of_a_bookmark_outlives_both(cell: MemoryCell) -> None:
    guids = lines(cell, "get -H -o value guid tank/a@1")
    for line in ("bookmark tank/a@1 #b", "bookmark tank/a#b #c", "destroy tank/a@1"):
        assert zfs(cell, line).status == 0
    zfs(cell, "destroy tank/a#b")

    assert lines(cell, "get -H -o value guid tank/a#c") == guids


def test_a_bookmark_of_the_origin_may_be_made_in_a_clone(cell: MemoryCell) -> None:
    zfs(cell, "clone tank/a@1 tank/clone")
    zfs(cell, "snapshot tank/a@2")

    assert zfs(cell, "bookmark tank/a@1 tank/clone#b").status == 0
    assert zfs(cell, "bookmark tank/a@2 tank/clone#later").stderr == (
        "cannot create bookmark 'tank/clone#later':"
        " source is not an ancestor of the new bookmark's dataset\n"
    )


def test_a_bookmark_of_another_pools_bookmark_is_no_ancestor(cell: MemoryCell) -> None:
    zfs(cell, "bookmark tank/a@1 tank/a#b")

    assert "source is not an ancestor" in zfs(cell, "bookmark tank/a#b dst#b").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "missing source argument"),
        ("tank/a tank/a#b", "invalid source name 'tank/a': must contain a '@' or '#'"),
        ("tank/a@1 tank/a", "invalid bookmark name 'tank/a': must contain a '#'"),
        (
            "@1 #b",
            "either source or bookmark must be specified as full dataset pathsusage:",
        ),
    ],
)
def test_wrong_usage_ends_with_two(cell: MemoryCell, arguments: str, said: str) -> None:
    result = zfs(cell, f"bookmark {arguments}")

    assert (result.status, result.stderr.splitlines()[0]) == (2, said)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tank/a#a+b", "invalid argument"),
        ("tank/nope#b", "dataset does not exist"),
    ],
)
def test_a_bookmark_needs_a_good_name_and_a_filesystem(
    cell: MemoryCell, name: str, why: str
) -> None:
    assert zfs(cell, f"bookmark tank/a@1 {name}").stderr == (
        f"cannot create bookmark '{name}': {why}\n"
    )


def test_a_pool_without_the_feature_refuses_bookmarks(cell: MemoryCell) -> None:
    pool = cell.read().pools["tank"]
    pool_edited(cell, replace(pool, features={**pool.features, "bookmarks": "disabled"}))

    assert zfs(cell, "bookmark tank/a@1 tank/a#b").stderr == (
        "cannot create bookmark 'tank/a#b': bookmark feature not enabled\n"
    )


def test_the_first_bookmark_makes_the_features_active(cell: MemoryCell) -> None:
    assert cell.read().pools["tank"].features["bookmark_written"] == "enabled"
    zfs(cell, "bookmark tank/a@1 tank/a#b")

    assert cell.read().pools["tank"].features["bookmark_written"] == "active"


# -- cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bookmark tank/a@1 tank/a#b", 1),
        ("hold t tank/a@1 tank/c@1 tank@1", 3),
        ("hold -r t tank@1", 1),
        ("destroy tank/a@1", 1),
        ("destroy -r tank@1", 1),
    ],
)
def test_each_ioctl_takes_a_transaction_group(cell: MemoryCell, line: str, expected: int) -> None:
    assert txgs(cell, line) == expected


def test_a_release_of_many_takes_one_each(cell: MemoryCell) -> None:
    zfs(cell, "hold -r t tank@1")

    assert txgs(cell, "release t tank/a@1 tank/c@1") == 2
    assert txgs(cell, "release -r t tank@1") == 1


# -- holds -----------------------------------------------------------------------------------------


def test_a_recursive_hold_passes_over_what_lacks_the_snapshot(cell: MemoryCell) -> None:
    zfs(cell, "destroy tank/a@1")

    assert zfs(cell, "hold -r t tank@1").status == 0
    assert [row.split("\t")[0] for row in lines(cell, "holds -r -H tank@1")] == [
        "tank@1",
        "tank/a/b@1",
        "tank/c@1",
    ]


def test_a_recursive_hold_puts_none_where_one_is_there(cell: MemoryCell) -> None:
    zfs(cell, "hold t tank/c@1")
    result = zfs(cell, "hold -r t tank@1")

    assert result.stderr == (
        "cannot hold snapshot 'tank/c@1': tag already exists on this dataset\n"
    )
    assert lines(cell, "holds -H tank/a@1") == []


def test_a_recursive_release_takes_what_is_there(cell: MemoryCell) -> None:
    zfs(cell, "hold t tank/a@1")

    assert zfs(cell, "release -r t tank@1").status == 0
    assert zfs(cell, "release -r t tank@1").status == 1


def test_what_is_no_snapshot_can_not_be_held(cell: MemoryCell) -> None:
    result = zfs(cell, "hold t tank/a tank/c@1")

    assert (result.status, result.stderr) == (1, "'tank/a' is not a snapshot\n")
    assert len(lines(cell, "holds -H tank/c@1")) == 1


def test_a_tag_may_be_anything_but_empty_or_too_long(cell: MemoryCell) -> None:
    assert zfs(cell, "hold '' tank/a@1").stderr == (
        "cannot hold: operation not applicable to datasets of this type\n"
    )
    assert zfs(cell, f"hold {'x' * 257} tank/a@1").stderr == (
        "cannot hold snapshot 'tank/a@1': tag too long\n"
    )


def test_the_last_release_destroys_a_deferred_snapshot_unless_it_is_cloned(
    cell: MemoryCell,
) -> None:
    for line in ("hold t tank/a@1", "clone tank/a@1 tank/x", "destroy -d tank/a@1"):
        assert zfs(cell, line).status == 0
    zfs(cell, "release t tank/a@1")
    assert lines(cell, "list -H -o name -t snapshot tank/a") == ["tank/a@1"]

    zfs(cell, "destroy tank/x")
    assert lines(cell, "list -H -o name -t snapshot tank/a") == []


def test_the_last_release_of_a_deferred_snapshot_that_is_sent_is_refused(
    cell: MemoryCell,
) -> None:
    for line in ("hold t tank/a@1", "destroy -d tank/a@1"):
        assert zfs(cell, line).status == 0
    number = cell.read().datasets["tank/a"].snapshots[0].object
    cell.change(lambda before: replace(before, sending=(Sending("someone", (number,)),)))

    assert zfs(cell, "release t tank/a@1").stderr == (
        "cannot release hold from snapshot 'tank/a@1': dataset is busy\n"
    )


@pytest.mark.parametrize("command", ["hold t", "release t"])
def test_a_readonly_pool_takes_no_marks(cell: MemoryCell, command: str) -> None:
    zfs(cell, "hold t tank/c@1")
    pool_edited(cell, replace(cell.read().pools["tank"], readonly=True))
    snapshot = "tank/a@1" if command.startswith("hold") else "tank/c@1"

    verb = command.split(maxsplit=1)[0]
    assert zfs(cell, f"{command} {snapshot}").stderr == f"cannot {verb}: pool is read-only\n"
