"""Whether a property has the value that somebody has written down (zfsprops(7)).

ZFS prints values in its own words: sizes as bytes, no limit as 0 or 2^64 - 1, and one of several
words for the same thing. What it prints here is what `zfs list -p` does.
"""

import re
from collections.abc import Mapping

_SIZES = frozenset(
    {
        *("quota", "refquota", "reservation", "refreservation", "recordsize"),
        *("special_small_blocks", "copies", "filesystem_limit", "snapshot_limit"),
    }
)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGTPEZ]?)(?:I?B)?", re.IGNORECASE)
_UNITS = "KMGTPEZ"
_UNLIMITED = frozenset({"none", "0", str(2**64 - 1)})

_SAME: Mapping[str, tuple[frozenset[str], ...]] = {
    "acltype": (frozenset({"posix", "posixacl"}), frozenset({"off", "noacl"})),
    "aclinherit": (frozenset({"restricted", "secure"}),),
    "compression": (frozenset({"gzip", "gzip-6"}),),
    "volmode": (frozenset({"full", "geom"}),),
    "xattr": (frozenset({"on", "dir", "sa"}),),
}
"""Words of one meaning; what `xattr=on` means depends on the release."""

_UNTOLD = frozenset({"mountpoint"})
"""Printed with the pool's altroot in front."""


def same_value(name: str, wanted: str, found: str) -> bool:
    """Tell whether `found` is what ZFS prints of a property that was set to `wanted`.

    True also where that can't be told.

    >>> same_value("quota", "10G", "10737418240"), same_value("atime", "off", "on")
    (True, False)
    """
    if wanted == found or name in _UNTOLD:
        return True
    if name in _SIZES:
        return {wanted, found} <= _UNLIMITED or _is_same_size(wanted, found)
    return any({wanted, found} <= words for words in _SAME.get(name, ()))


def _is_same_size(wanted: str, found: str) -> bool:
    parts = _SIZE.fullmatch(wanted)
    if parts is None:
        return wanted not in _UNLIMITED  # `auto` is as much as it takes
    number, unit = parts.groups()
    power = _UNITS.index(unit.upper()) + 1 if unit else 0
    return found.isdecimal() and round(float(number) * 1024.0**power) == int(found)
