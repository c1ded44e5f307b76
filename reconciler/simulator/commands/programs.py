"""`zfs program` (zfs-program(8)): no Lua, only what reconciler's own program means."""

import json
from collections.abc import Iterable, Sequence

from reconciler.simulator import change
from reconciler.simulator.checks import check_pool
from reconciler.simulator.destruction import Obstacle, destroy_snapshots, obstacle
from reconciler.simulator.model import Machine
from reconciler.simulator.process import Commands, Process, Refused
from reconciler.simulator.usage import usage
from reconciler.zfs.names import pool_of
from reconciler.zfs.programs import DESTROY, guid_argument

_MOST_BYTES = 1 << 20
_FAILED = "Channel program execution failed:"
_ERRNO = {Obstacle.BUSY: 16, Obstacle.CLONED: 17}


def program(process: Process) -> Iterable[bytes]:
    """Run a channel program that comes on stdin; any but ours is an error that says so."""
    options = process.options("nt:m:j", usage=lambda said: usage("program", said))
    if len(options.operands) < 2:
        raise usage("program", "invalid number of arguments")
    pool, file, *arguments = options.operands
    found = process.cell.read().pools.get(pool)
    if found is None or not found.imported:
        raise Refused(f"cannot open '{pool}': no such pool", f"cannot open pool '{pool}'")
    text = process.stdin.read(_MOST_BYTES) if file == "-" else b""
    if text.decode(errors="replace") != DESTROY or [name for name, _ in options.given] != ["j"]:
        raise Refused(_FAILED, "the simulator runs no program but reconciler's own, with -j")
    return _destroyed(process, pool, arguments)


def _destroyed(process: Process, pool: str, arguments: Sequence[str]) -> Iterable[bytes]:
    """Do what `DESTROY` does: all that goes goes in one transaction group."""
    if len(arguments) % 2:
        raise Refused(_FAILED, "the arguments are no pairs of name and guid")
    pairs = list(zip(arguments[::2], arguments[1::2], strict=True))
    for name, _ in pairs:
        if "@" not in name:
            raise Refused(_FAILED, f"not a snapshot: {name}")
        if pool_of(name) != pool:
            raise Refused(_FAILED, f"dataset '{name}' is not in the target pool")
    others: dict[str, str] = {}

    def transition(machine: Machine) -> Machine:
        check_pool(machine, pool, _FAILED)
        others.clear()
        others.update((n, why) for n, guid in pairs if (why := _why_not(machine, n, guid)))
        going = [name for name, _ in pairs if name not in others]
        return destroy_snapshots(machine, going, defer=False)

    process.cell.change(transition)
    result = others or len(pairs)
    yield json.dumps({"return": result}, separators=(",", ":"), ensure_ascii=False).encode()


def _why_not(machine: Machine, name: str, guid: str) -> str:
    found = change.find_snapshot(machine, name)
    if found is None:
        return "missing"
    if guid_argument(found[1].guid) != guid:
        return "another guid"
    why = obstacle(machine, name, defer=False)
    return f"errno {_ERRNO[why]}" if why is not None else ""


COMMANDS: Commands = {("zfs", "program"): program}
