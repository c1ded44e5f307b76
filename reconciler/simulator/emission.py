"""What `zfs send` prints and yields once it is known what is to be sent.

Real ZFS prints progress once a second; here `-v` has a line for every quarter of a snapshot's
stream, so that it is the same in every run.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.simulator import change
from reconciler.simulator.checks import is_at_least
from reconciler.simulator.model import Machine, Sending
from reconciler.simulator.numbers import nicebytes
from reconciler.simulator.outgoing import Outgoing
from reconciler.simulator.process import Options, Process, Refused, text
from reconciler.simulator.stream import Package, listing_of, weight
from reconciler.simulator.stream_writer import Writer, package, package_end

_CHUNK = 16 * 1024


def is_verbose(options: Options) -> bool:
    """Tell whether sizes are printed: `-P` alone is enough."""
    return options.has("v") or options.has("P")


def estimates(process: Process, options: Options, found: Sequence[Outgoing]) -> Iterable[bytes]:
    """Print how large the streams will be."""
    if not is_verbose(options):
        return ()
    total = sum(each.estimate() for each in found)
    if options.has("P"):
        lines = [_parsable(each) for each in found]
        return told(process, options, [*lines, f"size\t{total}"])
    lines = [f"{_readable(each)}{_size(each.estimate())}" for each in found]
    return told(process, options, [*lines, f"total estimated size is {nicebytes(total)}"])


def told(process: Process, options: Options, lines: Sequence[str]) -> Iterable[bytes]:
    """Print lines where they belong: on stdout only if no stream is there."""
    if options.has("n"):
        return text(lines)
    for line in lines:
        process.complain(line)
    return ()


def _parsable(each: Outgoing) -> str:
    if each.base is None:
        return f"full\t{each.name}\t{each.estimate()}"
    return f"incremental\t{each.base}\t{each.name}\t{each.estimate()}"


def _readable(each: Outgoing) -> str:
    if each.base is None:
        return f"full send of {each.name}"
    at = "" if "@" in each.base or "#" in each.base else "@"
    return f"send from {at}{each.base} to {each.name}"


def _size(estimate: int) -> str:
    return f" estimated size is {nicebytes(estimate)}" if estimate else ""


def streams(  # noqa: PLR0913 - all of it shapes the package
    process: Process,
    options: Options,
    found: Sequence[Outgoing],
    *,
    packed: bool,
    recursive: bool,
    whole: bool = True,
) -> Iterator[bytes]:
    """Yield the bytes of the streams, in a package where there may be several.

    A package that is not `whole` has no end.
    """
    with _pinned(process, found):
        if packed:
            yield package(Package(options.operands[0], recursive))
        for each in found:
            yield from _stream(process, options, each)
        if packed and whole:
            yield package_end()


def _stream(process: Process, options: Options, each: Outgoing) -> Iterator[bytes]:
    writer, sent, quarter = Writer(), 0, 0
    total = sum(map(weight, each.records())) if options.has("v") else 0
    if _has_heading(process, options):
        process.complain(f"TIME        SENT   SNAPSHOT {each.name}")
    chunk = writer.begin(each.header)
    for record in each.records():
        chunk += writer.record(record)
        if len(chunk) >= _CHUNK:
            yield chunk
            chunk = b""
        sent += weight(record)
        if total and 4 * sent // total > quarter:
            quarter = 4 * sent // total
            _progress(process, options, each, sent)
    yield chunk + writer.end(listing_of(each.snapshot.files, each.dataset.volsize))


def _has_heading(process: Process, options: Options) -> bool:
    """Tell whether progress for people has a heading: 2.1 prints it only after a second."""
    is_for_people = options.has("v") and not options.has("P")
    return is_for_people and is_at_least(process.cell.read(), 2, 2)


def _progress(process: Process, options: Options, each: Outgoing, sent: int) -> None:
    at = datetime.fromtimestamp(process.now(), UTC).strftime("%H:%M:%S")
    if options.has("P"):
        process.complain(f"{at}\t{sent}\t{each.name}")
    else:
        process.complain(f"{at}   {nicebytes(sent):>5}   {each.name}")


@contextmanager
def _pinned(process: Process, found: Sequence[Outgoing]) -> Iterator[None]:
    """Keep snapshots from being destroyed while they are sent."""
    numbers = tuple(number for each in found for number in each.pinned)
    mine = Sending(process.owner, numbers)

    def pin(machine: Machine) -> Machine:
        for each in found:
            if change.by_object(machine, each.snapshot.object, near=each.dataset.name) is None:
                raise Refused(f"warning: cannot send '{each.name}': no such pool or dataset")
        return replace(machine, sending=(*machine.sending, mine))

    def unpin(machine: Machine) -> Machine:
        if mine not in machine.sending:
            return machine
        at = machine.sending.index(mine)
        return replace(machine, sending=machine.sending[:at] + machine.sending[at + 1 :])

    process.cell.change(pin)
    try:
        yield
    finally:
        process.clean_up(unpin)
