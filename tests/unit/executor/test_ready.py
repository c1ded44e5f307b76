"""What goes together, what waits for what, and how much at once."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from reconciler.actions import (
    Action,
    Bookmark,
    Destroy,
    Hold,
    Reason,
    Release,
    Send,
    SendMode,
    Snapshot,
)
from reconciler.desired.model import DataPath, Hook
from reconciler.executor.order import Order
from reconciler.executor.ready import (
    ABREAST,
    GATHERING,
    SCRIPTS_PER_HOST,
    TOGETHER,
    Batch,
    Ready,
    Slots,
)
from reconciler.hosts.addresses import Limits
from reconciler.planner.plan import PlannedAction
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.types import FilesystemKind
from tests.support.worlds import fs

A, _ = fs("tank/a", "@s,11 @t,12").versions


def planned(action: Action, *after: Action) -> PlannedAction:
    return PlannedAction(action, Reason("r", "r"), "web", tuple(a.id for a in after))


def hold(name: str, host: str = "alpha") -> Hold:
    return Hold(host, name, A, "tag")


def send(name: str) -> Send:
    return Send(
        host="alpha",
        filesystem=name,
        kind=FilesystemKind.FILESYSTEM,
        receiver_host="vault",
        receiver_filesystem=f"backup/{name}",
        mode=SendMode.FULL,
        base=None,
        versions=(A,),
        flags=StreamFlags(),
        path=DataPath.AUTO,
    )


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ready(
    actions: Iterable[PlannedAction], clock: Clock | None = None, slots: Slots | None = None
) -> Ready:
    """Return those of the actions that wait for nothing as ready."""
    actions = tuple(actions)
    made = Ready(actions, Order(actions), slots or Slots({}), clock or Clock())
    for one in actions:
        if not one.depends_on:
            made.add(one)
    return made


def names(batches: Iterable[Batch]) -> list[list[str]]:
    return [[one.action.places[0][1] for one in batch.actions] for batch in batches]


def test_what_is_to_be_done_on_one_pool_goes_together_and_each_pool_for_itself() -> None:
    places = ("tank/a", "tank/b", "other/c", "tank/d")
    there = ready([*(planned(hold(name)) for name in places), planned(hold("tank/a", "beta"))])
    assert names(there.startable()) == [["tank/a", "tank/b", "tank/d"], ["other/c"], ["tank/a"]]
    assert not there


def test_what_is_slow_goes_by_itself() -> None:
    slow, quick = Destroy("alpha", "tank/a", (A,)), hold("tank/b")
    assert len(list(ready([planned(slow), planned(quick)]).startable())) == 2


def test_many_go_in_a_few_executions_at_once_that_are_no_larger_than_they_need_to_be() -> None:
    sizes = {1: [1], TOGETHER: [TOGETHER], TOGETHER + 1: [51, 50], 3 * TOGETHER: [TOGETHER] * 3}
    for count, expected in sizes.items():
        there = ready(planned(hold(f"tank/{number}")) for number in range(count))
        assert [len(batch.actions) for batch in there.startable()] == expected
        assert not there


def test_more_than_that_wait_until_all_of_them_are_done() -> None:
    there = ready(planned(hold(f"tank/{number}")) for number in range(ABREAST * TOGETHER + 1))
    *others, last = there.startable()
    assert len(others) == ABREAST - 1
    for batch in others:
        there.finished(batch)
    assert list(there.startable()) == []
    there.finished(last)
    assert len(list(there.startable())) == 1


def test_while_something_is_done_on_a_pool_the_next_gathers() -> None:
    there = ready([planned(hold("tank/a"))])
    [first] = there.startable()
    there.add(planned(hold("tank/b")))
    there.add(planned(hold("tank/c")))
    assert list(there.startable()) == []
    there.finished(first)
    assert names(there.startable()) == [["tank/b", "tank/c"]]


def test_runs_at_once_ask_together_no_more_of_a_host_than_it_should_do() -> None:
    slots = Slots({})
    runs = [ready([planned(hold("tank/a"))], slots=slots) for _ in range(SCRIPTS_PER_HOST + 2)]
    begun = [(run, batch) for run in runs for batch in run.startable()]
    assert len(begun) == SCRIPTS_PER_HOST
    for run, batch in begun[:2]:
        run.finished(batch)
    assert len([batch for run in runs for batch in run.startable()]) == 2


def test_streams_go_one_by_one_as_many_as_both_ends_allow() -> None:
    slots = Slots({"alpha": Limits(sends=3), "vault": Limits(receives=2)})
    there = ready((planned(send(f"tank/{number}")) for number in range(5)), slots=slots)
    assert names(there.startable()) == [["tank/0"], ["tank/1"]]


def test_what_streams_leave_to_be_done_waits_for_them_but_not_for_long(clock: Clock) -> None:
    one, other = send("tank/a"), send("tank/b")
    cursors = [Bookmark("alpha", name, A, "c_", "vault") for name in ("tank/a", "tank/b")]
    after = [planned(cursors[0], one), planned(cursors[1], other)]
    there = ready([planned(one), planned(other), *after], clock)
    first, second = there.startable()
    there.finished(first)
    there.add(after[0])
    assert list(there.startable()) == []
    clock.now += GATHERING
    assert names(there.startable()) == [["tank/a"]]

    there = ready([planned(one), planned(other), *after], clock)
    first, second = there.startable()
    for stream, cursor in zip((first, second), after, strict=True):
        there.finished(stream)
        there.add(cursor)
    assert names(there.startable()) == [["tank/a", "tank/b"]]


def test_what_a_stream_waits_for_goes_at_once_and_takes_along_what_is_there() -> None:
    running, next_one = send("tank/a"), send("tank/b")
    cursor = planned(Bookmark("alpha", "tank/a", A, "c_", "vault"))
    needed = planned(hold("tank/b"))
    there = ready([planned(running), needed, planned(next_one, needed.action)])
    assert names(there.startable()) == [["tank/a"], ["tank/b"]]

    there = ready([planned(running), planned(next_one, needed.action)])
    list(there.startable())
    there.add(cursor)
    assert list(there.startable()) == []


def test_what_makes_room_for_a_stream_goes_at_once_though_others_run() -> None:
    running, waiting = send("tank/a"), replace(send("tank/b"), receiver_filesystem="other/b")
    room, elsewhere = Destroy("vault", "other/x", (A,)), Destroy("vault", "third/x", (A,))
    actions = [planned(action) for action in (running, waiting, room, elsewhere)]
    there = Ready(actions, Order(actions), Slots({}), Clock())
    for one in (actions[0], *actions[2:]):
        there.add(one)
    assert names(there.startable()) == [["tank/a"], ["other/x"]]


def test_a_snapshot_waits_for_no_stream() -> None:
    snapshot = Snapshot("alpha", ("tank/a",), "s", "web", 0)
    there = ready([planned(send("tank/b")), planned(snapshot)])
    assert len(list(there.startable())) == 2


def test_nothing_waits_for_hooks_and_they_wait_for_nothing() -> None:
    def hooked(spec: str, name: str) -> Snapshot:
        hooks = (Hook("one", "b", "a", 60, abort=True),)
        return Snapshot("alpha", (name,), "s", spec, 0, hooks)

    plain = Snapshot("alpha", ("tank/c",), "s", "web", 0)
    there = ready(
        [planned(hooked("web", "tank/a")), planned(hooked("db", "tank/b")), planned(plain)]
    )
    assert len(list(there.startable())) == 3
    for n in range(SCRIPTS_PER_HOST):
        there.add(planned(hooked("web", f"tank/{n}")))
    list(there.startable())
    there.add(planned(hold("tank/z")))
    assert names(there.startable()) == [["tank/z"]]


def along(batch: Batch) -> list[Action]:
    return [planned.action for planned in batch.along]


def test_holds_on_new_snapshots_come_along_with_them() -> None:
    snapshot = Snapshot("alpha", ("tank/a", "tank/b"), "s", "web", 0)
    held = [hold(name) for name in ("tank/a", "tank/b")]
    plan = [planned(snapshot), *(planned(one, snapshot) for one in held)]
    [batch] = ready(plan).startable()
    assert (batch.lane.kind, along(batch)) == ("snapshot", held)


def test_what_waits_for_something_elsewhere_too_does_not_come_along() -> None:
    snapshot = Snapshot("alpha", ("tank/a",), "s", "web", 0)
    elsewhere = hold("backup/a", host="vault")
    waiting = planned(hold("tank/a"), snapshot, elsewhere)
    other_pool = planned(hold("other/a"), snapshot)
    there = ready([planned(snapshot), planned(elsewhere), waiting, other_pool])
    assert [along(batch) for batch in there.startable()] == [[], []]


def test_nothing_comes_along_with_hooks_or_behind_a_stream() -> None:
    hooks = (Hook("one", "b", "a", 60, abort=True),)
    snapshot = Snapshot("alpha", ("tank/a",), "s", "web", 0, hooks)
    stream = send("tank/a")
    there = ready(
        [
            *(planned(snapshot), planned(hold("tank/a"), snapshot)),
            *(planned(stream), planned(hold("tank/b"), stream)),
        ]
    )
    assert [along(batch) for batch in there.startable()] == [[], []]


def test_what_may_go_once_the_cursor_has_moved_comes_along_with_it() -> None:
    cursor = Bookmark("alpha", "tank/a", A, "c_", "vault")
    release, gone = Release("alpha", "tank/a", A, "tag"), Destroy("alpha", "tank/a", (A,))
    plan = [planned(cursor), planned(release, cursor), planned(gone, cursor, release)]
    there = ready(plan)
    [batch] = there.startable()
    assert along(batch) == [release, gone]
    assert batch.lane.kind == "destroy"


def test_marks_do_not_wait_for_destroys_that_came_along_with_others() -> None:
    cursors = [Bookmark("alpha", name, A, "c_", "vault") for name in ("tank/a", "tank/b")]
    destroys = [Destroy("alpha", name, (A,)) for name in ("tank/a", "tank/b")]
    first, second = (
        [planned(cursor), planned(gone, cursor)]
        for cursor, gone in zip(cursors, destroys, strict=True)
    )
    there = ready([*first, *(replace(one, depends_on=("x",)) for one in second)])
    [running] = there.startable()
    assert along(running) == destroys[:1]
    there.add(second[0])
    [marks] = there.startable()
    assert (marks.lane.kind, along(marks)) == ("marks", [])
