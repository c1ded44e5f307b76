"""`zfs get`, `zfs set` and `zfs inherit`. Texts are those of the transcripts t1 to t6 and t11."""

from dataclasses import replace

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Bookmark, Encryption, Health
from reconciler.zfs.types import FilesystemKind
from tests.support.machines import CLOCK, edit, lines, machine, make, shell, zfs


def host(*names: str, release: str = "2.1.11") -> MemoryCell:
    cell = machine(release=release)
    make(cell, *names)
    return cell


def got(cell: MemoryCell, name: str, *properties: str) -> list[str]:
    """Return value and source of properties, with a space between them."""
    found = lines(cell, f"get -Hp -o value,source {','.join(properties)} '{name}'")
    return [line.replace("\t", " ") for line in found]


# -- get -------------------------------------------------------------------------------------------


def test_all_of_a_filesystem_is_as_recorded_in_t3() -> None:
    cell = host("dst/a")
    lines(cell, "set mountpoint=/dst atime=off dst")
    shell(cell, "write dst/a f 1M")
    found = lines(cell, "get -Hp -o property,value,source all dst/a")[:40]
    varying = {"creation", "used", "available", "referenced", "guid", "createtxg", "usedbydataset"}
    assert [line.split("\t")[0] if line.split("\t")[0] in varying else line for line in found] == [
        "type\tfilesystem\t-",
        "creation",
        "used",
        "available",
        "referenced",
        "compressratio\t1.00\t-",
        "mounted\tyes\t-",
        "quota\t0\tdefault",
        "reservation\t0\tdefault",
        "recordsize\t131072\tdefault",
        "mountpoint\t/dst/a\tinherited from dst",
        "sharenfs\toff\tdefault",
        "checksum\ton\tdefault",
        "compression\toff\tdefault",
        "atime\toff\tinherited from dst",
        "devices\ton\tdefault",
        "exec\ton\tdefault",
        "setuid\ton\tdefault",
        "readonly\toff\tdefault",
        "zoned\toff\tdefault",
        "snapdir\thidden\tdefault",
        "aclmode\tdiscard\tdefault",
        "aclinherit\trestricted\tdefault",
        "createtxg",
        "canmount\ton\tdefault",
        "xattr\ton\tdefault",
        "copies\t1\tdefault",
        "version\t5\t-",
        "utf8only\toff\t-",
        "normalization\tnone\t-",
        "casesensitivity\tsensitive\t-",
        "vscan\toff\tdefault",
        "nbmand\toff\tdefault",
        "sharesmb\toff\tdefault",
        "refquota\t0\tdefault",
        "refreservation\t0\tdefault",
        "guid",
        "primarycache\tall\tdefault",
        "secondarycache\tall\tdefault",
        "usedbysnapshots\t0\t-",
    ]


def test_all_of_a_bookmark_is_as_recorded_in_t1() -> None:
    cell = host("tank/a")
    edit(cell, "tank/a", bookmarks=(Bookmark("b1", 14512889424653841143, 15, CLOCK, 24576),))
    assert lines(cell, "get -Hp all tank/a#b1") == [
        "tank/a#b1\ttype\tbookmark\t-",
        f"tank/a#b1\tcreation\t{CLOCK}\t-",
        "tank/a#b1\treferenced\t24576\t-",
        "tank/a#b1\tcreatetxg\t15\t-",
        "tank/a#b1\tguid\t14512889424653841143\t-",
        "tank/a#b1\tlogicalreferenced\t12288\t-",
    ]
    assert lines(cell, "get -Hp com.ex:k tank/a#b1") == ["tank/a#b1\tcom.ex:k\t-\t-"]


def test_several_operands_are_sorted_and_each_has_its_rows() -> None:
    cell = host("tank/o")
    lines(cell, "snapshot tank/o@b")
    found = lines(cell, "get -Hp -o name,property,source type,mounted tank/o@b tank/o")
    assert found == [
        "tank/o\ttype\t-",
        "tank/o\tmounted\t-",
        "tank/o@b\ttype\t-",
        "tank/o@b\tmounted\t-",
    ]


def test_a_missing_operand_is_complained_about_and_the_others_are_printed() -> None:
    found = zfs(host("tank/o"), "get -H -o value type tank/nope tank/o")
    assert (found.status, found.stdout) == (1, b"filesystem\n")
    assert found.stderr == "cannot open 'tank/nope': dataset does not exist\n"


def test_an_unknown_property_is_a_wrong_usage_but_a_user_property_is_not() -> None:
    cell = host("tank/o")
    found = zfs(cell, "get -Hp bogus tank/o")
    assert found.status == 2
    assert found.stderr.startswith("bad property list: invalid property 'bogus'\nusage:\n\tget ")
    assert got(cell, "tank/o", "bogus:u") == ["- -"]
    assert zfs(cell, "get -Hp bogus:u tank/nope").status == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("get", "missing property argument"),
        ("get -o bogus guid", "invalid column name 'bogus'"),
        ("get -o name,all guid", '"all" conflicts with specific fields given to -o option'),
        ("get -s bogus guid", "invalid source 'bogus'"),
        ("get -t bogus guid", "invalid type 'bogus'"),
        ("get snapshots_changed tank", "bad property list: invalid property 'snapshots_changed'"),
    ],
)
def test_a_wrong_usage_of_get_ends_with_2(line: str, complaint: str) -> None:
    found = zfs(machine(), line)
    assert (found.status, found.stderr.split("\n")[:2]) == (2, [complaint, "usage:"])


def test_sources_can_be_chosen() -> None:
    cell = host("tank/a")
    lines(cell, "set readonly=on com.x:y=1 tank")
    assert lines(cell, "get -H -o property,source -s inherited all tank/a") == [
        "readonly\tinherited from tank",
        "com.x:y\tinherited from tank",
    ]
    assert lines(cell, "get -H -o property -s local all tank") == ["readonly", "com.x:y"]
    assert lines(cell, "get -H -o property -s none type,readonly tank") == ["type"]


def test_received_values_have_a_column_of_their_own() -> None:
    cell = host("dst/m")
    lines(cell, "snapshot dst/m@s3")
    edit(
        cell,
        "dst/m",
        received={"mountpoint": "/tank/custom", "com.ex:u": "v", "quota": "10485760"},
        masked=frozenset({"mountpoint"}),
        local={"readonly": "on"},
    )
    fields = "name,property,value,received,source"
    assert lines(cell, f"get -H -o {fields} -r mountpoint,readonly,com.ex:u,quota dst/m") == [
        "dst/m\tmountpoint\t/dst/m\t/tank/custom\tdefault",
        "dst/m\treadonly\ton\t-\tlocal",
        "dst/m\tcom.ex:u\tv\tv\treceived",
        "dst/m\tquota\t10M\t10M\treceived",
        "dst/m@s3\tmountpoint\t-\t-\t-",
        "dst/m@s3\treadonly\t-\t-\t-",
        "dst/m@s3\tcom.ex:u\tv\t-\tinherited from dst/m",
        "dst/m@s3\tquota\t-\t-\t-",
    ]


def test_a_received_mountpoint_is_where_it_says_and_children_lie_below_it() -> None:
    cell = host("dst/m", "dst/m/kid")
    edit(cell, "dst/m", received={"mountpoint": "/tank/custom"})
    assert got(cell, "dst/m", "mountpoint") == ["/tank/custom received"]
    assert got(cell, "dst/m/kid", "mountpoint") == ["/tank/custom/kid inherited from dst/m"]


def test_names_of_columns_are_names_of_properties_too() -> None:
    cell = host("tank/a")
    assert lines(cell, "get -H -o property,value refer,ratio,rdonly tank/a") == [
        "referenced\t24K",
        "compressratio\t1.00x",
        "readonly\toff",
    ]


def test_volumes_have_their_size_and_nothing_of_file_systems() -> None:
    cell = machine()
    make(cell, "dst/vol", kind=FilesystemKind.VOLUME, volsize=16777216)
    lines(cell, "snapshot dst/vol@1")
    assert got(cell, "dst/vol", "volsize", "volmode", "refreservation", "readonly", "canmount") == [
        "16777216 local",
        "default default",
        "0 default",
        "off default",
        "- -",
    ]
    assert got(cell, "dst/vol@1", "volsize", "version", "devices") == [
        "16777216 local",
        "- -",
        "- -",
    ]


def test_encryption_shows_as_recorded_in_t4() -> None:
    cell = host("tank/e", "tank/e/kid")
    root = Encryption("aes-256-gcm", key="secret", keylocation="file:///tmp/k1", loaded=True)
    edit(cell, "tank/e", encryption=root)
    edit(cell, "tank/e/kid", encryption=Encryption("aes-256-gcm"))
    properties = ("encryption", "keyformat", "keylocation", "keystatus", "encryptionroot")
    assert got(cell, "tank/e", *properties, "pbkdf2iters") == [
        "aes-256-gcm -",
        "passphrase -",
        "file:///tmp/k1 local",
        "available -",
        "tank/e -",
        "350000 -",
    ]
    assert got(cell, "tank/e/kid", *properties) == [
        "aes-256-gcm -",
        "passphrase -",
        "none default",
        "available -",
        "tank/e -",
    ]
    assert got(cell, "tank", *properties) == [
        "off default",
        "none default",
        "none default",
        "- -",
        "- -",
    ]


def test_space_is_limited_by_the_quotas_above() -> None:
    cell = host("tank/a", "tank/a/b")
    lines(cell, "set quota=10M tank/a")
    assert got(cell, "tank/a/b", "available") == [f"{10 * (1 << 20) - 2 * 24576} -"]


def test_without_h_there_are_headings_and_columns() -> None:
    cell = host("tank/a")
    lines(cell, "set compression=lz4 tank")
    assert lines(cell, "get compression,mounted,com.x:y tank/a") == [
        "NAME    PROPERTY     VALUE           SOURCE",
        "tank/a  compression  lz4             inherited from tank",
        "tank/a  mounted      yes             -",
        "tank/a  com.x:y      -               -",
    ]


# -- set -------------------------------------------------------------------------------------------


def test_what_is_set_is_local_here_and_inherited_below() -> None:
    cell = host("tank/a", "tank/a/b")
    lines(cell, "set compression=lz4 com.x:y=1 tank/a")
    assert got(cell, "tank/a", "compression", "com.x:y") == ["lz4 local", "1 local"]
    assert got(cell, "tank/a/b", "compression", "com.x:y") == [
        "lz4 inherited from tank/a",
        "1 inherited from tank/a",
    ]


def test_a_snapshot_has_user_properties_of_its_own() -> None:
    cell = host("tank/r")
    for name in ("s1", "s2", "s3"):
        lines(cell, f"snapshot tank/r@{name}")
    lines(cell, "set com.x:y=1 tank/r@s1 tank/r@s2")
    assert lines(cell, "get -H -o name,value,source com.x:y tank/r@s1 tank/r@s2 tank/r@s3") == [
        "tank/r@s1\t1\tlocal",
        "tank/r@s2\t1\tlocal",
        "tank/r@s3\t-\t-",
    ]


def test_a_local_value_wins_over_a_received_one() -> None:
    cell = host("dst/m")
    edit(cell, "dst/m", received={"readonly": "off"})
    lines(cell, "set readonly=on dst/m")
    assert got(cell, "dst/m", "readonly") == ["on local"]


def test_each_filesystem_that_is_set_takes_a_transaction_group() -> None:
    cell = host("tank/a", "tank/b")
    before = cell.read().pools["tank"].txg
    lines(cell, "set a:b=c d:e=f tank/a tank/b")
    assert cell.read().pools["tank"].txg == before + 2


def test_no_quota_is_the_default_again() -> None:
    cell = host("tank/a")
    lines(cell, "set quota=10M refquota=5M tank/a")
    assert got(cell, "tank/a", "quota", "refquota") == ["10485760 local", "5242880 local"]
    lines(cell, "set quota=none refquota=none tank/a")
    assert got(cell, "tank/a", "quota", "refquota") == ["0 default", "0 default"]


@pytest.mark.parametrize(
    ("setting", "name", "reason"),
    [
        ("guid=1", "tank/a", "'guid' is readonly"),
        ("encryption=on", "tank/a", "'encryption' is readonly"),
        ("written@1=1", "tank/a", "'written@1' is readonly"),
        ("bogus=1", "tank/a", "invalid property 'bogus'"),
        ("readonly=maybe", "tank/a", "'readonly' must be one of 'on | off'"),
        ("canmount=x", "tank/a", "'canmount' must be one of 'on | off | noauto'"),
        ("quota=0", "tank/a", "use 'none' to disable quota/refquota"),
        ("quota=x", "tank/a", "bad numeric value 'x'"),
        ("quota=1X", "tank/a", "invalid numeric suffix 'X'"),
        ("quota=1K", "tank/a", "size is less than current used or reserved space"),
        ("refquota=1K", "tank/a", "size is less than current used or reserved space"),
        ("reservation=99T", "tank/a", "size is greater than available space"),
        ("recordsize=3K", "tank/a", "'recordsize' must be power of 2 from 512B to 1M"),
        ("mountpoint=x", "tank/a", "'mountpoint' must be an absolute path, 'none', or 'legacy'"),
        ("keylocation=prompt", "tank/a", "keylocation must be 'none' for unencrypted datasets"),
        ("volsize=1M", "tank/a", "'volsize' does not apply to datasets of this type"),
        ("canmount=off", "tank/v", "'canmount' does not apply to datasets of this type"),
        ("volsize=5", "tank/v", "'volsize' must be a multiple of volume block size (8K)"),
        ("readonly=on", "tank/a@1", "this property can not be modified for snapshots"),
        ("a:b=" + "x" * 8192, "tank/a", "property value too long"),
    ],
)
def test_what_can_not_be_set_is_refused_with_the_reason(
    setting: str, name: str, reason: str
) -> None:
    cell = host("tank/a")
    make(cell, "tank/v", kind=FilesystemKind.VOLUME, volsize=1 << 20)
    lines(cell, "snapshot tank/a@1")
    before = cell.read()
    found = zfs(cell, f"set {setting} {name}")
    assert (found.status, found.stderr) == (1, f"cannot set property for '{name}': {reason}\n")
    assert cell.read() is before


def test_a_bookmark_takes_no_properties() -> None:
    found = zfs(host("tank/a"), "set com.ex:k=v tank/a#b1")
    assert (found.status, found.stderr) == (
        1,
        "cannot open 'tank/a#b1': bookmark delimiter '#' is not expected here\n",
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("set", "missing arguments"),
        ("set -x", "invalid option 'x'"),
        ("set tank", "missing property=value argument(s)"),
        ("set a:b=c", "missing dataset name(s)"),
        ("set a:b=c d:e=f", "missing dataset name(s)"),
        ("set a:b=c tank d:e=f", "invalid argument order"),
    ],
)
def test_a_wrong_usage_of_set_ends_with_2(line: str, complaint: str) -> None:
    found = zfs(machine(), line)
    assert (found.status, found.stderr.split("\n")[:2]) == (2, [complaint, "usage:"])


def test_a_property_can_not_be_given_twice() -> None:
    found = zfs(machine(), "set a:b=c a:b=d tank")
    assert (found.status, found.stderr) == (255, "property 'a:b' specified multiple times\n")


def test_a_pool_that_takes_no_changes_refuses() -> None:
    cell = host("tank/a")
    pool = replace(cell.read().pools["tank"], readonly=True)
    cell.change(lambda before: change.with_pool(before, pool))
    assert zfs(cell, "set a:b=c tank/a").stderr == (
        "cannot set property for 'tank/a': pool is read-only\n"
    )
    assert zfs(cell, "inherit a:b tank/a").stderr == (
        "cannot inherit a:b for 'tank/a': pool is read-only\n"
    )
    suspended = replace(pool, readonly=False, health=Health.SUSPENDED)
    cell.change(lambda before: change.with_pool(before, suspended))
    assert "pool I/O is currently suspended" in zfs(cell, "set a:b=c tank/a").stderr


# -- what mounts and unmounts ----------------------------------------------------------------------


def mounted(cell: MemoryCell) -> list[str]:
    return [line for line in lines(cell, "list -H -o name,mounted -r tank") if "\tyes" in line]


def test_canmount_off_unmounts_only_this_one() -> None:
    cell = host("tank/a", "tank/a/b")
    lines(cell, "set canmount=off tank/a")
    assert mounted(cell) == ["tank\tyes", "tank/a/b\tyes"]
    lines(cell, "set canmount=on tank/a")
    assert mounted(cell) == ["tank\tyes", "tank/a/b\tyes"]


def test_mountpoint_none_unmounts_what_inherits_it_and_a_path_mounts_again() -> None:
    cell = host("tank/a", "tank/a/b", "tank/a/c")
    lines(cell, "set mountpoint=/elsewhere tank/a/c")
    lines(cell, "set mountpoint=none tank/a")
    assert mounted(cell) == ["tank\tyes", "tank/a/c\tyes"]
    lines(cell, "inherit mountpoint tank/a")
    assert mounted(cell) == ["tank\tyes", "tank/a\tyes", "tank/a/b\tyes", "tank/a/c\tyes"]


# -- inherit ---------------------------------------------------------------------------------------


def test_inherit_takes_back_what_was_set() -> None:
    cell = host("tank/a")
    lines(cell, "set a:b=1 compression=lz4 tank")
    lines(cell, "set a:b=2 compression=off tank/a")
    lines(cell, "inherit a:b tank/a")
    lines(cell, "inherit compression tank/a")
    assert got(cell, "tank/a", "a:b", "compression") == [
        "1 inherited from tank",
        "lz4 inherited from tank",
    ]


def test_inherit_puts_a_received_value_aside_until_it_is_reverted_to() -> None:
    cell = host("dst/m")
    edit(cell, "dst/m", received={"readonly": "on", "a:b": "c"})
    assert got(cell, "dst/m", "readonly", "a:b") == ["on received", "c received"]
    lines(cell, "inherit readonly dst/m")
    lines(cell, "inherit a:b dst/m")
    assert got(cell, "dst/m", "readonly", "a:b") == ["off default", "- -"]
    lines(cell, "inherit -S readonly dst/m")
    lines(cell, "inherit -S a:b dst/m")
    assert got(cell, "dst/m", "readonly", "a:b") == ["on received", "c received"]


def test_inherit_r_reaches_everything_below_and_its_snapshots() -> None:
    cell = host("tank/a", "tank/a/b")
    lines(cell, "snapshot -r tank/a@1")
    lines(cell, "set a:b=c tank/a tank/a/b tank/a/b@1")
    lines(cell, "inherit -r a:b tank/a")
    assert set(lines(cell, "get -H -o value -r a:b tank/a")) == {"-"}


@pytest.mark.parametrize(
    ("name", "lines_said"),
    [
        ("snapshot_limit", ["'snapshot_limit' property cannot be inherited"]),
        (
            "quota",
            [
                "'quota' property cannot be inherited",
                "use 'zfs set quota=none' to clear",
                "use 'zfs inherit -S quota' to revert to received value",
            ],
        ),
        ("guid", ["guid property is read-only"]),
    ],
)
def test_what_can_not_be_inherited_is_refused(name: str, lines_said: list[str]) -> None:
    found = zfs(host("tank/b"), f"inherit {name} tank/b")
    assert (found.status, found.stderr.splitlines()) == (1, lines_said)


def test_inherit_of_what_does_not_apply_is_refused() -> None:
    cell = host("tank/b")
    lines(cell, "snapshot tank/b@1")
    assert zfs(cell, "inherit readonly tank/b@1").stderr == (
        "cannot inherit readonly for 'tank/b@1': property doesn't apply to datasets of this type\n"
    )
    assert zfs(cell, "inherit -r readonly tank/b").status == 0


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("inherit", "missing property argument"),
        ("inherit a:b", "missing dataset argument"),
        ("inherit bogus tank", "invalid property 'bogus'"),
    ],
)
def test_a_wrong_usage_of_inherit_ends_with_2(line: str, complaint: str) -> None:
    found = zfs(machine(), line)
    assert (found.status, found.stderr.split("\n")[:2]) == (2, [complaint, "usage:"])


def test_later_releases_compress_by_default() -> None:
    assert got(host(release="2.3.2"), "tank", "compression") == ["on default"]
