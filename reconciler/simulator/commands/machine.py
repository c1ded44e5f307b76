"""What is no zfs command: `zpool create`, `destroy`, `export`, `import`; `date`; made-up ones.

`date +%s` is the host's clock. `write FILESYSTEM FILE BYTES` stands for a program that writes a
file anew (a volume has one file, `data`); `clock SECONDS` sets how far the host's clock is ahead of
the true time. These two exist on no real host. `timeout` runs a hook, or rather what a simulated
host can do of it. `sh` answers which programs for streams there are: all of them.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from reconciler.simulator import change, inheritance
from reconciler.simulator.model import Dataset, Machine, Pool
from reconciler.simulator.naming import complaint
from reconciler.simulator.process import Commands, Process, Refused, text
from reconciler.simulator.usage import usage
from reconciler.zfs.capabilities import FEATURES
from reconciler.zfs.names import is_within, pool_of
from reconciler.zfs.piping import PROGRAMS, find_programs
from reconciler.zfs.types import FilesystemKind

DEFAULT_SIZE = 1 << 40
"""Bytes of a pool's device, unless its made-up name says another size: `disk:10G`."""

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(\d+)([KMGT]?)")

_ACTIVE = frozenset({"extensible_dataset", "hole_birth", "embedded_data", "lz4_compress"})


def create(process: Process) -> Iterable[bytes]:
    """Make a pool of devices that need not exist (zpool-create(8))."""
    options = process.options("fno:O:m:", usage=lambda said: usage("create", said))
    if len(options.operands) < 2:
        raise usage("create", "missing pool name argument")
    name, *devices = options.operands
    wrong = complaint(name, "")
    if wrong is not None or "/" in name:
        raise Refused(f"cannot create '{name}': {wrong or 'invalid character in pool name'}")
    local = dict(setting.partition("=")[::2] for setting in options.all("O"))
    if (mountpoint := options.last("m")) is not None:
        local["mountpoint"] = mountpoint
    size = sum(_device_size(device) for device in devices)
    now = process.now()
    process.cell.change(lambda machine: _created(machine, name, size, local, now))
    return ()


def _created(machine: Machine, name: str, size: int, local: dict[str, str], now: int) -> Machine:
    if name in machine.pools:
        raise Refused(f"cannot create '{name}': pool already exists")
    machine, pool_guid = change.mint(machine)
    machine, guid = change.mint(machine)
    features = {feature: "active" if feature in _ACTIVE else "enabled" for feature in FEATURES}
    machine = change.with_pool(machine, Pool(name, pool_guid, size, txg=4, features=features))
    mounted = local.get("mountpoint") not in {"none", "legacy"} and "canmount" not in local
    root = Dataset(name, FilesystemKind.FILESYSTEM, guid, 1, now, local=local, mounted=mounted)
    return change.with_dataset(machine, root)


def destroy(process: Process) -> Iterable[bytes]:
    """Destroy a pool and all in it (zpool-destroy(8))."""
    (name,) = process.options("f", usage=lambda said: usage("destroy", said)).operands
    process.cell.change(lambda machine: _destroyed(_busy_or_gone(machine, name, "destroy"), name))
    return ()


def _destroyed(machine: Machine, name: str) -> Machine:
    pools = {pool: value for pool, value in machine.pools.items() if pool != name}
    datasets = {k: v for k, v in machine.datasets.items() if not is_within(k, name)}
    return replace(machine, pools=pools, datasets=datasets)


def export(process: Process) -> Iterable[bytes]:
    """Put pools out of reach (zpool-export(8)); the keys of their filesystems are unloaded."""
    for name in process.options("f", usage=lambda said: usage("export", said)).operands:
        process.cell.change(partial(_exported, name))
    return ()


def _busy_or_gone(machine: Machine, name: str, verb: str) -> Machine:
    pool = machine.pools.get(name)
    if pool is None or not pool.imported:
        raise Refused(f"cannot open '{name}': no such pool")
    running = any(
        dataset.partial is not None and dataset.partial.owner is not None
        for dataset in change.within(machine, name)
    )
    numbers = {s.object for dataset in change.within(machine, name) for s in dataset.snapshots}
    if running or any(numbers & set(sending.snapshots) for sending in machine.sending):
        raise Refused(f"cannot {verb} '{name}': pool is busy")
    return machine


def _exported(name: str, machine: Machine) -> Machine:
    machine = _busy_or_gone(machine, name, "export")
    machine = change.with_pool(machine, replace(machine.pools[name], imported=False))
    for dataset in [found for key, found in machine.datasets.items() if is_within(key, name)]:
        locked = dataset.encryption and replace(dataset.encryption, loaded=False)
        machine = change.with_dataset(machine, replace(dataset, mounted=False, encryption=locked))
    return machine


def import_(process: Process) -> Iterable[bytes]:
    """Bring exported pools back (zpool-import(8)); without a name list them."""
    options = process.options("afNo:d:R:", usage=lambda said: usage("import", said))
    readonly = "readonly=on" in options.all("o")
    machine = process.cell.read()
    away = [pool.name for pool in machine.pools.values() if not pool.imported]
    if not options.operands and not options.has("a"):
        return text([line for name in sorted(away) for line in (f"   pool: {name}", "")])
    for name in options.operands or sorted(away):
        mount = not options.has("N")
        process.cell.change(partial(_imported, name, readonly=readonly, mount=mount))
    return ()


def _imported(name: str, machine: Machine, *, readonly: bool, mount: bool) -> Machine:
    pool = machine.pools.get(name)
    if pool is None:
        raise Refused(f"cannot import '{name}': no such pool available")
    if pool.imported:
        raise Refused(
            f"cannot import '{name}': a pool with that name already exists",
            "use the form 'zpool import <pool | id> <newpool>' to give it a new name",
        )
    machine = change.with_pool(machine, replace(pool, imported=True, readonly=readonly))
    for dataset in list(change.within(machine, name)):
        if dataset.partial is not None and not dataset.partial.resumable:
            machine = _forgotten(machine, dataset)
        elif mount and mounts_itself(machine, dataset):
            machine = change.with_dataset(machine, replace(dataset, mounted=True))
    return machine


def _forgotten(machine: Machine, dataset: Dataset) -> Machine:
    """Drop what a receive without `-s` left behind."""
    if dataset.inconsistent:
        return change.without_dataset(machine, dataset.name)
    return change.with_dataset(machine, replace(dataset, partial=None))


def mounts_itself(machine: Machine, dataset: Dataset) -> bool:
    """Tell whether a filesystem is mounted by `zfs mount -a`."""
    return (
        dataset.kind is FilesystemKind.FILESYSTEM
        and not dataset.inconsistent
        and _own(dataset, "canmount") not in {"off", "noauto"}
        and _inherited(machine, dataset, "mountpoint") not in {"none", "legacy"}
        and change.has_key(machine, dataset.name)
    )


def _own(dataset: Dataset, name: str) -> str | None:
    found = inheritance.own(dataset, name)
    return found.value if found is not None else None


def _inherited(machine: Machine, dataset: Dataset, name: str) -> str | None:
    found = inheritance.inherited(machine, dataset.name, name)
    return found.value if found is not None else None


def date(process: Process) -> Iterable[bytes]:
    """Print the host's clock: only `date +%s`."""
    if process.argv[1:] != ("+%s",):
        raise Refused("date: only +%s is simulated")
    return text([str(process.now())])


def shell(process: Process) -> Iterable[bytes]:
    """Say which programs for streams there are: all. Nothing else is known to `sh`."""
    if process.argv != find_programs():
        raise Refused("sh: only the question for programs is simulated", status=2)
    return text(list(PROGRAMS))


def clock(process: Process) -> Iterable[bytes]:
    """Set how many seconds the host's clock is ahead; negative: behind."""
    if len(process.argv) != 2 or not re.fullmatch(r"[+-]?\d+", process.argv[1]):
        raise Refused("usage: clock SECONDS-AHEAD", status=2)
    ahead = int(process.argv[1])
    process.cell.change(lambda machine: replace(machine, skew=ahead))
    return ()


def write(process: Process) -> Iterator[bytes]:
    """Write a file of a mounted filesystem, or the data of a volume, anew."""
    if len(process.argv) != 4 or not _SIZE.fullmatch(process.argv[3]):
        raise Refused("usage: write FILESYSTEM FILE BYTES", status=2)
    _, name, file, size = process.argv
    process.cell.change(lambda machine: _written(machine, name, file, _bytes(size)))
    return iter(())


def hook(process: Process) -> Iterable[bytes]:
    """Run the last line of a hook: `exit N`, `echo`, `write` are known, others just succeed."""
    lines = process.argv[-1].splitlines()
    try:
        words = shlex.split(lines[-1] if lines else "")
    except ValueError:
        words = []
    match words:
        case ["exit", status] if status.isdecimal():
            raise Refused(status=int(status) % 256)
        case ["echo", *said]:
            return text([" ".join(said)])
        case ["write", *_]:
            return write(replace(process, argv=tuple(words)))
    return ()


def _written(machine: Machine, name: str, file: str, size: int) -> Machine:
    dataset = change.find(machine, name)
    if dataset is None:
        raise Refused(f"write: {name}: dataset does not exist")
    pool = machine.pools[pool_of(name)]
    is_volume = dataset.kind is FilesystemKind.VOLUME
    if not is_volume and not dataset.mounted:
        raise Refused(f"write: {name}: not mounted")
    if not change.has_key(machine, name) or dataset.inconsistent:
        raise Refused(f"write: {name}: can't be written to")
    if pool.readonly or _inherited(machine, dataset, "readonly") == "on":
        raise Refused(f"write: {name}: Read-only file system")
    if size > pool.size - change.used(machine, pool.name):
        raise Refused(f"write: {name}: No space left on device")
    return change.write(machine, name, "data" if is_volume else file, size)


def _device_size(device: str) -> int:
    _, _, size = device.rpartition(":")
    return _bytes(size) if _SIZE.fullmatch(size) and ":" in device else DEFAULT_SIZE


def _bytes(said: str) -> int:
    found = _SIZE.fullmatch(said)
    assert found is not None  # noqa: S101 - for the types: callers have looked
    return int(found[1]) * _UNITS[found[2]]


COMMANDS: Commands = {
    ("zpool", "create"): create,
    ("zpool", "destroy"): destroy,
    ("zpool", "export"): export,
    ("zpool", "import"): import_,
    ("date", ""): date,
    ("sh", ""): shell,
    ("clock", ""): clock,
    ("write", ""): write,
    ("timeout", ""): hook,
}
