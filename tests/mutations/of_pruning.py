"""What goes on a receiver before the streams, and what waits for them."""

from functools import partial

from tests.mutations.mutation import Mutation

PRUNING = partial(
    Mutation,
    file="reconciler/planner/pruning.py",
    tests=("tests/unit/planner/test_pruning.py",),
)
ORDER = partial(
    Mutation,
    file="reconciler/executor/order.py",
    tests=(
        "tests/unit/executor/test_execute.py",
        "tests/unit/executor/test_ready.py",
        "tests/unit/executor/test_order.py",
    ),
)

MUTATIONS = (
    PRUNING(
        "what expires only because of what is to come goes before it",
        (3, "room"),
        "alone = Verdict.of(pair.target.keep, pair.source.ours.received(there.snapshots))",
        "alone = way.verdict",
    ),
    PRUNING(
        "what a partial receive rests on goes before the stream",
        ("room",),
        "if there.resume_token is not None:",
        "if False:",
    ),
    PRUNING(
        "the newest managed version of a receiver goes before the stream",
        (3, "room"),
        "newest=alone.versions[-1].guid if alone.versions else None,",
        "newest=None,",
    ),
    PRUNING(
        "what we hold ourselves goes before the stream",
        ("room",),
        "own_tags=frozenset(),",
        "own_tags=frozenset({pair.marks.base_tag}),",
    ),
    PRUNING(
        "what is sent on goes before that",
        (3, "room"),
        "first=retention.first - sent,",
        "first=retention.first,",
        file="reconciler/planner/middle.py",
    ),
    PRUNING(
        "what the rules keep once all has come goes before it",
        (9, "room"),
        "if d.version.guid in among and self._goes(d)]",
        "if d.version.guid in self.first or (d.version.guid in among and self._goes(d))]",
        file="reconciler/planner/retire.py",
    ),
    ORDER(
        "a stream does not wait for what makes room for it",
        ("room",),
        "self._missing[planned.id].add(_ROOM)",
        "pass",
    ),
    ORDER(
        "a stream waits for the first that makes room for it, not for all",
        ("room",),
        "                if not left:\n",
        "                if True:\n",
    ),
    ORDER(
        "a stream waits for what makes room for others",
        ("room",),
        "if pool in self._making_room:",
        "if pool and (pool := next(iter(self._making_room), None)):",
    ),
    ORDER(
        "a stream is given up when what makes room for it fails",
        ("room",),
        "self._add(self.order.over(planned))",
        "pass",
        file="reconciler/executor/execute.py",
    ),
    ORDER(
        "what makes room for a stream waits for other streams",
        ("room",),
        "found = set[str]().union(*making_room(actions).values())",
        "found = set[str]()",
        file="reconciler/executor/ready.py",
    ),
)
