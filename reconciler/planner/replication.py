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
from reconciler.planner.cloning import CloneBase, clone_base, origins_receiver
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.encryption import Form, check_form, form_of
from reconciler.planner.history import Run, runs, singly
from reconciler.planner.pairs import Pair, is_writable
from reconciler.planner.pipes import piping_of
from reconciler.planner.plan import Note, PlannedAction, Severity
from reconciler.planner.retire import Protection, Retention
from reconciler.planner.way import Way, find_way
from reconciler.zfs.capabilities import StreamFlags, stream_flags
from reconciler.zfs.handover import NOTHING
from reconciler.zfs.names import ancestors, pool_of
from reconciler.zfs.piping import PLAIN
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
        self.clone: CloneBase | None = None
        """What the first stream starts from, of a clone whose origin the receiver has."""
        self.waiting: frozenset[int] = frozenset()
        """The guids of what waits for a window."""
        self.piping = PLAIN

    def plan(self) -> PairPlan:
        """Return the plan, or raise Conflicted."""
        here, there = _writable(self.source.seen, self.here.name), self._receiver_pool()
        may_send = self.source.replication.name not in self.context.closed
        self.clone = self._clone_base()
        origin = self.clone.version.guid if self.clone is not None else None
        way = find_way(self.pair, self.seen, self.there, may_send=may_send, origin=origin)
        self.waiting = frozenset(version.guid for version in way.waiting)
        flags = self._flags(here, there, way)
        self.piping = piping_of(self.pair, self.seen, self.context.limits)
        sends = self._sends(way, flags)
        base = way.wanted[-1] if way.wanted else (way.base.sender if way.base else None)
        if base is not None:
            self._settle(way, base, sends)
        else:
            self._release_sent([p.id for p in self.actions], "nothing is to be sent now")
        retention = self._retire(way, base)
        self.context.arriving.update(self.arriving)
        coming = {version.guid: send.id for send in self._sent for version in send.versions}
        self.context.coming[self.seen.host, self.pair.receiver] = coming
        receiver = (self.seen.host, self.pair.receiver)
        if flags.raw and receiver in self.arriving:
            self.context.arriving_raw.add(receiver)
        return PairPlan(
            self.pair,
            tuple(self.actions),
            base=base,
            retention=retention,
            waiting=way.waiting,
            notes=tuple(self._notes(way)),
        )

    def _clone_base(self) -> CloneBase | None:
        if self.there is not None and not self.there.inconsistent:
            return None
        if self.here.encryption != "off":
            return None  # whether raw streams are received as clones has not been tried
        name = origins_receiver(self.pair)
        stays = (self.seen.host, name) not in self.context.mended
        there = self.seen.filesystems.get(name) if name is not None and stays else None
        return clone_base(self.pair, there, self.context.coming)

    def _notes(self, way: Way) -> Iterator[Note]:
        """Say of a clone that it becomes a filesystem of its own."""
        first = self._sent[0] if self._sent and way.base is None else None
        if first is not None and self.here.origin is not None and first.base is None:
            encrypted = self.here.encryption != "off"
            why = "and encrypted" if encrypted else f"which {self.seen.host} does not have"
            yield Note(
                Severity.NOTICE,
                f"{self.source.host} {self.here.name} is a clone of {self.here.origin}, {why}: it"
                " is sent in full",
                self.source.replication.name,
            )

    @property
    def _sent(self) -> list[Send]:
        return [p.action for p in self.actions if isinstance(p.action, Send)]

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

    def _flags(self, sender: Pool, receiver: Pool, way: Way) -> StreamFlags:
        dropped = way.abort and self.there is not None and self.there.inconsistent
        onto = self.there if self.there is not None and not dropped else self._nearest()
        receiver_encrypted = onto is not None and onto.encryption != "off"
        form = form_of(self.pair)
        check_form(self.pair, form, self.there)
        if form is not Form.RAW:
            self._check_key(onto.name if onto is not None and dropped else self.pair.receiver)
        return stream_flags(
            sender.features,
            receiver.features,
            encrypted=form is Form.RAW,
            receiver_encrypted=receiver_encrypted,
        )

    def _check_key(self, name: str) -> None:
        """See to it that something can be written at a place: not so where a key is missing."""
        for above in (name, *reversed(ancestors(name))):
            place, found = (self.seen.host, above), self.seen.filesystems.get(above)
            if place in self.context.arriving_raw or (found and found.keystatus == "unavailable"):
                raise Conflicted(
                    "key-not-loaded",
                    f"{above} is encrypted and its key is not loaded on {self.seen.host}",
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
        if form_of(self.pair) is Form.DECRYPTED:
            streams = singly(streams)
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
        clone = self.clone if run.base is None else None
        if clone is not None and token is not None and token.fromguid != clone.version.guid:
            clone = None
        if clone is not None:
            run = Run(clone.version, run.versions)
            ready += filter(None, [clone.sent_by])
        if self.marks.step_tag not in to.holds:
            hold = Hold(self.source.host, self.here.name, to, self.marks.step_tag)
            ready.append(
                self._add(hold, "send-pending", f"about to be sent to {self.seen.host}", *ready)
            )
        mode = SendMode.FULL if run.base is None else SendMode.INCREMENTAL
        first = run.base is None or clone is not None
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
            estimated_bytes=self._estimate(run, token, clone),
            origin=clone.origin if clone is not None else None,
            properties=self.pair.target.properties if first else NOTHING,
            decrypts=form_of(self.pair) is Form.DECRYPTED,
            piping=self.piping,
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
        yield from self._brought(*run.versions)

    def _brought(self, *versions: Version) -> Iterator[str]:
        """Yield the sends that bring versions to the sender, where it sends on what it receives."""
        brought = self.source.brought
        yield from dict.fromkeys(brought[v.guid] for v in versions if v.guid in brought)

    def _estimate(self, run: Run, token: ResumeToken | None, clone: CloneBase | None) -> int | None:
        """Estimate a stream's bytes from what the snapshots say was written.

        A clone's first snapshot says so of what was written since the origin.
        """
        if run.base is None:
            size = run.versions[-1].referenced
        else:
            start = run.base.createtxg if clone is None else 0
            end = run.versions[-1].createtxg
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
        safe = [*self._brought(base), *sends, *self._hold_base(received, sends)]
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
        if (self.seen.host, self.pair.receiver) in self.context.wary:
            there = None
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
        if self.context.chains.is_read((self.seen.host, self.pair.receiver)):
            return retention  # see `planner.middle`
        after = [*(p.id for p in self.actions), *(self._brought(base) if base is not None else ())]
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
