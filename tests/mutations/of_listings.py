"""What makes a host unseen: unknown is not empty."""

from functools import partial

from tests.mutations.mutation import Mutation

TESTS = ("tests/unit/observed/test_read.py",)

CHECKS = partial(Mutation, file="reconciler/observed/checks.py", tests=TESTS)
READ = partial(Mutation, file="reconciler/observed/read.py", tests=TESTS)
TROUBLE = partial(Mutation, file="reconciler/observed/trouble.py", tests=TESTS)
BASE = partial(
    Mutation, file="reconciler/actions/base.py", tests=("tests/unit/actions/test_destroy.py",)
)

REMEMBERED = ("tests/unit/observed/test_remembered.py",)
KNOWN = partial(Mutation, file="reconciler/observed/remembered.py", tests=REMEMBERED)
PIECES = partial(Mutation, file="reconciler/zfs/pieces.py", tests=REMEMBERED)

MUTATIONS = (
    Mutation(
        "a host that can't be asked is an empty one",
        (1,),
        "return probe_failed(name, error)",
        "return __import__('reconciler.observed.model', fromlist=['Seen']).Seen("
        "name, int(clock()), int(clock()), '2.2.2', {}, {})",
        "reconciler/executor/observe.py",
        ("tests/unit/executor/test_observe.py",),
    ),
    TROUBLE(
        "a command that failed has listed nothing",
        (1,),
        "    if not outcome.ok:\n        raise failed(step, outcome)\n    return outcome.stdout",
        "    return outcome.stdout",
    ),
    TROUBLE(
        "a listing may complain of what was not asked for",
        (1,),
        "if name not in asked or not excused:",
        "if not excused:",
    ),
    TROUBLE(
        "a listing may complain of anything",
        (1,),
        "if name not in asked or not excused:",
        "if name not in asked:",
    ),
    TROUBLE(
        "a listing that failed without a word is whole",
        (1,),
        "if outcome.status != 1 or not missing:",
        "if False:",
    ),
    TROUBLE(
        "a section that is missing is an empty one",
        (1,),
        'raise Trouble(f"the probe\'s answer lacks the section {step}")',
        'return Outcome(0, "", "")',
    ),
    TROUBLE(
        "a listing that can't be read is an empty one",
        (1,),
        'raise Trouble(f"the listing of {step} can\'t be read: {error}") from error',
        'return parse("")',
    ),
    READ(
        "any text is a clock",
        (1, 9),
        "if not (said.isascii() and said.isdecimal() and len(said) <= _CLOCK_DIGITS):",
        "if not said.isdecimal():\n        said = str(2**31)\n    if False:",
    ),
    READ(
        "a pool may be listed twice",
        (1,),
        "    refuse_duplicates(probe.POOLS, (row.name for row in rows))\n",
        "",
    ),
    READ(
        "a pool may appear while the pools are listed",
        (1,),
        'raise changed(f"pool {row.pool} appeared")',
        "continue",
    ),
    READ(
        "a filesystem may be listed twice",
        (1,),
        "    refuse_duplicates(probe.FILESYSTEMS, (row.name for row in found.rows))\n",
        "",
    ),
    READ(
        "what a pool in trouble could still list is all there is",
        (1,),
        "for row in sorted(found.rows) if pool_of(row.name) not in closed]",
        "for row in sorted(found.rows)]",
    ),
    READ(
        "holds that could not be listed are none",
        (3,),
        "userrefs=tuple(map(max, columns.userrefs, map(len, holds)))",
        "userrefs=tuple(map(len, holds))",
    ),
    READ(
        "a mark that may be inherited counts as a snapshot's own",
        (3,),
        "    if inherited is not None:\n",
        "    if False:\n",
    ),
    READ(
        "nothing is ever switched off",
        (3,),
        "disabled=row.reconcile == DISABLED,",
        "disabled=False,",
    ),
    Mutation(
        "a faulted pool is as good as any",
        (1,),
        'return self.health in {"ONLINE", "DEGRADED"}',
        'return self.health in {"ONLINE", "DEGRADED", "FAULTED", "SUSPENDED", "UNAVAIL"}',
        "reconciler/observed/model.py",
        TESTS,
    ),
    CHECKS(
        "a pool may be neither listed nor missing",
        (1,),
        "if (pool in names) == (pool in missing):",
        "if False:",
    ),
    CHECKS(
        "a pool may come or go while it is listed",
        (1,),
        "if (pool in names) != (pool in pools) and not (pool in pools and not pools[pool].usable):",
        "if False:",
    ),
    CHECKS(
        "a filesystem may be listed without its parent",
        (1,),
        "if (parent not in names) if parent else (name not in asked):",
        "if False:",
    ),
    CHECKS(
        "a root may come or go while it is listed",
        (1,),
        "if (root in names) == (root in missing):",
        "if False:",
    ),
    CHECKS(
        "versions may belong to a filesystem that was not listed",
        (1,),
        "if filesystem not in names:",
        "if False:",
    ),
    CHECKS(
        "versions may be listed that were not asked for",
        (1,),
        "if wanted.isdisjoint(ancestors(filesystem)):",
        "if False:",
    ),
    CHECKS(
        "what is beside a root was asked for with it",
        (1,),
        "        if parent not in inside and filesystem not in wanted:\n",
        "        if filesystem in wanted:\n"
        "            inside.add(parent)\n"
        "        if parent not in inside and filesystem not in wanted:\n",
        tests=("tests/unit/observed/test_checks.py",),
    ),
    CHECKS(
        "a version may be listed twice",
        (1,),
        "refuse_duplicates(filesystem, labels)",
        "pass",
    ),
    CHECKS(
        "holds may be listed of what has none",
        (1,),
        "        if name not in held:\n",
        "        if False:\n",
    ),
    CHECKS(
        "a hold may be listed twice",
        (1,),
        "        refuse_duplicates(name, found)\n",
        "",
    ),
    BASE(
        "a listing that was killed says that nothing is there",
        (1,),
        "if outcome is None or outcome.status not in {0, 1}:",
        "if outcome is None:",
    ),
    BASE(
        "a listing that failed for another reason says that nothing is there",
        (1,),
        "if outcome.status == 1 and not (lines and all(_says_missing(line) for line in lines)):",
        "if False:",
    ),
    BASE(
        "a listing of guids that can't be read says that nothing is there",
        (1,),
        "    except ParseError:\n        return None",
        "    except ParseError:\n        return {}",
    ),
    PIECES(
        "a part of a listing is what it was if it begins with the same filesystem",
        (1,),
        "if piece is None or piece.digest != _digest(text[start : start + piece.length]):",
        "if piece is None:",
    ),
    PIECES(
        "a listing is what it was if its first parts are",
        (1,),
        "if len(before) == len(values) and all(map(is_, before, values)):",
        "if all(map(is_, before, values)):",
    ),
    KNOWN(
        "a filesystem is what it was whatever is said of it",
        (1,),
        "        if before == parts:\n",
        "        if before.row.guid == parts.row.guid:\n",
    ),
    KNOWN(
        "a filesystem is what it was if its row and versions are, whoever holds those",
        (1, 3),
        "        if before == parts:\n",
        "        if before[:2] == parts[:2]:\n",
    ),
    KNOWN(
        "pools are as they were if the listings are",
        (1,),
        "if last is None or last[1] != others or not",
        "if last is None or not",
    ),
    KNOWN(
        "what was read stays known whatever is asked for",
        (1,),
        "        if self._asked != (roots, properties):\n",
        "        if self._asked is None:\n",
    ),
    KNOWN(
        "filesystems are those there were if there are as many",
        (1,),
        "if len(found) != len(self._filesystems) or not all(same):",
        "if len(found) != len(self._filesystems):",
    ),
)
