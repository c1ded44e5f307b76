"""What makes a plan believe that things are as they were."""

from functools import partial

from tests.mutations.mutation import Mutation

ALONE = ("tests/unit/planner/test_memory.py",)
MEMORY = partial(Mutation, file="reconciler/planner/memory.py", tests=ALONE)

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
        "            if known is None or known.here is not filesystem:\n",
        "            if known is None:\n",
    ),
    MEMORY(
        "a filesystem needs nothing whatever became of what was received",
        (2, 3, 6),
        "if all(there.get(root + name) is found for",
        "if all(there.get(root + name) is not None or found for",
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
        "        if last is None or last.terms != terms:\n",
        "        if last is None:\n",
    ),
    MEMORY(
        "all is quiet whatever became of the pools",
        (3,),
        "        return cls(standing(seen), seen.programs, seen.origins)\n",
        "        return cls({}, seen.programs, seen.origins)\n",
    ),
    MEMORY(
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
        "                and places[place] == 1\n",
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
        "        self._groups = {} if chained else quiet.groups\n",
        "        self._groups = quiet.groups\n",
    ),
    MEMORY(
        "what is forgotten is remembered",
        (6,),
        "                group.known[name] = known\n        return",
        "                pass\n        group.known = {**last.known}\n        return",
    ),
    Mutation(
        "what is quiet need not be explained",
        (8,),
        "    if memory is not None and not explain:\n",
        "    if memory is not None:\n",
        "reconciler/planner/planning.py",
        ALONE,
    ),
    Mutation(
        "a source of which something is to be destroyed is silent",
        (6,),
        "        if not planned:\n",
        "        if pairs:\n",
        "reconciler/planner/planning.py",
        ALONE,
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
