"""Forecasts that say what does not come true."""

from functools import partial

from tests.mutations.mutation import Mutation

COURSE_TESTS = ("tests/unit/forecast/test_course.py",)
KEEPER = partial(
    Mutation,
    file="reconciler/forecast/keeper.py",
    tests=("tests/property/test_forecasts.py",),
)
LEDGER = partial(Mutation, file="reconciler/forecast/ledger.py", tests=COURSE_TESTS)
BEGINNING = partial(Mutation, file="reconciler/forecast/beginning.py", tests=COURSE_TESTS)
COURSE = partial(Mutation, file="reconciler/forecast/course.py", tests=COURSE_TESTS)

MUTATIONS = (
    KEEPER(
        "a forecast destroys what another rule still keeps",
        ("forecast",),
        "if not votes[old] and old != version:",
        "if old != version:",
    ),
    KEEPER(
        "a forecast keeps the oldest of a period",
        ("forecast",),
        "            replaced = kept[-1]\n            kept[-1] = version\n",
        "            replaced = version\n",
    ),
    LEDGER(
        "a forecast destroys the common version",
        ("forecast",),
        "if version not in needed and version not in self.pinned",
        "if version not in self.pinned",
    ),
    LEDGER(
        "a forecast destroys what somebody holds",
        ("forecast",),
        "and version not in self.pinned and",
        "and",
    ),
    BEGINNING(
        "what is in conflict is forecast",
        ("forecast",),
        "if conflict is not None:",
        "if conflict == 0:",
        tests=("tests/property/test_forecasts.py",),
    ),
    BEGINNING(
        "a host with a wrong clock is forecast",
        ("forecast",),
        "if abs(seen.clock - seen.at) > MAX_CLOCK_DIFFERENCE:",
        "if seen.clock < 0:",
    ),
    Mutation(
        "a forecast that the planner contradicts is shown as if it agreed",
        ("forecast",),
        "return None if theirs == ours else",
        "return None if theirs or ours else",
        "reconciler/forecast/check.py",
        COURSE_TESTS,
    ),
    COURSE(
        "in a forecast the sender is pruned while a stream comes from it",
        ("forecast",),
        "        if not self._busy[number]:\n"
        "            ledger.retire_here(step, () if is_open else ledger.waiting())\n"
        "        self.tracks[number].note(at, step)\n",
        "        ledger.retire_here(step, () if is_open else ledger.waiting())\n"
        "        self.tracks[number].note(at, step)\n",
    ),
    COURSE(
        "in a forecast streams begin while windows are closed",
        ("forecast",),
        "return opens == at",
        "return True",
    ),
    LEDGER(
        "in a forecast what waits for a window is destroyed before it is sent",
        ("forecast",),
        "gone = self.here.retire(bases.union(waiting))",
        "gone = self.here.retire(bases)",
    ),
    LEDGER(
        "in a forecast a grid keeps nothing",
        ("forecast",),
        "gone = [version for version in gone if version not in kept]",
        "gone = [version for version in gone if version or version in kept]",
    ),
    COURSE(
        "in a forecast all streams to a receiver have all of its bandwidth",
        ("forecast",),
        "begun = max(float(at), self._free.get(host, 0.0))",
        "begun = float(at)",
    ),
)
