"""The properties that specs may name (zfsprops(7)): to select by, to override, to leave out.

What ZFS takes after `receive -o` and `-x` are user properties and the native ones that can be
changed later. It refuses the others for every stream, whatever their value.
"""

import re
from collections.abc import Mapping

from reconciler.zfs.names import InvalidName
from reconciler.zfs.types import FilesystemKind

MAX_USER_PROPERTY = 255
"""Bytes of a user property's name."""

MAX_PROPERTY_VALUE = 8191
"""Bytes of a property's value."""

OWN = "reconciler:"
"""What the properties of this project begin with."""

_USER = re.compile(r"[a-z0-9:._][a-z0-9:._-]*")

_FILESYSTEM = frozenset({FilesystemKind.FILESYSTEM})
_VOLUME = frozenset({FilesystemKind.VOLUME})
_BOTH = _FILESYSTEM | _VOLUME

SETTABLE: Mapping[str, frozenset[FilesystemKind]] = {
    **dict.fromkeys(
        (
            *("aclinherit", "aclmode", "acltype", "atime", "canmount", "devices", "dnodesize"),
            *("exec", "filesystem_limit", "mountpoint", "nbmand", "overlay", "quota"),
            *("recordsize", "refquota", "relatime", "setuid", "sharenfs", "sharesmb", "snapdir"),
            *("special_small_blocks", "vscan", "xattr", "zoned"),
        ),
        _FILESYSTEM,
    ),
    **dict.fromkeys(
        (
            *("checksum", "compression", "context", "copies", "dedup", "defcontext", "fscontext"),
            *("logbias", "primarycache", "readonly", "redundant_metadata", "refreservation"),
            *("reservation", "rootcontext", "secondarycache", "snapdev", "snapshot_limit", "sync"),
            "volmode",
        ),
        _BOTH,
    ),
}
"""Native properties of OpenZFS 2.1 and later that can be changed → what they apply to."""

_ON_OFF = ("off", "on")
_CACHES = ("none", "metadata", "all")
CHOICES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("atime", "devices", "exec", "nbmand", "overlay", "readonly", "relatime", "setuid"), _ON_OFF
    ),
    **dict.fromkeys(("vscan", "zoned"), _ON_OFF),
    **dict.fromkeys(("primarycache", "secondarycache"), _CACHES),
    **dict.fromkeys(("snapdev", "snapdir"), ("hidden", "visible")),
    "canmount": ("off", "on", "noauto"),
    "copies": ("1", "2", "3"),
    "logbias": ("latency", "throughput"),
    "sync": ("standard", "always", "disabled"),
    "volmode": ("default", "full", "geom", "dev", "none"),
    "xattr": ("off", "on", "sa", "dir"),
}
"""What some of them can be in all releases; others have numbers, or words that releases add to."""

ENCRYPTION = frozenset({"encryption", "keyformat", "keylocation", "pbkdf2iters"})
"""How a filesystem is encrypted: decided by the stream and by what it is received below."""

FIXED = frozenset(
    {"casesensitivity", "normalization", "utf8only", "version", "volblocksize", "volsize"}
)
"""Set when a filesystem is made, or by the stream: ZFS takes them for no stream."""

TOLD = frozenset({"encryption", "type"})
"""Read-only ones that filesystems may be selected by."""

ALIASES = {
    "compress": "compression",
    "dnsize": "dnodesize",
    "fslimit": "filesystem_limit",
    "rdonly": "readonly",
    "recsize": "recordsize",
    "redund_md": "redundant_metadata",
    "refreserv": "refreservation",
    "reserv": "reservation",
    "sslimit": "snapshot_limit",
}
"""Short names that `zfs set` knows and `zfs receive` does not before OpenZFS 2.2."""


def is_user_property(name: str) -> bool:
    """Tell whether a name can be that of a user property."""
    return ":" in name and len(name) <= MAX_USER_PROPERTY and _USER.fullmatch(name) is not None


def check_property(name: str) -> None:
    """Raise InvalidName unless every release can list the property."""
    if not (name in SETTABLE or name in TOLD or is_user_property(name)):
        raise InvalidName(name, "This is no property that filesystems are selected by.")


def applies(name: str, kind: FilesystemKind) -> bool:
    """Tell whether a property exists for filesystems, or for volumes."""
    return kind in SETTABLE.get(name, _BOTH)
