"""Which values a property can be given (libzfs_dataset.c, `zfs_valid_proplist`).

For `zfs set`, and for `-o` where something is made. What depends on the space that is left is
checked by who sets it: `refused_by_space`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconciler.simulator import change
from reconciler.simulator.columns import is_user_property
from reconciler.simulator.items import Kind
from reconciler.simulator.model import Dataset, Machine, Pool
from reconciler.simulator.native import Access, Form, Property, table
from reconciler.simulator.numbers import BadNumber, nicebytes, parse_number
from reconciler.simulator.process import Refused
from reconciler.simulator.values import WRITTEN
from reconciler.zfs.names import pool_of

MAX_NAME = 255
"""Bytes of a user property's name."""

MAX_VALUE = 8191
"""Bytes of its value."""

ENCRYPTION = frozenset({"encryption", "keyformat", "keylocation", "pbkdf2iters"})
"""The properties that say how a filesystem is encrypted; they are kept apart from the others."""

_SMALLEST_RECORD = 512
_ALIASES = {
    ("acltype", "disabled"): "off",
    ("acltype", "noacl"): "off",
    ("acltype", "posixacl"): "posix",
    ("aclinherit", "secure"): "restricted",
    ("compression", "gzip-6"): "gzip",
    ("volmode", "geom"): "full",
}
_PATHS = frozenset({"none", "legacy"})
_KEY_PLACES = ("none", "prompt", "file:///", "https://", "http://")


class Invalid(ValueError):
    """Raised for a property that can't be set so; the message is what ZFS gives as the reason."""


class Target(NamedTuple):
    """What a property is to be set on."""

    known: Mapping[str, Property]
    """The release's properties."""
    kind: Kind
    largest: int
    """Bytes that a record may have in the pool."""
    made: bool = False
    """Whether it is only being made: then what can be set once may be set."""


def accepted(name: str, given: str, target: Target) -> tuple[str, str]:
    """Return a property's own name and the value as it is kept; raise Invalid."""
    found = target.known.get(name)
    if found is None and is_user_property(name):
        if len(name) > MAX_NAME:
            raise Invalid(f"property name '{name}' is too long")
        return name, given
    if target.kind is Kind.SNAPSHOT:
        raise Invalid("this property can not be modified for snapshots")
    if name.startswith(WRITTEN):
        raise Invalid(f"'{name}' is readonly")
    if found is None:
        raise Invalid(f"invalid property '{name}'")
    if target.kind not in found.kinds:
        raise Invalid(f"'{name}' does not apply to datasets of this type")
    once = found.access is Access.ONCE and not target.made
    if found.access is Access.READONLY or once:
        raise Invalid(f"'{name}' is readonly")
    return found.name, _value(found, name, given, target)


def _value(found: Property, name: str, given: str, target: Target) -> str:
    if found.form is Form.CHOICE:
        if given not in found.values:
            raise Invalid(f"'{found.name}' must be one of '{_choices(found)}'")
        return _ALIASES.get((found.name, given), given)
    if found.form is Form.TEXT:
        _check_text(found, given)
        return given
    return _number(found, name, given, target)


def _choices(found: Property) -> str:
    return _SHOWN_CHOICES.get(found.name, " | ".join(found.values))


_SHOWN_CHOICES = {
    **dict.fromkeys(
        ("readonly", "atime", "devices", "exec", "setuid", "relatime", "overlay"), "on | off"
    ),
    **dict.fromkeys(("vscan", "nbmand", "zoned", "longname", "utf8only"), "on | off"),
    "canmount": "on | off | noauto",
    "compression": "on | off | lzjb | gzip | gzip-[1-9] | zle | lz4 | zstd | zstd-[1-19]"
    " | zstd-fast | zstd-fast-[1-10,20,30,40,50,60,70,80,90,100,500,1000]",
    "primarycache": "all | none | metadata",
    "secondarycache": "all | none | metadata",
    "xattr": "on | off | dir | sa",
    "acltype": "off | nfsv4 | posix",
    "aclinherit": "discard | noallow | restricted | passthrough | passthrough-x",
    "checksum": "on | off | fletcher2 | fletcher4 | sha256 | sha512 | skein | edonr",
    "dedup": "on | off | verify | sha256[,verify] | sha512[,verify] | skein[,verify]"
    " | edonr,verify",
}
"""Lists of words that ZFS shows otherwise than it keeps them."""


def _check_text(found: Property, given: str) -> None:
    if found.name == "mountpoint" and given not in _PATHS and not given.startswith("/"):
        raise Invalid("'mountpoint' must be an absolute path, 'none', or 'legacy'")
    if found.name == "mlslabel":
        raise Invalid("mlslabels are unsupported")
    if found.name == "keylocation" and not given.startswith(_KEY_PLACES):
        raise Invalid("invalid keylocation")


def _number(found: Property, name: str, given: str, target: Target) -> str:
    if given == "auto":
        if found.name != "refreservation":
            raise Invalid(f"'auto' is invalid value for '{name}'")
        if target.kind is not Kind.VOLUME:
            raise Invalid(f"'{name}=auto' only allowed on volumes")
        return given
    try:
        number = parse_number(given) if given != "none" else None
    except BadNumber as wrong:
        raise Invalid(str(wrong)) from None
    if number == 0 and found.name in {"quota", "refquota"}:
        raise Invalid("use 'none' to disable quota/refquota")
    if number is None and found.form in {Form.QUOTA, Form.LIMIT}:
        return "none"
    _check_number(found, number or 0, target.largest)
    return str(number or 0)


def _check_number(found: Property, number: int, largest: int) -> None:
    power_of_two = _SMALLEST_RECORD <= number <= largest and number & (number - 1) == 0
    if found.name in {"recordsize", "volblocksize"} and not power_of_two:
        most = nicebytes(largest)
        raise Invalid(f"'{found.name}' must be power of 2 from 512B to {most}")
    if found.name == "special_small_blocks" and number and not power_of_two:
        raise Invalid(
            f"invalid '{found.name}={number}' property: must be zero or a power of 2 from 512B"
            f" to {nicebytes(largest)}"
        )
    if found.name == "volsize" and number == 0:
        raise Invalid("'volsize' cannot be zero")


def largest_record(pool: Pool, release: str) -> int:
    """Return how large the records of a pool may be (zfsprops(7), `recordsize`)."""
    if pool.features.get("large_blocks", "enabled") == "disabled":
        return 128 * 1024
    return 1 << 20 if release.startswith("2.1.") else 16 << 20


def refused_by_space(
    dataset: Dataset, name: str, kept: str, *, used: int, available: int
) -> str | None:
    """Return why a quota or reservation can't be what `accepted` returned, None if it can."""
    number = int(kept) if kept.isdecimal() else 0
    least = {"quota": used, "refquota": change.referenced(dataset.files)}.get(name, 0)
    if number and number < least:
        return "size is less than current used or reserved space"
    if name in {"reservation", "refreservation"} and number > available:
        return "size is greater than available space"
    return None


# -- for what is only being made -------------------------------------------------------------------


def parsed(given: Sequence[str]) -> dict[str, str]:
    """Return assignments `name=value` by name; raise Refused for what is none (`parseprop`)."""
    found: dict[str, str] = {}
    for assignment in given:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise Refused("missing '=' for property=value argument")
        if name in found:
            raise Refused(f"property '{name}' specified multiple times")
        found[name] = value
    return found


def checked(
    machine: Machine, name: str, given: Mapping[str, str], kind: Kind, action: str
) -> dict[str, str]:
    """Return assignments for something new as they are kept; raise Refused."""
    largest = largest_record(machine.pools[pool_of(name)], machine.release)
    target = Target(table(machine.release), kind, largest, made=True)
    try:
        return dict(accepted(key, value, target) for key, value in given.items())
    except Invalid as wrong:
        raise Refused(f"{action}: {wrong}") from None
