"""Two histories compared, and the way from one to the other cut into streams."""

import pytest

from reconciler.planner.history import Common, Diverged, NoCommonVersion, Nothing, compare, runs
from reconciler.zfs.types import Version
from tests.support.worlds import fs


def history(text: str) -> tuple[Version, ...]:
    """Return a filesystem's versions."""
    return tuple(fs("tank/www", text).versions)


COMPARED = {
    "the newest of both": ("@a,1 @b,2 @c,3", "@a,1 @b,2", "common @b @b"),
    "equal histories": ("@a,1 @b,2", "@a,1 @b,2", "common @b @b"),
    "H65 a renamed snapshot is the same": ("@a,1 @new,2 @c,3", "@a,1 @old,2", "common @new @old"),
    "one name, two guids: not the same": ("@a,1 @b,2", "@a,1 @b,9", "diverged after @a: @b"),
    "H66 a bookmark of it is enough": ("#mark,2 @c,3", "@a,1 @b,2", "common #mark @b"),
    "the snapshot is preferred to its bookmark": ("@b,2 #mark,2 @c,3", "@b,2", "common @b @b"),
    "an older snapshot is not preferred to a newer bookmark": (
        "@a,1 #mark,2 @c,3",
        "@a,1 @b,2",
        "common #mark @b",
    ),
    "bookmarks of the receiver do not count": ("@a,1 @b,2", "@a,1 #b,2", "common @a @a"),
    "only bookmarks there is nothing": ("@a,1", "#a,1", "nothing"),
    "no versions there": ("@a,1", "", "nothing"),
    "no versions here": ("", "@a,1 @b,2", "none of @a @b"),
    "none in common": ("@a,1 @b,2", "@a,8 @b,9", "none of @a @b"),
    "the receiver has newer ones": ("@a,1 @b,2", "@a,1 @x,8 @y,9", "diverged after @a: @x @y"),
    "H74 gaps and strangers in between do not matter": (
        "@a,1 @foreign,7 @b,2 @c,3",
        "@x,8 @a,1 @y,9 @b,2",
        "common @b @b",
    ),
    "L4 the sender was rolled back": ("@a,1 @new,5", "@a,1 @b,2", "diverged after @a: @b"),
}


@pytest.mark.parametrize(("sender", "receiver", "expected"), COMPARED.values(), ids=COMPARED.keys())
def test_histories_have_in_common(sender: str, receiver: str, expected: str) -> None:
    """H65 H66 H74"""
    match compare(history(sender), history(receiver)):
        case Common(here, there):
            found = f"common {here.label} {there.label}"
        case NoCommonVersion(theirs):
            found = f"none of {' '.join(v.label for v in theirs)}"
        case Diverged(common, newer):
            labels = " ".join(v.label for v in newer)
            found = f"diverged after {common.receiver.label}: {labels}"
        case Nothing():
            found = "nothing"
    assert found == expected


ABCDE = "@a,1 @b,2 @c,3 @d,4 @e,5"

RUNS = {
    "nothing wanted": (ABCDE, "@a,1", "", []),
    "one": (ABCDE, "@a,1", "b", ["@a → b"]),
    "neighbours go together": (ABCDE, "@a,1", "b c d", ["@a → b c d"]),
    "the first is sent in full, the rest after it": (ABCDE, "", "a b c", ["full → a", "@a → b c"]),
    "H57 a gap ends a run": (ABCDE, "@a,1", "b d e", ["@a → b", "@b → d", "@d → e"]),
    "a gap after the base": (ABCDE, "@a,1", "c d e", ["@a → c", "@c → d e"]),
    "H74 a foreign snapshot in between is a gap": (
        "@a,1 @manual,2 @c,3 @d,4",
        "@a,1",
        "c d",
        ["@a → c", "@c → d"],
    ),
    "a bookmark begins a run of one": (
        "#a,1 @b,2 @c,3 @d,4",
        "#a,1",
        "b c d",
        ["#a → b", "@b → c d"],
    ),
    "a bookmark of an existing snapshot too": (
        "@a,1 #a,1 @b,2 @c,3",
        "#a,1",
        "b c",
        ["#a → b", "@b → c"],
    ),
    "a promised snapshot goes alone: others may come before it": (
        "@a,1 @b,2 @c,3 @d,-4",
        "@a,1",
        "b c d",
        ["@a → b c", "@c → d"],
    ),
    "H75 order is that of createtxg": (
        "@a,1,at=22:00 @b,2,at=21:00 @c,3,at=20:00",
        "@a,1",
        "b c",
        ["@a → b c"],
    ),
}


@pytest.mark.parametrize(("sender", "base", "wanted", "expected"), RUNS.values(), ids=RUNS.keys())
def test_the_way_is_cut_into_streams(
    sender: str, base: str, wanted: str, expected: list[str]
) -> None:
    """H57 H74 H75"""
    versions = history(sender)
    snapshots = [version for version in versions if version.is_snapshot]
    label, _, guid = base.partition(",")
    start = next((v for v in versions if (v.label, str(v.guid)) == (label, guid)), None)
    chosen = [version for version in snapshots if version.name in wanted.split()]

    found = [
        f"{run.base.label if run.base else 'full'} → {' '.join(v.name for v in run.versions)}"
        for run in runs(snapshots, start, chosen)
    ]

    assert found == expected
