"""What is gone, renamed or cloned is told apart, and nothing is let go of too early."""

from functools import partial

from tests.mutations.mutation import Mutation

RENAMED = partial(
    Mutation,
    file="reconciler/planner/absence.py",
    tests=("tests/unit/planner/test_renaming.py", "tests/unit/planner/test_departing.py"),
)
CLONES = partial(
    Mutation,
    file="reconciler/planner/cloning.py",
    tests=("tests/unit/planner/test_cloning.py",),
)
LEAVING = partial(
    Mutation,
    file="reconciler/planner/departing.py",
    tests=("tests/unit/planner/test_departing.py",),
)
SECOND = partial(
    Mutation,
    file="reconciler/planner/departing_guard.py",
    tests=("tests/unit/planner/test_departing.py",),
)
GUARDS = partial(
    Mutation, file="reconciler/planner/guards.py", tests=("tests/unit/planner/test_cloning.py",)
)
BACK = partial(
    Mutation,
    file="reconciler/planner/returning.py",
    tests=("tests/unit/planner/test_departing.py",),
)
FORGET = partial(
    Mutation,
    file="reconciler/planner/forgetting.py",
    tests=("tests/unit/planner/test_forgetting.py",),
)

MUTATIONS = (
    RENAMED(
        "what was in a pool that is not imported counts as gone",
        (1, 5),
        "gone = tuple(a for a in found if has_pool(observed[a.sender], a.name))",
        "gone = found",
    ),
    RENAMED(
        "what is in a renamed pool is sent anew",
        (2,),
        "if pool is not None and not pool.usable:",
        "if pool is None or not pool.usable:",
    ),
    RENAMED(
        "what is still on the sender counts as gone",
        (1,),
        "if name in here.filesystems:",
        "if False:",
    ),
    RENAMED(
        "what lies in a pool that can't be opened counts as gone",
        (1,),
        "if pool is not None and not pool.usable:",
        "if False:",
    ),
    RENAMED(
        "what was set aside counts as gone",
        (3,),
        "if not filesystem.placeholder and not is_aside(full):",
        "if not filesystem.placeholder:",
    ),
    CLONES(
        "a clone's origin is known by its name",
        (2,),
        "        if version.guid == link.version.guid:\n            origin",
        "        if version.name == link.version.name:\n            origin",
    ),
    GUARDS(
        "the guard lets go of what a clone is to be received from",
        ("origin",),
        "if (place[0], version.of(place[1])) in self.moves.origins:",
        "if False:",
    ),
    LEAVING(
        "the grace is over as soon as a receiver is marked",
        (3,),
        "since is not None and since + grace <= now",
        "since is not None",
    ),
    LEAVING(
        "no person is needed to let a whole filesystem go",
        ("budget",),
        "if not allowed and needs_a_person(replication.max_destroy, len(going)):",
        "if False:",
    ),
    LEAVING(
        "where nothing is left on a sender all of it counts as gone",
        (1,),
        "if not any(replication.selects(here.host, name) for name in here.filesystems):",
        "if False:",
    ),
    LEAVING(
        "a filesystem goes with what is below it",
        (3,),
        "        if kept is not None:",
        "        if False:",
    ),
    SECOND(
        "the second look does not ask whether the grace is over",
        (3,),
        "if not overdue(absence, self.now):",
        "if False:",
    ),
    SECOND(
        "the second look lets a filesystem go with its versions",
        (3,),
        "if (version.label, version.guid) not in doomed:",
        "if False:",
    ),
    BACK(
        "a changed filter leaves the mark",
        (5,),
        "if not readings[0].is_selected:",
        "if False:",
    ),
    FORGET(
        "what the specs still need is forgotten, too",
        (3,),
        "return wanted and part not in self._targets()",
        "return wanted",
    ),
)
