"""Listings read by columns: always what reading them by rows comes to."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.zfs import columns, parse
from reconciler.zfs.columns import read_filesystems, read_versions
from reconciler.zfs.parse import ParseError
from reconciler.zfs.types import Version, VersionKind
from reconciler.zfs.versions import Versions

VERSION = "tank/a@s 1\t14871593799176688764\t66\t1795434336\t2\t3174400\t3174400\tdaily\ttank/a@s 1"
CURSOR = "tank/a#c\t14871593799176688764\t66\t1795434336\t-\t-\t3174400\t-\ttank/a#c"
OTHER = "tank/b@s 1\t7\t66\t1795434336\t0\t0\t-\t-\ttank/b@s 1"
PLAIN = "tank\tfilesystem\t43\t1\t666\t24\t25\toff\t-\t-\t-\toff\tyes\t-\t0\t-\t-\t-\t-\ttank"
SEALED = (
    "tank/e\tvolume\t44\t9\t777\t0\t8\taes-256-gcm\tunavailable\ttank/e\ttank/a@o\ton\t-\t1-ab-cd"
    "\t1\tdaily\tdisabled\ttank/e\t20260102T030405Z tank/e\ttank/e"
)
ASKED = ("com.example:backup", "compression")
"""Properties that are asked for beside."""
ASKED_PLAIN = PLAIN.removesuffix("tank") + "-\tlz4\ttank"
ASKED_SEALED = SEALED.removesuffix("tank/e") + "a b\t-\ttank/e"

NAMES = "tank/a@x#y tank/a#x@y tank@a@b x/../y@z tank/a tank/. -r@s mirror/a@b 0@s tank/a@s%1"
NUMBERS = ("0", "066", "+1", "1_0", " 7", "1 ", "٦", str(2**64 - 1), str(2**64), "0" * 20 + "7")
ODD = ("", "-", "on", "volume", "\r", "\x85", "\t", "\n", "a\tb", "a\nb", "9" * 5000)
FIELDS = st.sampled_from([*NAMES.split(), *NUMBERS, *ODD])


@st.composite
def listings(draw: st.DrawFn, *rows: str) -> str:
    """Return rows in any order, some of them damaged."""
    lines = []
    for row in draw(st.lists(st.sampled_from(rows), max_size=5)):
        fields = row.split("\t")
        for place, field in draw(
            st.lists(st.tuples(st.integers(0, len(fields) - 1), FIELDS), max_size=1)
        ):
            same = fields[place]
            fields = [field if one == same else one for one in fields]
        lines.append("\t".join(fields))
    return "\n".join(lines) + draw(st.sampled_from(["\n", "\n", "\n", "", "\n\n"]))


def outcome(read: Callable[[str], Any], text: str) -> Any:
    """Return what was read, or what was refused and why."""
    try:
        return read(text)
    except ParseError as error:
        return error.line_number, error.line, error.reason


def grouped(text: str) -> list[tuple[str, tuple[Version, ...]]]:
    """Return the versions of each filesystem, read by rows."""
    groups: dict[str, list[Version]] = {}
    for filesystem, version in parse.parse_versions(text):
        groups.setdefault(filesystem, []).append(version)
    return [(filesystem, tuple(versions)) for filesystem, versions in groups.items()]


@pytest.fixture(params=[1, 100, 1 << 14], autouse=True, scope="module")
def chunks(request: pytest.FixtureRequest) -> Any:
    """Take a listing apart at different places."""
    before = columns.CHUNK
    columns.CHUNK = request.param
    yield
    columns.CHUNK = before


BREAKS = ("\n", "\n\t", "\t\n", "\t\t", "@", "#", "")


@pytest.mark.parametrize("instead", BREAKS)
@pytest.mark.parametrize("place", range(VERSION.count("\t")))
def test_a_row_that_ends_elsewhere_is_none(place: int, instead: str) -> None:
    for row in (VERSION, CURSOR, OTHER):
        fields = row.split("\t")
        broken = "\t".join(fields[: place + 1]) + instead + "\t".join(fields[place + 1 :])
        for text in (f"{broken}\n", f"{VERSION}\n{broken}\n{OTHER}\n"):
            assert isinstance(outcome(grouped, text), tuple)
            assert outcome(read_versions, text) == outcome(grouped, text)


@pytest.mark.parametrize("instead", BREAKS)
@pytest.mark.parametrize("place", range(PLAIN.count("\t")))
def test_a_filesystem_whose_row_ends_elsewhere_is_none(place: int, instead: str) -> None:
    for row in (PLAIN, SEALED):
        fields = row.split("\t")
        broken = "\t".join(fields[: place + 1]) + instead + "\t".join(fields[place + 1 :])
        for text in (f"{broken}\n", f"{PLAIN}\n{broken}\n{SEALED}\n"):
            assert isinstance(outcome(parse.parse_filesystems, text), tuple)
            assert outcome(read_filesystems, text) == outcome(parse.parse_filesystems, text)


@given(listings(VERSION, CURSOR, OTHER))
@example("")
@example(f"{VERSION}\n{OTHER}\n{CURSOR}\n")
@example(f"{VERSION}\n{OTHER.removesuffix('tank/b@s 1')}tank/a@s 1\n")
@example(f"{OTHER.replace('@', '@@')}\n{OTHER.replace('@', '')}\n")
@example(f"{OTHER.replace('@', '')}\n{OTHER.replace('@', '@x#')}\n")
def test_versions_are_what_their_rows_say(text: str) -> None:
    assert outcome(lambda text: list(read_versions(text).items()), text) == outcome(grouped, text)


@given(listings(VERSION, CURSOR, OTHER))
def test_equal_versions_have_equal_columns(text: str) -> None:
    read = outcome(read_versions, text)
    for versions in read.values() if isinstance(read, dict) else ():
        assert versions.columns == Versions.of(tuple(versions)).columns


@pytest.mark.parametrize("place", [5, 6])
@pytest.mark.parametrize(
    "size",
    [*NUMBERS, "", "-", "--", "-1", "1-", "1 2", " ", "10", "00", "9" * 19, "1" + "0" * 19, "0x1"],
)
def test_a_size_is_what_its_row_says(place: int, size: str) -> None:
    fields = OTHER.split("\t")
    row = "\t".join([*fields[:place], size, *fields[place + 1 :]])
    for text in (f"{row}\n", f"{VERSION}\n{row}\n", f"{CURSOR}\n{row}\n{OTHER}\n"):
        read = outcome(lambda text: list(read_versions(text).items()), text)
        assert read == outcome(grouped, text)
        for _, versions in read if isinstance(read, list) else ():
            assert versions.columns == Versions.of(tuple(versions)).columns


@pytest.mark.parametrize("name", ["", "s%1", "a/b", "a@b", "a#b", "é", "a\rb", "x" * 256])
def test_what_can_be_no_name_of_a_version_is_refused(name: str) -> None:
    for delimiter in "@#":
        row = OTHER.replace("@s 1", delimiter + name)
        text = f"{VERSION}\n{row}\n"
        assert isinstance(outcome(grouped, text), tuple)
        assert outcome(read_versions, text) == outcome(grouped, text)


@pytest.mark.parametrize(
    "names",
    [
        ("tank",),
        ("tank@a", "tank"),
        ("tank", "tank@a@b"),
        ("tank@a#b", "tank"),
        ("", "tank@a@b"),
    ],
)
def test_each_name_has_one_delimiter_of_its_own(names: tuple[str, ...]) -> None:
    text = "".join(f"{OTHER.replace('tank/b@s 1', name)}\n" for name in names)
    assert isinstance(outcome(grouped, text), tuple)
    assert outcome(read_versions, text) == outcome(grouped, text)


@given(listings(PLAIN, SEALED))
@example("")
@example(f"{PLAIN}\n{SEALED}\n")
def test_filesystems_are_what_their_rows_say(text: str) -> None:
    assert outcome(read_filesystems, text) == outcome(parse.parse_filesystems, text)


@given(listings(ASKED_PLAIN, ASKED_SEALED))
@example(f"{ASKED_PLAIN}\n{ASKED_SEALED}\n")
def test_so_are_the_properties_that_are_asked_for_beside(text: str) -> None:
    by_rows = partial(parse.parse_filesystems, properties=ASKED)
    assert outcome(partial(read_filesystems, properties=ASKED), text) == outcome(by_rows, text)


@pytest.mark.parametrize(
    ("read", "by_rows", "rows"),
    [
        (read_versions, "parse_versions", (VERSION, CURSOR, OTHER)),
        (read_filesystems, "parse_filesystems", (PLAIN, SEALED)),
        (
            partial(read_filesystems, properties=ASKED),
            "parse_filesystems",
            (ASKED_PLAIN, ASKED_SEALED),
        ),
    ],
)
def test_what_is_in_order_is_never_left_to_the_slow_way(
    read: Callable[[str], object],
    by_rows: str,
    rows: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(parse, by_rows)
    assert read("".join(f"{row}\n" for row in rows * 3))


def test_what_rows_share_is_one_value() -> None:
    first, last = read_versions(f"{VERSION}\n{OTHER}\n").values()
    assert first[0].name is last[0].name
    assert first[0].creation is last[0].creation


def test_what_filesystems_share_is_one_column() -> None:
    listing = f"{VERSION}\n{VERSION.replace('tank/a', 'tank/c')}\n"
    first, last = (versions.columns for versions in read_versions(listing).values())
    for one, other in zip(
        (first.labels, first.createtxgs, first.creations, first.userrefs, first.specs, first.holds),
        (last.labels, last.createtxgs, last.creations, last.userrefs, last.specs, last.holds),
        strict=True,
    ):
        assert one is other


def test_what_is_read_is_a_version() -> None:
    assert read_versions(f"{OTHER}\n") == {
        "tank/b": (Version(VersionKind.SNAPSHOT, "s 1", 7, 66, 1795434336, 0, 0, None, None),)
    }
