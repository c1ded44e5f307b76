"""The command lines that only read. Their output is for `zfs.parse`.

All with `-H` (tabs, no header) and `-p` (exact numbers, seconds since the epoch). `zfs list`
takes the types of its arguments from `-t` (zfs-list(8)); several names that do not exist make it
end with 1 after the others were printed. It prints sorted: by filesystem; within one, snapshots
by createtxg, then bookmarks by name.
"""

from collections.abc import Sequence

from reconciler.zfs.capabilities import FEATURES
from reconciler.zfs.named_properties import check_property
from reconciler.zfs.names import check_all, check_filesystem, check_snapshot, check_version
from reconciler.zfs.properties import GONE_SINCE, PLACEHOLDER, RECONCILE, SPEC
from reconciler.zfs.types import Argv

VERSION_COLUMNS = (
    "name",
    "guid",
    "createtxg",
    "creation",
    "userrefs",
    "written",
    "referenced",
    SPEC,
    "name",
)
"""User properties are printed unescaped: a value with tabs or line ends could make up a row of its
own. They come last, and the name comes again after them, which no such row gets right."""

FILESYSTEM_COLUMNS = (
    "name",
    "type",
    "guid",
    "createtxg",
    "used",
    "written",
    "referenced",
    "encryption",
    "keystatus",
    "encryptionroot",
    "origin",
    "readonly",
    "mounted",
    "receive_resume_token",
    "inconsistent",
    SPEC,
    RECONCILE,
    PLACEHOLDER,
    GONE_SINCE,
)
"""What is asked of every filesystem; what specs ask for comes behind it, then the name again as in
`VERSION_COLUMNS`. `inconsistent` is a first receive that is under way or was cut."""

POOL_COLUMNS = ("name", "guid", "free", "health", "readonly")

USERREFS = VERSION_COLUMNS.index("userrefs")
"""The column that says how many holds a snapshot has."""

HOLDS: Argv = ("zfs", "holds", "-H")
"""`zfs holds` before the snapshots it is about (zfs-hold(8)); `-p` exists since 2.2 only."""


def version() -> Argv:
    """Print the releases of the commands and of the kernel module (zfs-version(8))."""
    return ("zfs", "version")


def list_pools() -> Argv:
    """List the imported pools (zpool-list(8))."""
    return ("zpool", "list", "-H", "-p", "-o", ",".join(POOL_COLUMNS))


def follow_events() -> Argv:
    """Print what happens on the host, for ever (zpool-events(8)); it needs root.

    First comes what the kernel still keeps of what happened before. Each event is flushed at once.
    Their text is for `zfs.events`.
    """
    return ("zpool", "events", "-f", "-v", "-H")


def list_changes(roots: Sequence[str]) -> Argv:
    """List when snapshots of filesystems and volumes last came or went (zfsprops(7), since 2.2).

    Seconds since the epoch, by the host's clock. Bookmarks, holds and properties don't count.
    """
    check_all(roots, check_filesystem)
    columns = "name,snapshots_changed"
    return ("zfs", "list", "-H", "-p", "-r", "-t", "filesystem,volume", "-o", columns, *roots)


def get_features() -> Argv:
    """List the features of all imported pools that matter to us (zpool-get(8)).

    Without a pool's name, so that one that is not imported is no error. A feature that the
    release does not know is left out.
    """
    properties = ",".join(f"feature@{feature}" for feature in FEATURES)
    return ("zpool", "get", "-H", "-p", "-o", "name,property,value", properties)


def filesystem_columns(properties: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the columns of `list_filesystems`, with some properties."""
    return (*FILESYSTEM_COLUMNS, *properties, "name")


def list_filesystems(roots: Sequence[str], properties: Sequence[str] = ()) -> Argv:
    """List filesystems and volumes, the roots and all below them (zfs-list(8)).

    Values of `properties` are told as they are in effect: own, received, inherited or default.
    """
    check_all(roots, check_filesystem)
    for name in properties:
        check_property(name)
    columns = ",".join(filesystem_columns(properties))
    return ("zfs", "list", "-H", "-p", "-r", "-t", "filesystem,volume", "-o", columns, *roots)


def list_versions_within(roots: Sequence[str]) -> Argv:
    """List all snapshots and bookmarks of the roots and of everything below them (zfs-list(8))."""
    check_all(roots, check_filesystem)
    columns = ",".join(VERSION_COLUMNS)
    return ("zfs", "list", "-H", "-p", "-r", "-t", "snapshot,bookmark", "-o", columns, *roots)


def list_versions(names: Sequence[str]) -> Argv:
    """List exactly these snapshots and bookmarks with all that a `Version` says."""
    check_all(names, check_version)
    columns = ",".join(VERSION_COLUMNS)
    return ("zfs", "list", "-H", "-p", "-t", "snapshot,bookmark", "-o", columns, *names)


def list_guids(names: Sequence[str]) -> Argv:
    """List name and guid of exactly these snapshots and bookmarks: the check before acting.

    Name and guid alone are what `zfs list` can tell without asking for the statistics of each
    snapshot (OpenZFS 2.2 and later).
    """
    check_all(names, check_version)
    return ("zfs", "list", "-H", "-p", "-t", "snapshot,bookmark", "-o", "name,guid", *names)


def list_snapshot_guids(filesystem: str) -> Argv:
    """List name and guid of all snapshots of one filesystem, by createtxg (zfs-list(8))."""
    check_filesystem(filesystem)
    return ("zfs", "list", "-H", "-p", "-d", "1", "-t", "snapshot", "-o", "name,guid", filesystem)


def get_guid(filesystem: str) -> Argv:
    """Print the guid of a filesystem or volume: it stays when that is renamed (zfsprops(7))."""
    check_filesystem(filesystem)
    return ("zfs", "get", "-H", "-p", "-o", "value", "guid", filesystem)


def get_property(filesystem: str, name: str) -> Argv:
    """Print the value of a user property, own or inherited, `-` without one (zfs-get(8))."""
    check_filesystem(filesystem)
    return ("zfs", "get", "-H", "-p", "-o", "value", name, filesystem)


def list_all_within(filesystem: str) -> Argv:
    """List name and guid of a filesystem, of all below it and of all versions (zfs-list(8))."""
    check_filesystem(filesystem)
    kinds = "filesystem,volume,snapshot,bookmark"
    return ("zfs", "list", "-H", "-p", "-r", "-t", kinds, "-o", "name,guid", filesystem)


def list_holds(snapshots: Sequence[str]) -> Argv:
    """List the hold tags of exactly these snapshots (zfs-hold(8))."""
    check_all(snapshots, check_snapshot)
    return (*HOLDS, *snapshots)


def list_filesystem(name: str) -> Argv:
    """Print the name of a filesystem or volume if it exists."""
    check_filesystem(name)
    return ("zfs", "list", "-H", "-o", "name", "-t", "filesystem,volume", name)


def get_receiving(filesystem: str) -> Argv:
    """Print what changes while a filesystem is being received.

    The token (zfsprops(7)) has how far the stream has come, and moves with each transaction group
    that took in data; what is used changes also where only things are freed or made anew.
    """
    check_filesystem(filesystem)
    return ("zfs", "get", "-H", "-p", "-o", "value", "receive_resume_token,used", filesystem)


def get_resume_token(filesystem: str) -> Argv:
    """Print the token of an interrupted receive, `-` without one (zfs-get(8))."""
    check_filesystem(filesystem)
    return ("zfs", "get", "-H", "-p", "-o", "value", "receive_resume_token", filesystem)
