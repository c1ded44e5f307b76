"""Retention on receivers: what may go after the sends of a pair, and what before them.

A receiver that is full gets nothing before something has gone, so what has expired without what is
to come goes first. What expires only because of that waits for it: it may not arrive.
"""

from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.context import Context
from reconciler.planner.pairs import Pair
from reconciler.planner.retire import Protection, Retention
from reconciler.planner.verdict import Verdict
from reconciler.planner.way import Way
from reconciler.zfs.tokens import decode_token
from reconciler.zfs.types import Version


def receivers_retention(  # noqa: PLR0913, PLR0917 - what it rests on
    pair: Pair,
    seen: Seen,
    there: Filesystem | None,
    context: Context,
    way: Way,
    base: Version | None,
    frozen: str | None,
) -> Retention:
    """Decide about a receiver's snapshots; `base` is the common version once all is sent."""
    present = frozenset([v.guid for v in there.snapshots]) if there is not None else frozenset()
    half = there is not None and there.inconsistent
    if half or base is None:
        frozen = frozen or "its first stream is not complete"
    here = [version.guid for version in way.verdict.versions if version.guid in present]
    protection = Protection(
        base_guids=frozenset({base.guid} if base is not None else ()),
        own_tags=frozenset({pair.marks.base_tag}),
        origins=context.origins[seen.host],
        newest=here[-1] if here and not way.wanted else None,
    )
    first = _first(pair, there, way, protection.origins) if there is not None else frozenset()
    return Retention(seen.host, pair.receiver, way.verdict, protection, present, frozen, first)


def _first(pair: Pair, there: Filesystem, way: Way, origins: frozenset[str]) -> frozenset[int]:
    """Return the guids of what has expired already, and is not needed for what is to come.

    That is what would go if nothing were sent, but for what we hold: that is let go after a send.
    """
    if not way.wanted or way.base is None or way.verdict.keeps_all:
        return frozenset()
    alone = Verdict.of(pair.target.keep, pair.source.ours.received(there.snapshots))
    needed = {way.base.receiver.guid}
    if there.resume_token is not None:
        needed |= {guid for guid in [decode_token(there.resume_token).fromguid] if guid is not None}
    protection = Protection(
        base_guids=frozenset(needed),
        own_tags=frozenset(),
        origins=origins,
        newest=alone.versions[-1].guid if alone.versions else None,
    )
    return frozenset(
        version.guid
        for version in alone.versions
        if version.guid not in alone.kept and protection.of(pair.receiver, version) is None
    )
