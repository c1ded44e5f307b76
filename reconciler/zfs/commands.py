"""The command lines that change or send something, each as an argv that needs no shell.

What is never built here, whatever the arguments: `destroy -r`, `-R` or `-f`, a range `a%b`,
`receive -F`, `rollback -R` or `-f`, the destruction of a filesystem together with anything in or
below it. Names are checked, so that none can be taken for an option. What only reads is in
`zfs.queries`.

Facts about options are from the man pages named with each function.
"""

from collections.abc import Sequence

from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.handover import NOTHING, Properties, receive_options
from reconciler.zfs.named_properties import MAX_PROPERTY_VALUE
from reconciler.zfs.names import (
    check_all,
    check_bookmark,
    check_filesystem,
    check_hold_tag,
    check_snapshot,
    check_version,
    check_version_name,
    filesystem_of,
    pool_of,
)
from reconciler.zfs.properties import PLACEHOLDER, SPEC
from reconciler.zfs.queries import (
    get_guid,
    get_property,
    get_receiving,
    get_resume_token,
    list_all_within,
    list_filesystem,
    list_guids,
    list_holds,
    list_snapshot_guids,
    list_versions,
)
from reconciler.zfs.types import Argv, FilesystemKind

__all__ = [
    "abort_receive",
    "bookmark",
    "clear_mark",
    "create_placeholder",
    "destroy_bookmark",
    "destroy_filesystem",
    "destroy_snapshots",
    "get_guid",
    "get_property",
    "get_receiving",
    "get_resume_token",
    "hold",
    "list_all_within",
    "list_filesystem",
    "list_guids",
    "list_holds",
    "list_snapshot_guids",
    "list_versions",
    "receive",
    "release",
    "rename",
    "rollback",
    "send",
    "send_resume",
    "set_property",
    "snapshot",
    "unset",
]

MAX_ARGUMENT = 128 * 1024 - 1
"""Bytes of one argument on Linux (MAX_ARG_STRLEN in execve(2), with its NUL)."""


def snapshot(snapshots: Sequence[str], spec: str) -> Argv:
    """Take snapshots of different filesystems of one pool in one transaction group.

    zfs-snapshot(8): all of them or none. The user property says which spec they are made for; it
    is set in the same transaction, so there is no snapshot of ours without it.
    """
    check_all(snapshots, check_snapshot)
    filesystems = {filesystem_of(name) for name in snapshots}
    if len(filesystems) < len(snapshots):
        raise ValueError("two snapshots of one filesystem can't be taken at once")
    if len({pool_of(name) for name in snapshots}) > 1:
        raise ValueError("snapshots of two pools can't be taken at once")
    if not spec.isprintable() or len(spec.encode()) > MAX_PROPERTY_VALUE:
        raise ValueError(f"not the name of a spec: {spec[:80]!r}")
    return ("zfs", "snapshot", "-o", f"{SPEC}={spec}", *snapshots)


def create_placeholder(name: str) -> Argv:
    """Create a filesystem that is only a parent and never mounted.

    zfs-create(8): `canmount=off` keeps it from being mounted now and later, which a user with
    delegated permissions could not do (zfs-allow(8): Linux lets only root mount); `-u` would not
    last. `mountpoint=none` is what children inherit, so that nothing received below it turns up
    in the file tree by itself. The mark has the name as its value: see `zfs.properties`.
    """
    check_filesystem(name)
    properties = ("-o", "canmount=off", "-o", "mountpoint=none", "-o", f"{PLACEHOLDER}={name}")
    return ("zfs", "create", *properties, name)


def bookmark(source: str, bookmark: str) -> Argv:
    """Make a bookmark of a snapshot, or of a bookmark (zfs-bookmark(8)): it gets its guid."""
    check_version(source)
    check_bookmark(bookmark)
    return ("zfs", "bookmark", source, bookmark)


def hold(tag: str, snapshots: Sequence[str]) -> Argv:
    """Put a hold on snapshots (zfs-hold(8)): one transaction group for each of them."""
    check_hold_tag(tag)
    check_all(snapshots, check_snapshot)
    return ("zfs", "hold", tag, *snapshots)


def release(tag: str, snapshots: Sequence[str]) -> Argv:
    """Take a hold from snapshots (zfs-release(8))."""
    check_hold_tag(tag)
    check_all(snapshots, check_snapshot)
    return ("zfs", "release", tag, *snapshots)


def destroy_snapshots(filesystem: str, version_names: Sequence[str]) -> Argv:
    """Destroy exactly these snapshots of one filesystem.

    zfs-destroy(8): a list after the `@`, names separated by commas. Names that do not exist are
    skipped without a word as long as one does. No `-d`: a snapshot that is held or cloned must
    stay, not go later by itself.
    """
    check_filesystem(filesystem)
    check_all(version_names, check_version_name)
    argument = f"{filesystem}@{','.join(version_names)}"
    if len(argument) > MAX_ARGUMENT:
        raise ValueError(f"{len(version_names)} snapshots of {filesystem} are too many at once")
    return ("zfs", "destroy", argument)


def destroy_bookmark(full: str) -> Argv:
    """Destroy one bookmark (zfs-destroy(8) takes no list of them)."""
    check_bookmark(full)
    return ("zfs", "destroy", full)


def destroy_filesystem(filesystem: str) -> Argv:
    """Destroy a filesystem that has no snapshots and no children: else ZFS refuses, without `-r`.

    Never a pool's own filesystem. Bookmarks would go with it without a word (zfs-destroy(8)).
    """
    check_filesystem(filesystem)
    if "/" not in filesystem:
        raise ValueError(f"{filesystem} is a pool")
    return ("zfs", "destroy", filesystem)


def set_property(filesystem: str, name: str, value: str) -> Argv:
    """Set a user property (zfs-set(8))."""
    check_filesystem(filesystem)
    if ":" not in name or "=" in name or not value.isprintable():
        raise ValueError(f"not a user property and its value: {name}={value[:80]!r}")
    if len(value.encode()) > MAX_PROPERTY_VALUE:
        raise ValueError(f"the value of {name} is too long")
    return ("zfs", "set", f"{name}={value}", filesystem)


def unset(filesystem: str, name: str) -> Argv:
    """Take a user property away; one that a parent has is inherited again (zfs-inherit(8))."""
    check_filesystem(filesystem)
    if ":" not in name:
        raise ValueError(f"not a user property: {name}")
    return ("zfs", "inherit", name, filesystem)


def abort_receive(filesystem: str) -> Argv:
    """Drop the saved state of an interrupted receive (zfs-receive(8), `-A`)."""
    check_filesystem(filesystem)
    return ("zfs", "receive", "-A", filesystem)


def rename(filesystem: str, to: str) -> Argv:
    """Give a filesystem, with all below it, another name in its pool (zfs-rename(8)).

    Without `-f`: a filesystem that is in use stays where it is.
    """
    check_filesystem(filesystem)
    check_filesystem(to)
    if pool_of(filesystem) != pool_of(to):
        raise ValueError(f"{filesystem} can't be moved to another pool")
    return ("zfs", "rename", filesystem, to)


def rollback(to: str, *, newer: bool) -> Argv:
    """Make a filesystem what it was at a snapshot (zfs-rollback(8)).

    With `newer`, all newer snapshots and bookmarks of it are destroyed (`-r`); else it is refused
    when there are any. Never `-R` or `-f`: clones and what is in use stay.
    """
    check_snapshot(to)
    return ("zfs", "rollback", *(("-r",) if newer else ()), to)


def clear_mark(snapshot: str) -> Argv:
    """Take from a snapshot the mark of the spec it was made for (zfs-inherit(8)).

    A stream with properties brings those of the snapshot too, and `-x` does not keep them off.
    """
    check_snapshot(snapshot)
    return ("zfs", "inherit", SPEC, snapshot)


def send(
    to: str,
    *,
    base: str | None,
    intermediates: bool,
    flags: StreamFlags,
    properties: bool = False,
) -> Argv:
    """Send a snapshot, whole or as the difference from a base (zfs-send(8)).

    `base` is a snapshot or bookmark by its full name, of a clone also its origin. With
    `intermediates` all snapshots in between are sent too (`-I`), which ZFS refuses for a bookmark.
    `-v -P` prints the estimated size and, once a second, the bytes sent, to stderr and for
    machines: see `zfs.parse.parse_progress`. Never `-R`. With `properties` (`-p`) those of the
    filesystem go along. Only a full stream may bring them: OpenZFS before 2.3.9 does not keep off
    what an increment brings where the receiver inherits (`receive -x`, commit 5bc4610728).
    """
    check_snapshot(to)
    if base is None and intermediates:
        raise ValueError("a full send has no intermediate snapshots: it needs a base")
    if base is not None and properties:
        raise ValueError("properties go along with full streams only")
    if base is None:
        along = ("-p",) if properties else ()
        return ("zfs", "send", "-v", "-P", *flags.options, *along, to)
    check_version(base)
    if intermediates and "#" in base:
        raise ValueError("intermediate snapshots can't be sent from a bookmark")
    step = "-I" if intermediates else "-i"
    return ("zfs", "send", "-v", "-P", *flags.options, step, base, to)


def send_resume(token: str) -> Argv:
    """Send the rest of an interrupted stream (zfs-send(8), `-t`); its options are in the token."""
    if not token.replace("-", "").isalnum() or not token.isascii() or token.startswith("-"):
        raise ValueError(f"not a resume token: {token[:80]!r}")
    return ("zfs", "send", "-v", "-P", "-t", token)


def receive(  # noqa: PLR0913 - what zfs receive can be told
    filesystem: str,
    *,
    kind: FilesystemKind,
    initial: bool,
    properties: Properties = NOTHING,
    raw: bool = False,
    origin: str | None = None,
) -> Argv:
    """Receive a stream into a filesystem (zfs-receive(8)).

    `-s` keeps what arrived of an interrupted stream, `-u` mounts nothing. No `-F`: a receiver that
    was changed is a conflict for a person. The first receive sets what protects a replica and what
    specs ask for: see `zfs.handover`. Later receives pass no properties, so that what people set
    on the replica stays. What is sent as the difference from an `origin` is received as a clone of
    that snapshot (`-o origin=`).
    """
    check_filesystem(filesystem)
    options = receive_options(properties, kind, raw=raw) if initial else ()
    clone: tuple[str, ...] = ()
    if origin is not None:
        check_snapshot(origin)
        clone = ("-o", f"origin={origin}")
    return ("zfs", "receive", "-s", "-u", *options, *clone, filesystem)
