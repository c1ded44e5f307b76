"""The actions of a plan in blocks: one for each replication and sender, with its receivers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.actions import Bookmark, Hold, Release, Send, Snapshot
from reconciler.planner.plan import Plan, PlannedAction
from reconciler.report.figures import count_text
from reconciler.report.lines import Line, Style, section
from reconciler.report.shapes import entries, folded, unfolded


class _Key(NamedTuple):
    replication: str
    host: str


def block_lines(plan: Plan, *, explain: bool) -> Iterator[Line]:
    """Yield the blocks by replication and host, each after an empty line."""
    owners = _owners(plan.actions)
    blocks: dict[_Key, list[PlannedAction]] = {}
    for planned in plan.actions:
        key = _Key(planned.replication, owners[planned.id])
        blocks.setdefault(key, []).append(planned)
    for key in sorted(blocks):
        yield from section(_title(key, blocks[key]), _body(blocks[key], explain=explain))


def _title(key: _Key, block: Sequence[PlannedAction]) -> Line:
    receivers = {p.action.receiver_host for p in block if isinstance(p.action, Send)}
    peers = (p.action.peer for p in block if isinstance(p.action, Bookmark))
    receivers |= {peer.partition(" ")[0] for peer in peers if peer}
    way = f" → {', '.join(sorted(receivers))}" if receivers else ""
    return Line(f"{key.replication}  {key.host}{way}", Style.TITLE)


def _body(block: Sequence[PlannedAction], *, explain: bool) -> Iterator[Line]:
    if explain:
        yield from unfolded(e for planned in block for e in entries(planned, explain=True))
        return
    loud = [planned for planned in block if not isinstance(planned.action, Hold | Release)]
    yield from folded(e for planned in loud for e in entries(planned, explain=False))
    yield from _holds(block)


def _holds(block: Sequence[PlannedAction]) -> Iterator[Line]:
    """Yield one quiet line for the holds that every step sets and takes away."""
    held = sum(isinstance(planned.action, Hold) for planned in block)
    released = sum(isinstance(planned.action, Release) for planned in block)
    if held or released:
        parts = ((held, f"{count_text(held, 'hold')} set"), (released, f"{released} released"))
        said = ", ".join(text for count, text in parts if count)
        yield Line(f"  ~ {'hold':<9}  {said}", Style.QUIET)


def _owners(actions: Sequence[PlannedAction]) -> Mapping[str, str]:
    """Return for each action's id the sender it is about, or its own host where none is known.

    What is done on a receiver is told with the sender whose copies they are: by the send or the
    cursor that names the place, or by what waits for it (parents that are made).
    """
    senders = dict(_receivers(actions))
    owners: dict[str, str] = {}
    inherited: dict[str, str] = {}
    for planned in reversed(actions):
        action = planned.action
        if isinstance(action, Snapshot | Send | Bookmark):
            owner = action.host
        else:
            place = (planned.replication, action.host, action.filesystem)
            owner = senders.get(place) or inherited.get(planned.id) or action.host
        owners[planned.id] = owner
        for needed in planned.depends_on:
            inherited.setdefault(needed, owner)
    return owners


def _receivers(actions: Sequence[PlannedAction]) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield (replication, receiver host, receiver filesystem) and the sender's host."""
    for planned in actions:
        action = planned.action
        if isinstance(action, Send):
            place = (planned.replication, action.receiver_host, action.receiver_filesystem)
            yield place, action.host
        elif isinstance(action, Bookmark) and action.peer:
            host, _, filesystem = action.peer.partition(" ")
            yield (planned.replication, host, filesystem), action.host
