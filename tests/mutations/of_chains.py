"""What is received and sent on, what stays in the middle, and what bookmarks are left."""

from functools import partial

from tests.mutations.mutation import Mutation

CHAINS = "tests/unit/planner/test_chains.py"
BOOKMARKS = "tests/unit/planner/test_bookmarks.py"
BROKEN = "tests/unit/desired/test_broken_specs.py"

MIDDLE = partial(Mutation, file="reconciler/planner/middle.py", tests=(CHAINS,))
READ = partial(Mutation, file="reconciler/planner/chains.py", tests=(CHAINS,))
PLANNING = partial(Mutation, file="reconciler/planner/source_retention.py", tests=(CHAINS,))
GUARDS = partial(Mutation, file="reconciler/planner/guards.py", tests=(CHAINS,))
SPECS = partial(Mutation, file="reconciler/desired/chains.py", tests=(BROKEN,))

MUTATIONS = (
    MIDDLE(
        "the middle destroys what the next receiver starts from",
        (3,),
        "base_guids=protection.base_guids | bases,",
        "base_guids=protection.base_guids,",
    ),
    MIDDLE(
        "the middle destroys while what is sent on from there needs a second look",
        (1, 3),
        "frozen=retention.frozen or stopped,",
        "frozen=retention.frozen,",
    ),
    MIDDLE(
        "what a plan brings to the middle is not sent on by it",
        (6,),
        "observed, brought = _arrived(planned, observed, brought, chains)",
        "_arrived(planned, observed, brought, chains)",
    ),
    READ(
        "the middle of a chain lets go of holds while one of its peers is unseen",
        (1,),
        "found.add(place)",
        "found.discard(place)",
    ),
    READ(
        "replications are planned before what feeds them",
        (6,),
        "if not _fed_by(r) & left.keys()",
        "if _fed_by(r) & left.keys()",
    ),
    PLANNING(
        "what is received has rules where it is sent on",
        (3,),
        "managed = () if _is_received(source) else source.managed",
        "managed = source.managed",
    ),
    PLANNING(
        "cursors in the middle go while the beginning of the chain is unseen",
        (1,),
        'return "what it is received from was not seen"',
        "return None",
    ),
    GUARDS(
        "the guards do not know what comes to a sender from further up",
        (6,),
        "return self.moves.coming.get(role.sender, ()) if received else ()",
        "return ()",
    ),
    Mutation(
        "what only has to exist in the middle is taken for something to be sent on",
        (7,),
        "and not (received and filesystem.placeholder)",
        "",
        file="reconciler/planner/pairs.py",
        tests=(CHAINS,),
    ),
    Mutation(
        "a receiver that is sent on is rolled back",
        (3,),
        "if reader is not None and asked is not OnConflict.STOP:",
        "if False:",
        file="reconciler/planner/mending.py",
        tests=(CHAINS,),
    ),
    Mutation(
        "a snapshot goes before its bookmark is made",
        (3,),
        "after = tuple(sorted({*depends, *before}))",
        "after = depends",
        file="reconciler/planner/source_retention.py",
        tests=(BOOKMARKS,),
    ),
    Mutation(
        "a bookmark goes from which a receiver goes on",
        (3,),
        "if v.guid not in kept and v.guid not in needed",
        "if v.guid not in kept",
        file="reconciler/planner/bookmarks.py",
        tests=(BOOKMARKS,),
    ),
    Mutation(
        "bookmarks of another replication are taken for those that were left",
        (3,),
        'pattern = re.escape(self.mark_prefix) + "[0-9a-f]{16}"',
        'pattern = "rec-mark_.*"',
        file="reconciler/planner/marks.py",
        tests=(BOOKMARKS,),
    ),
    SPECS(
        "a chain may come back to where it began",
        (7,),
        "elif loop:",
        "elif False:",
    ),
    SPECS(
        "a chain may begin where nothing is received",
        (7,),
        "if not feeds[name] and complete:",
        "if False:",
    ),
    Mutation(
        "a chain may be received in its own source",
        (7,),
        "if source.sends_on and source.replication != receiver.replication:",
        "if source.sends_on:",
        file="reconciler/desired/areas.py",
        tests=(BROKEN,),
    ),
)
