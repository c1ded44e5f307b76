"""`zfs snapshot` (zfs-snapshot(8))."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.simulator import change
from reconciler.simulator.assignments import MAX_VALUE, checked, parsed
from reconciler.simulator.checks import BUSY, EXISTS, check_pool, check_space
from reconciler.simulator.items import DOES_NOT_EXIST, Kind, Kinds, open_item
from reconciler.simulator.model import Dataset, Machine, Snapshot
from reconciler.simulator.naming import complaint
from reconciler.simulator.process import Commands, Process, Refused
from reconciler.simulator.usage import usage
from reconciler.zfs.names import pool_of

FILESYSTEMS: Kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME})

NONE_MADE = "no snapshots were created"

_ACTION = "cannot create snapshots "
"""As ZFS has it, with a space at the end."""

_BLOCKS = 3
"""That ZFS wants to have space for, for each snapshot."""

_ABORTED = -6
_CRASHED = -11


def snapshot(process: Process) -> Iterable[bytes]:
    """Take snapshots: all in one transaction group or none."""
    options = process.options("ro:", usage=lambda said: usage("snapshot", said))
    properties = parsed(options.all("o"))
    if not options.operands:
        raise usage("snapshot", "missing snapshot argument")
    recursive = options.has("r")
    names = list(_names(process.cell.read(), options.operands, recursive=recursive))
    now = process.now()
    try:
        for name in names:
            _check_name(name)
        checked(process.cell.read(), names[0], properties, Kind.SNAPSHOT, _ACTION)
        process.cell.change(lambda before: take(before, names, properties, now))
    except Refused as refused:
        several = recursive or len(options.operands) > 1
        raise Refused(
            *refused.lines, *([NONE_MADE] if several else []), status=refused.status
        ) from None
    return ()


def take(
    machine: Machine, names: Sequence[str], properties: Mapping[str, str], now: int
) -> Machine:
    """Return the machine with these snapshots, all of one transaction group."""
    pool = pool_of(names[0])
    check_pool(machine, pool, _ACTION)
    if any(len(value.encode()) > MAX_VALUE for value in properties.values()):
        raise Refused(f"internal error: {_ACTION}: Argument list too long", status=_ABORTED)
    datasets = [name.partition("@")[0] for name in names]
    if len(set(datasets)) < len(datasets) or len({pool_of(name) for name in names}) > 1:
        raise Refused(f"{_ACTION}: multiple snapshots of same fs not allowed")
    refusals = [said for name in names if (said := _refusal(machine, name)) is not None]
    if refusals:
        raise Refused(*refusals)
    check_space(machine, pool, _ACTION, _BLOCKS * len(names))
    machine, txg = change.next_txg(machine, pool)
    for name in names:
        machine = _taken(machine, name, properties, txg, now)
    return machine


def _taken(
    machine: Machine, name: str, properties: Mapping[str, str], txg: int, now: int
) -> Machine:
    filesystem, _, short = name.partition("@")
    machine, guid = change.mint(machine)
    machine, number = change.mint_object(machine)
    machine, ivset = change.mint(machine)
    dataset = machine.datasets[filesystem]
    made = Snapshot(
        name=short,
        object=number,
        guid=guid,
        createtxg=txg,
        creation=now,
        files=dataset.files,
        properties=dict(properties),
        ivset=ivset if dataset.encryption is not None else 0,
        accounted=dataset.accounted,
    )
    return change.with_dataset(machine, replace(dataset, snapshots=(*dataset.snapshots, made)))


def _refusal(machine: Machine, name: str) -> str | None:
    """Return why one of the snapshots can't be taken."""
    filesystem, _, short = name.partition("@")
    dataset = change.find(machine, filesystem)
    why = None
    if dataset is None:
        why = DOES_NOT_EXIST
    elif any(there.name == short for there in dataset.snapshots):
        why = EXISTS
    elif dataset.inconsistent:
        why = BUSY
    return f"cannot create snapshot '{name}': {why}" if why is not None else None


def _check_name(name: str) -> None:
    wrong = complaint(name, "@")
    if wrong is not None:
        raise Refused(f"cannot create snapshot '{name}': {wrong}")


def _names(machine: Machine, operands: Sequence[str], *, recursive: bool) -> Iterable[str]:
    """Return the snapshots to take, each once."""
    names: list[str] = []
    for operand in operands:
        filesystem, delimiter, short = operand.partition("@")
        if not delimiter:
            raise usage("snapshot")
        try:
            found = open_item(machine, filesystem, FILESYSTEMS).dataset
        except Refused as refused:
            raise usage("snapshot", *refused.lines) from None
        roots = _below(machine, found) if recursive else [found.name]
        names += [f"{root}@{short}" for root in roots]
    if not names:
        raise Refused(status=_CRASHED)
    return dict.fromkeys(names)


def _below(machine: Machine, root: Dataset) -> Iterator[str]:
    """Yield the names for `-r`: what is half received is left out without a word."""
    for dataset in change.within(machine, root.name):
        if not dataset.inconsistent:
            yield dataset.name


COMMANDS: Commands = {("zfs", "snapshot"): snapshot, ("zfs", "snap"): snapshot}
