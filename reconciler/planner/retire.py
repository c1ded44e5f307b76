"""From keep decisions to destroys: what is protected whatever the rules say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.actions import Destroy, Reason
from reconciler.planner.plan import Kept, PlannedAction
from reconciler.planner.retention import Decision
from reconciler.planner.verdict import Verdict
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Protection:
    """What stays whatever the keep rules say."""

    base_guids: frozenset[int]
    own_tags: frozenset[str]
    """Holds that are ours and will be released before."""
    origins: frozenset[str]
    """Full names of snapshots that have clones: ZFS would refuse."""
    waiting: frozenset[int] = frozenset()
    """The guids of what a receiver wants and gets once a window opens."""
    newest: int | None = None
    """The guid of the newest managed version, when no newer one is about to arrive."""

    def of(self, filesystem: str, version: Version) -> str | None:
        """Return why a version stays though no rule keeps it; None when it may go."""
        if version.guid in self.base_guids:
            return "most recent common version"
        if version.guid in self.waiting:
            return "to be sent when a window opens"
        if version.guid == self.newest:
            return "last managed version"
        holds = foreign_holds(version, self.own_tags)
        if holds:
            return f"held by {', '.join(holds)}"
        return "has a clone" if version.of(filesystem) in self.origins else None


BATCH = 100
"""Versions per destroy command: bounds the transaction group's time and the command's length."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What was decided about the managed snapshots of one filesystem, and why."""

    host: str
    filesystem: str
    verdict: Verdict
    """What the keep rules say; on a receiver also of what could still be sent."""
    protection: Protection
    present: frozenset[int]
    """The guids of what is there: only that can be destroyed."""
    frozen: str | None = None
    """Why nothing may be destroyed."""
    first: frozenset[int] = frozenset()
    """The guids of what need not wait for what is to arrive, if it goes."""

    def destroys(self) -> Iterator[tuple[Destroy, str]]:
        """Yield the destroys for what no rule keeps and nothing protects, in batches, with why.

        What goes first is not among it.
        """
        return self._destroys(frozenset(self.present - self.first))

    def goes_first(self) -> Iterator[tuple[Destroy, str]]:
        """Yield the destroys that wait for nothing, in the same way."""
        return self._destroys(self.first) if self.first else iter(())

    def _destroys(self, among: frozenset[int]) -> Iterator[tuple[Destroy, str]]:
        if self.frozen is not None or self.verdict.keeps_all:
            return
        going = [d for d in self.verdict.decisions if d.version.guid in among and self._goes(d)]
        for start in range(0, len(going), BATCH):
            batch = going[start : start + BATCH]
            versions = tuple(decision.version for decision in batch)
            yield Destroy(self.host, self.filesystem, versions), explain(batch)

    def kept(self) -> Iterator[Kept]:
        """Yield what stays, and what is to come and then stays, with all the reasons."""
        for decision in self.verdict.decisions:
            version = decision.version
            stays = self.protection.of(self.filesystem, version)
            comes = version.is_planned and stays is not None
            if decision.kept or comes or version.guid in self.present:
                rules = (*decision.kept_by, *(why for why in (stays, self.frozen) if why))
                if rules:
                    yield Kept(self.host, self.filesystem, version, rules)

    def _goes(self, decision: Decision) -> bool:
        version = decision.version
        return (
            not decision.kept
            and version.guid in self.present
            and self.protection.of(self.filesystem, version) is None
        )


def expired(
    replication: str, destroy: Destroy, why: str, after: Iterable[str] = ()
) -> PlannedAction:
    """Return the planned destroy of what the rules of a replication let go."""
    return PlannedAction(destroy, Reason("expired", why), replication, tuple(sorted(after)))


def explain(batch: Sequence[Decision]) -> str:
    """Return the reasons of a batch: the one they share, or each version's own."""
    reasons: Mapping[str, None] = dict.fromkeys(decision.why for decision in batch)
    if len(reasons) == 1:
        return batch[0].why
    return "; ".join(f"{d.version.label} {d.why}" for d in batch)


def foreign_holds(version: Version, own_tags: frozenset[str]) -> tuple[str, ...]:
    """Return the hold tags on a version that are not ours to release.

    Holds that are counted but not named (somebody was quicker than the listing) are foreign too.
    """
    named = tuple(tag for tag in version.holds if tag not in own_tags)
    unnamed = version.userrefs - len(version.holds)
    return (*named, *(("(unnamed)",) if unnamed > 0 else ()))
