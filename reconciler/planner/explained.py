"""Why each version on both sides stays: what was decided, put together. Nothing is decided here.

A version that is in none of a plan's destroys is in here, with the rules that keep it or with what
keeps it though no rule does.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from reconciler.actions import Destroy
from reconciler.desired.model import Desired, Replication
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed, Seen
from reconciler.planner.context import PairPlan
from reconciler.planner.marks import Ownership
from reconciler.planner.plan import Kept, Plan
from reconciler.planner.retire import Retention, foreign_holds
from reconciler.planner.roles import Place
from reconciler.zfs.types import Version


def explained(
    plan: Plan,
    desired: Desired,
    observed: Observed,
    pair_plans: Sequence[PairPlan],
    sources: Sequence[Retention],
) -> tuple[Kept, ...]:
    """Return why what stays stays, by place; `plan` is what the guards have left."""
    receivers = [p.retention for p in pair_plans if p.retention is not None]
    decided = [*receivers, *sources]
    rest = _Rest(plan, observed, pair_plans, decided, tuple(desired.replications.values()))
    stays = [
        *(kept for retention in decided for kept in retention.kept()),
        *(
            Kept(b.host, b.filesystem, version, (f"guard {b.guard}: {b.message}",))
            for b in plan.blocked
            for version in b.versions
        ),
        *rest.of_pairs(),
        *rest.without_sender(desired),
    ]
    return tuple(sorted(stays, key=lambda kept: (kept.host, kept.filesystem)))


class _Rest:
    """The versions that no keep rules were asked about."""

    def __init__(
        self,
        plan: Plan,
        observed: Observed,
        pair_plans: Sequence[PairPlan],
        decided: Iterable[Retention],
        replications: Sequence[Replication],
    ) -> None:
        self.replications = replications
        self.observed = observed
        self.pair_plans = pair_plans
        self.of_sender: dict[Place, list[PairPlan]] = defaultdict(list)
        for pair_plan in pair_plans:
            source = pair_plan.pair.source
            self.of_sender[source.host, source.filesystem.name].append(pair_plan)
        self.told: dict[Place, set[tuple[str, int]]] = defaultdict(set)
        """The versions that are told of already, by label and guid."""
        for retention in decided:
            place = (retention.host, retention.filesystem)
            self.told[place] |= {(v.label, v.guid) for v in retention.verdict.versions}
        for action in (planned.action for planned in plan.actions):
            if isinstance(action, Destroy):
                self.told[action.places[0]] |= {(v.label, v.guid) for v in action.versions}
        for blocked in plan.blocked:
            place = (blocked.host, blocked.filesystem)
            self.told[place] |= {(v.label, v.guid) for v in blocked.versions}
        self.places = {(r.host, r.filesystem) for r in decided}

    def of_pairs(self) -> Iterator[Kept]:
        """Yield what is on filesystems that are sent or received, or would be."""
        frozen = {
            (p.pair.receiver_host, p.pair.receiver): p.frozen
            for p in self.pair_plans
            if p.retention is None
        }
        for place in sorted(self.places | frozen.keys()):
            yield from self._at(place, frozen.get(place))

    def without_sender(self, desired: Desired) -> Iterator[Kept]:
        """Yield what is on receivers whose sender's filesystem is gone or could not be seen."""
        for _, replication in sorted(desired.replications.items()):
            for target in replication.targets:
                there = self.observed.get(target.host)
                for sender, root in target.roots.items():
                    is_seen = isinstance(self.observed.get(sender), Seen)
                    for name in sorted(there.filesystems) if isinstance(there, Seen) else ():
                        source = name[len(root) + 1 :]
                        if name.startswith(f"{root}/") and replication.selects(sender, source):
                            why = f"{source} is gone from" if is_seen else "not seen:"
                            yield from self._at((target.host, name), f"{why} {sender}")

    def _at(self, place: Place, why: str | None) -> Iterator[Kept]:
        """Yield what is at a place and not told of yet."""
        filesystem = filesystem_of(self.observed, *place)
        for version in filesystem.versions if filesystem is not None else ():
            if (version.label, version.guid) not in self.told[place]:
                self.told[place].add((version.label, version.guid))
                rules = tuple(self._reasons(place, version, why))
                yield Kept(*place, version, rules)

    def _reasons(self, place: Place, version: Version, why: str | None) -> Iterator[str]:
        mine = self.of_sender.get(place, ())
        cursors = [p for p in mine if p.pair.marks.is_cursor(version)]
        left = [r.name for r in self.replications if Ownership.of(r).is_mark(version)]
        if why is not None:
            yield why
        elif left:
            yield f"left of a snapshot by {left[0]}"
        elif cursors:
            yield from (f"replication cursor for {p.pair.receiver_host}" for p in cursors)
            yield from dict.fromkeys(p.frozen for p in cursors if p.frozen)
        else:
            yield "foreign: no spec manages it"
        if any(p.base is not None and p.base.guid == version.guid for p in mine if not cursors):
            yield "most recent common version"
        holds = foreign_holds(version, frozenset())
        if holds:
            yield f"held by {', '.join(holds)}"
