"""`zfs receive` (zfs-receive(8)), and `zfs recv`: the half of it that libzfs does."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.assignments import parsed
from reconciler.simulator.checks import check_pool, is_at_least
from reconciler.simulator.delivery import Session, deliver, mount_new
from reconciler.simulator.destination import (
    RECEIVE,
    Asked,
    Part,
    check_properties,
    check_target,
    sent_filesystem,
)
from reconciler.simulator.model import Machine
from reconciler.simulator.process import Commands, Options, Process, Refused
from reconciler.simulator.receive_errors import NOT_READ
from reconciler.simulator.stream import Details, Header, Package, PackageEnd
from reconciler.simulator.stream_reader import Damaged, NoStream, Reader, Short
from reconciler.simulator.usage import usage
from reconciler.zfs.names import parent_of, pool_of


def receive(process: Process) -> Iterator[bytes]:
    """Receive a stream from stdin; with `-A` drop what is left of one."""
    options = process.options("o:x:dehMnuvFsA" + _later(process), usage=_usage)
    asked = _asked(options)
    if options.has("A"):
        if any(options.has(letter) for letter in "densu"):
            raise _usage("invalid option")
        _drop(process, asked.target)
        return
    session = Session(process, Reader(process.stdin), asked)
    yield from _any(session)
    mount_new(session)


def _later(process: Process) -> str:
    return "c" if is_at_least(process.cell.read(), 2, 2) else ""


def _usage(said: str) -> Refused:
    return usage("receive", said)


def _asked(options: Options) -> Asked:
    local, masked = _properties(options)
    if options.has("d") and options.has("e"):
        raise _usage("invalid option combination: -d and -e are mutually exclusive")
    if len(options.operands) != 1:
        too_many = bool(options.operands)
        raise _usage("too many arguments" if too_many else "missing snapshot argument")
    origin = local.pop("origin", None)
    return Asked(
        target=options.operands[0],
        drop_pool=options.has("d"),
        keep_last=options.has("e"),
        force=options.has("F"),
        resumable=options.has("s"),
        verbose=options.has("v"),
        dry_run=options.has("n"),
        mount=not options.has("u"),
        holds=not options.has("h"),
        local=local,
        masked=masked,
        origin=origin,
    )


def _properties(options: Options) -> tuple[dict[str, str], frozenset[str]]:
    """Return `-o` and `-x`; raise Refused for a property that is named twice."""
    try:
        local = parsed(options.all("o"))
    except Refused as refused:
        raise _usage(refused.lines[0]) from None
    names = [*local, *options.all("x")]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise _usage(f"property '{twice}' specified multiple times")
    return local, frozenset(options.all("x"))


# -- giving up -------------------------------------------------------------------------------------


def _drop(process: Process, name: str) -> None:
    """Drop the saved state of a receive (`-A`)."""
    found = change.find(process.cell.read(), name)
    if found is None:
        raise _usage(f"cannot open '{name}': dataset does not exist")
    if found.partial is None or (found.inconsistent and not found.partial.resumable):
        raise Refused(f"'{name}' does not have any resumable receive state to abort")
    process.cell.change(partial(_dropped, name))


def _dropped(name: str, machine: Machine) -> Machine:
    dataset = change.find(machine, name)
    if dataset is None or dataset.partial is None:
        raise Refused(f"'{name}' does not have any resumable receive state to abort")
    action = f"cannot destroy '{name if dataset.inconsistent else f'{name}/%recv'}'"
    check_pool(machine, pool_of(name), action)
    if dataset.partial.owner is not None:
        raise Refused(f"{action}: dataset is busy")
    if dataset.inconsistent and any(change.children(machine, name)):
        raise Refused(f"{action}: dataset already exists")
    if dataset.inconsistent and any(change.children(machine, name)):
        raise Refused(f"{action}: dataset already exists")
    machine, _ = change.next_txg(machine, pool_of(name))
    if dataset.inconsistent:
        return change.without_dataset(machine, name)
    return change.with_dataset(machine, replace(dataset, partial=None))


# -- streams ---------------------------------------------------------------------------------------


def _any(session: Session) -> Iterator[bytes]:
    """Receive a stream or a package of them (`zfs_receive_impl`)."""
    machine = session.process.cell.read()
    check_properties(machine, session.asked)
    check_target(machine, session.asked)
    match _start(session.reader):
        case PackageEnd():
            raise Refused
        case Header() as header:
            yield from deliver(session, header, Part(sent_filesystem(header.toname)))
        case Package() as package:
            yield from _all(session, package)


def _start(reader: Reader) -> Header | Package | PackageEnd:
    try:
        return reader.start()
    except Short:
        raise Refused(NOT_READ) from None
    except NoStream:
        raise Refused(f"{RECEIVE}: invalid stream (bad magic number)") from None
    except Damaged:
        raise Refused(f"{RECEIVE}: checksum mismatch") from None


def _all(session: Session, package: Package) -> Iterator[bytes]:
    """Receive the streams of a package, each for itself, up to the first that fails."""
    part = Part(sent_filesystem(package.toname), package.recursive)
    while not isinstance(header := _start(session.reader), PackageEnd):
        if isinstance(header, Package):
            raise Refused(f"{RECEIVE}: invalid backup stream")
        yield from deliver(session, header, part)
    details = {where.filesystem: found for where, found in session.received}
    if any(found.raw is not None for found in details.values()):
        session.process.cell.change(partial(_with_hierarchy, details))


def _with_hierarchy(received: Mapping[str, Details], machine: Machine) -> Machine:
    """Let what used its parent's key at the sender do so here (`recv_fix_encryption_hierarchy`)."""
    for name, details in sorted(received.items()):
        dataset = change.find(machine, name)
        inherits = details.raw is not None and not details.raw.is_root
        if inherits and parent_of(name) in received and dataset is not None and dataset.encryption:
            encryption = replace(dataset.encryption, key=None)
            machine = change.with_dataset(machine, replace(dataset, encryption=encryption))
    return machine


COMMANDS: Commands = {("zfs", "receive"): receive, ("zfs", "recv"): receive}
