"""Random streams: full and incremental, raw, cut, resumed, and into places where they don't fit."""

from typing import NamedTuple

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Dataset
from reconciler.simulator.tokens import encode
from reconciler.zfs import commands
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.names import filesystem_of, parent_of
from reconciler.zfs.tokens import decode_token
from reconciler.zfs.types import Argv, FilesystemKind
from tests.support.chance import Chance
from tests.support.steps import CUT, KEEP, Simulated, Step

_RICH = StreamFlags(large_blocks=True, compressed=True, embedded=True)
_SMALL = 60_000
"""Bytes: a stream that is estimated to be shorter is not cut, most of it being metadata."""

TOKENS = ("t1", "t2", "t3")


class Wish(NamedTuple):
    """What is to be sent where."""

    base: str | None
    to: str
    target: str
    intermediates: bool = False


def transfer(chance: Chance) -> Step | None:
    """Send something and receive it."""
    choice = chance.random.random()
    wish = _next_step(chance) if choice < 0.65 else None
    if wish is None and choice < 0.9:
        wish = _first(chance)
    if wish is None:
        if choice < 0.9 or not chance.snapshots():
            return None
        wish = _anything(chance)
    if chance.maybe(0.06):
        return (("zfs", "send", "-nvP", *_bases(chance, wish), wish.to),)
    send, receive = _send(chance, wish), _receive(chance, wish)
    if "-R" in send:
        # What -R with -F destroys and renames is not modelled.
        receive = tuple(word for word in receive if word != "-F")
    return _with_cut(chance, send, receive)


def resume(chance: Chance) -> Step | None:
    """Go on with a receive that was cut, or try to with an old token."""
    kept = [name for name, token in chance.tokens.items() if token != "-"]
    if not kept:
        return None
    name = chance.of(kept)
    toguid = decode_token(chance.tokens[name]).toguid
    partial = {d.name: d.partial for d in chance.partial() if d.partial}
    same = [target for target, state in partial.items() if state.toguid == toguid]
    target = chance.of(same) if same and not chance.errs() else chance.filesystem()
    if target in same and encode(partial[target]) != chance.tokens[name]:
        # Whether another cut left off at the same place depends on how large records are.
        return None
    send: Argv = ("zfs", "send", "-t", f"{{{name}}}")
    if chance.maybe(0.15):
        return (("zfs", "send", "-nvP", *send[2:]),)
    receive: Argv = ("zfs", "receive", *(["-s"] if chance.maybe(0.8) else []), "-u", target)
    if chance.maybe(0.2):
        return (send, (CUT, chance.of(["0.4", "0.7"])), receive)
    return (send, receive)


def keep(chance: Chance) -> Step | None:
    """Take note of a token."""
    partial = chance.partial()
    return ((KEEP, chance.of(TOKENS), chance.of(partial).name),) if partial else None


def abort(chance: Chance) -> Step:
    """Give up a receive that was cut."""
    partial = chance.partial()
    name = chance.of(partial).name if partial and not chance.errs() else chance.filesystem()
    return (commands.abort_receive(name),)


# -- what and where --------------------------------------------------------------------------------


def _next_step(chance: Chance) -> Wish | None:
    """Return an increment that fits somewhere."""
    fitting = [
        wish
        for target in chance.below()
        if target.snapshots
        for source in chance.below()
        if source.name != target.name and (wish := _between(chance, source, target)) is not None
    ]
    return chance.of(fitting) if fitting else None


def _between(chance: Chance, source: Dataset, target: Dataset) -> Wish | None:
    newest = target.snapshots[-1]
    bases = [name for name, version in chance.versions_of(source) if version.guid == newest.guid]
    later = [s for s in source.snapshots if s.createtxg > _position(source, newest.guid)]
    if not bases or not later:
        return None
    base, to = chance.of(bases), f"{source.name}@{chance.of(later).name}"
    intermediates = "@" in base and chance.maybe(0.4)
    return Wish(base, to, target.name, intermediates)


def _position(source: Dataset, guid: int) -> int:
    """Return the createtxg of a version, in the source's own counting."""
    found = [s.createtxg for s in source.snapshots if s.guid == guid]
    found += [b.createtxg for b in source.bookmarks if b.guid == guid]
    return found[0] if found else 1 << 62


def _first(chance: Chance) -> Wish | None:
    """Return a full stream to a filesystem that is not there."""
    there = chance.snapshots()
    if not there:
        return None
    to = chance.of(there)
    parent = chance.of([name for name in chance.parents() if name != filesystem_of(to)])
    name = filesystem_of(to).rpartition("/")[2]
    return Wish(None, to, f"{parent}/{chance.of([name, name, f'{name}2', 'copy'])}")


def _anything(chance: Chance) -> Wish:
    """Return a stream that hardly fits."""
    base = chance.version() if chance.maybe(0.6) else None
    to = chance.snapshot()
    if base is not None and chance.maybe(0.5):
        siblings = chance.siblings(to)
        base = f"{filesystem_of(to)}@{chance.of(siblings or ['no'])}"
    target = chance.filesystem() if chance.maybe(0.8) else chance.new_filesystem()
    if chance.maybe(0.1):
        target = f"{target}@renamed"
    return Wish(base, to, target, intermediates=base is not None and chance.maybe(0.25))


# -- command lines ---------------------------------------------------------------------------------


def _send(chance: Chance, wish: Wish) -> Argv:
    source = chance.machine.datasets.get(filesystem_of(wish.to))
    encrypted = source is not None and source.encryption is not None
    raw = chance.maybe(0.7) if encrypted else chance.maybe(0.04)
    bookmarked = wish.base is not None and "#" in wish.base
    if chance.maybe(0.4) and not (bookmarked and wish.intermediates):
        flags = StreamFlags(raw=True) if raw else chance.of([_RICH, _RICH, StreamFlags()])
        return commands.send(wish.to, base=wish.base, intermediates=wish.intermediates, flags=flags)
    options = [option for option in ("-L", "-c", "-e") if chance.maybe(0.3)]
    options += ["-w"] if raw else []
    options += [option for option in ("-p", "-R", "-h") if chance.maybe(0.05)]
    if raw and {"-p", "-R"}.isdisjoint(options):
        # At its end `zfs receive` looks for the properties and aborts; not modelled.
        options = [option for option in options if option != "-h"]
    options += ["-v"] if chance.maybe(0.05) else []
    return ("zfs", "send", *options, *_bases(chance, wish), wish.to)


def _bases(chance: Chance, wish: Wish) -> Argv:
    if wish.base is None:
        return ()
    base = wish.base
    if chance.maybe(0.2) and filesystem_of(base) == filesystem_of(wish.to):
        base = base[len(filesystem_of(base)) :]
    return ("-I" if wish.intermediates else "-i", base)


def _receive(chance: Chance, wish: Wish) -> Argv:
    machine = chance.machine
    source, there = (machine.datasets.get(filesystem_of(n)) for n in (wish.to, wish.target))
    kind = source.kind if source is not None else FilesystemKind.FILESYSTEM
    if chance.maybe(0.45) and "@" not in wish.target:
        return commands.receive(wish.target, kind=kind, initial=there is None)
    options = ["-s"] if chance.maybe(0.6) else []
    options += ["-u"] if chance.maybe(0.6) else []
    options += ["-F"] if chance.maybe(0.2) else []
    options += ["-v"] if chance.maybe(0.08) else []
    options += ["-n"] if chance.maybe(0.03) else []
    if chance.maybe(0.2):
        settings = (chance.setting(), "readonly=on", "canmount=noauto", "mountpoint=none")
        options += ["-o", chance.of(settings)]
    if chance.maybe(0.1):
        options += ["-x", chance.of(["x:one", "mountpoint", "compression"])]
    if chance.maybe(0.08):
        above = parent_of(wish.target) if chance.maybe(0.7) else None
        return ("zfs", "receive", *options, chance.of(["-d", "-e"]), above or wish.target)
    return ("zfs", "receive", *options, wish.target)


def _estimate(chance: Chance, send: Argv) -> int:
    """Return how many bytes `zfs send -n` says that a stream will have."""
    options = tuple(word for word in send[2:] if word not in {"-v", "-P"})
    said = Simulated(MemoryCell(chance.machine)).ask("zfs", "send", "-nvP", *options).stdout
    return sum(int(line[5:]) for line in said.splitlines() if line.startswith("size\t"))


def _with_cut(chance: Chance, send: Argv, receive: Argv) -> Step:
    if not chance.maybe(0.3):
        return (send, receive)
    if _estimate(chance, send) < _SMALL:
        return (send, receive)
    where = chance.of(["0", "0.4", "0.6", "0.8"])
    # Within a package: in which of its streams a real one ends, and in which a simulated one,
    # depends on how large each is.
    return (send, (CUT, "0" if "-R" in send else where), receive)


__all__ = ["abort", "keep", "resume", "transfer"]
