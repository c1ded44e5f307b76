"""Specs that a zrepl.yml is translated to: other receivers, less that is kept, silence."""

from functools import partial

from tests.mutations.mutation import Mutation

FILTERS = partial(
    Mutation,
    file="reconciler/importing/filters.py",
    tests=("tests/unit/importing/test_filters.py",),
)
PRUNING = partial(
    Mutation,
    file="reconciler/importing/pruning.py",
    tests=("tests/unit/importing/test_pruning.py",),
)
SPECS = partial(
    Mutation,
    file="reconciler/importing/zrepl_specs.py",
    tests=("tests/unit/importing/test_zrepl_specs.py",),
)
READING = ("tests/unit/importing/test_zrepl_file.py",)

MUTATIONS = (
    PRUNING(
        "a keep rule of zrepl's that can't be carried over is left out",
        (3,),
        "    if any(vote.everything for vote in votes):\n",
        "    if False:\n",
    ),
    PRUNING(
        "a keep rule for names in a format of the user's own is taken to be about others",
        (3,),
        "return Hit.SOME if self.own_format or any(map(any, tried)) else Hit.NONE",
        "return Hit.SOME if any(map(any, tried)) else Hit.NONE",
    ),
    PRUNING(
        "a keep rule for zrepl's own names is taken to be about others",
        (3,),
        "if any(map(all, tried)):",
        "if all(tried[0]):",
    ),
    PRUNING(
        "of two counts the smaller one is kept",
        (3,),
        "last = max((vote.last for vote in votes), default=0)",
        "last = min((vote.last for vote in votes), default=0)",
    ),
    PRUNING(
        "of two grids one is left out",
        (3,),
        "if len(grids) > 1:",
        "if False:",
    ),
    FILTERS(
        "an include that can't be said is left out silently",
        (7,),
        "lost = tuple(rules.lost())",
        "lost = ()",
    ),
    FILTERS(
        "what is excluded below a filesystem takes the filesystem along",
        (7,),
        'f"{path}/*/**" if itself else f"{path}/**"',
        'f"{path}/**"',
    ),
    SPECS(
        "receivers of a push lack the client identity",
        (7,),
        'f"{sink.root_fs}/{connect.identity}"',
        "sink.root_fs",
    ),
    Mutation(
        "what is not known is given a name that specs may have",
        (5,),
        'return f"<{what}>"',
        'return what.replace(" ", "-")',
        "reconciler/importing/remarks.py",
        ("tests/unit/importing/test_zrepl_specs.py",),
    ),
    Mutation(
        "keys that nobody knows are dropped silently",
        (5,),
        "        if key not in known:\n",
        "        if False:\n",
        "reconciler/importing/zrepl_options.py",
        READING,
    ),
    Mutation(
        "zrepl's holds are not told",
        (3,),
        "if _HOLD.fullmatch(tag))",
        "if not tag)",
        "reconciler/planner/zrepl.py",
        ("tests/unit/planner/test_zrepl.py",),
    ),
)
