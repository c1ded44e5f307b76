"""`zpool list`, `zpool get`, `zpool status`, `zfs version` (zpool-list(8) and others)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from reconciler.simulator import change
from reconciler.simulator.checks import is_at_least
from reconciler.simulator.commands.getting import Row, aligned_rows
from reconciler.simulator.model import Health, Machine, Pool
from reconciler.simulator.numbers import nicenum
from reconciler.simulator.process import Commands, Process, Refused, text
from reconciler.simulator.usage import USAGE_STATUS

DEFAULT_FIELDS = (
    "name,size,allocated,free,checkpoint,expandsize,fragmentation"
    ",capacity,dedupratio,health,altroot"
)
NO_POOLS = "no pools available"

_PACKAGES = {"2.1.11": "2.1.11-1+deb12u1", "2.3.2": "2.3.2-2~bpo12+2"}
"""The packages whose output was recorded; of other releases the plain number is shown."""

_FEATURE = "feature@"


class PoolProperty(NamedTuple):
    """One property of pools (zpoolprops(7))."""

    name: str
    column: str
    width: int
    source: str = "-"
    fixed: bool = True
    right: bool = True
    hidden: bool = False


PROPERTIES = (
    PoolProperty("name", "NAME", 4, fixed=False, right=False, hidden=True),
    PoolProperty("size", "SIZE", 5),
    PoolProperty("capacity", "CAP", 5),
    PoolProperty("altroot", "ALTROOT", 7, "default", fixed=False, right=False),
    PoolProperty("health", "HEALTH", 8),
    PoolProperty("guid", "GUID", 5),
    PoolProperty("version", "VERSION", 7, "default"),
    PoolProperty("bootfs", "BOOTFS", 6, "default", fixed=False, right=False),
    PoolProperty("delegation", "DELEGATION", 10, "default", right=False),
    PoolProperty("autoreplace", "REPLACE", 7, "default", right=False),
    PoolProperty("cachefile", "CACHEFILE", 9, "default", fixed=False, right=False),
    PoolProperty("failmode", "FAILMODE", 8, "default", right=False),
    PoolProperty("listsnapshots", "LISTSNAPS", 9, "default", right=False),
    PoolProperty("autoexpand", "EXPAND", 6, "default", right=False),
    PoolProperty("dedupratio", "DEDUP", 5),
    PoolProperty("free", "FREE", 5),
    PoolProperty("allocated", "ALLOC", 5),
    PoolProperty("readonly", "RDONLY", 6, right=False),
    PoolProperty("ashift", "ASHIFT", 6, "default"),
    PoolProperty("comment", "COMMENT", 7, "default", fixed=False, right=False),
    PoolProperty("expandsize", "EXPANDSZ", 8),
    PoolProperty("freeing", "FREEING", 7),
    PoolProperty("fragmentation", "FRAG", 5),
    PoolProperty("leaked", "LEAKED", 6),
    PoolProperty("multihost", "MULTIHOST", 9, "default", right=False),
    PoolProperty("checkpoint", "CKPOINT", 7),
    PoolProperty("load_guid", "LOAD_GUID", 9),
    PoolProperty("autotrim", "AUTOTRIM", 8, "default", right=False),
    PoolProperty("compatibility", "COMPATIBILITY", 13, "default", fixed=False, right=False),
)

_BY_NAME: Mapping[str, PoolProperty] = {
    **{found.column.lower(): found for found in PROPERTIES},
    **{found.name: found for found in PROPERTIES},
}

_CONSTANT = {
    **dict.fromkeys(("altroot", "version", "bootfs", "cachefile", "comment"), "-"),
    **dict.fromkeys(("expandsize", "checkpoint"), "-"),
    **dict.fromkeys(("autoreplace", "listsnapshots", "autoexpand", "multihost", "autotrim"), "off"),
    **dict.fromkeys(("freeing", "leaked", "ashift"), "0"),
    "delegation": "on",
    "failmode": "wait",
    "compatibility": "off",
}


class Sizes(NamedTuple):
    """The bytes of a pool."""

    size: int
    allocated: int

    @property
    def free(self) -> int:
        """What is not allocated."""
        return max(0, self.size - self.allocated)


def value(pool: Pool, sizes: Sizes, name: str, *, literal: bool) -> str | None:
    """Return a property of a pool as it is printed; None for a feature it does not know."""
    if name.startswith(_FEATURE):
        return pool.features.get(name.removeprefix(_FEATURE))
    percent = "" if literal else "%"
    number = str if literal else nicenum
    return {
        **_CONSTANT,
        "name": pool.name,
        "size": number(sizes.size),
        "allocated": number(sizes.allocated),
        "free": number(sizes.free),
        "capacity": f"{sizes.allocated * 100 // max(1, sizes.size)}{percent}",
        "fragmentation": f"0{percent}",
        "dedupratio": "1.00" if literal else "1.00x",
        "health": pool.health.value,
        "guid": str(pool.guid),
        "load_guid": str(pool.guid ^ 1),
        "readonly": "on" if pool.readonly else "off",
    }[name]


# -- which pools, which properties -----------------------------------------------------------------


def usage(command: str, said: str) -> Refused:
    """Return the refusal of a wrong use of a zpool command."""
    return Refused(said, "usage:", f"\t{_SYNOPSES[command]}", status=USAGE_STATUS)


_SYNOPSES = {
    "list": "list [-gHLpPv] [-o property[,...]] [-T d|u] [pool] ... \n\t    [interval [count]]",
    "get": 'get [-Hp] [-o "all" | field[,...]] <"all" | property[,...]> <pool> ...',
    "status": "status [-c [script1,script2,...]] [-igLpPstvxD]  [-T d|u] [pool] ... \n"
    "\t    [interval [count]]",
}


def _pools(process: Process, machine: Machine, names: Sequence[str]) -> list[tuple[Pool, Sizes]]:
    """Return the imported pools, or those of the names; complain about what is none."""
    found: dict[str, Pool] = {}
    for name in names or sorted(machine.pools):
        pool = machine.pools.get(name)
        if pool is not None and pool.imported:
            found[name] = pool
        elif names:
            process.fail(f"cannot open '{name}': no such pool")
    used = change.used_by_all(machine) if found else {}
    return [(pool, Sizes(pool.size, used[name])) for name, pool in sorted(found.items())]


def _asked(command: str, fields: str) -> Sequence[str]:
    """Return the full names of properties; raise Refused for one that does not exist."""
    if fields == "all":
        return [found.name for found in PROPERTIES if not found.hidden]
    names = fields.removesuffix(",").split(",")
    for name in names:
        if name not in _BY_NAME and not name.startswith(_FEATURE):
            said = f"invalid property '{name}'" if name else "empty property name"
            raise usage(command, f"bad property list: {said}")
    return [_BY_NAME[name].name if name in _BY_NAME else name for name in names]


# -- zpool list ------------------------------------------------------------------------------------


def list_(process: Process) -> Iterable[bytes]:
    """List pools."""
    options = process.options("gHLo:pPT:v", usage=partial(usage, "list"))
    fields = options.last("o") or DEFAULT_FIELDS
    asked = _asked("list", fields)
    asked = ["name", *asked] if fields == "all" else asked
    pools = _pools(process, process.cell.read(), options.operands)
    literal = options.has("p")
    rows = [
        [value(pool, sizes, name, literal=literal) or "-" for name in asked]
        for pool, sizes in pools
    ]
    if options.has("H"):
        return text(["\t".join(row) for row in rows])
    if not rows:
        return text([NO_POOLS]) if not options.operands else ()
    return text(_table(asked, rows, literal=literal))


def _table(asked: Sequence[str], rows: Sequence[Sequence[str]], *, literal: bool) -> list[str]:
    columns = [_BY_NAME.get(name) or _feature(name) for name in asked]
    widths = [
        one.width if one.fixed and not literal else max(one.width, *(len(row[n]) for row in rows))
        for n, one in enumerate(columns)
    ]
    lines = [[one.column for one in columns], *rows]
    return [_line(line, columns, widths) for line in lines]


def _feature(name: str) -> PoolProperty:
    return PoolProperty(name, name.upper(), len(name), fixed=False, right=False)


def _line(cells: Sequence[str], columns: Sequence[PoolProperty], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if one.right else cell.ljust(width)
        for cell, one, width in zip(cells, columns, widths, strict=True)
    ]
    last = padded[-1] if columns[-1].right else cells[-1]
    return "  ".join([*padded[:-1], last])


# -- zpool get -------------------------------------------------------------------------------------


def get(process: Process) -> Iterable[bytes]:
    """Print properties and features of pools; of a feature nobody knows nothing is printed."""
    options = process.options("Hpo:", usage=partial(usage, "get"))
    if not options.operands:
        raise usage("get", "missing property argument")
    properties, *names = options.operands
    fields = _fields(options.last("o"))
    asked = _asked("get", properties)
    literal = options.has("p")
    rows = []
    for pool, sizes in _pools(process, process.cell.read(), names):
        features = [f"{_FEATURE}{name}" for name in pool.features] if properties == "all" else []
        for name in (*asked, *features):
            found = value(pool, sizes, name, literal=literal)
            if found is not None:
                rows.append(Row(pool.name, name, found, "-", _source(name, found)))
    if options.has("H"):
        return text(["\t".join(getattr(row, field) for field in fields) for row in rows])
    return text(aligned_rows(rows, fields, asked))


def _source(name: str, found: str) -> str:
    if name.startswith(_FEATURE):
        return "local"
    if name == "readonly" and found == "off":
        return "-"
    return _BY_NAME[name].source


def _fields(given: str | None) -> Sequence[str]:
    every = ("name", "property", "value", "source")
    if given is None or given == "all":
        return every
    fields = given.split(",")
    for field in fields:
        if field not in every:
            raise usage("get", f"invalid column name '{field}'")
    return fields


# -- the rest --------------------------------------------------------------------------------------


def status(process: Process) -> Iterable[bytes]:
    """Print the state of pools, without their devices."""
    options = process.options("gLpPstvxDiT:", usage=partial(usage, "status"))
    pools = _pools(process, process.cell.read(), options.operands)
    if not pools:
        return text([] if options.operands else [NO_POOLS])
    blocks = ["\n".join(_status(pool)) for pool, _ in pools]
    return text(["\n\n".join(blocks)])


def _status(pool: Pool) -> list[str]:
    suspended = pool.health is Health.SUSPENDED
    state = "UNAVAIL" if suspended else pool.health.value
    errors = "errors: List of errors unavailable: pool I/O is currently suspended"
    wide = max(len("NAME"), len(pool.name))
    return [
        f"  pool: {pool.name}",
        f" state: {pool.health.value}",
        *(
            [
                "status: One or more devices are faulted in response to IO failures.",
                "action: Make sure the affected devices are connected, then run 'zpool clear'.",
            ]
            if suspended
            else []
        ),
        "config:",
        "",
        f"\t{'NAME'.ljust(wide)}  STATE     READ WRITE CKSUM",
        f"\t{pool.name.ljust(wide)}  {state.ljust(8)}     0     0     0",
        "",
        errors if suspended else "errors: No known data errors",
    ]


def version(process: Process) -> Iterable[bytes]:
    """Print the releases of the commands and of the kernel module."""
    machine = process.cell.read()
    package = _PACKAGES.get(machine.release, machine.release)
    tools, module = f"zfs-{package}", f"zfs-kmod-{package}"
    if "-j" not in process.arguments or not is_at_least(machine, 2, 3):
        return text([tools, module])
    command = {"command": f"{process.argv[0]} version", "vers_major": 0, "vers_minor": 1}
    document = {"output_version": command, "zfs_version": {"userland": tools, "kernel": module}}
    return text([json.dumps(document, separators=(",", ":"))])


COMMANDS: Commands = {
    ("zpool", "list"): list_,
    ("zpool", "get"): get,
    ("zpool", "status"): status,
    **{(p, w): version for p in ("zfs", "zpool") for w in ("version", "--version", "-V")},
}
