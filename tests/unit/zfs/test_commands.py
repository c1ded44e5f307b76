import re
from collections.abc import Callable

import pytest

from reconciler.zfs import commands, queries
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.types import Argv, FilesystemKind

PLAIN = StreamFlags()
RICH = StreamFlags(large_blocks=True, compressed=True, embedded=True)
VERSION_COLUMNS = "name,guid,createtxg,creation,userrefs,written,referenced,reconciler:spec,name"
FILESYSTEM_COLUMNS = (
    "name,type,guid,createtxg,used,written,referenced,encryption,keystatus,encryptionroot,origin,"
    "readonly,mounted,receive_resume_token,inconsistent,"
    "reconciler:spec,reconciler:reconcile,reconciler:placeholder,reconciler:gone-since,name"
)

LINES: dict[str, tuple[Callable[[], Argv], str]] = {
    "snapshot": (
        lambda: commands.snapshot(["tank/a@x", "tank/b@x"], "daily"),
        "zfs snapshot -o reconciler:spec=daily tank/a@x tank/b@x",
    ),
    "placeholder": (
        lambda: commands.create_placeholder("backup/a"),
        "zfs create -o canmount=off -o mountpoint=none -o reconciler:placeholder=backup/a backup/a",
    ),
    "bookmark": (
        lambda: commands.bookmark("tank/a@x", "tank/a#c"),
        "zfs bookmark tank/a@x tank/a#c",
    ),
    "hold": (lambda: commands.hold("t", ["tank/a@x", "tank/a@y"]), "zfs hold t tank/a@x tank/a@y"),
    "release": (lambda: commands.release("t", ["tank/a@x"]), "zfs release t tank/a@x"),
    "destroy": (lambda: commands.destroy_snapshots("tank/a", ["x", "y"]), "zfs destroy tank/a@x,y"),
    "destroy-bookmark": (lambda: commands.destroy_bookmark("tank/a#c"), "zfs destroy tank/a#c"),
    "abort": (lambda: commands.abort_receive("tank/a"), "zfs receive -A tank/a"),
    "send-full": (
        lambda: commands.send("tank/a@x", base=None, intermediates=False, flags=RICH),
        "zfs send -v -P -L -c -e tank/a@x",
    ),
    "send-from-snapshot": (
        lambda: commands.send("tank/a@x", base="tank/a@w", intermediates=False, flags=PLAIN),
        "zfs send -v -P -i tank/a@w tank/a@x",
    ),
    "send-from-bookmark": (
        lambda: commands.send(
            "tank/a@x", base="tank/a#w", intermediates=False, flags=StreamFlags(raw=True)
        ),
        "zfs send -v -P -w -i tank/a#w tank/a@x",
    ),
    "send-intermediates": (
        lambda: commands.send("tank/a@x", base="tank/a@w", intermediates=True, flags=PLAIN),
        "zfs send -v -P -I tank/a@w tank/a@x",
    ),
    "send-resume": (lambda: commands.send_resume("1-ab-cd-ef"), "zfs send -v -P -t 1-ab-cd-ef"),
    "receive-first": (
        lambda: commands.receive("backup/a", kind=FilesystemKind.FILESYSTEM, initial=True),
        "zfs receive -s -u -x mountpoint -o canmount=noauto -o readonly=on backup/a",
    ),
    "receive-first-volume": (
        lambda: commands.receive("backup/v", kind=FilesystemKind.VOLUME, initial=True),
        "zfs receive -s -u -o readonly=on -o volmode=none backup/v",
    ),
    "receive": (
        lambda: commands.receive("backup/a", kind=FilesystemKind.FILESYSTEM, initial=False),
        "zfs receive -s -u backup/a",
    ),
    "version": (queries.version, "zfs version"),
    "pools": (queries.list_pools, "zpool list -H -p -o name,guid,free,health,readonly"),
    "filesystems": (
        lambda: queries.list_filesystems(["tank", "dst"]),
        f"zfs list -H -p -r -t filesystem,volume -o {FILESYSTEM_COLUMNS} tank dst",
    ),
    "versions-within": (
        lambda: queries.list_versions_within(["tank/a"]),
        f"zfs list -H -p -r -t snapshot,bookmark -o {VERSION_COLUMNS} tank/a",
    ),
    "versions": (
        lambda: queries.list_versions(["tank/a@x", "tank/a#c"]),
        f"zfs list -H -p -t snapshot,bookmark -o {VERSION_COLUMNS} tank/a@x tank/a#c",
    ),
    "guids": (
        lambda: queries.list_guids(["tank/a@x", "tank/a#c"]),
        "zfs list -H -p -t snapshot,bookmark -o name,guid tank/a@x tank/a#c",
    ),
    "holds": (lambda: queries.list_holds(["tank/a@x"]), "zfs holds -H tank/a@x"),
    "filesystem": (
        lambda: queries.list_filesystem("tank/a"),
        "zfs list -H -o name -t filesystem,volume tank/a",
    ),
    "token": (
        lambda: queries.get_resume_token("tank/a"),
        "zfs get -H -p -o value receive_resume_token tank/a",
    ),
}


@pytest.mark.parametrize(("build", "line"), LINES.values(), ids=LINES)
def test_command_lines_are_as_written_here(build: Callable[[], Argv], line: str) -> None:
    assert " ".join(build()) == line


@pytest.mark.parametrize(("build", "line"), LINES.values(), ids=LINES)
def test_no_command_line_is_recursive_or_forced_where_it_changes_something(
    build: Callable[[], Argv], line: str
) -> None:
    argv = build()
    assert argv[0] in {"zfs", "zpool"}
    assert "-F" not in argv
    assert "-R" not in argv
    assert argv[1] == "list" or "-r" not in argv
    assert "%" not in line
    assert argv[1] != "rollback"


def test_the_features_are_asked_of_all_pools_at_once() -> None:
    *options, features = queries.get_features()
    assert options == ["zpool", "get", "-H", "-p", "-o", "name,property,value"]
    assert re.fullmatch(r"feature@\w+(,feature@\w+)*", features)


REFUSED: dict[str, Callable[[], Argv]] = {
    "snapshot nothing": lambda: commands.snapshot([], "daily"),
    "snapshot one filesystem twice": lambda: commands.snapshot(["tank/a@x", "tank/a@y"], "daily"),
    "snapshot two pools": lambda: commands.snapshot(["tank/a@x", "dst/a@x"], "daily"),
    "snapshot with a tab in the spec": lambda: commands.snapshot(["tank/a@x"], "a\tb"),
    "snapshot a filesystem": lambda: commands.snapshot(["tank/a"], "daily"),
    "hold with an option": lambda: commands.hold("-r", ["tank/a@x"]),
    "hold nothing": lambda: commands.hold("t", []),
    "release a bookmark": lambda: commands.release("t", ["tank/a#x"]),
    "destroy a range": lambda: commands.destroy_snapshots("tank/a", ["x%y"]),
    "destroy an open range": lambda: commands.destroy_snapshots("tank/a", ["%"]),
    "destroy a list in a name": lambda: commands.destroy_snapshots("tank/a", ["x,y"]),
    "destroy nothing": lambda: commands.destroy_snapshots("tank/a", []),
    "destroy an empty name": lambda: commands.destroy_snapshots("tank/a", [""]),
    "destroy with an option": lambda: commands.destroy_snapshots("-r", ["x"]),
    "destroy more than an argument holds": lambda: commands.destroy_snapshots(
        "tank/a", [f"{number:0100}" for number in range(1500)]
    ),
    "destroy a filesystem as a bookmark": lambda: commands.destroy_bookmark("tank/a"),
    "destroy a snapshot as a bookmark": lambda: commands.destroy_bookmark("tank/a@x"),
    "send intermediates from a bookmark": lambda: commands.send(
        "tank/a@x", base="tank/a#w", intermediates=True, flags=PLAIN
    ),
    "send intermediates from nothing": lambda: commands.send(
        "tank/a@x", base=None, intermediates=True, flags=PLAIN
    ),
    "send a filesystem": lambda: commands.send(
        "tank/a", base=None, intermediates=False, flags=PLAIN
    ),
    "send a bookmark": lambda: commands.send(
        "tank/a#x", base=None, intermediates=False, flags=PLAIN
    ),
    "send from a filesystem": lambda: commands.send(
        "tank/a@x", base="tank/a", intermediates=False, flags=PLAIN
    ),
    "resume nothing": lambda: commands.send_resume("-"),
    "resume with an option": lambda: commands.send_resume("-R"),
    "receive a snapshot": lambda: commands.receive(
        "tank/a@x", kind=FilesystemKind.FILESYSTEM, initial=False
    ),
    "create a snapshot": lambda: commands.create_placeholder("tank/a@x"),
    "list no versions": lambda: queries.list_versions([]),
    "list no guids": lambda: queries.list_guids([]),
    "list no holds": lambda: queries.list_holds([]),
    "list holds of a bookmark": lambda: queries.list_holds(["tank/a#c"]),
    "list no filesystems": lambda: queries.list_filesystems([]),
}


@pytest.mark.parametrize("build", REFUSED.values(), ids=REFUSED)
def test_a_command_that_can_not_be_meant_is_refused(build: Callable[[], Argv]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        build()
