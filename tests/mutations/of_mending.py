"""Only what a spec gives up is given up, and only when it is what the plan saw."""

from functools import partial

from tests.mutations.mutation import Mutation

PLAN = partial(
    Mutation,
    file="reconciler/planner/mending.py",
    tests=("tests/unit/planner/test_mending.py",),
)
GUARD = partial(
    Mutation,
    file="reconciler/planner/mending_guard.py",
    tests=("tests/unit/planner/test_mending.py",),
)
PAIR = partial(
    Mutation,
    file="reconciler/planner/pairwise.py",
    tests=("tests/unit/planner/test_mending.py", "tests/property/test_mending.py"),
)
BACK = partial(
    Mutation,
    file="reconciler/actions/rollback.py",
    tests=("tests/unit/actions/test_mending.py",),
)
RENAME = partial(
    Mutation, file="reconciler/actions/rename.py", tests=("tests/unit/actions/test_mending.py",)
)

MUTATIONS = (
    PLAN(
        "what is below a receiver is set aside with it",
        ("on-conflict",),
        "    if below:\n",
        "    if False:\n",
    ),
    PLAN(
        "an empty placeholder stays in the way whatever the target says",
        ("on-conflict",),
        '        "receiver-is-placeholder",\n',
        "",
        tests=("tests/behaviours/test_streams.py",),
    ),
    PAIR(
        "a receiver is set aside though nothing takes its place",
        ("on-conflict",),
        "    if rest.base is None:\n",
        "    if False:\n",
    ),
    PLAN(
        "a receiver is set aside again and again",
        ("on-conflict",),
        "    if earlier:\n",
        "    if False:\n",
    ),
    PLAN(
        "the last copy of what a sender had is rolled over",
        (1, "on-conflict"),
        "if pair.source.ours.on_receiver(version):",
        "if False:",
    ),
    GUARD(
        "the guard lets the last copy of what a sender had go",
        (1, "on-conflict"),
        "    if received:\n",
        "    if False:\n",
    ),
    PLAN(
        "what somebody holds is rolled over",
        ("on-conflict",),
        "        if version.userrefs:\n",
        "        if False:\n",
    ),
    PLAN(
        "what has a clone is rolled over",
        ("on-conflict",),
        "if version.of(there.name) in context.origins[seen.host]:",
        "if False:",
    ),
    PLAN(
        "bookmarks go with a rollback",
        ("on-conflict",),
        "marks = [v for v in there.bookmarks if v.createtxg > to.createtxg]",
        "marks = list[Version]()",
    ),
    GUARD(
        "the guard does not ask the spec",
        ("on-conflict",),
        "found is not None and target.on_conflict is wanted",
        "found is not None",
    ),
    GUARD(
        "what waits for a rename that is taken out is done all the same",
        ("on-conflict",),
        "if out.intersection(planned.depends_on):",
        "if False:",
    ),
    GUARD(
        "a rollback may destroy whatever it likes",
        ("on-conflict",),
        "if {v.guid for v in newer} != {v.guid for v in action.lost}:",
        "if False:",
    ),
    PAIR(
        "something is destroyed while a pair is mended",
        ("on-conflict",),
        "return replace(rest, actions=(first, *rest.actions), frozen=said)",
        "return replace(rest, actions=(first, *rest.actions))",
    ),
    PAIR(
        "a stream does not wait for its place to be free",
        ("on-conflict",),
        "PairPlanner(pair, seen, there, context, after=action.id).plan()",
        "PairPlanner(pair, seen, there, context, after=None).plan()",
    ),
    BACK(
        "a rollback does not look at what is there",
        (2,),
        'when=Printed("check", seen)',
        "when=None",
    ),
    BACK(
        "a rollback destroys newer snapshots though the plan names none",
        ("on-conflict",),
        "newer=bool(self.lost)",
        "newer=True",
    ),
    RENAME(
        "any filesystem of the name is set aside",
        (2,),
        'when=Printed("check", str(self.guid))',
        "when=None",
    ),
)
