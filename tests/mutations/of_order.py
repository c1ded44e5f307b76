"""The order of actions, plans that end, and the same plan every time."""

from functools import partial

from tests.mutations.mutation import Mutation

REPLICATION = "tests/unit/planner/test_replication.py"
ORDER = ("tests/property/test_plans.py::test_the_order_of_mappings_changes_nothing",)

PAIR = partial(Mutation, file="reconciler/planner/replication.py", tests=(REPLICATION,))
PAIRS = partial(Mutation, file="reconciler/planner/pairs.py", tests=ORDER)
PLANNING = partial(Mutation, file="reconciler/planner/source_retention.py", tests=(REPLICATION,))

MUTATIONS = (
    PAIR(
        "a send does not wait for the hold on what it sends",
        (6,),
        'return self._add(send, "wanted", wanted, *ready)',
        'return self._add(send, "wanted", wanted, *before, *self._made(run))',
    ),
    PAIR(
        "a send does not wait for the snapshot that it sends",
        (6,),
        "ready = [*before, *self._made(run)]",
        "ready = [*before]",
    ),
    PAIR(
        "a send does not wait for the send of its base",
        (6,),
        "before = (self._send(run, flags, token, before),)\n            ids += before",
        "ids.append(self._send(run, flags, token, before))",
    ),
    PAIR(
        "the hold on the receiver does not wait for the send",
        (6,),
        'yield self._add(hold, "base", "next incremental starts from it", *sends)',
        'yield self._add(hold, "base", "next incremental starts from it")',
    ),
    PAIR(
        "the cursor moves before the receiver has the version",
        (3, 6),
        'f"last version {self.seen.host} confirmed", *safe)',
        'f"last version {self.seen.host} confirmed")',
    ),
    PAIR(
        "the receiver's old base is released before the new one is safe",
        (3, 6),
        'self._add(release, "base-moved", "no longer the base", *safe)',
        'self._add(release, "base-moved", "no longer the base")',
    ),
    PAIR(
        "the receiver's present base is released",
        (3, 6),
        "if version.holds and marks.base_tag in version.holds and version.guid != base.guid:",
        "if marks.base_tag in version.holds:",
    ),
    PAIR(
        "what was sent is released before the receiver has it",
        (3, 6),
        'self._add(release, "sent", why, *safe)',
        'self._add(release, "sent", why)',
    ),
    PAIR(
        "a receiver's destroys do not wait for what makes them safe",
        (3, 6),
        'self._add(destroy, "expired", reason, *after)',
        'self._add(destroy, "expired", reason)',
    ),
    PLANNING(
        "a sender's destroys do not wait for what makes them safe",
        (3, 6),
        "after = tuple(sorted({*depends, *before}))",
        "after = tuple(sorted(before))",
    ),
    PLANNING(
        "an old cursor is destroyed before the new one is there",
        (3, 6),
        "yield PlannedAction(destroy, reason, source.replication.name, depends)",
        "yield PlannedAction(destroy, reason, source.replication.name)",
    ),
    PAIR(
        "a cursor is made again although it is there",
        (6,),
        "if any(v.guid == base.guid for v in here):",
        "if False:",
    ),
    Mutation(
        "a slot that has its snapshot is due again",
        (6,),
        "slot.start <= at < slot.end",
        "False",
        "reconciler/planner/snapshotting.py",
        ("tests/unit/planner/test_snapshotting.py",),
    ),
    PAIR(
        "a parent that is to be received is made as a placeholder",
        (7,),
        "if place in self._context.declared:",
        "if False:",
        file="reconciler/planner/ground.py",
    ),
    PAIRS(
        "replications are planned in the order in which they come",
        (8,),
        "for _, replication in sorted(desired.replications.items()):",
        "for _, replication in desired.replications.items():",
    ),
    PAIRS(
        "filesystems are planned in the order in which they come",
        (8,),
        "for name, filesystem in sorted(seen.filesystems.items())",
        "for name, filesystem in seen.filesystems.items()",
    ),
    PAIR(
        "what an action waits for comes in any order",
        (8,),
        "depends = tuple(sorted(set(after) or {*filter(None, [self.first])}))",
        "depends = tuple(set(after) or {*filter(None, [self.first])})",
    ),
    PLANNING(
        "what a sender's destroy waits for comes in any order",
        (8,),
        "depends = tuple(sorted(after))",
        "depends = tuple(after)",
    ),
)
