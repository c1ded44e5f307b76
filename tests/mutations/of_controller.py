"""What the controller has to hold on to: who is at work where, what is known, what is in force."""

from functools import partial

from tests.mutations.mutation import Mutation

_QUEUE = "tests/unit/controller/test_queue.py"
_CLAIMS = "tests/unit/controller/test_claims.py"
_KEYS = "tests/unit/controller/test_keys.py"
_WORLD = "tests/unit/controller/test_world.py"
_ENGINE = "tests/unit/controller/test_engine.py"

QUEUE = partial(Mutation, file="reconciler/controller/queue.py", tests=(_QUEUE,))
CLAIMS = partial(Mutation, file="reconciler/controller/claims.py", tests=(_CLAIMS,))
USES = partial(Mutation, file="reconciler/controller/uses.py", tests=(_CLAIMS, _KEYS))
KEYS = partial(Mutation, file="reconciler/controller/keys.py", tests=(_KEYS,))
WORLD = partial(Mutation, file="reconciler/controller/world.py", tests=(_WORLD,))
WORK = partial(Mutation, file="reconciler/controller/work.py", tests=(_ENGINE,))
ENGINE = partial(Mutation, file="reconciler/controller/engine.py", tests=(_ENGINE,))

MUTATIONS = (
    QUEUE(
        "two workers take up one key",
        (6,),
        "if not entry.working and entry.at is not None and entry.at <= now",
        "if entry.at is not None and entry.at <= now",
    ),
    QUEUE(
        "what is added while it is worked on is not done again",
        (6,),
        "again = entry.dirty or (entry.hinted and not failures)",
        "again = False",
    ),
    QUEUE(
        "what is heard gets past the delay after failures",
        (6,),
        "if hint and entry.failures:",
        "if False:",
    ),
    QUEUE(
        "what is heard while a key fails gets past the delay",
        (6,),
        "again = entry.dirty or (entry.hinted and not failures)",
        "again = entry.dirty or entry.hinted",
    ),
    QUEUE(
        "what failed together comes back together",
        (6,),
        "return chance.uniform(FIRST_DELAY, limit)",
        "return limit",
    ),
    QUEUE(
        "what vanished and came back is worked on by two",
        (6,),
        "            if entry is not None and entry.working:\n",
        "            if False:\n",
    ),
    CLAIMS(
        "what others have claimed is claimed too",
        (3, 6),
        "                if self._is_busy(place, use, key, since[place[0]]):\n",
        "                if False:\n",
    ),
    CLAIMS(
        "what was given back after a look is taken to be as it was seen",
        (1, 3),
        "if at >= since)",
        "if at > since + 1e9)",
    ),
    CLAIMS(
        "what was given back while somebody looked is forgotten too soon",
        (1, 3),
        "        oldest = min(self._looking)\n",
        "        oldest = max(self._looking)\n",
    ),
    USES(
        "a pair does not mind its own streams",
        (6,),
        "return key == other",
        "return False",
    ),
    USES(
        "a destroy does not mind streams from the same place",
        (3,),
        "return {use, other_use} != {Use.SENDS, Use.SNAPSHOTS}",
        "return Use.SENDS not in {use, other_use}",
    ),
    KEYS(
        "a part does not wait for what it depends on",
        (3,),
        "all(needed in chosen for needed in planned.depends_on)",
        "True",
    ),
    KEYS(
        "a key does what is another replication's",
        (6,),
        "planned.replication == key.replication\n",
        "bool(key)\n",
    ),
    KEYS(
        "what a receiver sends on to need not be known",
        (1, 3),
        "return frozenset(hosts | {key.receiver} | _receivers(key.receiver, desired))",
        "return frozenset(hosts | {key.receiver})",
    ),
    WORLD(
        "a host that can't be asked is taken to be as it was",
        (1,),
        "        host.look = look\n        if isinstance(look.observation, Seen):\n",
        "        if isinstance(look.observation, Seen):\n            host.look = look\n",
    ),
    WORLD(
        "what happens while a host is asked is taken to be in the answer",
        (1,),
        "if fresh or host.changed_at >= look.began:",
        "if fresh or host.changed_at >= look.ended:",
    ),
    WORLD(
        "who wants to destroy gets what is remembered",
        (1, 3),
        "if fresh or host.changed_at >= look.began:",
        "if host.changed_at >= look.began:",
    ),
    WORLD(
        "a host that nobody hears is not asked again",
        (1,),
        "(self._max_age if host.heard else MOMENT)",
        "self._max_age",
    ),
    WORK(
        "destroys are planned from what is remembered",
        (1, 3),
        "if fresh or not any(isinstance(p.action, Destroy) for p in part.actions):",
        "if True:",
    ),
    WORK(
        "a run is begun though the specs changed while it looked",
        (5,),
        "if self._law() is not flight.law:",
        "if False:",
    ),
    WORK(
        "what flights of others touch is not left out",
        (6,),
        "can=partial(_is_free, is_free, key))",
        "can=lambda _: is_free is not None)",
    ),
    WORK(
        "what can't be launched keeps what it claimed",
        (6,),
        "            flight.error = error\n            self._end(flight)\n",
        "            flight.error = error\n",
    ),
    ENGINE(
        "a spec change ends suspensions",
        (5,),
        "Law.of(desired, fleet, self._suspended)",
        "Law.of(desired, fleet, {})",
    ),
    ENGINE(
        "what the specs do not have any more is worked on",
        (5,),
        "            if law is None or key not in law.keys:\n"
        "                self._drop(key, 0.0)\n",
        "            if law is None:\n                self._drop(key, 0.0)\n",
    ),
    Mutation(
        "while a receiver is away nothing is told of what its sender makes",
        (6,),
        "if not isinstance(here, Seen):",
        "if not isinstance(here, Seen) or not isinstance(there, Seen):",
        file="reconciler/controller/lag.py",
        tests=("tests/unit/controller/test_lag.py",),
    ),
)
