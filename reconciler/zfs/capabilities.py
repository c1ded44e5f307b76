"""What a release of OpenZFS and a pool's features allow: versions and stream flags."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

FEATURES = (
    "bookmarks",
    "bookmark_v2",
    "bookmark_written",
    "embedded_data",
    "encryption",
    "extensible_dataset",
    "hole_birth",
    "large_blocks",
    "large_dnode",
    "lz4_compress",
    "zstd_compress",
)
"""The pool features (zpool-features(7)) that matter to snapshots, bookmarks and streams."""

_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class ZfsVersion(NamedTuple):
    """A release of OpenZFS. Packages cherry-pick: never decide on it what can be asked instead."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class ZfsVersions(NamedTuple):
    """The releases of a host's commands and of its kernel module.

    They differ after an upgrade without a reboot.
    """

    userland: ZfsVersion
    kernel: ZfsVersion | None


class VersionError(ValueError):
    """Raised when the output of `zfs version` is not understood."""


def parse_zfs_version(text: str) -> ZfsVersions:
    """Read the two lines of `zfs version` (zfs-version(8), since 0.8).

    Example: `zfs-2.1.11-1+deb12u1` and `zfs-kmod-2.1.11-1+deb12u1`.
    """
    userland = kernel = None
    for line in text.split("\n"):
        if line.startswith("zfs-kmod-"):
            kernel = _release(line.removeprefix("zfs-kmod-"))
        elif line.startswith("zfs-"):
            userland = _release(line.removeprefix("zfs-"))
    if userland is None:
        raise VersionError(f"not the output of zfs version: {text[:80]!r}")
    return ZfsVersions(userland, kernel)


def _release(text: str) -> ZfsVersion | None:
    found = _RELEASE.match(text)
    if found is None:
        return None
    major, minor, patch = map(int, found.groups())
    return ZfsVersion(major, minor, patch)


@dataclass(frozen=True, slots=True)
class StreamFlags:
    """The options of `zfs send` that change what is in a stream (zfs-send(8))."""

    large_blocks: bool = False
    """`-L`: blocks above 128 KiB stay as they are."""
    compressed: bool = False
    """`-c`: compressed blocks are sent as they are on disk."""
    embedded: bool = False
    """`-e`: blocks so small that they are stored in their pointer stay there."""
    raw: bool = False
    """`-w`: encrypted blocks are sent as they are on disk; the receiver needs no key."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options for a command line, always in the same order."""
        given = {
            "-L": self.large_blocks,
            "-c": self.compressed,
            "-e": self.embedded,
            "-w": self.raw,
        }
        return tuple(option for option, is_given in given.items() if is_given)


def stream_flags(
    sender_features: Mapping[str, str],
    receiver_features: Mapping[str, str],
    *,
    encrypted: bool,
    receiver_encrypted: bool,
) -> StreamFlags:
    """Return the richest stream that both pools can handle.

    The features are those of the two pools (name → disabled | enabled | active); `encrypted`
    means the sender's filesystem, `receiver_encrypted` the receiver's filesystem or, before the
    first receive, its nearest existing ancestor.

    * An encrypted filesystem is sent raw, and then nothing else needs saying: the data leaves the
      host encrypted, no key has to be loaded, and non-raw sends of encrypted data have had the
      worst bugs (openzfs#12014). It needs the feature `encryption` on the receiver.
    * `-L` where both pools have `large_blocks`. Once large blocks were received, later streams
      must be sent with it (openzfs#6224); features are never disabled again, so it stays on.
    * `-c` where the receiver can hold the compressions that the sender may have used: lz4, and
      zstd once that is active.
    * `-e` where both have `embedded_data`, but never into an encrypted filesystem: ZFS refuses
      "incompatible embedded data stream feature with encrypted receive".
    """
    if encrypted:
        return StreamFlags(raw=True)
    zstd_in_use = sender_features.get("zstd_compress") == "active"
    return StreamFlags(
        large_blocks=_both("large_blocks", sender_features, receiver_features),
        compressed=_has("lz4_compress", receiver_features)
        and (not zstd_in_use or _has("zstd_compress", receiver_features)),
        embedded=not receiver_encrypted
        and _both("embedded_data", sender_features, receiver_features),
    )


def _has(feature: str, features: Mapping[str, str]) -> bool:
    return features.get(feature) in {"enabled", "active"}


def _both(feature: str, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return _has(feature, one) and _has(feature, other)
