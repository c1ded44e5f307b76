"""What one pair needs: sends, the holds and the cursor around them, retention on the receiver.

The order of one step is: hold on the sender → send → hold on the receiver → move the cursor →
release and destroy what is no longer needed. A crash between any two leaves a common version,
and the next plan goes on from what is there.
"""

from collections.abc import Iterator, Sequence

from reconciler.actions import (
    AbortReceive,
    Action,
    Bookmark,
    CreateFilesystem,
    Hold,
    Reason,
    Release,
    Send,
    SendMode,
)
from reconciler.observed.model import Filesystem, Pool, Seen
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.history import Run, runs
from reconciler.planner.pairs import Pair, is_writable
from reconciler.planner.plan import PlannedAction
from reconciler.planner.retire import Protection, Retention
from reconciler.planner.way import Way, find_way
from reconciler.zfs.capabilities import StreamFlags, stream_flags
from reconciler.zfs.names import ancestors, pool_of
from reconciler.zfs.tokens import ResumeToken
from reconciler.zfs.types import FilesystemKind, Version


class PairPlanner:
    """The steps of planning one pair; holds what they all look at."""

    def __init__(
        self,
        pair: Pair,
        seen: Seen,
        there: Filesystem | None,
        context: Context,
        *,
        after: str | None = None,
    ) -> None:
        """Plan with the receiver as it will be once the action `after` is done, if there is one."""
        self.first = after
        self.pair = pair
        self.source = pair.source
        self.here = pair.source.filesystem
        self.seen = seen
        self.there = there
        self.context = context
        self.marks = pair.marks
        self.actions: list[PlannedAction] = []
        self.arriving: dict[tuple[str, str], str] = {}
        """What this pair adds to the context's, once it is known to have no conflict."""
        self.waiting: frozenset[int] = frozenset()
        """The guids of what waits for a window."""

    def plan(self) -> PairPlan:
        """Return the plan, or raise Conflicted."""
        here, there = _writable(self.source.seen, self.here.name), self._receiver_pool()
        may_send = self.source.replication.name not in self.context.closed
        way = find_way(self.pair, self.seen, self.there, may_send=may_send)
        self.waiting = frozenset(version.guid for version in way.waiting)
        flags = self._flags(here, there)
        sends = self._sends(way, flags)
        base = way.wanted[-1] if way.wanted else (way.base.sender if way.base else None)
        if base is not None:
            self._settle(way, base, sends)
        else:
            self._release_sent([p.id for p in self.actions], "nothing is to be sent now")
        retention = self._retire(way, base)
        self.context.arriving.update(self.arriving)
        receiver = (self.seen.host, self.pair.receiver)
        if flags.raw and receiver in self.arriving:
            self.context.arriving_raw.add(receiver)
        return PairPlan(
            self.pair,
            tuple(self.actions),
            base=base,
            retention=retention,
            waiting=way.waiting,
        )

    def _add(self, action: Action, code: str, message: str, *after: str) -> str:
        depends = tuple(sorted(set(after) or {*filter(None, [self.first])}))
        name = self.source.replication.name
        self.actions.append(PlannedAction(action, Reason(code, message), name, depends))
        return action.id

    # -- what is there ---------------------------------------------------------------------------

    def _receiver_pool(self) -> Pool:
        name = pool_of(self.pair.receiver)
        if name not in self.seen.pools:
            raise Conflicted(
                "pool-not-imported",
                f"pool {name} is not imported on {self.seen.host}",
                f"import it there (zpool import {name}), or correct `under`",
                [f"imported pools: {', '.join(sorted(self.seen.pools)) or 'none'}"],
            )
        return _writable(self.seen, self.pair.receiver)

    # -- sending ----------------------------------------------------------------------------------

    def _flags(self, sender: Pool, receiver: Pool) -> StreamFlags:
        onto = self.there if self.there is not None else self._nearest()
        receiver_encrypted = onto is not None and onto.encryption != "off"
        encrypted = self.here.encryption != "off"
        if self.there is not None and encrypted and not receiver_encrypted:
            raise Conflicted(
                "encryption-mismatch",
                f"{self.here.name} is encrypted and {self.there.name} is not: a raw stream"
                " can't continue it",
                f"zfs rename {self.there.name} on {self.seen.host} away to start afresh",
            )
        if not encrypted:
            self._check_key(self.pair.receiver)
        return stream_flags(
            sender.features,
            receiver.features,
            encrypted=encrypted,
            receiver_encrypted=receiver_encrypted,
        )

    def _check_key(self, name: str) -> None:
        """See to it that something can be written at a place: not so where a key is missing."""
        for above in (name, *reversed(ancestors(name))):
            place, found = (self.seen.host, above), self.seen.filesystems.get(above)
            if place in self.context.arriving_raw or (found and found.keystatus == "unavailable"):
                raise Conflicted(
                    "key-not-loaded",
                    f"{above} on {self.seen.host} is encrypted and its key is not loaded",
                    f"zfs load-key {(found and found.encryptionroot) or above} there",
                )
            if found is not None:
                return

    def _nearest(self) -> Filesystem | None:
        """Return the closest ancestor of the receiver that exists."""
        names = reversed(ancestors(self.pair.receiver))
        return next((self.seen.filesystems[n] for n in names if n in self.seen.filesystems), None)

    def _sends(self, way: Way, flags: StreamFlags) -> tuple[str, ...]:
        """Plan the streams and what has to be there before them; return the sends' ids."""
        before = self._ready(way)
        if not way.wanted:
            return ()
        start = way.base.sender if way.base is not None else None
        streams = list(runs(self.here.snapshots, start, way.wanted))
        if way.token is not None:
            streams = _split_first(streams)
        ids: list[str] = []
        for number, run in enumerate(streams):
            token = way.token if number == 0 else None
            before = (self._send(run, flags, token, before),)
            ids += before
        if self.there is None or self.there.inconsistent:
            self.arriving[self.pair.receiver_host, self.pair.receiver] = ids[0]
        return tuple(ids)

    def _ready(self, way: Way) -> tuple[str, ...]:
        ready = list(self._parents()) if way.wanted and way.base is None else []
        ready += filter(None, [self.first])
        there = self.there
        if way.abort and there is not None and there.resume_token is not None:
            abort = AbortReceive(self.seen.host, there.name, there.resume_token)
            ready.append(self._add(abort, "stale-receive", "what it would bring is not wanted now"))
        return tuple(ready)

    def _parents(self) -> Iterator[str]:
        """See to it that the receiver's parents exist, top down."""
        above: tuple[str, ...] = ()
        for name in ancestors(self.pair.receiver):
            place = (self.seen.host, name)
            found = self.seen.filesystems.get(name)
            arrives = self.context.arriving.get(place)
            if arrives is None and found is None:
                self._may_create(place)
                self._check_key(name)
                create = CreateFilesystem(self.seen.host, name)
                reason = "parent of the receiver; it only has to exist"
                arrives = self._add(create, "parent-missing", reason, *above)
                self.arriving[place] = arrives
            elif arrives is None and found is not None:
                self._may_hold_children(found)
            if arrives is not None:
                above = (arrives,)
        yield from above

    def _may_create(self, place: tuple[str, str]) -> None:
        if place in self.context.declared:
            raise Conflicted(
                "parent-not-received",
                f"its parent {place[1]} is to be received first, and can't be now",
                "settle what is said of the parent",
            )

    def _may_hold_children(self, found: Filesystem) -> None:
        if found.inconsistent or found.kind is FilesystemKind.VOLUME:
            state = "half received" if found.inconsistent else "a volume"
            raise Conflicted(
                "parent-unusable",
                f"its parent {found.name} is {state}: nothing can be received below it",
                "settle what is said of the parent, or correct `under`",
            )

    def _send(
        self, run: Run, flags: StreamFlags, token: ResumeToken | None, before: Sequence[str]
    ) -> str:
        to = run.versions[-1]
        ready = [*before, *self._made(run)]
        if self.marks.step_tag not in to.holds:
            hold = Hold(self.source.host, self.here.name, to, self.marks.step_tag)
            ready.append(
                self._add(hold, "send-pending", f"about to be sent to {self.seen.host}", *ready)
            )
        mode = SendMode.FULL if run.base is None else SendMode.INCREMENTAL
        send = Send(
            host=self.source.host,
            filesystem=self.here.name,
            kind=self.here.kind,
            receiver_host=self.seen.host,
            receiver_filesystem=self.pair.receiver,
            mode=SendMode.RESUME if token is not None else mode,
            base=run.base,
            versions=run.versions,
            flags=flags,
            path=str(self.pair.target.path),
            token=self.there.resume_token if token is not None and self.there else None,
            estimated_bytes=self._estimate(run, token),
        )
        wanted = (
            f"{self.seen.host} would keep it"
            if len(run.versions) == 1
            else (f"{self.seen.host} would keep them")
        )
        return self._add(send, "wanted", wanted, *ready)

    def _made(self, run: Run) -> Iterator[str]:
        if any(version.is_planned for version in run.versions) and self.source.snapshot_id:
            yield self.source.snapshot_id

    def _estimate(self, run: Run, token: ResumeToken | None) -> int | None:
        """Estimate a stream's bytes from what the snapshots say was written."""
        if run.base is None:
            size = run.versions[-1].referenced
        else:
            start, end = run.base.createtxg, run.versions[-1].createtxg
            parts = [v.written for v in self.here.snapshots if start < v.createtxg <= end]
            size = None if None in parts else sum(part or 0 for part in parts)
        if size is None or token is None:
            return size
        return max(0, size - token.bytes)

    # -- after the sends -------------------------------------------------------------------------

    def _settle(self, way: Way, base: Version, sends: Sequence[str]) -> None:
        """Put hold and cursor on the new base, then take the holds off what they were on.

        The cursors that are left behind go with what expires on the sender, when it is known what
        all of its receivers need.
        """
        received = base if way.wanted or way.base is None else way.base.receiver
        safe = [*sends, *self._hold_base(received, sends)]
        safe += self._cursor(base, safe)
        self._release_old(base, safe)

    def _hold_base(self, received: Version, sends: Sequence[str]) -> Iterator[str]:
        tag = self.marks.base_tag
        if not sends and tag in received.holds:
            return
        hold = Hold(self.seen.host, self.pair.receiver, received._replace(holds=()), tag)
        yield self._add(hold, "base", "next incremental starts from it", *sends)

    def _cursor(self, base: Version, safe: Sequence[str]) -> Iterator[str]:
        marks = self.marks
        here = [v for v in self.here.bookmarks if marks.is_cursor(v)]
        if any(v.guid == base.guid for v in here):
            return
        bookmark = Bookmark(
            host=self.source.host,
            filesystem=self.here.name,
            version=base,
            prefix=marks.cursor_prefix,
            peer=f"{self.seen.host} {self.pair.receiver}",
        )
        yield self._add(bookmark, "cursor", f"last version {self.seen.host} confirmed", *safe)

    def _release_old(self, base: Version, safe: Sequence[str]) -> None:
        marks, there = self.marks, self.there
        for version in there.snapshots if there is not None else ():
            if version.holds and marks.base_tag in version.holds and version.guid != base.guid:
                release = Release(self.seen.host, self.pair.receiver, version, marks.base_tag)
                self._add(release, "base-moved", "no longer the base", *safe)
        self._release_sent(safe, f"{self.seen.host} has it")

    def _release_sent(self, safe: Sequence[str], why: str) -> None:
        """Take the holds off the sender's snapshots, unless another peer's needs are unknown.

        What waits for a window keeps its hold: a part of it may have arrived.
        """
        if (self.source.host, self.here.name) in self.context.wary:
            return
        tag = self.marks.step_tag
        holds = [p.action for p in self.actions if isinstance(p.action, Hold)]
        held = [hold.version for hold in holds if hold.tag == tag]
        held += [v for v in self.here.snapshots if v.holds and tag in v.holds]
        for version in (version for version in held if version.guid not in self.waiting):
            release = Release(self.source.host, self.here.name, version, tag)
            self._add(release, "sent", why, *safe)

    # -- retention on the receiver ---------------------------------------------------------------

    def _retire(self, way: Way, base: Version | None) -> Retention:
        there = self.there
        present = frozenset([v.guid for v in there.snapshots]) if there is not None else frozenset()
        half = there is not None and there.inconsistent
        frozen = "its first stream is not complete" if half or base is None else None
        if self.first is not None:
            frozen = "its place is being cleared"
        here = [version.guid for version in way.verdict.versions if version.guid in present]
        protection = Protection(
            base_guids=frozenset({base.guid} if base is not None else ()),
            own_tags=frozenset({self.marks.base_tag}),
            origins=self.context.origins[self.seen.host],
            newest=here[-1] if here and not way.wanted else None,
        )
        retention = Retention(
            self.seen.host, self.pair.receiver, way.verdict, protection, present, frozen
        )
        after = [p.id for p in self.actions]
        for destroy, reason in retention.destroys():
            self._add(destroy, "expired", reason, *after)
        return retention


def _writable(seen: Seen, filesystem: str) -> Pool:
    """Return the pool of a filesystem if it can be changed; else raise the conflict."""
    name = pool_of(filesystem)
    pool = seen.pools.get(name)
    if pool is None or not is_writable(seen, filesystem):
        state = "not imported" if pool is None else "read-only" if pool.usable else pool.health
        raise Conflicted(
            "pool-unusable",
            f"pool {name} on {seen.host} is {state}",
            f"look at `zpool status {name}` there",
            place=(seen.host, filesystem),
        )
    return pool


def _split_first(streams: list[Run]) -> list[Run]:
    """Cut the first version off a run of several: a token resumes exactly one (zfs-send(8))."""
    first = streams[0]
    if len(first.versions) == 1:
        return streams
    head = Run(first.base, first.versions[:1])
    return [head, Run(first.versions[0], first.versions[1:]), *streams[1:]]
