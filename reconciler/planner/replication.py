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
from reconciler.planner.context import Context, PairPlan
from reconciler.planner.encryption import Form, check_form, form_of
from reconciler.planner.ground import Ground, writable
from reconciler.planner.history import Run, estimate, runs, singly, split_first
from reconciler.planner.pairs import Pair
from reconciler.planner.plan import Note, PlannedAction, Severity
from reconciler.planner.pruning import receivers_retention
from reconciler.planner.retire import Retention, expired
from reconciler.planner.way import Way, find_way
from reconciler.zfs.capabilities import StreamFlags, stream_flags
from reconciler.zfs.handover import NOTHING
from reconciler.zfs.piping import PLAIN
from reconciler.zfs.tokens import ResumeToken
from reconciler.zfs.types import Version


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
        self.ground = Ground(pair.receiver, seen, context)
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
        here, there = writable(self.source.seen, self.here.name), self.ground.pool()
        may_send = self.source.replication.name not in self.context.closed
        self.clone = self._clone_base()
        origin = self.clone.version.guid if self.clone is not None else None
        way = find_way(self.pair, self.seen, self.there, may_send=may_send, origin=origin)
        self.waiting = frozenset(version.guid for version in way.waiting)
        flags = self._flags(here, there, way)
        self.piping = self.context.piping_of(self.pair, self.seen)
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

    # -- sending ----------------------------------------------------------------------------------

    def _flags(self, sender: Pool, receiver: Pool, way: Way) -> StreamFlags:
        dropped = way.abort and self.there is not None and self.there.inconsistent
        onto = self.there if self.there is not None and not dropped else self.ground.nearest()
        receiver_encrypted = onto is not None and onto.encryption != "off"
        form = form_of(self.pair)
        check_form(self.pair, form, self.there)
        if form is not Form.RAW:
            self.ground.check_key(onto.name if onto is not None and dropped else self.pair.receiver)
        return stream_flags(
            sender.features,
            receiver.features,
            encrypted=form is Form.RAW,
            receiver_encrypted=receiver_encrypted,
        )

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
            streams = split_first(streams)
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

    def _parents(self) -> tuple[str, ...]:
        """See to it that the receiver's parents exist; return what it has to wait for."""
        above: tuple[str, ...] = ()
        for step in self.ground.parents():
            if isinstance(step, CreateFilesystem):
                reason = "parent of the receiver; it only has to exist"
                above = (self._add(step, "parent-missing", reason, *above),)
                self.arriving[step.places[0]] = step.id
            else:
                above = (step,)
        return above

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
            estimated_bytes=estimate(self.here.snapshots, run, token, is_clone=clone is not None),
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
        if brought:
            yield from dict.fromkeys(brought[v.guid] for v in versions if v.guid in brought)

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
        cleared = "its place is being cleared" if self.first is not None else None
        retention = receivers_retention(
            self.pair, self.seen, self.there, self.context, way, base, cleared
        )
        if self.context.chains.is_read((self.seen.host, self.pair.receiver)):
            return retention  # see `planner.middle`
        after = [*(p.id for p in self.actions), *(self._brought(base) if base is not None else ())]
        name = self.source.replication.name
        first = [expired(name, *found) for found in retention.goes_first()]
        for destroy, reason in retention.destroys():
            self._add(destroy, "expired", reason, *after)
        self.actions[:0] = first
        return retention
