"""A look of the real planner into a ledger: whether it decides the same.

A world is made in which the hosts have what the ledger says, the planner plans a slot, its actions
take effect, and what is there afterwards is compared with what the ledger came to.
"""

from copy import deepcopy
from dataclasses import replace

from reconciler.actions import Bookmark, Destroy, Hold, Release, Send, Snapshot
from reconciler.desired.model import Desired, Replication, Target
from reconciler.desired.schedule import opens_at
from reconciler.desired.selection import Selection
from reconciler.forecast.groups import Group, Member
from reconciler.forecast.invent import blank
from reconciler.forecast.ledger import Copy, Ledger, Step
from reconciler.forecast.whole import settle
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Filesystem, Observed, Pool, Seen
from reconciler.planner.history import Common, compare
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.planner.plan import WINDOW
from reconciler.zfs.names import ancestors, pool_of
from reconciler.zfs.piping import PROGRAMS
from reconciler.zfs.types import Version, VersionKind

_FOREIGN = "somebody"
_VERBS = tuple(kind.verb for kind in (Snapshot, Hold, Send, Bookmark, Release, Destroy))


def disagreement(group: Group, ledger: Ledger, at: int) -> str | None:
    """Return how planner and ledger differ about a slot that begins; None when they do not.

    The ledger stays as it is. A base that is no managed version can't be made up: not compared.
    """
    if any(copy.base is not None and copy.base not in copy.side.versions for copy in ledger.copies):
        return None
    member, own = group.members[0], deepcopy(ledger)
    windows = group.replication.windows
    step = own.settle(at, due=True, sends=opens_at(windows, at) == at)
    replication = replace(
        group.replication,
        bookmarks=None,  # they are not counted
        senders=(member.host,),
        selection=Selection.parse([member.filesystem]),  # its parents are only made up
    )
    world = _World(replication, member, ledger, at)
    after, planned = settle(world.desired, world.observed, at)
    blocked = [b.message for b in planned.blocked if b.guard != WINDOW]
    if planned.conflicts or blocked:
        said = [*(c.message for c in planned.conflicts), *blocked]
        return f"the planner objects: {said[0]}"
    theirs = (world.state(after), _count(dict(planned.summary)))
    ours = (own.state, _done(step))
    return None if theirs == ours else f"the planner comes to {theirs}, the ledger to {ours}"


def _count(summary: dict[str, int]) -> tuple[int, int, int]:
    """Count the snapshots, streams and actions of a plan, as far as a ledger has them."""
    actions = sum(summary.get(verb, 0) for verb in _VERBS)
    return summary.get("snapshot", 0), summary.get("send", 0), actions


def _done(step: Step) -> tuple[int, int, int]:
    return step.snapshots, step.streams, step.actions


class _World:
    """The hosts of one filesystem as its ledger has them."""

    def __init__(self, replication: Replication, member: Member, ledger: Ledger, at: int) -> None:
        self.replication = replication
        self.member = member
        self.ledger = ledger
        hosts = {member.host, *(target.host for target in replication.targets)}
        self.desired = Desired({}, {replication.name: replication}, digest="")
        self.observed: Observed = {host: self._host(host, at) for host in sorted(hosts)}

    def state(self, observed: Observed) -> tuple[object, ...]:
        """Return what is there, as a ledger would."""
        ours, member = Ownership.of(self.replication), self.member
        here = filesystem_of(observed, member.host, member.filesystem)
        versions = here.versions if here is not None else ()
        copies = []
        for target in self.replication.targets:
            there = filesystem_of(observed, target.host, self._receiver(target))
            received = there.versions if there is not None else ()
            found = compare(versions, received)
            base = found.sender.creation if isinstance(found, Common) else None
            copies.append((tuple(v.creation for v in received if ours.on_receiver(v)), base))
        return (tuple(v.creation for v in versions if ours.on_sender(v)), *copies)

    def _receiver(self, target: Target) -> str:
        return target.receiver_of(self.member.host, self.member.filesystem)

    def _host(self, host: str, at: int) -> Seen:
        found = [self._sender()] if host == self.member.host else []
        for target, copy in zip(self.replication.targets, self.ledger.copies, strict=True):
            if target.host == host:
                root = target.roots[self.member.host]
                found += [blank(pool_of(root))]
                found += [self._copy(target, copy)] if copy.base is not None else []
        parents = {above: blank(above) for fs in found for above in ancestors(fs.name)}
        filesystems = parents | {filesystem.name: filesystem for filesystem in found}
        pools = {pool_of(name) for name in filesystems}
        return Seen(
            host=host,
            at=at,
            clock=at,
            zfs_version="",
            pools={name: Pool(name, 1, "ONLINE", readonly=False, free=0) for name in pools},
            filesystems=dict(sorted(filesystems.items())),
            programs=frozenset(PROGRAMS),
        )

    def _sender(self) -> Filesystem:
        here = self.ledger.here
        versions = [self._version(v, pinned=v in here.pinned) for v in here.versions]
        marked = [v._replace(spec=self.replication.name) for v in versions]
        for target, copy in zip(self.replication.targets, self.ledger.copies, strict=True):
            if copy.base is not None:
                prefix = PairMarks.of(self.replication, target, self.member.host).cursor_prefix
                name = f"{prefix}{copy.base:016x}"
                cursor = self._version(copy.base)
                marked.append(cursor._replace(kind=VersionKind.BOOKMARK, name=name, written=None))
        marked.sort(key=lambda v: (v.createtxg, v.is_snapshot, v.name))
        return replace(blank(self.member.filesystem), written=1, versions=tuple(marked))

    def _copy(self, target: Target, copy: Copy) -> Filesystem:
        tag = PairMarks.of(self.replication, target, self.member.host).base_tag
        side = copy.side
        versions = [self._version(v, pinned=v in side.pinned) for v in side.versions]
        held = [
            v._replace(holds=(*v.holds, tag), userrefs=v.userrefs + 1)
            if v.creation == copy.base
            else v
            for v in versions
        ]
        return replace(blank(self._receiver(target)), readonly=True, versions=tuple(held))

    def _version(self, created: int, *, pinned: bool = False) -> Version:
        return Version(
            kind=VersionKind.SNAPSHOT,
            name=self.ledger.names(created),
            guid=created,
            createtxg=created,
            creation=created,
            userrefs=1 if pinned else 0,
            written=1,
            referenced=1,
            holds=(_FOREIGN,) if pinned else (),
        )
