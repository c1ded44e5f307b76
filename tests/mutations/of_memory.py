"""What makes a plan believe that things are as they were."""

from functools import partial

from tests.mutations.mutation import Mutation

ALONE = ("tests/unit/planner/test_memory.py",)
MEMORY = partial(Mutation, file="reconciler/planner/memory.py", tests=ALONE)
RANDOM = partial(
    Mutation, file="reconciler/planner/memory.py", tests=("tests/property/test_memory.py",)
)

MUTATIONS = (
    MEMORY(
        "a pair is as it was whatever became of its sender",
        (2, 3, 6),
        "if known is None or known.here is not here or known.there is not there:",
        "if known is None or known.there is not there:",
    ),
    MEMORY(
        "a pair is as it was whatever became of its receiver",
        (2, 3, 6),
        "if known is None or known.here is not here or known.there is not there:",
        "if known is None or known.here is not here:",
    ),
    MEMORY(
        "pairs are as they were whatever became of the sender's pool",
        (3,),
        "                _standing(source.seen),\n",
        "                {},\n",
    ),
    MEMORY(
        "pairs are as they were whatever became of the receiver's pool",
        (3,),
        "                _standing(seen),\n",
        "                {},\n",
    ),
    MEMORY(
        "what had a clone on the receiver has one still",
        (6,),
        "                context.origins[seen.host],\n",
        "                frozenset(),\n",
    ),
    MEMORY(
        "what had a clone on the sender has one still",
        (6,),
        "_SourceTerms(_standing(source.seen), context.origins[source.host])",
        "_SourceTerms(_standing(source.seen), frozenset())",
    ),
    MEMORY(
        "a rate is kept because none was asked for",
        (3,),
        "            except Conflicted:\n                return None\n",
        "            except Conflicted:\n                piping = Piping()\n",
    ),
    MEMORY(
        "pairs are as they were whatever the specs say",
        (5,),
        " and (last.replication, last.target) == (replication, target)\n",
        "\n",
    ),
    MEMORY(
        "what was left undone for an unseen peer is done",
        (1,),
        "        or (context.wary and (place in context.wary or here in context.wary))\n",
        "",
    ),
    MEMORY(
        "a source is as it was whatever its pairs need",
        (3, 5),
        "        if known.needs != _needs(pairs) or not all(map(_is_calm, pairs)):\n",
        "        if not all(map(_is_calm, pairs)):\n",
    ),
    MEMORY(
        "a source is as it was whatever became of it",
        (3, 6),
        "        if known is None or known.here is not source.filesystem:\n",
        "        if known is None:\n",
    ),
    MEMORY(
        "what is forgotten is remembered",
        (6,),
        "            pairs.last = {}\n",
        "            pairs.found = {**pairs.last, **pairs.found}\n",
    ),
    Mutation(
        "what is known need not be explained",
        (8,),
        "    recall = None if explain or memory is None or",
        "    recall = None if memory is None or",
        "reconciler/planner/planning.py",
        ALONE,
    ),
    Mutation(
        "what is sent on is as it was whatever comes",
        (3, 6),
        "memory is None or _has_chains(desired) else",
        "memory is None else",
        "reconciler/planner/planning.py",
        ALONE,
    ),
    RANDOM(
        "a pair in which something was done is in order",
        (6,),
        "    return not (found.actions or ",
        "    return not (",
    ),
    MEMORY(
        "a pair that is halted is in order",
        (3,),
        "    return pair_plan.frozen is None and not pair_plan.waiting\n",
        "    return not pair_plan.waiting\n",
    ),
)
