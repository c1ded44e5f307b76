"""What sender and receiver have in common, and when nothing may be done about it."""

from functools import partial

from tests.mutations.mutation import Mutation

HISTORY = partial(
    Mutation, file="reconciler/planner/history.py", tests=("tests/unit/planner/test_history.py",)
)
WAY = partial(
    Mutation, file="reconciler/planner/way.py", tests=("tests/unit/planner/test_conflicts.py",)
)
TYPES = partial(
    Mutation, file="reconciler/zfs/types.py", tests=("tests/unit/observed/test_read.py",)
)

MUTATIONS = (
    HISTORY(
        "versions of one name are the same version",
        (2,),
        "match = here.get(there[position].guid)",
        "match = {v.name: v for v in sender}.get(there[position].name)",
    ),
    HISTORY(
        "the common version is the oldest of both",
        (3,),
        "for position in range(len(there) - 1, -1, -1):",
        "for position in range(len(there)):",
    ),
    HISTORY(
        "a receiver's bookmark can be the common version",
        (3,),
        "there = [version for version in receiver if version.kind is _SNAPSHOT]",
        "there = list(receiver)",
    ),
    HISTORY(
        "a receiver with newer snapshots has not diverged",
        (4,),
        "return Diverged(common, newer) if newer else common",
        "return common",
    ),
    WAY(
        "a receiver that diverged is sent to",
        (4,),
        "raise conflicts.diverged(self.pair, there, found)",
        "return found.common",
    ),
    WAY(
        "a receiver that was written to is sent to",
        (4,),
        "if there.written > 0:",
        "if False:",
    ),
    WAY(
        "a receiver with nothing in common is begun anew",
        (4,),
        "raise conflicts.no_common(self.pair, there, found)",
        "return None",
    ),
    WAY(
        "a receiver without snapshots is begun anew",
        (4,),
        "raise conflicts.occupied(self.seen.host, there)",
        "return None",
    ),
    WAY(
        "what is newer than the common version is told from the creation",
        (2,),
        "return tuple(version for version in managed if version.createtxg > last)",
        "return tuple(v for v in managed if v.creation > base.sender.creation)",
        tests=("tests/unit/planner/test_replication.py",),
    ),
    WAY(
        "a partial receive is resumed whatever it started from",
        (2, 6),
        "return token.fromguid in starts and token.rawok == raw",
        "return True",
        tests=("tests/unit/planner/test_partial_receives.py",),
    ),
    TYPES(
        "versions are ordered by their creation",
        (2,),
        "return version.createtxg, version.is_snapshot",
        "return version.creation, version.is_snapshot",
    ),
    Mutation(
        "what is read of a host stays in the order in which it was listed",
        (2,),
        "versions = parts.versions.in_order()",
        "versions = parts.versions",
        "reconciler/observed/read.py",
        ("tests/unit/observed/test_read.py",),
    ),
)
