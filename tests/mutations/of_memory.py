"""What makes a plan believe that things are as they were."""

from functools import partial

from tests.mutations.mutation import Mutation

ALONE = ("tests/unit/planner/test_memory.py",)
ALIKE = ("tests/unit/planner/test_alike.py",)
GROUPS = partial(Mutation, file="reconciler/planner/groups.py", tests=ALONE)
MEMORY = partial(Mutation, file="reconciler/planner/memory.py", tests=ALONE)
LIKENESS = partial(Mutation, file="reconciler/planner/alike.py", tests=ALIKE)

MUTATIONS = (
    MEMORY(
        "a receiver whose properties differ is said once",
        (3,),
        "return None if found is None or any(differences(pair, found)) else found",
        "return found",
    ),
    MEMORY(
        "a filesystem needs nothing whatever became of it",
        (2, 3, 6),
        "                and before.here is filesystem\n",
        "",
    ),
    MEMORY(
        "a filesystem needs nothing whatever became of what was received",
        (2, 3, 6),
        "                and all(map(is_, before.there, there))\n",
        "",
    ),
    MEMORY(
        "all is quiet whatever the specs say",
        (5,),
        "    return (one.hosts, one.replications) == (other.hosts, other.replications)\n",
        "    return one.hosts.keys() == other.hosts.keys()\n",
    ),
    MEMORY(
        "all is quiet whatever a host may do",
        (3,),
        "    return (one.hosts, one.replications) == (other.hosts, other.replications)\n",
        "    return one.replications == other.replications\n",
    ),
    MEMORY(
        "all is quiet whatever became of the hosts",
        (3,),
        " if last is not None and last.terms == group.terms else {}\n",
        " if last is not None else {}\n",
    ),
    GROUPS(
        "all is quiet whatever became of the pools",
        (3,),
        "        return cls(standing(seen), seen.programs, seen.origins)\n",
        "        return cls({}, seen.programs, seen.origins)\n",
    ),
    GROUPS(
        "what had a clone has one still",
        (6,),
        "        return cls(standing(seen), seen.programs, seen.origins)\n",
        "        return cls(standing(seen), seen.programs, frozenset())\n",
    ),
    MEMORY(
        "what was not due is never due",
        (6,),
        " if isinstance(snapshots, Snapshots) else None\n",
        " if snapshots is None else None\n",
    ),
    MEMORY(
        "what one replication does not need no other does",
        (3,),
        "                and here.name not in shared[source.host]\n",
        "",
    ),
    MEMORY(
        "zrepl has left nothing",
        (8,),
        "                and not any(next(marks_of(end), None) for end in (here, *received))\n",
        "",
    ),
    MEMORY(
        "a pair that is not in order is quiet",
        (3,),
        "        if not pair_plan.is_in_order or",
        "        if",
    ),
    MEMORY(
        "what is sent on is quiet whatever comes",
        (3, 6),
        "        self._groups = {} if quiet.is_chained else quiet.groups\n",
        "        self._groups = quiet.groups\n",
    ),
    MEMORY(
        "what is forgotten is remembered",
        (6,),
        "                group.known[name] = before\n",
        "                group.known = {**known}\n",
    ),
    Mutation(
        "what is quiet need not be explained",
        (8,),
        "    quiet = None if explain else memory.recall(",
        "    quiet = memory.recall(",
        "reconciler/planner/planning.py",
        ALONE,
    ),
    Mutation(
        "a source of which something is to be destroyed is silent",
        (6,),
        "        if not planned:\n",
        "        if pairs:\n",
        "reconciler/planner/source_retention.py",
        ALONE,
    ),
    Mutation(
        "what is alike is quiet whatever is found of the one that was looked at",
        (3, 6),
        "        if not looked.teach(quiet):\n",
        "        if looked.teach(quiet) is None:\n",
        "reconciler/planner/planning.py",
        ALIKE,
    ),
    LIKENESS(
        "filesystems are alike whatever guids are the same on both ends",
        (1, 3),
        "return shown, _same(guids, numbers), ",
        "return shown, ",
    ),
    LIKENESS(
        "filesystems are alike whatever times their versions have",
        (6,),
        "_order(createtxgs), creations, ",
        "_order(createtxgs), ",
    ),
    LIKENESS(
        "filesystems are alike whoever made their versions",
        (3,),
        "userrefs, specs, holds\n",
        "userrefs, holds\n",
    ),
    LIKENESS(
        "filesystems are alike whether their versions are held or not",
        (6,),
        "creations, userrefs, specs, holds\n",
        "creations, specs\n",
    ),
    LIKENESS(
        "filesystems are alike whether they have clones or not",
        (6,),
        "if self._asks_for_changes or any(map(_is_cloned, ends, self._cloned)):",
        "if self._asks_for_changes:",
    ),
    LIKENESS(
        "filesystems are alike whatever was written to them",
        (6,),
        "if self._asks_for_changes or any(",
        "if any(",
    ),
    LIKENESS(
        "a guid that only one end has is one that both have",
        (1, 3),
        "numbers.setdefault(guid, -1 - len(numbers))",
        "numbers.setdefault(guid, len(numbers) - 1)",
    ),
    Mutation(
        "a pair in which something is to be done is in order",
        (6,),
        "        nothing = not (self.actions or self.waiting or self.notes)\n",
        "        nothing = not (self.waiting or self.notes)\n",
        "reconciler/planner/context.py",
        ALONE,
    ),
)
