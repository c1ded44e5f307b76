"""What the planner leaves out by itself, before any guard looks."""

from functools import partial

from tests.mutations.mutation import Mutation

ALONE = "tests/unit/planner/test_without_guards.py"

RETIRE = partial(Mutation, file="reconciler/planner/retire.py", tests=(ALONE,))
PLANNING = partial(Mutation, file="reconciler/planner/source_retention.py", tests=(ALONE,))
PAIR = partial(Mutation, file="reconciler/planner/replication.py", tests=(ALONE,))
PAIRS = partial(Mutation, file="reconciler/planner/pairs.py", tests=(ALONE,))
WAY = partial(Mutation, file="reconciler/planner/way.py", tests=(ALONE,))
MARKS = partial(
    Mutation, file="reconciler/planner/marks.py", tests=("tests/unit/planner/test_marks.py",)
)
RULES = partial(
    Mutation,
    file="reconciler/planner/retention.py",
    tests=("tests/unit/planner/test_retention.py",),
)

GRID = partial(
    Mutation,
    file="reconciler/planner/grid.py",
    tests=("tests/unit/planner/test_grid.py", "tests/property/test_retention.py"),
)

MUTATIONS = (
    GRID(
        "a bucket of a grid keeps its youngest",
        (9,),
        "return inside[: bucket.keep]",
        "return inside[-(bucket.keep or 0) :]",
    ),
    GRID(
        "the older edge of a bucket is in it",
        (9,),
        "if age < end:",
        "if age <= end:",
    ),
    GRID(
        "a grid counts back from the newest by order",
        (9,),
        "return max(reversed(versions), key=lambda v: v.creation, default=None)",
        "return versions[-1] if versions else None",
    ),
    GRID(
        "a grid lets go of what it counts from",
        (9,),
        "if origin is not None and origin.guid in refuses:",
        "if False:",
        file="reconciler/planner/retention.py",
    ),
    RETIRE(
        "the planner destroys the common version",
        (3,),
        "if version.guid in self.base_guids:",
        "if False:",
    ),
    RETIRE(
        "the planner destroys the last managed version",
        (3,),
        "if version.guid == self.newest:",
        "if False:",
    ),
    RETIRE(
        "the planner destroys what somebody holds by name",
        (3,),
        "named = tuple(tag for tag in version.holds if tag not in own_tags)",
        "named = ()",
    ),
    RETIRE(
        "the planner destroys what is held by nobody knows who",
        (3,),
        "unnamed = version.userrefs - len(version.holds)",
        "unnamed = 0",
    ),
    RETIRE(
        "the planner destroys what a rule keeps",
        (9,),
        "            not decision.kept\n            and ",
        "            ",
    ),
    RETIRE(
        "the planner destroys what it has only promised",
        (3,),
        "            and version.guid in self.present\n",
        "\n",
    ),
    RETIRE(
        "the planner destroys where it is said that nothing may be destroyed",
        (3,),
        "if self.frozen is not None or self.verdict.keeps_all:",
        "if self.verdict.keeps_all:",
    ),
    PLANNING(
        "the planner destroys on the sender for a suspended spec",
        (3,),
        "if source.replication.suspend:",
        "if False:",
    ),
    PLANNING(
        "the planner destroys on a sender's filesystem that is switched off",
        (3,),
        "if source.filesystem.disabled:",
        "if False:",
    ),
    PLANNING(
        "the planner destroys in a sender's pool that takes no changes",
        (1,),
        "if not is_writable(source.seen, source.filesystem.name):",
        "if False:",
    ),
    PLANNING(
        "the planner destroys on a sender although something is wrong with a receiver",
        (1, 3),
        "return next((p.frozen for p in pairs if p.frozen is not None), None)",
        "return None",
    ),
    PLANNING(
        "the planner does not know the common versions of a sender's filesystem",
        (3,),
        "base_guids=frozenset(p.base.guid for p in pairs if p.base is not None),",
        "base_guids=frozenset(),",
    ),
    PLANNING(
        "the planner does not know the last managed version of a sender's filesystem",
        (3,),
        "newest=source.managed[-1].guid if source.managed else None,",
        "newest=None,",
    ),
    PLANNING(
        "the planner destroys a cursor from whose version another receiver starts",
        (3,),
        "if version.guid not in protection.base_guids:",
        "if True:",
    ),
    PAIR(
        "the planner takes a pair with an unseen receiver for one in order",
        (1,),
        'return PairPlan(pair, frozen=f"{pair.receiver_host} is unseen")',
        "return PairPlan(pair)",
        file="reconciler/planner/pairwise.py",
    ),
    PAIR(
        "the planner takes a pair with a conflict for one in order",
        (3,),
        'return PairPlan(pair, conflict=conflict, frozen=f"conflict on {host}")',
        "return PairPlan(pair, conflict=conflict)",
        file="reconciler/planner/pairwise.py",
    ),
    PAIR(
        "the planner does not see that a receiver is switched off",
        (3,),
        "if pair.source.filesystem.disabled or (there is not None and there.disabled):",
        "if pair.source.filesystem.disabled:",
        file="reconciler/planner/pairwise.py",
    ),
    PAIR(
        "the planner does not know the last managed version of a receiver",
        (3,),
        "newest=here[-1] if here and not way.wanted else None,",
        "newest=None,",
        file="reconciler/planner/pruning.py",
    ),
    PAIR(
        "the planner releases holds on a sender that has an unseen receiver",
        (1,),
        "if (self.source.host, self.here.name) in self.context.wary:",
        "if False:",
        tests=("tests/unit/planner/test_destroying.py",),
    ),
    PAIRS(
        "the planner takes all snapshots of a sender for managed ones",
        (3,),
        "ours.sent(filesystem.snapshots)",
        "filesystem.snapshots",
    ),
    PAIRS(
        "the planner changes a pool that is suspended",
        (1,),
        "return pool is not None and pool.usable and not pool.readonly",
        "return pool is not None and not pool.readonly",
        tests=("tests/unit/planner/test_conflicts.py",),
    ),
    WAY(
        "the planner takes all snapshots of a receiver for managed ones",
        (3,),
        "return ours.received(have)",
        "return have",
    ),
    MARKS(
        "a snapshot on a sender is ours by its name alone",
        (3,),
        "return version.spec == self.replication and self._named_ours(version)",
        "return self._named_ours(version)",
    ),
    MARKS(
        "a received snapshot is ours although it has another spec's mark",
        (3,),
        "return version.spec in {None, self.replication} and (",
        "return (",
    ),
    MARKS(
        "a bookmark whose name begins like a cursor's is a cursor",
        (3,),
        "_CURSOR_END.fullmatch(",
        "_CURSOR_END.match(",
    ),
    MARKS(
        "two targets on one host share their cursors and holds",
        (3, 7),
        "digest = sha256(root.encode()).hexdigest()[:6]",
        'digest = "000000"',
    ),
    MARKS(
        "a name that is nearly ours is ours",
        (3,),
        "return int(at.timestamp()) if at.strftime(_STAMP) == stamp else None",
        "return int(at.timestamp())",
    ),
    RULES(
        "only what all rules keep is kept",
        (9,),
        "    if kept_by:\n",
        '    if len(kept_by) < len(votes):\n        return Decision(version, (), ("one rule",))\n'
        "    if kept_by:\n",
    ),
    Mutation(
        "what one rule keeps goes when another does not keep it",
        (9,),
        "kept.update(_kept_by(rule, versions, keep.timezone))",
        "kept.intersection_update(_kept_by(rule, versions, keep.timezone))",
        "reconciler/planner/verdict.py",
        ("tests/property/test_quick_ways.py",),
    ),
    Mutation(
        "an hour that comes twice is one hour",
        (9,),
        "return local // _HOUR, -offset",
        "return (local // _HOUR,)",
        "reconciler/planner/periods.py",
        ("tests/unit/planner/test_retention.py",),
    ),
    Mutation(
        "clocks are set at full quarters of an hour only",
        (9,),
        "self._offsets[stretch] = first if first == last else None",
        "self._offsets[stretch] = first",
        "reconciler/planner/periods.py",
        ("tests/property/test_quick_ways.py",),
    ),
    RULES(
        "no rules keep nothing",
        (9,),
        'Decision(version, ("no keep rules",), ())',
        'Decision(version, (), ("no keep rules",))',
    ),
    RULES(
        "the newest version of a period is the one with the latest creation",
        (2, 9),
        "newest = {keys[version.guid]: version for version in versions}",
        "newest = {keys[v.guid]: v for v in sorted(versions, key=lambda v: v.creation)}",
    ),
)
