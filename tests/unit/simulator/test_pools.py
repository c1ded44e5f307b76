"""`zpool list`, `zpool get`, `zpool status`, `zfs version`. Texts are those of t6, t8 and t9."""

from dataclasses import replace

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Health
from reconciler.zfs import queries
from reconciler.zfs.capabilities import FEATURES
from reconciler.zfs.parse import parse_features, parse_pools
from tests.support.machines import CLOCK, machine, shell


def printed(cell: MemoryCell, line: str) -> list[str]:
    result = shell(cell, line)
    assert (result.status, result.stderr) == (0, "")
    return result.stdout.decode().splitlines()


def small() -> MemoryCell:
    """Return a host with a pool of 1 GiB, of which a little is used."""
    cell = machine()
    assert shell(cell, "zpool create small disk:1G").status == 0
    assert shell(cell, "write small f 100M").status == 0
    return cell


def test_pools_are_listed_with_exact_sizes() -> None:
    used = 24576 + (100 << 20)
    free = (1 << 30) - used
    assert printed(small(), "zpool list -Hp small") == [
        f"small\t{1 << 30}\t{used}\t{free}\t-\t-\t0\t9\t1.00\tONLINE\t-"
    ]


def test_pools_are_listed_for_people() -> None:
    assert printed(small(), "zpool list small") == [
        "NAME    SIZE  ALLOC   FREE  CKPOINT  EXPANDSZ   FRAG    CAP  DEDUP    HEALTH  ALTROOT",
        "small     1G   100M   924M        -         -     0%     9%  1.00x    ONLINE  -",
    ]


def test_imported_pools_are_listed_by_name() -> None:
    cell = small()
    shell(cell, "zpool export dst")
    assert printed(cell, "zpool list -H -o name,health,readonly") == [
        "small\tONLINE\toff",
        "tank\tONLINE\toff",
    ]


def test_a_missing_pool_is_complained_about_and_the_others_are_listed() -> None:
    found = shell(small(), "zpool list -H -o name nopool tank")
    assert (found.status, found.stdout) == (1, b"tank\n")
    assert found.stderr == "cannot open 'nopool': no such pool\n"
    found = shell(small(), "zpool get -H guid nopool")
    assert (found.status, found.stderr) == (1, "cannot open 'nopool': no such pool\n")


def test_without_pools_there_is_nothing_to_list() -> None:
    cell = machine()
    shell(cell, "zpool export tank dst")
    assert printed(cell, "zpool list") == ["no pools available"]
    assert printed(cell, "zpool list -H") == []
    assert printed(cell, "zpool status") == ["no pools available"]


def test_an_unknown_property_is_a_wrong_usage() -> None:
    found = shell(machine(), "zpool list -o bogus")
    assert found.status == 2
    assert found.stderr.startswith("bad property list: invalid property 'bogus'\nusage:\n")
    assert shell(machine(), "zpool get").stderr.startswith("missing property argument\nusage:\n")


def test_properties_of_a_pool_are_as_recorded_in_t9() -> None:
    cell = small()
    asked = "guid,readonly,health,capacity,freeing,fragmentation,bootfs,feature@bookmarks,version"
    guid = cell.read().pools["small"].guid
    assert printed(cell, f"zpool get -Hp -o property,value {asked} small") == [
        f"guid\t{guid}",
        "readonly\toff",
        "health\tONLINE",
        "capacity\t9",
        "freeing\t0",
        "fragmentation\t0",
        "bootfs\t-",
        "feature@bookmarks\tenabled",
        "version\t-",
    ]


def test_of_a_feature_that_nobody_knows_nothing_is_printed() -> None:
    assert printed(machine(), "zpool get -H feature@bogus tank") == []


def test_our_queries_are_understood() -> None:
    cell = small()
    text = shell(cell, " ".join(queries.list_pools())).stdout.decode()
    assert [row.name for row in parse_pools(text)] == ["dst", "small", "tank"]
    text = shell(cell, " ".join(queries.get_features())).stdout.decode()
    assert {row.feature for row in parse_features(text)} == set(FEATURES)


def test_a_suspended_pool_says_so() -> None:
    cell = machine()
    suspended = replace(cell.read().pools["tank"], health=Health.SUSPENDED, readonly=True)
    cell.change(lambda before: change.with_pool(before, suspended))
    assert printed(cell, "zpool list -H -o health,readonly tank") == ["SUSPENDED\ton"]
    assert printed(cell, "zpool status tank")[:2] == ["  pool: tank", " state: SUSPENDED"]


def test_versions_are_those_of_the_package() -> None:
    cell = machine()
    assert printed(cell, "zfs version") == [
        "zfs-2.1.11-1+deb12u1",
        "zfs-kmod-2.1.11-1+deb12u1",
    ]
    for line in ("zpool version -j", "zfs --version", "zfs -V", "zpool --version"):
        assert printed(cell, line) == printed(cell, "zfs version")


def test_versions_can_be_json_since_2_3() -> None:
    (found,) = printed(machine(release="2.3.2"), "zpool version -j")
    assert found == (
        '{"output_version":{"command":"zpool version","vers_major":0,"vers_minor":1},'
        '"zfs_version":{"userland":"zfs-2.3.2-2~bpo12+2","kernel":"zfs-kmod-2.3.2-2~bpo12+2"}}'
    )


def test_the_clock_of_the_tests_is_what_the_host_shows() -> None:
    assert printed(machine(), "date +%s") == [str(CLOCK)]
