"""Saved plans: the same when they are read back, and refused when they do not fit any more."""

from functools import partial

from tests.mutations.mutation import Mutation

JSON = "tests/unit/report/test_plan_json.py"
RESOLVED = "tests/unit/desired/test_resolve.py"

PLAN_JSON = partial(Mutation, file="reconciler/report/plan_json.py", tests=(JSON,))
ACTION_JSON = partial(Mutation, file="reconciler/report/action_json.py", tests=(JSON,))
READING = partial(Mutation, file="reconciler/report/plan_reading.py", tests=(JSON,))
STALE = partial(
    Mutation, file="reconciler/report/stale.py", tests=("tests/unit/report/test_stale.py",)
)
APPLYING = partial(
    Mutation, file="reconciler/cli/applying.py", tests=("tests/unit/cli/test_apply.py",)
)

MUTATIONS = (
    PLAN_JSON(
        "a saved plan that was edited is applied",
        (8,),
        'if fields.text("plan_id") != plan_id(document):',
        "if False:",
    ),
    PLAN_JSON(
        "a plan's id is about its actions alone",
        (8,),
        'rest = {key: value for key, value in content.items() if key != "plan_id"}',
        'rest = {"actions": content["actions"]}',
    ),
    PLAN_JSON(
        "the order of actions is not saved",
        (8,),
        '"depends_on": list(planned.depends_on),',
        '"depends_on": [],',
    ),
    ACTION_JSON(
        "holds are not saved",
        (8,),
        '"holds": list(version.holds),',
        '"holds": [],',
    ),
    ACTION_JSON(
        "the order of versions is read from their creation",
        (2, 8),
        'createtxg=fields.number("createtxg"),',
        'createtxg=fields.number("creation"),',
    ),
    ACTION_JSON(
        "that a stream is raw is not saved",
        (8,),
        '_FLAGS = ("large_blocks", "compressed", "embedded", "raw")',
        '_FLAGS = ("large_blocks", "compressed", "embedded")',
    ),
    Mutation(
        "a promised version is read as a real one",
        (2, 8),
        "return -1 - int(planned[1], 16)",
        "return int(planned[1], 16)",
        "reconciler/report/fields.py",
        (JSON,),
    ),
    STALE(
        "a plan of other specs fits",
        (5, 8),
        "if saved.specs.digest != fresh.specs.digest:",
        "if False:",
    ),
    STALE(
        "a plan fits although an action would be another one now",
        (2, 8),
        "elif now[id_] != planned:",
        "elif False:",
    ),
    STALE(
        "a plan fits although more would be planned now",
        (8,),
        "        if id_ not in then:\n",
        "        if False:\n",
    ),
    STALE(
        "a plan fits although a version has another guid now",
        (2, 8),
        "return version._replace(written=None, referenced=None)",
        "return version._replace(written=None, referenced=None, guid=0)",
    ),
    APPLYING(
        "a stale plan is applied",
        (8,),
        "    if differences:\n",
        "    if False:\n",
    ),
    APPLYING(
        "a saved plan is compared to one for another instant",
        (8,),
        "return session.plan(saved.at, targets=saved.targets, allow_destroy=saved.allow_destroy)",
        "return session.plan(targets=saved.targets, allow_destroy=saved.allow_destroy)",
    ),
    APPLYING(
        "a restricted plan is compared to the whole",
        (8,),
        "return session.plan(saved.at, targets=saved.targets, allow_destroy=saved.allow_destroy)",
        "return session.plan(saved.at, allow_destroy=saved.allow_destroy)",
    ),
    APPLYING(
        "a saved plan whose destroy budget was lifted is compared to one with a budget",
        (8, "budget"),
        "return session.plan(saved.at, targets=saved.targets, allow_destroy=saved.allow_destroy)",
        "return session.plan(saved.at, targets=saved.targets)",
    ),
    APPLYING(
        "a plan is applied without being asked for",
        (3,),
        "if not approved and not self._asked():",
        "if False:",
    ),
    Mutation(
        "the digest of specs does not tell keep rules apart",
        (8,),
        "getattr(value, name) for name in fields if name not in _NOT_CONTENT}",
        'getattr(value, name) for name in fields if name not in {*_NOT_CONTENT, "rules"}}',
        "reconciler/desired/digest.py",
        (f"{RESOLVED}::test_rules_of_different_kinds_have_different_digests",),
    ),
)
