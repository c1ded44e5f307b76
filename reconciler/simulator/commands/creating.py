"""`zfs create` (zfs-create(8))."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.assignments import ENCRYPTION, checked, parsed
from reconciler.simulator.checks import EXISTS, NO_SPACE, check_pool, check_space, is_at_least
from reconciler.simulator.items import Kind
from reconciler.simulator.keys import new_encryption
from reconciler.simulator.model import Dataset, Encryption, Machine
from reconciler.simulator.mounting import canmount, mount
from reconciler.simulator.naming import complaint
from reconciler.simulator.numbers import BadNumber, parse_number
from reconciler.simulator.parents import check_parent, missing_ancestors
from reconciler.simulator.process import Commands, Options, Process, Refused, text
from reconciler.simulator.usage import usage
from reconciler.zfs.names import parent_of, pool_of
from reconciler.zfs.types import FilesystemKind

BLOCKS = 6
"""That ZFS wants to have space for when it makes a filesystem."""

_RESERVATIONS = ("reservation", "refreservation")

_INDIRECT_BLOCK = 1 << 17
_BLOCKS_PER_LEVEL = 1024
_LEVELS = 7


@dataclass(frozen=True, slots=True)
class New:
    """What is to be made."""

    name: str
    kind: Kind = Kind.FILESYSTEM
    settings: Mapping[str, str] | None = None
    volsize: int = 0
    encryption: Encryption | None = None


def create(process: Process) -> Iterable[bytes]:
    """Make a filesystem or volume."""
    options = process.options("PV:b:nso:puv", usage=_bad_option)
    kind = Kind.VOLUME if options.has("V") else Kind.FILESYSTEM
    given = _given(options)
    _check_usage(options, kind)
    (name,) = options.operands
    return _create(process, options, New(name, kind), given)


def _bad_option(said: str) -> Refused:
    return usage("create", "missing size argument" if said.startswith("missing") else said)


def _given(options: Options) -> dict[str, str]:
    """Return the properties that are asked for, by options of their own or by `-o`."""
    sizes = {"V": ("volsize", "size"), "b": ("volblocksize", "block size")}
    found: dict[str, str] = {}
    for letter, value in options.given:
        if letter in sizes:
            name, what = sizes[letter]
            try:
                found[name] = str(parse_number(value))
            except BadNumber as wrong:
                raise Refused(f"bad volume {what} '{value}': {wrong}") from None
        if letter == "o":
            (name, setting), *_ = parsed([value]).items()
            if name in found:
                raise Refused(f"property '{name}' specified multiple times")
            found[name] = setting
    return found


def _check_usage(options: Options, kind: Kind) -> None:
    if kind is not Kind.VOLUME and (options.has("b") or options.has("s")):
        raise usage("create", "'-s' and '-b' can only be used when creating a volume")
    if kind is Kind.VOLUME and options.has("u"):
        raise usage("create", "'-u' can only be used when creating a filesystem")
    if len(options.operands) != 1:
        too_many = bool(options.operands)
        raise usage("create", "too many arguments" if too_many else f"missing {kind} argument")


def _create(process: Process, options: Options, new: New, given: dict[str, str]) -> Iterator[bytes]:
    dry_run, name = options.has("n"), new.name
    if dry_run or new.kind is Kind.VOLUME:
        action = f"cannot {'verify' if dry_run else 'create'} '{name}'"
        given = _for_volume(process.cell.read(), options, new, given, action)
    if options.has("p") and complaint(name, "") is None:
        if change.find(process.cell.read(), name) is not None:
            return
        yield from _announced(options, "create_ancestors", f"ancestors of {name}", name)
        if not dry_run:
            create_ancestors(process, name)
    yield from _announced(options, "create", name, name)
    yield from _announced_settings(options, given)
    if dry_run:
        return
    _make(process, new, given)
    if not options.has("u"):
        mount_new(process, name)


def _announced(options: Options, label: str, what: str, name: str) -> Iterator[bytes]:
    if options.has("P"):
        yield from text([f"{label}\t{name}"])
    elif options.has("v"):
        yield from text([f"{'would ' if options.has('n') else ''}create {what}"])


def _announced_settings(options: Options, given: Mapping[str, str]) -> Iterator[bytes]:
    if options.has("P"):
        yield from text([f"property\t{name}\t{value}" for name, value in given.items()])
    elif options.has("v"):
        yield from text([f"\t{name}={value}" for name, value in given.items()])


# -- volumes ---------------------------------------------------------------------------------------


def _for_volume(
    machine: Machine, options: Options, new: New, given: Mapping[str, str], action: str
) -> dict[str, str]:
    """Return the properties of a volume: a size of whole blocks, and its reservation."""
    pool = machine.pools.get(pool_of(new.name))
    if pool is None or not pool.imported:
        raise Refused(f"cannot open '{pool_of(new.name)}': no such pool")
    real = checked(machine, new.name, given, new.kind, action)
    if new.kind is not Kind.VOLUME:
        return dict(given)
    block = int(real.get("volblocksize", 0)) or (16 if is_at_least(machine, 2, 2) else 8) * 1024
    size = -(-int(real.get("volsize", 0)) // block) * block
    reserved = {} if options.has("s") else {"refreservation": str(_reservation(size, block, real))}
    return {**given, "volsize": str(size), **(reserved | _given_reservation(given))}


def _given_reservation(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name == "refreservation"}


def _reservation(size: int, block: int, settings: Mapping[str, str]) -> int:
    """Return what a volume may take with its metadata (`zvol_volsize_to_reservation`)."""
    copies = int(settings.get("copies", "1"))
    blocks, metadata = size // block, _LEVELS
    while blocks > 1:
        blocks = (blocks + _BLOCKS_PER_LEVEL - 1) // _BLOCKS_PER_LEVEL
        metadata += blocks
    return size * copies + metadata * min(3, copies + 1) * _INDIRECT_BLOCK


# -- making ----------------------------------------------------------------------------------------


def create_ancestors(process: Process, name: str, told: str = "") -> None:
    """Make and mount the filesystems above one that are missing (`-p`).

    `told` begins what is said besides when one can't be mounted (`create_parents` of libzfs).
    """
    for above in missing_ancestors(process.cell.read(), name):
        _make(process, New(above), {})
        try:
            process.cell.change(partial(mount, name=above))
        except Refused as refused:
            more = [f"{told}: failed to mount ancestor '{above}'"] if told else []
            raise Refused(*refused.lines, *more) from None


def mount_new(process: Process, name: str) -> None:
    """Mount what was just made, if that is to be mounted by itself."""
    dataset = change.find(process.cell.read(), name)
    if dataset is None or canmount(dataset) != "on":
        return
    try:
        process.cell.change(partial(mount, name=name))
    except Refused as refused:
        process.fail(*refused.lines, "filesystem successfully created, but not mounted")


def _make(process: Process, new: New, given: Mapping[str, str]) -> None:
    """Make a filesystem or volume (`zfs_create`)."""
    action = f"cannot create '{new.name}'"
    wrong = complaint(new.name, "")
    if wrong is not None:
        raise Refused(f"{action}: {wrong}")
    machine = process.cell.read()
    parent = check_parent(machine, new.name)
    if change.find(machine, new.name) is not None:
        raise Refused(f"{action}: {EXISTS}")
    settings = checked(machine, new.name, given, new.kind, action)
    volsize = int(settings.pop("volsize", 0))
    if new.kind is Kind.VOLUME and volsize == 0:
        raise Refused(f"{action}: volume size cannot be zero")
    encryption = new_encryption(process, machine, parent, settings, action)
    plain = {name: value for name, value in settings.items() if name not in ENCRYPTION}
    made = replace(new, settings=plain, volsize=volsize, encryption=encryption)
    now = process.now()
    process.cell.change(partial(_created, made, now))


def _created(new: New, now: int, machine: Machine) -> Machine:
    """Return the machine with a new filesystem, volume included; raise Refused."""
    action = f"cannot create '{new.name}'"
    pool = pool_of(new.name)
    check_pool(machine, pool, action)
    parent = parent_of(new.name) or ""
    if change.find(machine, parent) is None:
        raise Refused(f"{action}: no such parent '{parent}'")
    if change.find(machine, new.name) is not None:
        raise Refused(f"{action}: {EXISTS}")
    _check_key(machine, parent, new.encryption, action)
    check_space(machine, pool, action, BLOCKS)
    settings = new.settings or {}
    _check_reservations(machine, pool, settings, action)
    machine, txg = change.next_txg(machine, pool)
    machine, guid = change.mint(machine)
    kind = FilesystemKind.VOLUME if new.kind is Kind.VOLUME else FilesystemKind.FILESYSTEM
    made = Dataset(
        name=new.name,
        kind=kind,
        guid=guid,
        createtxg=txg,
        creation=now,
        local=dict(settings),
        encryption=new.encryption,
        volsize=new.volsize,
    )
    return change.with_dataset(_with_encryption(machine, pool, new.encryption), made)


def _check_key(machine: Machine, parent: str, encryption: Encryption | None, action: str) -> None:
    """Raise Refused for a filesystem that would use a key which is not loaded."""
    inherits = encryption is not None and encryption.key is None
    if inherits and not change.has_key(machine, parent):
        raise Refused(f"{action}: encryption root's key is not loaded or provided")


def _check_reservations(
    machine: Machine, pool: str, settings: Mapping[str, str], action: str
) -> None:
    free = machine.pools[pool].size - change.used(machine, pool)
    for name in _RESERVATIONS:
        wanted = settings.get(name, "")
        if wanted.isdecimal() and int(wanted) > free:
            raise Refused(f"{action}: {NO_SPACE}")


def _with_encryption(machine: Machine, pool: str, encryption: Encryption | None) -> Machine:
    """Return the machine with the pool's feature in use, if it is from now on."""
    found = machine.pools[pool]
    if encryption is None or found.features.get("encryption") != "enabled":
        return machine
    features = {**found.features, "encryption": "active"}
    return change.with_pool(machine, replace(found, features=features))


COMMANDS: Commands = {("zfs", "create"): create}
