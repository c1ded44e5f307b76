"""`zfs send` (zfs-send(8)): the errors of zfs_main.c and libzfs_sendrecv.c in their order."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from reconciler.simulator import change, packages, resuming
from reconciler.simulator.checks import is_at_least
from reconciler.simulator.emission import estimates, is_verbose, streams, told
from reconciler.simulator.items import DATASETS, Item, Kind, open_item
from reconciler.simulator.model import Dataset, Health, Machine
from reconciler.simulator.outgoing import Asked, Base, Outgoing, is_before, outgoing
from reconciler.simulator.packages import Selection, Warned
from reconciler.simulator.process import Commands, Options, Process, Refused
from reconciler.simulator.usage import usage
from reconciler.zfs.names import filesystem_of, pool_of

UNTYPED = (
    "Warning: incremental source didn't specify type, assuming snapshot."
    " Use '@' or '#' prefix to avoid ambiguity."
)
NOT_EARLIER = "not an earlier snapshot from the same fs"
BUSY = "target is busy; if a filesystem, it must not be mounted"

WORDS = {
    "replicate": "R",
    "skip-missing": "s",
    "redact=": "d",
    "props": "p",
    "parsable": "P",
    "dedup": "D",
    "proctitle": "V",
    "verbose": "v",
    "dryrun": "n",
    "large-block": "L",
    "embed": "e",
    "resume=": "t",
    "compressed": "c",
    "raw": "w",
    "backup": "b",
    "holds": "h",
    "saved": "S",
}
"""The long options (zfs_main.c)."""


def send(process: Process) -> Iterator[bytes]:
    """Send a snapshot, or several, to stdout."""
    options = _options(process)
    token = options.last("t")
    if token is not None:
        yield from _send_resumed(process, options, token)
    elif options.has("S"):
        _send_saved(process, options)
    elif options.has("R") or options.has("I"):
        yield from _send_package(process, options)
    else:
        yield from _send_one(process, options)


def _options(process: Process) -> Options:
    machine = process.cell.read()
    letters = "i:I:RDpVvnPLeht:cwbd:S" + ("s" if is_at_least(machine, 2, 1) else "")
    letters += "X:" if is_at_least(machine, 2, 2) else ""
    options = process.options(letters, usage=lambda said: usage("send", said), words=WORDS)
    if len(options.all("i")) + len(options.all("I")) > 1:
        raise usage("send")
    if options.has("t"):
        if any(options.has(letter) for letter in "iIRpbhSd"):
            raise usage("send", "invalid flags combined with -t")
    elif not options.operands:
        raise usage("send", "missing snapshot argument")
    if len(options.operands) > (0 if options.has("t") else 1):
        raise usage("send", "too many arguments")
    if options.has("d"):
        raise Refused("redacted sends are not simulated")
    return options


def _asked(options: Options) -> Asked:
    return Asked(
        large_blocks=options.has("L"),
        embedded=options.has("e"),
        compressed=options.has("c"),
        raw=options.has("w"),
        properties=options.has("p") or options.has("R"),
        backup=options.has("b"),
        holds=options.has("h"),
    )


# -- one snapshot ----------------------------------------------------------------------------------


def _send_one(process: Process, options: Options) -> Iterator[bytes]:
    """Send one snapshot (`zfs_send_one`)."""
    name, asked = options.operands[0], _asked(options)
    base_name = _full_base(process, options.last("i"), name)
    machine = process.cell.read()
    item = open_item(machine, name, DATASETS)
    cannot = f"warning: cannot send '{name}'"
    if base_name is not None and "@" in base_name:
        earlier = open_item(machine, base_name, DATASETS)
        if not _is_earlier(machine, earlier, item):
            raise Refused(f"{cannot}: {NOT_EARLIER}")
    packed = asked.properties or asked.backup or asked.holds
    if packed and item.snapshot is not None:
        packages.check(machine, _alone(item.dataset, item.snapshot.name), asked)
    if item.snapshot is None:
        if is_verbose(options):
            raise Refused(f"{cannot}: Invalid argument")
        raise Refused(f"{cannot}: {BUSY}")
    base = _base(machine, item, base_name, estimating=is_verbose(options))
    found = outgoing(machine, item.dataset, item.snapshot, base, asked, shown=base_name)
    yield from estimates(process, options, [found])
    if options.has("n"):
        return
    _check_key(machine, found, asked, "dataset key must be loaded")
    yield from streams(process, options, [found], packed=bool(packed), recursive=False)


def _alone(dataset: Dataset, name: str) -> Selection:
    return Selection(dataset, name, None, recursive=False, all=False)


def _full_base(process: Process, base: str | None, name: str) -> str | None:
    """Return the full name that `-i` means."""
    if base is None:
        return None
    if "@" not in base and "#" not in base:
        process.complain(UNTYPED)
        base = f"@{base}"
    return filesystem_of(name) + base if base[0] in "@#" else base


def _is_earlier(machine: Machine, earlier: Item, item: Item) -> bool:
    if earlier.snapshot is None or item.snapshot is None:
        return False
    base = earlier.dataset, earlier.snapshot
    return is_before(machine, base, item.dataset, item.snapshot.createtxg)


def _base(
    machine: Machine, item: Item, name: str | None, *, estimating: bool
) -> tuple[Dataset, Base] | None:
    """Return the base as the kernel finds it; the texts differ between estimate and stream."""
    if name is None or "#" not in name:
        return change.find_snapshot(machine, name) if name is not None else None
    cannot = f"warning: cannot send '{item.name}'"
    told = "Invalid cross-device link" if estimating else NOT_EARLIER
    if pool_of(name) != pool_of(item.name):
        raise Refused(f"{cannot}: {told}")
    where = change.find(machine, filesystem_of(name))
    short = name.partition("#")[2]
    found = next((b for b in where.bookmarks if b.name == short), None) if where else None
    if where is None or found is None:
        missing = "No such process" if where is not None else "No such file or directory"
        gone = missing if estimating else f"incremental source ({name}) does not exist"
        raise Refused(f"{cannot}: {gone}")
    createtxg = item.snapshot.createtxg if item.snapshot is not None else 0
    if not is_before(machine, (where, found), item.dataset, createtxg):
        raise Refused(f"{cannot}: {told}")
    return where, found


# -- several ---------------------------------------------------------------------------------------


def _send_package(process: Process, options: Options) -> Iterator[bytes]:
    """Send several snapshots (`zfs_send`)."""
    wanted = _selection(process, options)
    asked = _asked(options)
    machine = process.cell.read()
    if wanted.base is not None:
        open_item(machine, f"{wanted.root.name}@{wanted.base}", frozenset({Kind.SNAPSHOT}))
    open_item(machine, f"{wanted.root.name}@{wanted.to}", frozenset({Kind.SNAPSHOT}))
    for name in packages.skipped(machine, wanted) if is_verbose(options) else ():
        process.complain(f"skipping dataset {name}: snapshot {wanted.to} does not exist")
    packages.check(machine, wanted, asked)
    chosen = list(packages.chosen(machine, wanted, asked))
    found = [each for each in chosen if isinstance(each, Outgoing)]
    for warning in chosen:
        if isinstance(warning, Warned):
            process.fail(warning)
    yield from estimates(process, options, found)
    if options.has("n"):
        return
    readable = list(takewhile(lambda each: _refusal(machine, each, asked) is None, found))
    yield from streams(
        process, options, readable, packed=True, recursive=wanted.recursive, whole=bool(found)
    )
    for each in found[len(readable) : len(readable) + 1]:
        # Its end makes the package a whole one: libzfs forgets that something went wrong.
        process.complain(_refusal(machine, each, asked) or "")


def _refusal(machine: Machine, each: Outgoing, asked: Asked) -> str | None:
    return _key_refusal(machine, each, asked, "source key must be loaded")


def _selection(process: Process, options: Options) -> Selection:
    base, operand = options.last("I") or options.last("i"), options.operands[0]
    if base is not None and "#" in base:
        raise Refused("Error: multiple snapshots cannot be sent from a bookmark.")
    name, delimiter, to = operand.partition("@")
    if not delimiter:
        raise Refused("Error: Unsupported flag with filesystem or bookmark.")
    machine = process.cell.read()
    root = open_item(machine, name, frozenset({Kind.FILESYSTEM, Kind.VOLUME})).dataset
    from_origin = False
    if base is not None and "@" in base:
        origin = change.by_object(machine, root.origin) if root.origin is not None else None
        if origin is not None and base == f"{origin[0].name}@{origin[1].name}":
            base, from_origin = None, True
        else:
            where, _, base = base.partition("@")
            if where not in {"", name}:
                raise usage("send", "incremental source must be in same filesystem")
            if "@" in base or "/" in base:
                raise usage("send", "invalid incremental source")
    recursive = options.has("R")
    every = options.has("I") or (recursive and base is None)
    return Selection(root, to, base, recursive, every, from_origin)


# -- with a token ----------------------------------------------------------------------------------


def _send_resumed(process: Process, options: Options, text_: str) -> Iterator[bytes]:
    """Send the rest of a stream that was cut (`zfs_send_resume`)."""
    token = resuming.decode(text_)
    if is_verbose(options):
        yield from told(process, options, resuming.shown(token))
    machine = process.cell.read()
    found = resuming.resumed(machine, token, _asked(options))
    yield from estimates(process, options, [found])
    if options.has("n"):
        return
    asked = replace(_asked(options), raw=options.has("w") or token.rawok)
    refused = _key_refusal(machine, found, asked, "source key must be loaded")
    if refused is not None:
        raise Refused(refused, status=resuming.FAILED)
    yield from streams(process, options, [found], packed=False, recursive=False)


def _send_saved(process: Process, options: Options) -> None:
    name = options.operands[0]
    item = open_item(process.cell.read(), name, DATASETS)
    if item.dataset.partial is None:
        raise Refused
    raise Refused("zfs send --saved is not simulated")


# -- keys -----------------------------------------------------------------------------------------


def _check_key(machine: Machine, found: Outgoing, asked: Asked, why: str) -> None:
    refused = _key_refusal(machine, found, asked, why)
    if refused is not None:
        raise Refused(refused)


def _key_refusal(machine: Machine, found: Outgoing, asked: Asked, why: str) -> str | None:
    """Return why the kernel can't read a snapshot."""
    cannot = f"warning: cannot send '{found.name}'"
    if machine.pools[pool_of(found.name)].health is Health.SUSPENDED:
        return f"{cannot}: pool I/O is currently suspended"
    if not asked.raw and not change.has_key(machine, found.dataset.name):
        return f"{cannot}: {why}"
    return None


COMMANDS: Commands = {("zfs", "send"): send}
