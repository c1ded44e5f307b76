"""Events as real ZFS prints them: `data/zpool-events-2.1.11.txt` was recorded in the lab."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.zfs.events import HISTORY, NOT_UNDERSTOOD, Event, EventReader, filesystems_of

RECORDED = Path(__file__).parent / "data" / "zpool-events-2.1.11.txt"


def recording() -> dict[str, list[str]]:
    """Return the lines that each recorded command made `zpool events` print."""
    found: dict[str, list[str]] = {}
    command = ""
    for line in RECORDED.read_text().split("\n"):
        if line.startswith("$ "):
            command = line[2:]
            found[command] = []
        elif command:
            found[command].append(line)
    return found


LINES = recording()
(MADE_UP,) = (command for command in LINES if "reconciler:evil" in command)


def read(lines: Iterable[str]) -> list[Event]:
    reader = EventReader()
    return [event for line in lines if (event := reader.feed(line)) is not None]


def concerned(command: str) -> set[str] | None:
    """Return the filesystems that the events of one recorded command are about."""
    together: set[str] = set()
    for event in read(LINES[command]):
        filesystems = filesystems_of(event)
        if filesystems is None:
            return None
        together |= filesystems
    return together


def record(**changes: str | None) -> list[str]:
    items: dict[str, str | None] = {
        "class": f'"{HISTORY}"',
        "pool": '"tank"',
        "history_dsname": '"tank/a@one"',
        "history_internal_name": '"snapshot"',
        "time": "0x6b07ba0f 0x1 ",
        "eid": "0x2a",
        **changes,
    }
    shown = [f"        {key} = {value}" for key, value in items.items() if value is not None]
    return [f"Nov  6 2026 04:51:19.141921080\t{HISTORY}", *shown, ""]


AFTER_A_GAP = "zfs snapshot tank/b@after"
"""Before it were `zpool events -c` and so "dropped 1 events"."""


def test_all_of_a_real_recording_is_understood_but_what_was_made_up_or_dropped() -> None:
    odd = {command for command, lines in LINES.items() if NOT_UNDERSTOOD in read(lines)}
    assert odd == {MADE_UP, AFTER_A_GAP}
    assert read(LINES[AFTER_A_GAP])[-1].dataset == "tank/b@after"


def test_a_real_event_is_read() -> None:
    (event,) = read(LINES["zfs hold keep tank/a@one"])
    assert (event.kind, event.pool, event.dataset) == (HISTORY, "tank", "tank/a@one")
    assert (event.operation, event.detail) == ("hold", "tag=keep temp=0 refs=1")
    assert event.eid is not None
    assert event.time is not None
    assert event.time > 1_795_000_000


@pytest.mark.parametrize(
    ("command", "filesystems"),
    [
        ("zfs create tank/a", {"tank/a"}),
        ("zfs snapshot tank/a@two tank/a/kid@two", {"tank/a", "tank/a/kid"}),
        ("zfs snapshot -o reconciler:spec=x tank/a@three", {"tank/a"}),
        ("zfs bookmark tank/a@one tank/a#one", {"tank/a"}),
        ("zfs destroy tank/a#one", {"tank/a"}),
        ("zfs hold keep tank/a@one", {"tank/a"}),
        ("zfs release keep tank/a@one", {"tank/a"}),
        ("zfs rename tank/a@one tank/a@uno", {"tank/a"}),
        ("zfs destroy tank/a@two,three", {"tank/a"}),
        ("zfs send -i @s1 tank/a@s2 | zfs receive -s -u tank/r", {"tank/r"}),
        ("zfs send -i @s2 tank/a@s3 | head -c 3000000 | zfs receive -s -u tank/r", {"tank/r"}),
        ("zfs receive -A tank/r", {"tank/r"}),
        ("zfs send tank/a@s4 | head -c 3000000 | zfs receive -s -u tank/q", {"tank/q"}),
        ("zfs receive -A tank/q", {"tank/q"}),
        ("zfs rollback tank/a@s4", {"tank/a"}),
        ("zfs rollback -r tank/a@s3", {"tank/a"}),
        ("zfs snapshot tank/b@d; zfs hold k tank/b@d; zfs destroy -d tank/b@d", {"tank/b"}),
        ("zfs release k tank/b@d", {"tank/b"}),
        ("zfs destroy tank/vol", {"tank/vol"}),
        ("zfs destroy -r tank/r", {"tank/r"}),
        ("zfs snapshot 'tank/b/two words@a b'", {"tank/b/two words"}),
        ("zpool scrub tank", set()),
        ("zpool trim tank", set()),
    ],
)
def test_an_event_is_about_the_filesystem_whose_own_state_changed(
    command: str, filesystems: set[str]
) -> None:
    assert concerned(command) == filesystems


@pytest.mark.parametrize(
    "command",
    [
        "zfs rename tank/a tank/b",
        "zfs promote tank/c",
        "zfs clone tank/b@s3 tank/c",
        "zfs set readonly=on tank/a",
        "zfs inherit reconciler:x tank/a",
        "zfs allow zfs snapshot tank/b",
        "zpool clear tank",
        "zpool export tank",
        "zpool import -d /dev tank",
        "zpool checkpoint tank",
        "zpool set feature@bookmarks=enabled tank",
    ],
)
def test_what_others_inherit_and_what_is_about_a_pool_concerns_the_whole_host(command: str) -> None:
    assert concerned(command) is None


@pytest.mark.parametrize(
    "command",
    [
        "dd if=/dev/urandom of=/tank/a/file bs=1M count=4 && sync",
        "zfs set volsize=16M tank/vol",
        "zfs umount tank/b/kid",
        "zfs mount tank/b/kid",
        "echo secretsecret | zfs load-key tank/enc",
        "echo othersecret | zfs change-key tank/enc",
    ],
)
def test_some_changes_do_not_announce_themselves(command: str) -> None:
    assert read(LINES[command]) == []


@pytest.mark.parametrize("command", [MADE_UP, AFTER_A_GAP])
def test_what_a_property_made_up_and_what_was_dropped_concern_the_whole_host(command: str) -> None:
    assert concerned(command) is None


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["dropped 7 events"], id="the kernel dropped events"),
        pytest.param(record()[1:2], id="an item without a record"),
        pytest.param(record()[:-1] + record(), id="a record within a record"),
        pytest.param([*record()[:3], "some noise", *record()[3:]], id="noise within a record"),
        pytest.param([*record()[:3], *record()[1:]], id="an item twice"),
        pytest.param(record(history_dsname='"tank/a'), id="a text without an end"),
        pytest.param(record(eid="many"), id="a number that is none"),
        pytest.param(record(**{"class": '"other"'}), id="another class than in the head"),
        pytest.param(record(pool='"pond"'), id="a filesystem of another pool"),
        pytest.param(record(pool=None), id="no pool"),
        pytest.param(record(history_dsname=None), id="no filesystem"),
        pytest.param(record(history_internal_name='"mutate"'), id="an operation nobody knows"),
        pytest.param(record(history_dsname='"tank/é@one"'), id="a name that can't be"),
        pytest.param(
            ["Nov  6 2026 04:51:19.141921080\tresource.fs.zfs.statechange", ""], id="no class"
        ),
    ],
)
def test_what_is_not_understood_concerns_the_whole_host(lines: list[str]) -> None:
    assert None in [filesystems_of(event) for event in read(lines)]


def test_a_record_after_one_that_was_not_understood_is_read_again() -> None:
    *_, last = read([*record(eid="many"), "noise", *record()])
    assert filesystems_of(last) == frozenset({"tank/a"})


def test_errors_of_a_disk_alone_change_nothing_that_is_looked_at() -> None:
    kind = "ereport.fs.zfs.checksum"
    assert filesystems_of(Event(kind, pool="tank")) == frozenset()
    assert filesystems_of(Event("ereport.fs.zfs.io_failure", pool="tank")) is None


def test_a_record_without_end_takes_no_memory_without_end() -> None:
    reader = EventReader()
    head, *_ = record()
    for line in (head, *(f"        key{number} = 1" for number in range(10_000))):
        reader.feed(line)
    assert len(reader._items) < 1_000
    assert reader.feed("") == NOT_UNDERSTOOD


@given(st.lists(st.sampled_from([*record(), "", "noise", "        x = (embedded nvlist)"])))
def test_no_lines_make_it_fail_and_no_line_is_lost_without_a_word(lines: list[str]) -> None:
    events = read([*lines, *record()])
    assert filesystems_of(events[-1]) in (frozenset({"tank/a"}), None)
