"""Where a stream goes: what libzfs looks at before it asks the kernel (`zfs_receive_one`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.simulator import change
from reconciler.simulator.assignments import ENCRYPTION, checked
from reconciler.simulator.checks import is_at_least
from reconciler.simulator.items import Kind, open_item
from reconciler.simulator.model import NOTHING, Dataset, Machine
from reconciler.simulator.naming import complaint
from reconciler.simulator.native import Access, table
from reconciler.simulator.outgoing import with_guid
from reconciler.simulator.process import Refused
from reconciler.simulator.stream import Header
from reconciler.zfs.names import filesystem_of, parent_of
from reconciler.zfs.types import FilesystemKind

RECEIVE = "cannot receive"
OVER_ENCRYPTED = (
    "zfs receive -F cannot be used to destroy an encrypted filesystem"
    " or overwrite an unencrypted one with an encrypted one"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `zfs receive`."""

    target: str
    drop_pool: bool = False
    """`-d`."""
    keep_last: bool = False
    """`-e`."""
    force: bool = False
    resumable: bool = False
    verbose: bool = False
    dry_run: bool = False
    mount: bool = True
    holds: bool = True
    local: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """`-o`, without the origin."""
    masked: frozenset[str] = frozenset()
    """`-x`."""
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a stream goes, and how errors about it begin."""

    filesystem: str
    snapshot: str
    prefix: str
    new: bool
    """The filesystem is not there yet, or there is nothing but a first receive that was cut."""
    wants_new: bool
    """The stream makes a filesystem; it is no increment."""
    has_token: bool = False
    origin: str | None = None
    said: tuple[str, ...] = ()
    """What `-v` has to say so far."""

    @property
    def name(self) -> str:
        """The full name of the snapshot that is to be."""
        return f"{self.filesystem}@{self.snapshot}"


class Part(NamedTuple):
    """What a stream is part of."""

    sent: str
    """The filesystem that `zfs send` was asked for."""
    recursive: bool = False


def check_properties(machine: Machine, asked: Asked) -> None:
    """Raise Refused for `-o` and `-x` of what can't be received (`zfs_receive_checkprops`)."""
    known = table(machine.release)
    for name in (*asked.local, *asked.masked):
        found = known.get(name)
        fixed = found is not None and found.access in {Access.READONLY, Access.ONCE}
        fixed = fixed or name in {"version", "volsize"}
        if name not in ENCRYPTION and (fixed or (found is None and ":" not in name)):
            twice = f"{RECEIVE}: " if is_at_least(machine, 2, 2) else ""
            raise Refused(f"{RECEIVE}: {twice}invalid property '{name}'")


def check_target(machine: Machine, asked: Asked) -> None:
    """Raise Refused where what the options name is missing."""
    below = asked.drop_pool or asked.keep_last
    if below and change.find(machine, asked.target) is None:
        raise Refused(f"{RECEIVE}: specified fs ({asked.target}) does not exist")
    if asked.origin is not None and change.find_snapshot(machine, asked.origin) is None:
        raise Refused(f"{RECEIVE}: specified origin fs ({asked.origin}) does not exist")


def destination(machine: Machine, header: Header, part: Part, asked: Asked) -> Destination:
    """Return where a stream goes; raise Refused."""
    full = _by_guid(machine, header, _name(header, part, asked), part, asked)
    if complaint(full, "@") is not None or "@" not in full:
        raise Refused(f"{RECEIVE}: invalid name")
    filesystem, _, snapshot = full.partition("@")
    origin, said = _origin(machine, header, full, asked)
    makes_new = header.fromguid is None or header.clone or asked.origin is not None
    wants_new = makes_new and not header.resuming
    prefix = f"{RECEIVE} {_what(header, wants_new=wants_new)} stream"
    found = change.find(machine, filesystem)
    if found is None:
        _check_parent(machine, filesystem, prefix, wants_new=wants_new)
        return Destination(filesystem, snapshot, prefix, True, wants_new, False, origin, said)
    if wants_new:
        _check_overwritable(machine, found, header, prefix, asked)
    if not wants_new and found.encryption is None and header.raw:
        why = "cannot perform raw receive on top of existing unencrypted dataset"
        raise Refused(f"{prefix}: {why}")
    if wants_new and asked.force and (header.raw or found.encryption is not None):
        raise Refused(f"{prefix}: {OVER_ENCRYPTED}")
    stale = header.resuming and makes_new and not found.inconsistent and not asked.force
    if stale and is_at_least(machine, 2, 2):
        raise Refused(
            f"{prefix}: Resuming recv on existing destination '{filesystem}'",
            "must specify -F to overwrite it",
        )
    has_token = found.partial is not None and found.partial.resumable
    new = header.resuming and found.inconsistent
    return Destination(filesystem, snapshot, prefix, new, wants_new, has_token, origin, said)


def settings(
    machine: Machine, header: Header, where: Destination, part: Part, asked: Asked
) -> tuple[dict[str, str], frozenset[str], list[str]]:
    """Return what to set, what to mask, and warnings; raise Refused (`zfs_setup_cmdline_props`)."""
    known = table(machine.release)
    is_volume = header.kind is FilesystemKind.VOLUME
    kind = Kind.VOLUME if is_volume else Kind.FILESYSTEM
    local, masked, warnings = dict(asked.local), set(asked.masked), []
    for name in (*asked.local, *sorted(asked.masked)):
        if name in ENCRYPTION and header.raw:
            why = f"encryption property '{name}' cannot be set or excluded for raw streams."
            raise Refused(f"{where.prefix}: {why}")
        if name in ENCRYPTION and not where.wants_new and name in local:
            why = f"encryption property '{name}' cannot be set for incremental streams."
            raise Refused(f"{where.prefix}: {why}")
        why = f"property '{name}' does not apply to datasets of this type"
        if name not in known or kind in known[name].kinds:
            continue
        if name in masked:
            warnings.append(f"Warning: {where.filesystem}: {why}")
            masked.discard(name)
        elif part.recursive:
            del local[name]
        else:
            raise Refused(f"{where.prefix}: {why}")
    real = _checked(machine, local, kind, where)
    return real, frozenset(masked), warnings


def _checked(
    machine: Machine, local: Mapping[str, str], kind: Kind, where: Destination
) -> dict[str, str]:
    try:
        return checked(machine, where.filesystem, local, kind, where.prefix)
    except Refused as refused:
        lines = (*refused.lines, f"{where.prefix}: invalid property value")
        raise Refused(*lines) from None


# -- names -----------------------------------------------------------------------------------------


def _name(header: Header, part: Part, asked: Asked) -> str:
    """Return the full name of the snapshot that is to be."""
    if asked.keep_last:
        return f"{asked.target}/{part.sent.rpartition('/')[2]}{header.toname[len(part.sent) :]}"
    if asked.drop_pool:
        if "@" in asked.target:
            raise Refused(f"{RECEIVE}: invalid argument - snapshot not allowed with -d")
        below = header.toname.partition("@" if "/" not in header.toname else "/")
        return f"{asked.target}{below[1]}{below[2]}"
    if "@" not in asked.target:
        return f"{asked.target}{header.toname[len(part.sent) :]}"
    if part.recursive:
        why = "cannot specify snapshot name for multi-snapshot stream"
        raise Refused(f"{RECEIVE}: {why}")
    return asked.target


def _by_guid(machine: Machine, header: Header, full: str, part: Part, asked: Asked) -> str:
    """Return the name where the base of an increment is, if its filesystem is nowhere else."""
    is_exact = not (asked.drop_pool or asked.keep_last or "/" in header.toname[len(part.sent) :])
    makes_new = header.fromguid is None or header.clone or asked.origin is not None
    if is_exact or (makes_new and not header.resuming) or header.fromguid is None:
        return full
    filesystem, _, snapshot = full.partition("@")
    missing = change.find(machine, filesystem) is None
    found = with_guid(machine, full, header.fromguid) if missing else None
    return f"{found[0].name}@{snapshot}" if found is not None else full


def with_parents(machine: Machine, header: Header, part: Part, asked: Asked) -> str | None:
    """Return the name of a new filesystem whose parents are to be made first (`-d`)."""
    makes_new = header.fromguid is None or header.clone or asked.origin is not None
    if not asked.drop_pool or asked.dry_run or not makes_new or header.resuming:
        return None
    full = _name(header, part, asked)
    is_good = complaint(full, "@") is None and "@" in full
    filesystem = filesystem_of(full)
    return filesystem if is_good and change.find(machine, filesystem) is None else None


def _origin(
    machine: Machine, header: Header, full: str, asked: Asked
) -> tuple[str | None, tuple[str, ...]]:
    """Return the snapshot that the new filesystem is to be a clone of, and what `-v` says of it."""
    if asked.origin is not None:
        return asked.origin, (f"using provided clone origin {asked.origin}",)
    if not header.clone or header.fromguid is None:
        return None, ()
    found = with_guid(machine, full, header.fromguid)
    if found is None:
        raise Refused(f"{RECEIVE}: local origin for clone {full} does not exist")
    name = f"{found[0].name}@{found[1].name}"
    return name, (f"found clone origin {name}",)


def _what(header: Header, *, wants_new: bool) -> str:
    if wants_new:
        return "new filesystem"
    return "resume" if header.resuming else "incremental"


# -- what is there ---------------------------------------------------------------------------------


def _check_parent(machine: Machine, filesystem: str, prefix: str, *, wants_new: bool) -> None:
    parent = parent_of(filesystem)
    if parent is None or not wants_new:
        raise Refused(f"{prefix}: destination '{filesystem}' does not exist")
    try:
        kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME, Kind.SNAPSHOT})
        found = open_item(machine, parent, kinds)
    except Refused as refused:
        lines = (*refused.lines, f"{prefix}: unable to restore to destination")
        raise Refused(*lines) from None
    if found.kind is not Kind.FILESYSTEM:
        raise Refused(f"{prefix}: parent '{parent}' is not a filesystem")


def _check_overwritable(
    machine: Machine, found: Dataset, header: Header, prefix: str, asked: Asked
) -> None:
    """Raise Refused for a filesystem that a full stream can't replace."""
    name = found.name
    lines: tuple[str, ...] = ()
    is_volume = header.kind is FilesystemKind.VOLUME
    below = [child.name for child in change.children(machine, name)]
    if not asked.force:
        lines = f"destination '{name}' exists", "must specify -F to overwrite it"
    elif found.snapshots:
        first = f"{name}@{found.snapshots[0].name}"
        lines = f"destination has snapshots (eg. {first})", "must destroy them to overwrite it"
    elif is_volume and "/" not in name:
        lines = f"destination {name} is the root dataset", "cannot overwrite with a ZVOL"
    elif is_volume and below:
        lines = f"destination has children (eg. {below[0]})", "cannot overwrite with a ZVOL"
    elif found.origin is not None:
        lines = f"destination '{name}' is a clone", "must destroy it to overwrite it"
    if lines:
        raise Refused(f"{prefix}: {lines[0]}", *lines[1:])


def sent_filesystem(toname: str) -> str:
    """Return the filesystem that a stream outside of packages was asked for with."""
    return filesystem_of(toname)
