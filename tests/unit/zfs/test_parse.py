from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.zfs import parse
from reconciler.zfs.parse import ParseError
from reconciler.zfs.types import FilesystemKind, Version, VersionKind

VERSIONS = (
    "tank/a@s 1\t14871593799176688764\t66\t1795434336\t2\t3174400\t3174400\tdaily\ttank/a@s 1\n"
    "tank/a#c\t14871593799176688764\t66\t1795434336\t-\t-\t3174400\t-\ttank/a#c\n"
)
FILESYSTEMS = (
    "tank\tfilesystem\t43\t1\t666\t24\t25\toff\t-\t-\t-\toff\tyes\t-\t0\t-\t-\t-\t-\ttank\n"
    "tank/e\tvolume\t44\t9\t777\t0\t8\taes-256-gcm\tunavailable\ttank/e\ttank/a@o\ton\t-\t1-ab-cd-ef"
    "\t1\tdaily\tdisabled\ttank/e\t2026-11-26T12:00:00Z tank/e\ttank/e\n"
)
POOLS = "tank\t17462666378315295068\t4019\tONLINE\toff\nold pool\t5\t-\tUNAVAIL\t-\n"
FEATURES = "tank\tfeature@bookmarks\tactive\nold pool\tfeature@bookmarks\t-\n"
HOLDS = "tank/a@s 1\tkeep\tMon Nov 23 11:45 2026\ntank/a@s 1\tsp a\tb\tMon Nov 23 11:45 2026\n"
GUIDS = "tank/a@s 1\t14871593799176688764\ntank/a#c\t14\n"

Parser = Callable[[str], list[Any]]
OUTPUTS: dict[str, tuple[Parser, str]] = {
    "versions": (parse.parse_versions, VERSIONS),
    "filesystems": (parse.parse_filesystems, FILESYSTEMS),
    "pools": (parse.parse_pools, POOLS),
    "features": (parse.parse_features, FEATURES),
    "holds": (parse.parse_holds, HOLDS),
    "guids": (parse.parse_guids, GUIDS),
}
EVERY_OUTPUT = pytest.mark.parametrize(("parser", "text"), OUTPUTS.values(), ids=OUTPUTS)


def test_versions_are_read_with_their_filesystem() -> None:
    guid = 14871593799176688764
    assert parse.parse_versions(VERSIONS) == [
        (
            "tank/a",
            Version(
                VersionKind.SNAPSHOT, "s 1", guid, 66, 1795434336, 2, 3174400, 3174400, "daily"
            ),
        ),
        (
            "tank/a",
            Version(VersionKind.BOOKMARK, "c", guid, 66, 1795434336, 0, None, 3174400, None),
        ),
    ]


def test_guids_are_read_with_the_full_name() -> None:
    assert parse.parse_guids(GUIDS) == [("tank/a@s 1", 14871593799176688764), ("tank/a#c", 14)]


def test_a_hold_tag_may_have_spaces_and_tabs() -> None:
    assert parse.parse_holds(HOLDS) == [("tank/a@s 1", "keep"), ("tank/a@s 1", "sp a\tb")]


def test_filesystems_are_read_with_words_turned_into_values() -> None:
    plain, encrypted = parse.parse_filesystems(FILESYSTEMS)
    assert plain.kind is FilesystemKind.FILESYSTEM
    assert (plain.used, plain.written, plain.referenced) == (666, 24, 25)
    assert (plain.encryption, plain.keystatus, plain.encryptionroot) == ("off", "none", None)
    assert (plain.mounted, plain.readonly, plain.inconsistent) == (True, False, False)
    assert (plain.spec, plain.reconcile, plain.placeholder) == (None, None, None)
    assert encrypted.kind is FilesystemKind.VOLUME
    assert (encrypted.keystatus, encrypted.encryptionroot) == ("unavailable", "tank/e")
    assert (encrypted.mounted, encrypted.readonly, encrypted.inconsistent) == (False, True, True)
    assert (encrypted.origin, encrypted.resume_token) == ("tank/a@o", "1-ab-cd-ef")
    assert (encrypted.spec, encrypted.reconcile) == ("daily", "disabled")
    assert encrypted.placeholder == "tank/e"
    assert (plain.gone_since, encrypted.gone_since) == (None, "2026-11-26T12:00:00Z tank/e")


def test_a_pool_that_can_not_be_opened_has_no_numbers() -> None:
    assert parse.parse_pools(POOLS) == [
        ("tank", 17462666378315295068, 4019, "ONLINE", False),
        ("old pool", 5, 0, "UNAVAIL", False),
    ]
    assert parse.parse_features(FEATURES) == [
        ("tank", "bookmarks", "active"),
        ("old pool", "bookmarks", "-"),
    ]


@EVERY_OUTPUT
def test_no_rows_are_no_error(parser: Parser, text: str) -> None:
    assert parser("") == []
    assert len(parser(text)) == 2


@EVERY_OUTPUT
def test_a_line_that_is_cut_anywhere_is_an_error(parser: Parser, text: str) -> None:
    for length in range(len(text)):
        if text[:length].endswith("\n") or not length:
            continue
        with pytest.raises(ParseError, match="the line has no end"):
            parser(text[:length])


@EVERY_OUTPUT
@pytest.mark.parametrize(
    "line", ["", " ", "no datasets available", "cannot open 'x': y", "\t\t", "tank", "🙂", "\r"]
)
def test_a_line_that_does_not_belong_is_an_error(parser: Parser, text: str, line: str) -> None:
    with pytest.raises(ParseError) as caught:
        parser(f"{text}{line}\n")
    assert (caught.value.line_number, caught.value.line) == (3, line)
    assert caught.value.reason in str(caught.value)


@EVERY_OUTPUT
def test_a_dropped_or_added_column_is_an_error(parser: Parser, text: str) -> None:
    row = text.split("\n", maxsplit=1)[0].split("\t")
    changed = [[*row[:at], *row[at + 1 :]] for at in range(len(row))]
    if parser is not parse.parse_holds:
        changed += [[*row[:at], "x", *row[at:]] for at in range(len(row) + 1)]
    for columns in changed:
        with pytest.raises(ParseError):
            parser("\t".join(columns) + "\n")


@pytest.mark.parametrize(
    ("parser", "old", "new", "reason"),
    [
        (parse.parse_versions, "\t66\t", "\t-66\t", "no whole number"),
        (parse.parse_versions, "\t66\t", "\t+66\t", "no whole number"),
        (parse.parse_versions, "\t66\t", "\t6_6\t", "no whole number"),
        (parse.parse_versions, "\t66\t", "\t 66\t", "no whole number"),
        (parse.parse_versions, "\t66\t", "\t٦٦\t", "no whole number"),
        (parse.parse_versions, "\t66\t", "\t²\t", "no whole number"),
        (parse.parse_versions, "\t66\t", "\t-\t", "no whole number"),
        (parse.parse_versions, "\t66\t", "\t\t", "no whole number"),
        (parse.parse_versions, "\t66\t", f"\t{2**64}\t", "no whole number"),
        (parse.parse_versions, "\t66\t", f"\t{'9' * 5000}\t", "no whole number"),
        (parse.parse_versions, "tank/a@s 1", "tank/a", "no snapshot and no bookmark"),
        (parse.parse_versions, "tank/a@s 1", "tank/a@s%1", "reserved"),
        (parse.parse_versions, "tank/a@s 1", "-r@s 1", "begins with a letter"),
        (parse.parse_versions, "tank/a@s 1", "tank/a@s#1", "more than one"),
        (parse.parse_versions, "daily\ttank/a@", "daily\ttank/b@", "does not end with the name"),
        (parse.parse_guids, "tank/a@s 1", "tank/a", "has a '@'"),
        (parse.parse_guids, "14871593799176688764", "0x1", "no whole number"),
        (parse.parse_holds, "tank/a@s 1", "tank/a#c", "has a '@'"),
        (parse.parse_holds, "\tkeep\t", "\t\t", "not a snapshot, a tag and a date"),
        (parse.parse_filesystems, "\tvolume\t", "\tsnapshot\t", "not a valid FilesystemKind"),
        (parse.parse_filesystems, "\tunavailable\t", "\tmaybe\t", "'maybe' is not one of none"),
        (parse.parse_filesystems, "\tyes\t", "\tYES\t", "'YES' is not one of on"),
        (parse.parse_filesystems, "tank/e\n", "tank/f\n", "does not end with the name"),
        (parse.parse_filesystems, "tank/e", "tank/e@s", "no '@'"),
        (parse.parse_pools, "ONLINE", "online", "no health"),
        (parse.parse_pools, "ONLINE", "-", "no health"),
        (parse.parse_pools, "tank\t", "tank/a\t", "this is no pool"),
        (parse.parse_features, "feature@bookmarks", "bookmarks", "this is no feature"),
        (parse.parse_features, "active", "on", "'on' is not one of disabled"),
    ],
)
def test_a_value_that_zfs_would_not_print_is_an_error(
    parser: Parser, old: str, new: str, reason: str
) -> None:
    text = next(text for one, text in OUTPUTS.values() if one is parser)
    assert old in text
    with pytest.raises(ParseError, match=reason):
        parser(text.replace(old, new))


ROW = VERSIONS.split("\n", maxsplit=1)[0]
PROPERTY_VALUES = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from([*ROW.split("\t"), "\n", "tank/b@x", "7", "\t"])).map("\t".join),
    st.sampled_from(VERSIONS.split("\n")).map(lambda row: f"x\ttank/a@s 1\n{row}"),
    st.just(
        "x\ttank/a@s 1\ntank/b@x\t1\t1\t1\t1\t1\t1\tx\ttank/b@x\ntank/a@s 1\t1\t1\t1\t1\t1\t1\tx"
    ),
)


@given(PROPERTY_VALUES)
def test_a_property_value_never_makes_up_a_version(value: str) -> None:
    """Whatever a user wrote into the property: it is read as it is, or refused, or there twice."""
    head, tail = ROW.split("daily")
    try:
        rows = parse.parse_versions(f"{head}{value}{tail}\n")
    except ParseError:
        return
    names = [row.version.of(row.filesystem) for row in rows]
    assert names == ["tank/a@s 1"] or names.count("tank/a@s 1") > 1
    if len(rows) == 1:
        assert rows[0].version.spec == (None if value == "-" else value)


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        ("11:53:16\t660568\ttank/grammar/www@big", 660568),
        ("11:53:16\t660568\ttank/grammar/www@big\n", 660568),
        ("00:00:00\t0\tsp ace@a b", 0),
        ("11:53:16\t1.2G\ttank/www@big", None),
        ("TIME        SENT   SNAPSHOT tank/a@s1", None),
        ("size\t3165104", None),
        ("incremental\ttank/a@s1\ttank/a@s2\t100", None),
        ("cannot send", None),
        ("", None),
    ],
)
def test_progress_is_the_bytes_sent_so_far(line: str, sent: int | None) -> None:
    assert parse.parse_progress(line) == sent


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("full\ttank/a@s1\t4215664\nsize\t4215664\n", 4215664),
        (
            "incremental\ts1\ttank/a@s2\t2109936\nincremental\ts2\ttank/a@s3\t24\nsize\t2109960\n",
            2109960,
        ),
        ("resume token contents:\nnvlist version: 0\n\tbytes = 0x2c\nfull\tt@a\t1\nsize\t1\n", 1),
        ("size\t77", 77),
        ("size\t4.02M\n", None),
        ("warning: cannot send 'tank/a@s1': permission denied\n", None),
        ("", None),
    ],
)
def test_the_estimate_is_the_size_line(text: str, size: int | None) -> None:
    assert parse.parse_stream_estimate(text) == size
