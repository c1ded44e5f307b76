"""What actions look like on a line, and which of them look alike.

Each action comes apart into one entry per filesystem. Entries of the same shape on many
filesystems can stand on one line; that is all the folding there is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from reconciler.actions import (
    AbortReceive,
    Bookmark,
    CreateFilesystem,
    Destroy,
    DestroyFilesystem,
    Hold,
    MarkGone,
    Release,
    Rename,
    Rollback,
    Send,
    SendMode,
    Snapshot,
)
from reconciler.planner.plan import PlannedAction
from reconciler.report.destroy_reasons import Doomed, doomed
from reconciler.report.figures import bytes_text, rate_text
from reconciler.report.lines import Line, Style
from reconciler.report.naming import filesystems_text
from reconciler.report.wording import lost_text, mark_text
from reconciler.zfs.named_properties import applies
from reconciler.zfs.types import Version

ORDER = (
    "abort",
    "rename",
    "rollback",
    "create",
    "snapshot",
    "send",
    "bookmark",
    "hold",
    "release",
    "mark",
    "destroy",
)
"""In which order a block tells what is to be done."""


@dataclass(frozen=True, slots=True)
class Shape:
    """All of a line but the filesystems' names and the bytes."""

    symbol: str
    verb: str
    style: Style
    host: str = ""
    """Said in front of the names; empty for the sender, whom the block's title names."""
    what: str = ""
    receiver_host: str = ""
    root: str = ""
    """Where the copies lie: `root/filesystem` on the receiver's host."""
    manner: str = ""
    aside: str = ""

    @property
    def rank(self) -> int:
        """The place among the lines of a block."""
        return ORDER.index(self.verb)

    def line(self, names: Sequence[str], size: str = "") -> Line:
        """Return the line for these filesystems."""
        manner = ", ".join(part for part in (self.manner, size) if part)
        place = f"{self.host} {filesystems_text(names)}".lstrip()
        parts = (place, self.what, self._receiver(names), manner)
        said = "  ".join(part for part in parts if part)
        return Line(f"  {self.symbol} {self.verb:<9}  {said}", self.style, self.aside)

    def _receiver(self, names: Sequence[str]) -> str:
        if not self.receiver_host:
            return ""
        if len(names) == 1:
            return f"→ {self.receiver_host} {self.root}/{names[0]}"
        return f"→ {self.receiver_host}, each below {self.root}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one action does to one filesystem."""

    shape: Shape
    filesystem: str
    send: Send | None = None


def entries(planned: PlannedAction, *, explain: bool) -> Iterator[Entry]:
    """Yield what an action does, filesystem by filesystem."""
    action, why = planned.action, planned.reason.message
    match action:
        case Snapshot():
            what = f"@{action.name}{_hooks(action)}"
            shape = Shape("+", "snapshot", Style.ADD, what=what, aside=why)
            for name in action.filesystems:
                yield Entry(shape, name)
        case Send():
            yield Entry(_send(action, why, explain=explain), action.filesystem, action)
        case Bookmark():
            yield Entry(_bookmark(action, why, explain=explain), action.filesystem)
        case Destroy():
            for group in doomed(action, planned.reason, explain=explain):
                yield Entry(_destroy(action.host, group), action.filesystem)
        case Hold() | Release():
            what = f"{action.version.label}  {action.tag}"
            shape = Shape("~", action.verb, Style.QUIET, action.host, what, aside=why)
            yield Entry(shape, action.filesystem)
        case (
            AbortReceive()
            | Rename()
            | Rollback()
            | CreateFilesystem()
            | DestroyFilesystem()
            | MarkGone()
        ):
            yield Entry(_of_whole(action, why), action.filesystem)
        case _:
            assert_never(action)


def _of_whole(
    action: AbortReceive | Rename | Rollback | CreateFilesystem | DestroyFilesystem | MarkGone,
    why: str,
) -> Shape:
    """Return the shape of what is done to a filesystem as a whole."""
    match action:
        case AbortReceive():
            sign, verb, style, what = "-", "abort", Style.DESTROY, "its partial receive"
        case Rename():
            sign, verb, style, what = "~", "rename", Style.WARNING, f"to {action.to}"
        case Rollback():
            what = f"to {action.to.label}{lost_text(action)}"
            sign, verb, style = "-", "rollback", Style.DESTROY
        case CreateFilesystem():
            sign, verb, style, what = "+", "create", Style.ADD, "placeholder"
        case DestroyFilesystem():
            sign, verb, style, what = "-", "destroy", Style.DESTROY, "the filesystem itself"
        case MarkGone():
            sign, verb, style, what = "#", "mark", Style.MARK, mark_text(action)
    return Shape(sign, verb, style, action.host, what, aside=why)


def _hooks(snapshot: Snapshot) -> str:
    names = ", ".join(hook.name for hook in snapshot.hooks)
    plural = "s" if len(snapshot.hooks) > 1 else ""
    return f"  with hook{plural} {names}" if names else ""


def folded(found: Iterable[Entry]) -> Iterator[Line]:
    """Yield a line for each shape, in the order of the verbs."""
    groups: dict[Shape, list[Entry]] = {}
    for entry in found:
        groups.setdefault(entry.shape, []).append(entry)
    for shape in sorted(groups, key=lambda shape: shape.rank):
        group = groups[shape]
        names = list(dict.fromkeys(entry.filesystem for entry in group))
        yield shape.line(names, _size(entry.send for entry in group))


def unfolded(found: Iterable[Entry]) -> Iterator[Line]:
    """Yield a line for each entry, in the order of the verbs."""
    for entry in sorted(found, key=lambda entry: entry.shape.rank):
        yield entry.shape.line([entry.filesystem], _size([entry.send]))


def _size(sends: Iterable[Send | None]) -> str:
    """Return the estimate for some sends; nothing where nothing is sent."""
    estimates = [send.estimated_bytes for send in sends if send is not None]
    if not estimates:
        return ""
    known = [estimate for estimate in estimates if estimate is not None]
    if not known:
        return "size unknown"
    return f"{'~' if len(known) == len(estimates) else 'at least '}{bytes_text(sum(known))}"


def _send(send: Send, why: str, *, explain: bool) -> Shape:
    receiver, name = send.receiver_filesystem, send.filesystem
    way = f", {send.path}" if explain and send.path != "auto" else ""
    below = receiver.endswith(f"/{name}")
    return Shape(
        "→",
        "send",
        Style.SEND,
        what=_range(send, explain=explain)
        + ("" if below else f"  → {send.receiver_host} {receiver}"),
        receiver_host=send.receiver_host if below else "",
        root=receiver.removesuffix(f"/{name}"),
        manner=", ".join((_MODES[send.mode], *_particulars(send))) + way,
        aside=why if explain else "",
    )


def _particulars(send: Send) -> Iterator[str]:
    """Yield what is special about a stream."""
    if send.flags.raw:
        yield "raw"
    if send.decrypts:
        yield "decrypted"
    if send.brings_properties:
        left_out = ", ".join(n for n in send.properties.exclude if applies(n, send.kind))
        yield f"with properties but {left_out}" if left_out else "with properties"
    for name, value in send.properties.override:
        if applies(name, send.kind):
            yield f"{name}={value}"
    piping = send.piping
    if piping.compression is not None:
        yield f"zstd-{piping.compression}"
    if piping.buffer is not None:
        yield f"buffer {bytes_text(piping.buffer)}"
    if piping.bandwidth is not None:
        yield f"at most {rate_text(piping.bandwidth)}"


_MODES = {
    SendMode.FULL: "full",
    SendMode.INCREMENTAL: "incremental",
    SendMode.RESUME: "resumed",
}


def _range(send: Send, *, explain: bool) -> str:
    count = len(send.versions)
    several = f" ({count} snapshots)" if count > 1 else ""
    start = f"{_start(send.base, explain=explain)} .. " if send.base is not None else ""
    if send.origin is not None:
        start = f"clone of {send.start} .. "
    return f"{start}{send.to.label}{several}"


def _start(base: Version, *, explain: bool) -> str:
    """Return what a stream starts from; a cursor's name has a guid in it, so none is like another.

    Cut to what they share, streams from cursors fold like others.
    """
    if base.is_snapshot or explain:
        return base.label
    return "#" + base.name.rpartition("_")[0] + "_…" if "_" in base.name else base.label


def _bookmark(bookmark: Bookmark, why: str, *, explain: bool) -> Shape:
    peer = bookmark.peer if explain else bookmark.peer.partition(" ")[0]
    what = f"cursor for {peer} → {bookmark.version.label}"
    if not peer:
        what = f"of {bookmark.version.label}"
    return Shape("#", "bookmark", Style.MARK, what=what, aside=why if explain else "")


def _destroy(host: str, group: Doomed) -> Shape:
    return Shape("-", "destroy", Style.DESTROY, host, group.what, aside=group.why)
