"""Slots by the clocks of a zone, windows, and snapshots that another tool makes."""

from functools import partial

from tests.mutations.mutation import Mutation

CRON = partial(
    Mutation, file="reconciler/desired/cron.py", tests=("tests/unit/desired/test_cron.py",)
)
SCHEDULE = partial(
    Mutation,
    file="reconciler/desired/schedule.py",
    tests=("tests/unit/desired/test_schedule.py",),
)
WAITING = ("tests/unit/planner/test_waiting.py",)
EXTERNAL = ("tests/unit/planner/test_external.py",)

MUTATIONS = (
    CRON(
        "a time that is left out has no snapshot on that day",
        ("schedule",),
        "return (_once,) if given else (_first_time, _last_time)",
        "return (_first_time,) if given else (_first_time, _last_time)",
    ),
    CRON(
        "a time that comes twice counts once for an interval",
        ("schedule",),
        "return (_once,) if given else (_first_time, _last_time)",
        "return (_once,) if given else (_first_time,)",
    ),
    CRON(
        "the way back begins too early where a time comes twice",
        ("schedule",),
        "start = clock.replace(tzinfo=None) + _repeated(clock, fold=1) + _SECOND",
        "start = clock.replace(tzinfo=None) + _SECOND",
    ),
    CRON(
        "the way there begins too late where a time comes twice",
        ("schedule",),
        "start = clock.replace(tzinfo=None) - _repeated(clock, fold=0)",
        "start = clock.replace(tzinfo=None)",
    ),
    SCHEDULE(
        "a window lasts a second longer",
        ("window",),
        "at < begun + window.seconds else None",
        "at <= begun + window.seconds else None",
    ),
    SCHEDULE(
        "what is denied is allowed",
        ("window",),
        "ends = (_end(window, at) for window in windows.deny)",
        "ends = (_end(window, at) for window in ())",
    ),
    Mutation(
        "a receiver destroys by what it is to get once a window opens",
        (3, "window"),
        "return Way(way.base, (), verdict, None, way.abort, waiting=way.wanted)",
        "return Way(way.base, (), way.verdict, None, way.abort, waiting=way.wanted)",
        "reconciler/planner/way.py",
        WAITING,
    ),
    Mutation(
        "a sender destroys what waits for a window",
        ("window",),
        "if version.guid in self.waiting:",
        "if False:",
        "reconciler/planner/retire.py",
        WAITING,
    ),
    Mutation(
        "what was begun loses its hold when a window is over",
        ("window",),
        "for version in (version for version in held if version.guid not in self.waiting):",
        "for version in held:",
        "reconciler/planner/replication.py",
        WAITING,
    ),
    Mutation(
        "a stream whose turn comes late is begun outside of the windows",
        ("window",),
        "return None if opens == now else f",
        "return None if opens != now else f",
        "reconciler/planner/waiting.py",
        WAITING,
    ),
    Mutation(
        "what another tool made is ours on a sender",
        (3, "foreign"),
        "return version.spec == self.replication and self._named_ours(version)",
        "return self._named_ours(version) or self._named_external(version)",
        "reconciler/planner/marks.py",
        EXTERNAL,
    ),
    Mutation(
        "a receiver destroys what does not match",
        (3, "foreign"),
        "and re.search(self.matching, version.name) is not None",
        "",
        "reconciler/planner/marks.py",
        EXTERNAL,
    ),
    Mutation(
        "`apply` begins streams when the window is over",
        ("window",),
        "must_wait=lambda planned: must_wait(session.desired, planned, int(session.clock())),",
        "must_wait=lambda _: None,",
        "reconciler/cli/applying.py",
        ("tests/unit/cli/test_apply.py",),
    ),
    Mutation(
        "the controller begins streams when the window is over",
        ("window",),
        "must_wait=lambda planned: must_wait(",
        "must_wait=lambda planned: None and must_wait(",
        "reconciler/controller/work.py",
        ("tests/unit/controller/test_engine.py",),
    ),
    Mutation(
        "a stream that must wait keeps its room",
        ("window",),
        "self.ready.finished(batch)\n        for planned in batch.actions:",
        "for planned in batch.actions:",
        "reconciler/executor/execute.py",
        ("tests/unit/executor/test_execute.py",),
    ),
    Mutation(
        "the controller sleeps when a window opens",
        ("window",),
        "due = next_opening(replication, int(clock))",
        "due = None",
        "reconciler/controller/engine.py",
        ("tests/unit/controller/test_engine.py",),
    ),
)
