"""Keys of the work queue: which hosts each one looks at, and which part of a plan is its own.

A replication on one sender is one key: snapshots, and what is destroyed there. The same replication
from that sender to one receiver host is another: streams, holds, cursors, and all that is done on
the receiver. Two, because a stream that takes a day must not keep the next snapshot waiting.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.actions import (
    AbortReceive,
    Action,
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
    Snapshot,
)
from reconciler.desired.model import Desired, Received, Replication, Target
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.planner.plan import Conflict, Plan, PlannedAction
from reconciler.zfs.names import is_within

Place = tuple[str, str]
"""Host and filesystem."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What one worker works on at a time."""

    replication: str
    sender: str
    receiver: str = ""
    """The receiver host; empty for the sender's own key."""

    @property
    def kind(self) -> str:
        """`sender` or `pair`, as metrics say it."""
        return "pair" if self.receiver else "sender"

    @property
    def ends(self) -> tuple[str, ...]:
        """The host or hosts it acts on."""
        return (self.sender, self.receiver) if self.receiver else (self.sender,)

    def __str__(self) -> str:
        where = f"{self.sender} → {self.receiver}" if self.receiver else self.sender
        return f"{self.replication} ({where})"


KeysAt = Mapping[str, tuple[Key, ...]]
"""Host → the keys that have it as an end."""


def keys_of(desired: Desired) -> Iterator[Key]:
    """Yield all keys of a spec set, each sender before its pairs."""
    for name, replication in sorted(desired.replications.items()):
        for sender in replication.senders:
            yield Key(name, sender)
            for host in sorted({target.host for target in replication.targets}):
                yield Key(name, sender, host)


def hosts_of(key: Key, desired: Desired) -> frozenset[str]:
    """Return the hosts that have to be known before anything may be destroyed under a key.

    Beside its own ends these are the receivers of both ends, whose needs protect what is there,
    and for a sender that is itself a receiver where its versions come from.
    """
    hosts = {key.sender, *_receivers(key.sender, desired)}
    if isinstance(desired.replications[key.replication].snapshots, Received):
        hosts |= _senders(key.sender, desired)
    if key.receiver:
        return frozenset(hosts | {key.receiver} | _receivers(key.receiver, desired))
    return frozenset(hosts | _senders(key.sender, desired))


def by_end(keys: Iterable[Key]) -> KeysAt:
    """Return the keys of each host: of many keys few are about one."""
    found: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        for host in dict.fromkeys(key.ends):
            found[host].append(key)
    return {host: tuple(there) for host, there in found.items()}


def concerned(
    desired: Desired, keys_at: KeysAt, host: str, filesystems: Collection[str] | None
) -> Iterator[Key]:
    """Yield the keys for which a change on a host may mean work; None: all may have changed."""
    for key in keys_at.get(host, ()):
        replication = desired.replications[key.replication]
        if filesystems is None or any(_looks_at(key, replication, host, f) for f in filesystems):
            yield key


def neighbours(key: Key, keys_at: KeysAt, desired: Desired) -> Iterator[Key]:
    """Yield the keys that may go on once a key has done something.

    A sender's snapshots can be sent now; what a receiver has now may be destroyed at the sender
    and sent on from the receiver. What was sent on may be destroyed where it had been received.
    """
    received = isinstance(desired.replications[key.replication].snapshots, Received)
    near = (other for host in key.ends for other in keys_at.get(host, ()))
    for other in dict.fromkeys(near):
        same = (other.replication, other.sender) == (key.replication, key.sender)
        if other != key and (
            (same and not (key.receiver and other.receiver))
            or (key.receiver and received and other.receiver == key.sender)
            or (key.receiver and other.sender == key.receiver)
        ):
            yield other


def part_of(
    plan: Plan, key: Key, desired: Desired, *, can: Callable[[Action], bool] = lambda _: True
) -> Plan:
    """Return what of a plan is a key's own and can be begun.

    What can't be done now, and what depends on an action that is not begun, is left for later.
    """
    replication = desired.replications[key.replication]
    chosen: dict[str, PlannedAction] = {}
    for planned in plan.actions:
        if (
            planned.replication == key.replication
            and _is_own(planned.action, key, replication)
            and can(planned.action)
            and all(needed in chosen for needed in planned.depends_on)
        ):
            chosen[planned.id] = planned
    return replace(
        plan,
        actions=tuple(chosen.values()),
        conflicts=tuple(c for c in plan.conflicts if _is_about(c, key, replication)),
        blocked=tuple(b for b in plan.blocked if _is_there(key, replication, b.host, b.filesystem)),
        notes=tuple(note for note in plan.notes if note.replication == key.replication),
    )


def does(key: Key, planned: PlannedAction, desired: Desired) -> bool:
    """Tell whether an action of a plan is a key's own."""
    replication = desired.replications[key.replication]
    return planned.replication == key.replication and _is_own(planned.action, key, replication)


def targets_of(key: Key, replication: Replication) -> tuple[Target, ...]:
    """Return the targets of a pair's key: several where it goes below several roots."""
    return tuple(target for target in replication.targets if target.host == key.receiver)


def _receivers(host: str, desired: Desired) -> set[str]:
    sent = (r for r in desired.replications.values() if host in r.senders)
    return {target.host for replication in sent for target in replication.targets}


def _senders(host: str, desired: Desired) -> set[str]:
    return {
        sender
        for replication in desired.replications.values()
        if any(target.host == host for target in replication.targets)
        for sender in replication.senders
    }


def _looks_at(key: Key, replication: Replication, host: str, filesystem: str) -> bool:
    if host == key.sender and replication.selects(host, filesystem):
        return True
    return host == key.receiver and (
        _receives(key, replication, filesystem) or _passes(key, replication, filesystem)
    )


def _receives(key: Key, replication: Replication, filesystem: str) -> bool:
    """Tell whether a filesystem of the receiver host is one that is received under a key."""
    return any(
        filesystem.startswith(f"{root}/")
        and replication.selects(key.sender, filesystem[len(root) + 1 :])
        for root in _roots(key, replication)
    )


def _passes(key: Key, replication: Replication, filesystem: str) -> bool:
    """Tell whether a filesystem of the receiver host is, or could be, a parent of received ones."""
    roots = _roots(key, replication)
    return any(is_within(filesystem, root) or is_within(root, filesystem) for root in roots)


def _roots(key: Key, replication: Replication) -> tuple[str, ...]:
    return tuple(target.roots[key.sender] for target in targets_of(key, replication))


def _is_there(key: Key, replication: Replication, host: str, filesystem: str) -> bool:
    """Tell whether what is destroyed at a place is this key's doing."""
    if key.receiver:
        return host == key.receiver and _receives(key, replication, filesystem)
    if host != key.sender or not replication.selects(host, filesystem):
        return False
    here = Key(key.replication, key.sender, key.sender)
    return not _receives(here, replication, filesystem)


def _is_own(action: Action, key: Key, replication: Replication) -> bool:
    match action:
        case Snapshot():
            return not key.receiver and action.host == key.sender
        case MarkGone() | DestroyFilesystem():
            return action.host == key.receiver and _receives(key, replication, action.filesystem)
        case Destroy():
            return _is_there(key, replication, action.host, action.filesystem)
        case Send():
            return (action.host, action.receiver_host) == (key.sender, key.receiver)
        case Hold(tag=mark) | Release(tag=mark) | Bookmark(prefix=mark):
            return _is_own_mark(action, mark, key, replication)
        case CreateFilesystem() | AbortReceive() | Rename() | Rollback():
            return action.host == key.receiver and _passes(key, replication, action.filesystem)


def _is_own_mark(
    action: Hold | Release | Bookmark, mark: str, key: Key, replication: Replication
) -> bool:
    """Tell whether a mark is a pair's: on the sender by its name, on the receiver by place.

    The bookmarks that are left of destroyed snapshots are the sender's.
    """
    marks = [PairMarks.of(replication, t, key.sender) for t in targets_of(key, replication)]
    if any(mark in {pair.step_tag, pair.cursor_prefix} for pair in marks):
        return action.host == key.sender
    if any(mark == pair.base_tag for pair in marks):
        return action.host == key.receiver and _receives(key, replication, action.filesystem)
    left_behind = mark == Ownership.of(replication).mark_prefix
    return left_behind and not key.receiver and action.host == key.sender


def _is_about(conflict: Conflict, key: Key, replication: Replication) -> bool:
    if conflict.replication != key.replication or not key.receiver:
        return False
    if conflict.host == key.receiver and _receives(key, replication, conflict.filesystem):
        return True
    return conflict.host == key.sender and replication.selects(key.sender, conflict.filesystem)
