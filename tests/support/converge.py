"""Plans carried out on observations alone: each action's effect, one after the other.

Before each action it is asserted that real hosts would let it happen (`_check`): a snapshot that
is held is not destroyed, a stream fits onto what the receiver has. So a planner that asks for the
impossible is found out here. What snapshots are promised becomes real as soon as it is made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

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
    SendMode,
    Snapshot,
)
from reconciler.desired.model import Desired
from reconciler.observed.change import current, filesystem_of, with_filesystem
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.plan import PlannedAction
from reconciler.planner.planning import plan
from reconciler.zfs.names import parent_of
from reconciler.zfs.tokens import decode_token
from reconciler.zfs.types import FilesystemKind, Version


def converge(desired: Desired, observed: Observed, now: int) -> Observed:
    """Return the observations after a plan for them was carried out."""
    *_, last = stages(plan(desired, observed, now).actions, observed)
    return last


def stages(actions: Iterable[PlannedAction], observed: Observed) -> Iterator[Observed]:
    """Yield the observations before the first action and after each of them."""
    yield observed
    done: set[str] = set()
    made: dict[int, Version] = {}

    def resolve(version: Version) -> Version:
        return made[version.guid] if version.is_planned else version

    for planned in actions:
        waits_for = set(planned.depends_on) - done
        assert not waits_for, f"{planned.id} comes before what it depends on: {waits_for}"
        assert planned.id not in done, f"{planned.id} is planned twice"
        action = planned.action.resolved(resolve)
        _check(action, observed)
        observed = action.effect(observed)
        if isinstance(action, Snapshot):
            observed = _made_real(action, observed, made)
        done.add(planned.id)
        yield observed


def _made_real(action: Snapshot, observed: Observed, made: dict[int, Version]) -> Observed:
    """Give the new snapshots the guids that a host would give them."""
    for name in action.filesystems:
        filesystem = _there(observed, action.host, name)
        versions = tuple(
            version._replace(guid=-version.guid) if version.is_planned else version
            for version in filesystem.versions
        )
        made |= {-version.guid: version for version in versions}
        observed = with_filesystem(observed, action.host, replace(filesystem, versions=versions))
    return observed


# -- what hosts would refuse -----------------------------------------------------------------------


def _check(action: Action, observed: Observed) -> None:
    for host, _ in action.places:
        assert isinstance(observed[host], Seen), f"{action.id} acts on an unseen host"
    match action:
        case Snapshot():
            _check_snapshot(action, observed)
        case CreateFilesystem():
            assert filesystem_of(observed, action.host, action.filesystem) is None, action.id
            _check_parent(observed, action.host, action.filesystem)
        case Bookmark():
            filesystem = _there(observed, action.host, action.filesystem)
            assert _has(filesystem, action.version), f"{action.id}: there is no such version"
            assert action.name not in {v.name for v in filesystem.bookmarks}, action.id
        case Hold() | Release():
            is_held = action.tag in _snapshot(observed, action).holds
            assert is_held == isinstance(action, Release), f"{action.id}: held: {is_held}"
        case Destroy():
            _check_destroy(action, observed)
        case AbortReceive() | Rename() | Rollback():
            _check_mending(action, observed)
        case MarkGone() | DestroyFilesystem():
            _check_departure(action, observed)
        case Send():
            _check_send(action, observed)
        case _:
            assert_never(action)


def _check_mending(action: AbortReceive | Rename | Rollback, observed: Observed) -> None:
    filesystem = _there(observed, action.host, action.filesystem)
    if isinstance(action, AbortReceive):
        assert filesystem.resume_token == action.token, action.id
        return
    if isinstance(action, Rename):
        assert filesystem.guid == action.guid, action.id
        assert filesystem_of(observed, action.host, action.to) is None, action.id
        _check_parent(observed, action.host, action.to)
        return
    there = [(v.label, v.guid) for v in filesystem.snapshots]
    seen = [(v.label, v.guid) for v in (*action.kept, action.to, *action.lost)]
    assert there == seen, action.id
    assert not any(v.userrefs for v in filesystem.snapshots[len(action.kept) + 1 :]), action.id


def _check_snapshot(action: Snapshot, observed: Observed) -> None:
    assert len(set(action.filesystems)) == len(action.filesystems), action.id
    filesystems = [_there(observed, action.host, name) for name in action.filesystems]
    assert len({filesystem.pool for filesystem in filesystems}) == 1, action.id
    for filesystem in filesystems:
        assert not filesystem.inconsistent, f"{action.id}: {filesystem.name} is half received"
        assert action.name not in {v.name for v in filesystem.snapshots}, action.id


def _check_departure(action: MarkGone | DestroyFilesystem, observed: Observed) -> None:
    filesystem = _there(observed, action.host, action.filesystem)
    assert filesystem.guid == action.guid, action.id
    if isinstance(action, MarkGone):
        return
    assert not filesystem.versions, f"{action.id}: there is something in it"
    seen = observed[action.host]
    assert isinstance(seen, Seen)
    assert not [n for n in seen.filesystems if n.startswith(f"{filesystem.name}/")], action.id


def _check_destroy(action: Destroy, observed: Observed) -> None:
    filesystem = _there(observed, action.host, action.filesystem)
    assert action.versions, action.id
    assert all(v.is_snapshot for v in action.versions) or len(action.versions) == 1, action.id
    seen = observed[action.host]
    assert isinstance(seen, Seen)
    origins = {other.origin for other in seen.filesystems.values()}
    pinned = _pinned(filesystem)
    for version in action.versions:
        found = current(filesystem, version)
        assert found is not None, f"{action.id}: {version.label} is not there"
        assert not found.userrefs, f"{action.id}: {version.label} is held ({found.holds})"
        assert version.of(filesystem.name) not in origins, f"{action.id}: has a clone"
        assert found.guid != pinned or not found.is_snapshot, f"{action.id}: a receive needs it"


def _check_send(action: Send, observed: Observed) -> None:
    source = _there(observed, action.host, action.filesystem)
    for version in action.versions:
        found = current(source, version)
        assert found is not None, f"{action.id}: no {version.label}"
        assert found.is_snapshot, action.id
    above = source if action.origin is None else _origin(action, observed)
    assert action.base is None or _has(above, action.base), f"{action.id}: no {action.base}"
    _check_run(action, source)
    receiver = (action.receiver_host, action.receiver_filesystem)
    _check_parent(observed, *receiver, raw=action.flags.raw)
    there = filesystem_of(observed, *receiver)
    resumes = action.mode is SendMode.RESUME
    if there is None:
        assert action.base is None or action.origin, f"{action.id}: incremental onto nothing"
        assert not resumes, f"{action.id}: resumes nothing"
        return
    assert there.kind is source.kind, action.id
    assert there.resume_token == action.token, f"{action.id}: a partial receive is in the way"
    taken = {version.name for version in there.snapshots}
    assert not taken & {version.name for version in action.versions}, f"{action.id}: name taken"
    if action.base is None or action.origin is not None:
        assert there.inconsistent, f"{action.id}: full onto an existing filesystem"
    else:
        assert not there.inconsistent, action.id
        assert there.written == 0, f"{action.id}: the receiver was written to"
        assert there.snapshots[-1].guid == action.base.guid, f"{action.id}: not on top"
        assert (there.encryption != "off") or not action.flags.raw, action.id
    if action.token is not None:
        token = decode_token(action.token)
        assert token.toguid == action.to.guid, f"{action.id}: resumes something else"
        assert token.fromguid == (action.base.guid if action.base else None), action.id
        assert token.rawok == action.flags.raw, action.id


def _origin(action: Send, observed: Observed) -> Filesystem:
    """Return the sender's origin of a clone; the receiver has it under the name that is said."""
    assert action.origin is not None
    assert action.base is not None, action.id
    source = _there(observed, action.host, action.filesystem)
    assert source.origin == action.base.of(action.origin.filesystem), action.id
    name, _, snapshot = action.origin.snapshot.partition("@")
    there = _there(observed, action.receiver_host, name)
    found = [version.guid for version in there.snapshots if version.name == snapshot]
    assert found == [action.base.guid], f"{action.id}: the receiver does not have its origin"
    return _there(observed, action.host, action.origin.filesystem)


def _check_run(action: Send, source: Filesystem) -> None:
    """A full stream and one from a bookmark bring one version; `-I` all between its ends."""
    snapshots = [version.guid for version in source.snapshots]
    guids = [version.guid for version in action.versions]
    assert action.flags.raw == (source.encryption != "off"), action.id
    if len(guids) == 1:
        return
    assert action.base is not None, f"{action.id}: a full stream of several"
    assert action.base.is_snapshot, f"{action.id}: a stream of several from a bookmark"
    start = snapshots.index(action.base.guid) + 1
    assert snapshots[start : start + len(guids)] == guids, f"{action.id}: brings others along"


def _check_parent(observed: Observed, host: str, name: str, *, raw: bool = False) -> None:
    above = parent_of(name)
    assert above is not None, f"{name} is a pool"
    parent = _there(observed, host, above)
    assert parent.kind is FilesystemKind.FILESYSTEM, f"{above} is a volume"
    assert not parent.inconsistent, f"{above} is half received"
    assert raw or parent.keystatus != "unavailable", f"{name}: the key of {above} is not loaded"


def _there(observed: Observed, host: str, name: str) -> Filesystem:
    filesystem = filesystem_of(observed, host, name)
    assert filesystem is not None, f"{host} {name} is not there"
    return filesystem


def _has(filesystem: Filesystem, version: Version) -> bool:
    return current(filesystem, version) is not None


def _snapshot(observed: Observed, action: Hold | Release) -> Version:
    found = current(_there(observed, action.host, action.filesystem), action.version)
    assert found is not None, f"{action.id}: there is no such snapshot"
    assert found.is_snapshot, action.id
    return found


def _pinned(filesystem: Filesystem) -> int | None:
    """Return the guid of the snapshot that a partial receive continues."""
    token = filesystem.resume_token
    return decode_token(token).fromguid if token is not None else None
