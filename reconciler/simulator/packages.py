"""What `zfs send -I` and `-R` send: several snapshots, of one filesystem or of all below it.

libzfs_sendrecv.c: `gather_nvlist` looks first whether all can be sent, `dump_filesystem` then
chooses the snapshots of each filesystem.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.simulator import change
from reconciler.simulator.model import Dataset, Machine, Snapshot
from reconciler.simulator.outgoing import Asked, Outgoing, outgoing
from reconciler.simulator.process import Refused
from reconciler.zfs.names import is_within, parent_of


@dataclass(frozen=True, slots=True)
class Selection:
    """Which snapshots are asked for."""

    root: Dataset
    to: str
    """The part after the `@`."""
    base: str | None
    recursive: bool
    """`-R`."""
    all: bool
    """Those in between too: `-I`, or a whole `-R`."""
    from_origin: bool = False
    """The base is the snapshot that the filesystem is a clone of."""


class Warned(str):
    """What is printed about a filesystem that could not be sent."""

    __slots__ = ()


def check(machine: Machine, wanted: Selection, asked: Asked) -> None:
    """Raise Refused if not all that is to be sent can be."""
    for dataset in _datasets(machine, wanted):
        full = f"{wanted.root.name}@{wanted.to}"
        lines = None
        if _index(dataset, wanted.to) is None:
            how = " recursively" if wanted.recursive else ""
            lines = f"cannot send {full}{how}: snapshot {dataset.name}@{wanted.to} does not exist"
        elif dataset.encryption is not None and not asked.raw and _has_properties(asked):
            lines = (
                f"cannot send {full}: encrypted dataset {dataset.name} may not be sent with"
                " properties without the raw flag"
            )
        if lines is not None:
            raise Refused(lines, f"warning: cannot send '{full}': backup failed")


def chosen(machine: Machine, wanted: Selection, asked: Asked) -> Iterator[Outgoing | Warned]:
    """Yield what is to be sent, in order, and where something is missing what is said of it."""
    for dataset in _datasets(machine, wanted):
        yield from _chosen_of(machine, dataset, wanted, asked)


def _chosen_of(
    machine: Machine, dataset: Dataset, wanted: Selection, asked: Asked
) -> Iterator[Outgoing | Warned]:
    last = _index(dataset, wanted.to)
    if last is None:
        yield Warned(f"WARNING: could not send {dataset.name}@{wanted.to}: does not exist")
        return
    first = _index(dataset, wanted.base) if wanted.base is not None else None
    if wanted.base is not None and first is None and not wanted.recursive:
        yield _missing(dataset, wanted, "does not exist")
        return
    if first is not None and first >= last:
        # libzfs looks only at the snapshots between the two, but for -R at all.
        overlooked = first > last and not wanted.recursive
        yield _missing(
            dataset, wanted, "does not exist" if overlooked else "is not earlier than it"
        )
        return
    start = 0 if first is None else first + 1
    snapshots = list(dataset.snapshots[start : last + 1])
    if first is not None and not wanted.all:
        snapshots = snapshots[-1:]
    base: tuple[Dataset, Snapshot] | None = None
    if first is not None:
        base = dataset, dataset.snapshots[first]
    elif dataset.origin is not None and (wanted.from_origin or wanted.recursive):
        base = _origin_sent(machine, dataset, wanted)
    for snapshot in snapshots:
        shown = base[1].name if base is not None else None
        yield outgoing(machine, dataset, snapshot, base, asked, shown=shown)
        base = dataset, snapshot


def _origin_sent(
    machine: Machine, dataset: Dataset, wanted: Selection
) -> tuple[Dataset, Snapshot] | None:
    """Return the origin of a clone if it is a base that the receiver will have."""
    found = change.by_object(machine, dataset.origin) if dataset.origin is not None else None
    if found is None or wanted.from_origin:
        return found
    above = found[0]
    last = _index(above, wanted.to)
    inside = any(above.name == d.name for d in _datasets(machine, wanted))
    earlier = inside and above.name < dataset.name and last is not None
    return found if earlier and found[1] in above.snapshots[: (last or 0) + 1] else None


def _missing(dataset: Dataset, wanted: Selection, why: str) -> Warned:
    return Warned(
        f"WARNING: could not send {dataset.name}@{wanted.to}:\n"
        f"incremental source ({dataset.name}@{wanted.base}) {why}"
    )


def skipped(machine: Machine, wanted: Selection) -> list[str]:
    """Return the filesystems that are left out, and those below them: they were made too late."""
    return [dataset.name for dataset, late in _looked_at(machine, wanted) if late]


def _datasets(machine: Machine, wanted: Selection) -> list[Dataset]:
    return [dataset for dataset, late in _looked_at(machine, wanted) if not late]


def _looked_at(machine: Machine, wanted: Selection) -> Iterator[tuple[Dataset, bool]]:
    """Yield what is come to, and whether it is left out with all below it (`send_iterate_fs`).

    What has not got the snapshot is left out if it is younger than that of what it is below.
    """
    if not wanted.recursive:
        yield wanted.root, False
        return
    txgs: dict[str, int] = {}
    late: list[str] = []
    for dataset in change.within(machine, wanted.root.name):
        name = dataset.name
        if any(is_within(name, other) for other in late):
            continue
        index = _index(dataset, wanted.to)
        above = txgs.get(parent_of(name) or "", 0)
        txgs[name] = above if index is None else dataset.snapshots[index].createtxg
        if index is None and 0 < above < dataset.createtxg:
            late.append(name)
        yield dataset, name in late


def _index(dataset: Dataset, name: str | None) -> int | None:
    names = [snapshot.name for snapshot in dataset.snapshots]
    return names.index(name) if name in names else None


def _has_properties(asked: Asked) -> bool:
    return asked.gathers
