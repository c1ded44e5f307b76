"""`zfs list` and `zfs holds`. Texts are those of the transcripts t1, t2, t3, t6 and t11."""

import re
import time
from dataclasses import replace

import pytest

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Block, Bookmark, Dataset, Health, Machine, Partial, Snapshot
from reconciler.simulator.run import run
from reconciler.zfs import queries
from reconciler.zfs.names import filesystem_of
from reconciler.zfs.tokens import decode_token
from reconciler.zfs.types import FilesystemKind
from tests.support.machines import CLOCK, edit, lines, machine, make, shell, zfs

NOT_APPLICABLE = "cannot open 'tank/o': operation not applicable to datasets of this type\n"


def ordered() -> MemoryCell:
    """Return the host of t6, section "list order"."""
    cell = machine()
    make(cell, "tank/o", "tank/o/c", "tank/o-x", "tank/o y", "tank/o.z", "tank/o/c/d")
    for line in ("snapshot -r tank/o@b", "snapshot -r tank/o@a", "snapshot tank/o-x@a"):
        lines(cell, line)
    return bookmarked(cell, "tank/o@b", "tank/o@a", zz=0, aa=1)


def bookmarked(cell: MemoryCell, *snapshots: str, **names: int) -> MemoryCell:
    """Put bookmarks of the snapshots on their filesystem; the number says of which one."""
    filesystem = filesystem_of(snapshots[0])
    versions = {s.name: s for s in cell.read().datasets[filesystem].snapshots}
    made = []
    for name, number in sorted(names.items()):
        of = versions[snapshots[number].partition("@")[2]]
        made.append(Bookmark(name, of.guid, of.createtxg, of.creation, 24576))
    edit(cell, filesystem, bookmarks=tuple(made))
    return cell


def held(cell: MemoryCell, full: str, **tags: int) -> None:
    filesystem = filesystem_of(full)
    snapshots = cell.read().datasets[filesystem].snapshots
    wanted = full.partition("@")[2]
    edit(
        cell,
        filesystem,
        snapshots=tuple(replace(s, holds=tags) if s.name == wanted else s for s in snapshots),
    )


# -- order, operands, depth ------------------------------------------------------------------------


def test_without_s_rows_are_in_the_order_of_strcmp_with_snapshots_by_createtxg() -> None:
    found = lines(ordered(), "list -H -o name -t all -r tank/o")
    assert found == [
        "tank/o",
        "tank/o@b",
        "tank/o@a",
        "tank/o#aa",
        "tank/o#zz",
        "tank/o/c",
        "tank/o/c@b",
        "tank/o/c@a",
        "tank/o/c/d",
        "tank/o/c/d@b",
        "tank/o/c/d@a",
    ]


def test_other_filesystems_may_stand_between_snapshots_and_bookmarks() -> None:
    found = [name for name in lines(ordered(), "list -H -o name -t all") if "tank/o" in name]
    assert found[:9] == [
        "tank/o",
        "tank/o@b",
        "tank/o@a",
        "tank/o y",
        "tank/o#aa",
        "tank/o#zz",
        "tank/o-x",
        "tank/o-x@a",
        "tank/o.z",
    ]


def test_sorted_by_name_a_childs_snapshots_come_before_the_parents() -> None:
    found = lines(ordered(), "list -H -o name -t snapshot -s name -r tank/o")
    assert found == [f"{fs}@{s}" for fs in ("tank/o/c/d", "tank/o/c", "tank/o") for s in "ab"]


def test_what_a_sort_column_does_not_apply_to_comes_last_either_way() -> None:
    cell = ordered()
    held(cell, "tank/o@a", k=1)
    descending = "list -H -o name -d 1 -t all -S userrefs tank/o"
    assert lines(cell, descending)[:3] == ["tank/o@a", "tank/o@b", "tank/o"]
    ascending = "list -H -o name -d 1 -t all -s userrefs tank/o"
    assert lines(cell, ascending)[:3] == ["tank/o@b", "tank/o@a", "tank/o"]


def test_the_depth_counts_snapshots_as_a_level() -> None:
    found = zfs(ordered(), "list -H -o name -t filesystem,snapshot -d 1 tank/o tank/nope tank/o/c")
    assert found.stdout.decode().split("\n")[:-1] == [
        "tank/o",
        "tank/o@b",
        "tank/o@a",
        "tank/o/c",
        "tank/o/c@b",
        "tank/o/c@a",
        "tank/o/c/d",
    ]
    assert (found.status, found.stderr) == (
        1,
        "cannot open 'tank/nope': dataset does not exist\n",
    )


def test_a_depth_of_0_lists_no_snapshots_below() -> None:
    assert lines(ordered(), "list -H -o name -d 0 -t snapshot tank/o") == []


@pytest.mark.parametrize("kind", ["snapshot", "bookmark"])
def test_one_kind_of_versions_implies_a_depth_of_1(kind: str) -> None:
    found = lines(ordered(), f"list -H -o name -t {kind} tank/o")
    assert len(found) == 2


def test_two_kinds_of_versions_do_not() -> None:
    found = zfs(ordered(), "list -H -o name -t snapshot,bookmark tank/o")
    assert (found.status, found.stdout, found.stderr) == (1, b"", NOT_APPLICABLE)


def test_a_volume_can_be_an_operand_where_its_snapshots_are_listed() -> None:
    cell = machine()
    make(cell, "tank/v", kind=FilesystemKind.VOLUME, volsize=1 << 20)
    lines(cell, "snapshot tank/v@1")
    assert lines(cell, "list -H -o name -t snapshot tank/v") == ["tank/v@1"]
    assert zfs(cell, "list -H -t filesystem tank/v").stderr == (
        "cannot open 'tank/v': operation not applicable to datasets of this type\n"
    )


def test_snapshots_are_listed_only_when_asked_for() -> None:
    cell = ordered()
    assert not any("@" in name for name in lines(cell, "list -H -o name -r tank"))
    assert lines(cell, "list -H -o name tank/o@b") == ["tank/o@b"]


def test_a_name_that_is_found_twice_is_listed_once() -> None:
    assert lines(ordered(), "list -H -o name tank/o/c tank/o tank/o/c") == ["tank/o", "tank/o/c"]


def test_a_mounted_filesystem_can_be_named_by_its_path() -> None:
    cell = ordered()
    assert lines(cell, "list -H -o name /tank/o/c") == ["tank/o/c"]
    assert zfs(cell, "list /nowhere").stderr == (
        "cannot open '/nowhere': No such file or directory\n"
    )


# -- names that can't be opened --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("list -H nopool", "'nopool': dataset does not exist"),
        ("list -H -t snapshot tank/o@nope", "'tank/o@nope': dataset does not exist"),
        ("list -H -t bookmark tank/o#nope", "'tank/o#nope': no such pool or dataset"),
        ("list -H -t bookmark tank/x#nope", "'tank/x#nope': dataset does not exist"),
        ("list -H tank/o/", "'tank/o/': trailing slash in name"),
        ("list -H tank/o#aa", "'tank/o#aa': bookmark delimiter '#' is not expected here"),
        (
            "list -H -t filesystem tank/o@b",
            "'tank/o@b': snapshot delimiter '@' is not expected here",
        ),
    ],
)
def test_a_name_that_can_not_be_opened_is_complained_about(line: str, reason: str) -> None:
    found = zfs(ordered(), line)
    assert (found.status, found.stdout, found.stderr) == (1, b"", f"cannot open {reason}\n")


def test_of_an_exported_pool_nothing_exists() -> None:
    cell = ordered()
    shell(cell, "zpool export tank")
    assert zfs(cell, "list tank/o").stderr == "cannot open 'tank/o': dataset does not exist\n"
    assert lines(cell, "list -H -o name") == ["dst"]


def test_of_a_suspended_pool_nothing_can_be_opened() -> None:
    cell = ordered()
    cell.change(
        lambda before: replace(
            before,
            pools={
                **before.pools,
                "tank": replace(before.pools["tank"], health=Health.SUSPENDED),
            },
        )
    )
    found = zfs(cell, "list -H -o name tank/o dst")
    assert (found.status, found.stdout) == (1, b"dst\n")
    assert found.stderr == "cannot open 'tank/o': pool I/O is currently suspended\n"


# -- usage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("list -H -o name,bogus tank/o", "bad property list: invalid property 'bogus'"),
        ("list -H -o name,,used", "bad property list: empty property name"),
        ("list -o ''", "bad property list: no properties specified"),
        ("list -s bogus", "invalid property 'bogus'"),
        ("list -H -o name -t bogus", "invalid type 'bogus'"),
        ("list -t fs", "invalid type 'fs'"),
        ("list -d x", "x is not an integer"),
        ("list -d -1", "Depth can not be negative."),
        ("list -j", "invalid option 'j'"),
        (
            "list -o name,snapshots_changed",
            "bad property list: invalid property 'snapshots_changed'",
        ),
    ],
)
def test_a_wrong_usage_ends_with_2_and_lists_nothing(line: str, complaint: str) -> None:
    found = zfs(ordered(), line)
    assert (found.status, found.stdout) == (2, b"")
    assert found.stderr.split("\n")[:2] == [complaint, "usage:"]


def test_later_releases_know_short_types_and_when_snapshots_changed() -> None:
    cell = machine(release="2.3.2")
    assert lines(cell, "list -H -o name,snapshots_changed -t fs") == ["dst\t-", "tank\t-"]


# -- columns ---------------------------------------------------------------------------------------


def test_values_of_a_first_snapshot_are_as_recorded_in_t1() -> None:
    cell = machine()
    make(cell, "tank/a")
    lines(cell, "snapshot tank/a@1")
    columns = "creation,used,referenced,written,userrefs,defer_destroy,clones"
    (found,) = lines(cell, f"list -Hp -t snapshot -o name,{columns}")
    assert found == f"tank/a@1\t{CLOCK}\t0\t24576\t24576\t0\toff\t-"


def test_a_bookmark_has_few_properties() -> None:
    cell = machine()
    make(cell, "tank/a")
    lines(cell, "snapshot tank/a@1")
    bookmarked(cell, "tank/a@1", b1=0)
    (found,) = lines(
        cell, "list -Hp -t bookmark -o name,creation,referenced,used,written,userrefs,type"
    )
    assert found == f"tank/a#b1\t{CLOCK}\t24576\t-\t-\t-\tbookmark"


def test_a_user_property_is_printed_raw() -> None:
    cell = machine()
    lines(cell, "set 'com.x:t=a\tb' tank")
    assert lines(cell, "list -H -o name,com.x:t tank") == ["tank\ta\tb"]


def test_a_snapshot_takes_what_only_it_holds_on_to() -> None:
    cell = machine()
    make(cell, "tank/a")
    for line in (
        "write tank/a f 1M",
        "zfs snapshot tank/a@1",
        "write tank/a f 2M",
        "write tank/a g 4K",
        "zfs snapshot tank/a@2",
    ):
        assert shell(cell, line).status == 0
    mega = 1 << 20
    assert lines(cell, "list -Hp -o name,used,written,referenced -t all -r tank/a") == [
        f"tank/a\t{24576 + 3 * mega + 4096}\t0\t{24576 + 2 * mega + 4096}",
        f"tank/a@1\t{mega}\t{24576 + mega}\t{24576 + mega}",
        f"tank/a@2\t0\t{2 * mega + 4096}\t{24576 + 2 * mega + 4096}",
    ]
    assert lines(cell, "get -H -o value usedbydataset,usedbysnapshots,usedbychildren tank/a") == [
        "2.03M",
        "1M",
        "0B",
    ]
    assert lines(cell, "get -Hp -o value written@1,written@2,used tank/a") == [
        str(2 * mega + 4096),
        "0",
        str(24576 + 3 * mega + 4096),
    ]


def test_a_filesystem_takes_what_is_below_it() -> None:
    cell = ordered()
    found = dict(line.split("\t") for line in lines(cell, "list -Hp -o name,used -r tank"))
    assert found["tank/o"] == str(3 * 24576)
    assert found["tank"] == str(7 * 24576)


def test_a_clone_names_its_origin_and_the_origin_its_clones() -> None:
    cell = ordered()
    make(cell, "tank/clone")
    origin = cell.read().datasets["tank/o"].snapshots[1]
    edit(cell, "tank/clone", origin=origin.object)
    assert lines(cell, "list -H -o origin tank/clone tank/o") == ["tank/o@a", "-"]
    assert lines(cell, "list -H -o name,clones -t snapshot tank/o") == [
        "tank/o@b\t-",
        "tank/o@a\ttank/clone",
    ]


# -- partial receives ------------------------------------------------------------------------------


def partly(cell: MemoryCell, *, resumable: bool = True) -> int:
    """Give dst/a a partial increment on its snapshot s1; return the guid of that."""
    make(cell, "dst/a")
    lines(cell, "snapshot dst/a@s1")
    base = cell.read().datasets["dst/a"].snapshots[0].guid
    files = {"f": Block(7, 1 << 20, 0)}
    edit(
        cell,
        "dst/a",
        partial=Partial(99, "tank/a@s2", base, files, 3, 512, 700, resumable=resumable),
    )
    return base


def test_a_partial_increment_is_hidden_but_can_be_named() -> None:
    cell = machine()
    partly(cell)
    assert lines(cell, "list -H -o name -t all -r dst") == ["dst", "dst/a", "dst/a@s1"]
    assert lines(cell, "list -H -o name,origin,inconsistent,mounted dst/a/%recv") == [
        "dst/a/%recv\tdst/a@s1\t1\tno"
    ]
    assert lines(cell, "list -H -o name,inconsistent,clones dst/a dst/a@s1") == [
        "dst/a\t0\t-",
        "dst/a@s1\t0\tdst/a/%recv",
    ]


def test_without_a_partial_increment_there_is_nothing_hidden() -> None:
    cell = machine()
    make(cell, "dst/a")
    assert zfs(cell, "list dst/a/%recv").stderr == (
        "cannot open 'dst/a/%recv': dataset does not exist\n"
    )


def test_a_resume_token_says_how_far_the_receive_got() -> None:
    cell = machine()
    base = partly(cell)
    (text,) = lines(cell, "get -H -o value receive_resume_token dst/a")
    token = decode_token(text)
    assert (token.toguid, token.fromguid, token.toname) == (99, base, "tank/a@s2")
    assert (token.object, token.offset, token.bytes) == (3, 512, 700)
    assert lines(cell, "get -Hp -o name,value -r receive_resume_token dst") == [
        "dst\t-",
        f"dst/a\t{text}",
        "dst/a@s1\t-",
    ]


def test_a_receive_without_s_shows_no_token() -> None:
    cell = machine()
    partly(cell, resumable=False)
    assert lines(cell, "list -H -o receive_resume_token dst/a") == ["-"]


# -- for people ------------------------------------------------------------------------------------


def test_without_h_there_are_headings_and_columns() -> None:
    cell = machine()
    make(cell, "tank/a")
    shell(cell, "write tank/a f 1M")
    lines(cell, "set quota=none tank/a")
    found = [re.sub(r"\d+[KMGT] +24K", "…", line) for line in lines(cell, "list tank dst")]
    assert found[0] == "NAME   USED  AVAIL  REFER  MOUNTPOINT"
    assert lines(cell, "list -o name,used,referenced,mounted tank/a") == [
        "NAME     USED  REFER  MOUNTED",
        "tank/a  1.02M  1.02M  yes",
    ]


def test_exact_numbers_make_columns_wider() -> None:
    cell = machine()
    make(cell, "tank/a")
    assert lines(cell, "list -p -o used,name tank/a") == [" USED  NAME", "24576  tank/a"]


def test_times_are_for_people_too() -> None:
    cell = machine()
    make(cell, "tank/a")
    assert lines(cell, "list -o name,creation tank/a") == [
        "NAME                 CREATION",
        "tank/a  Sun Nov 22 22:35 2026",
    ]


def test_nothing_to_list_is_said_on_stderr() -> None:
    cell = machine()
    found = zfs(cell, "list -t snapshot")
    assert (found.status, found.stdout, found.stderr) == (0, b"", "no datasets available\n")
    assert zfs(cell, "list -H -t snapshot").stderr == ""


# -- holds -----------------------------------------------------------------------------------------


def holding() -> MemoryCell:
    cell = machine()
    make(cell, "tank/a", "tank/b", "tank/a/c")
    for line in ("snapshot tank/a@1", "snapshot tank/b@1", "snapshot -r tank/a@r3"):
        lines(cell, line)
    held(cell, "tank/a@1", keep=CLOCK + 60)
    held(cell, "tank/b@1", keep2=CLOCK + 60, keep=CLOCK + 60)
    return cell


def test_holds_are_listed_with_their_minute() -> None:
    assert lines(holding(), "holds -H tank/a@1 tank/b@1") == [
        "tank/a@1\tkeep\tSun Nov 22 22:36 2026",
        "tank/b@1\tkeep\tSun Nov 22 22:36 2026",
        "tank/b@1\tkeep2\tSun Nov 22 22:36 2026",
    ]


def test_holds_for_people_have_columns() -> None:
    cell = holding()
    assert lines(cell, "holds tank/a@1") == [
        "NAME      TAG   TIMESTAMP",
        "tank/a@1  keep  Sun Nov 22 22:36 2026",
    ]
    assert lines(cell, "holds tank/a@r3") == ["NAME       TAG  TIMESTAMP"]
    assert lines(cell, "holds -H tank/a@r3") == []


def test_holds_of_a_missing_snapshot_are_an_error() -> None:
    found = zfs(holding(), "holds -H tank/a@nope")
    assert (found.status, found.stdout) == (1, b"")
    assert found.stderr == (
        "cannot open 'tank/a@nope': dataset does not exist\nno datasets available\n"
    )


def test_holds_of_a_filesystem_are_an_error() -> None:
    found = zfs(holding(), "holds tank/a tank/a@1")
    assert (found.status, found.stderr) == (1, "'tank/a' is not a snapshot\n")
    assert b"keep" in found.stdout


def test_holds_are_found_below_by_the_snapshots_name() -> None:
    cell = holding()
    held(cell, "tank/a@r3", rk=CLOCK)
    held(cell, "tank/a/c@r3", rk=CLOCK)
    assert lines(cell, "holds -rH tank@r3") == [
        "tank/a@r3\trk\tSun Nov 22 22:35 2026",
        "tank/a/c@r3\trk\tSun Nov 22 22:35 2026",
    ]


def test_exact_times_of_holds_came_with_2_2() -> None:
    cell = holding()
    found = zfs(cell, "holds -Hp tank/a@1")
    assert (found.status, found.stderr.split("\n")[:2]) == (2, ["invalid option 'p'", "usage:"])
    cell.change(lambda before: replace(before, release="2.3.2"))
    assert lines(cell, "holds -Hp tank/a@1") == [f"tank/a@1\tkeep\t{CLOCK + 60}"]


# -- speed -----------------------------------------------------------------------------------------


def large(filesystems: int, snapshots: int) -> MemoryCell:
    cell = machine()
    files = {name: Block(number, 1000, 5) for number, name in enumerate("abc")}
    versions = tuple(
        Snapshot(f"s{n}", n, n + 1, n + 10, CLOCK + n, files, {"reconciler:spec": "x"})
        for n in range(snapshots)
    )
    kind = FilesystemKind.FILESYSTEM
    more = {
        name: Dataset(name, kind, number + 1, 5, CLOCK, files, snapshots=versions)
        for number, name in enumerate(f"tank/f{n}" for n in range(filesystems))
    }

    def with_more(before: Machine) -> Machine:
        return replace(before, datasets={**before.datasets, **more})

    cell.change(with_more)
    return cell


def test_listing_is_quick() -> None:
    many_versions, many_filesystems = large(100, 50), large(1000, 0)
    started = time.process_time()
    found = run(many_versions, queries.list_versions_within(["tank"]), clock=lambda: CLOCK)
    assert found.stdout.count(b"\n") == 5000
    found = run(many_filesystems, queries.list_filesystems(["tank"]), clock=lambda: CLOCK)
    assert found.stdout.count(b"\n") == 1001
    assert time.process_time() - started < 5
