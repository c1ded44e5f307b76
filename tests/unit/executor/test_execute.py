"""Order, concurrency and isolation of a plan's actions."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from reconciler.actions import Action, CreateFilesystem, Destroy, Hold, Reason, Snapshot
from reconciler.actions.base import planned_guid
from reconciler.desired.model import Desired
from reconciler.errors import HostError, Unreachable
from reconciler.executor.events import ActionFailed, Completed, Event, RunResult, Skipped, Started
from reconciler.executor.execute import execute
from reconciler.executor.ready import Lane, Slots
from reconciler.hosts.cutting import Cut
from reconciler.hosts.host import StderrListener
from reconciler.hosts.script import Outcome, Script, Succeeded, Transcript
from reconciler.planner.plan import Plan, PlannedAction, Specs
from reconciler.zfs.types import Version, VersionKind
from tests.support.worlds import fs
from tests.unit.executor.conftest import Answer, FakeFleet, Stop
from tests.unit.executor.test_ready import planned, send


def plan_of(*actions: PlannedAction) -> Plan:
    return Plan(at=0, specs=Specs(None, "sha256:0", 0), hosts=(), actions=actions)


def create(name: str, *after: str, host: str = "vault") -> PlannedAction:
    ids = tuple(f"create-filesystem:{host}:{needed}" for needed in after)
    return PlannedAction(CreateFilesystem(host, name), Reason("r", "r"), "web", ids)


def created(_host: str, script: Script) -> Mapping[str, Outcome]:
    """Answer a create as ZFS does when all goes well."""
    name = script.steps[0].argv[-1]
    return {"create": Outcome(0, "", ""), "there": Outcome(0, f"{name}\n", "")}


def run(
    plan: Plan, answer: Answer, stop: threading.Event | None = None
) -> tuple[RunResult, list[Event], FakeFleet]:
    events: list[Event] = []
    fleet = FakeFleet(answer)
    desired = Desired(fleet.addresses, {}, "sha256:0")
    result = execute(plan, desired, fleet, events.append, stop or threading.Event())  # type: ignore[arg-type]
    return result, events, fleet


def names(actions: tuple[PlannedAction, ...]) -> list[str]:
    return [planned.action.places[0][1] for planned in actions]


def test_an_action_starts_when_what_it_depends_on_is_completed() -> None:
    plan = plan_of(create("b/x"), create("c/y", "b/x"), create("b/z", "b/x", "c/y"))
    result, events, _ = run(plan, created)
    assert names(result.completed) == ["b/x", "c/y", "b/z"]
    assert [type(event) for event in events] == [Started, Completed] * 3


def test_an_action_waits_for_all_that_it_depends_on() -> None:
    done: set[str] = set()

    def answer(host: str, script: Script) -> Mapping[str, Outcome]:
        name = script.steps[0].argv[-1]
        if name == "c/slow":
            time.sleep(0.05)
        if name == "d/last":
            assert done == {"b/quick", "c/slow"}
        done.add(name)
        return created(host, script)

    plan = plan_of(create("b/quick"), create("c/slow"), create("d/last", "b/quick", "c/slow"))
    result, _, _ = run(plan, answer)
    assert names(result.completed) == ["b/quick", "c/slow", "d/last"]


def test_a_failure_stops_what_depends_on_it_and_nothing_else() -> None:
    def answer(host: str, script: Script) -> Mapping[str, Outcome]:
        if script.steps[0].argv[-1] == "b/bad":
            missing = "cannot open 'b/bad': dataset does not exist"
            refused = "cannot create 'b/bad': out of space"
            return {"create": Outcome(1, "", refused), "there": Outcome(1, "", missing)}
        return created(host, script)

    plan = plan_of(
        create("b/bad"), create("b/bad/x", "b/bad"), create("b/bad/x/y", "b/bad/x"), create("b/ok")
    )
    result, events, _ = run(plan, answer)
    assert names(result.completed) == ["b/ok"]
    assert [(p.action.places[0][1], failure.message) for p, failure in result.failed] == [
        ("b/bad", "cannot create 'b/bad': out of space")
    ]
    assert names(result.skipped) == ["b/bad/x", "b/bad/x/y"]
    because = [event.because for event in events if isinstance(event, Skipped)]
    assert because == ["create-filesystem of vault b/bad failed"] * 2
    assert not result.ok
    assert not result.interrupted


def test_what_is_ready_on_a_host_is_done_in_one_execution() -> None:
    scripts: list[Script] = []

    class Counted(FakeFleet):
        def answered(
            self,
            host: str,
            script: Script,
            listener: StderrListener | None,
            cut: Cut | None = None,
        ) -> Transcript:
            scripts.append(script)
            return super().answered(host, script, listener, cut)

    plan = plan_of(create("b/x"), create("b/y"), create("c/z", "b/x"), create("c/w", "b/y"))
    events: list[Event] = []
    fleet = Counted(created)
    desired = Desired(fleet.addresses, {}, "sha256:0")
    result = execute(plan, desired, fleet, events.append, threading.Event())  # type: ignore[arg-type]
    assert names(result.completed) == ["b/x", "b/y", "c/z", "c/w"]
    assert len(scripts) == 2
    kinds = [type(event) for event in events]
    assert kinds == [Started, Started, Completed, Completed] * 2


def test_what_waits_only_for_what_is_in_an_execution_comes_along() -> None:
    plan = plan_of(create("b/x"), create("b/y"), create("b/x/z", "b/x"), create("b/x/z/w", "b/x/z"))
    result, events, fleet = run(plan, created)
    assert names(result.completed) == ["b/x", "b/y", "b/x/z", "b/x/z/w"]
    assert len(fleet.ran) == 1
    kinds = [type(event) for event in events]
    assert kinds == [Started] * 4 + [Completed] * 4


def test_what_came_along_and_was_not_begun_is_begun_when_what_it_waits_for_is_done() -> None:
    tried: list[str] = []

    def answer(host: str, script: Script) -> Mapping[str, Outcome]:
        tried.append(script.steps[0].argv[-1])
        if tried == ["b/x"]:
            # It is there, but the host did not show it as it should.
            return {"create": Outcome(1, "", "exists"), "there": Outcome(0, " \nb/x\n\n", "")}
        return created(host, script)

    def judged(host: str, script: Script) -> Mapping[str, Outcome]:
        found = answer(host, script)
        return {name: replace(one, stdout=one.stdout.lstrip(" ")) for name, one in found.items()}

    plan = plan_of(create("b/x"), create("b/x/y", "b/x"), create("b/x/y/z", "b/x/y"))
    result, events, fleet = run(plan, judged)
    assert result.ok, events
    assert tried == ["b/x", "b/x/y", "b/x/y/z"]
    assert len(fleet.ran) == 2
    assert [type(event) for event in events] == [
        *(Started, Completed),
        *(Started, Started, Completed, Completed),
    ]


def test_what_came_along_was_done_though_what_it_waited_for_was_judged_otherwise() -> None:
    """The host showed more than we could read: what was done stays done, and is told as such."""
    promised = Version(VersionKind.SNAPSHOT, "s", planned_guid("alpha", "t/a", "s"), 5, 0)
    snapshot = Snapshot("alpha", ("t/a",), "s", "web", 0)
    hold = Hold("alpha", "t/a", promised, "tag")

    def answer(_host: str, script: Script) -> Mapping[str, Outcome]:
        if script.steps[0].name == "snapshot":
            return {"snapshot": Outcome(0, "", ""), "made": Outcome(0, "what is this", "")}
        listed = Outcome(0, "t/a@s\t77\n", "")
        held = Outcome(0, "t/a@s\ttag\tMon Nov 23 12:02 2026\n", "")
        return {"check": listed, "hold": Outcome(0, "", ""), "holds": held, "after": listed}

    reason = Reason("r", "r")
    plan = plan_of(
        PlannedAction(snapshot, reason, "web"),
        PlannedAction(hold, reason, "web", (snapshot.id,)),
    )
    result, events, _ = run(plan, answer)
    assert result.completed == ()
    assert [planned.action for planned, _ in result.failed] == [snapshot, hold]
    assert not any(isinstance(event, Skipped) for event in events)


def test_after_stop_nothing_is_begun_and_what_runs_is_finished() -> None:
    stop = threading.Event()

    def answer(host: str, script: Script) -> Mapping[str, Outcome]:
        stop.set()
        return created(host, script)

    plan = plan_of(create("b/x"), create("c/y", "b/x"))
    result, events, _ = run(plan, answer, stop)
    assert names(result.completed) == ["b/x"]
    assert names(result.skipped) == ["c/y"]
    assert result.interrupted
    assert [event.because for event in events if isinstance(event, Skipped)] == ["interrupted"]


def test_promised_versions_are_replaced_by_what_was_made() -> None:
    promised = Version(VersionKind.SNAPSHOT, "s", planned_guid("alpha", "t/a", "s"), 5, 0)
    snapshot = Snapshot("alpha", ("t/a",), "s", "web", 0)
    hold = Hold("alpha", "t/a", promised, "tag")

    def answer(_host: str, script: Script) -> Mapping[str, Outcome]:
        if script.steps[0].name == "snapshot":
            row = "t/a@s\t77\t9\t100\t0\t0\t0\tweb\tt/a@s\n"
            return {"snapshot": Outcome(0, "", ""), "made": Outcome(0, row, "")}
        listed = Outcome(0, "t/a@s\t77\n", "")
        held = Outcome(0, "t/a@s\ttag\tMon Nov 23 12:02 2026\n", "")
        return {"check": listed, "hold": Outcome(0, "", ""), "holds": held, "after": listed}

    reason = Reason("r", "r")
    plan = plan_of(
        PlannedAction(snapshot, reason, "web"),
        PlannedAction(hold, reason, "web", (snapshot.id,)),
    )
    result, events, fleet = run(plan, answer)
    assert result.ok, events
    [(_, script)] = fleet.ran
    [(when, after)] = {(s.when, s.after) for s in script.steps if s.name.endswith("/hold")}
    assert when == Succeeded("1/check")
    assert after == (Succeeded("0/snapshot"), Succeeded("0/made"))


def test_a_version_that_turns_out_to_be_another_than_was_made_is_not_held_for_it() -> None:
    promised = Version(VersionKind.SNAPSHOT, "s", planned_guid("alpha", "t/a", "s"), 5, 0)
    snapshot = Snapshot("alpha", ("t/a",), "s", "web", 0)
    hold = Hold("alpha", "t/a", promised, "tag")

    def answer(_host: str, script: Script) -> Mapping[str, Outcome]:
        if script.steps[0].name == "snapshot":
            row = "t/a@s\t77\t9\t100\t0\t0\t0\tweb\tt/a@s\n"
            return {"snapshot": Outcome(0, "", ""), "made": Outcome(0, row, "")}
        listed = Outcome(0, "t/a@s\t78\n", "")
        held = Outcome(0, "t/a@s\ttag\tMon Nov 23 12:02 2026\n", "")
        return {"check": listed, "hold": Outcome(0, "", ""), "holds": held, "after": listed}

    reason = Reason("r", "r")
    plan = plan_of(
        PlannedAction(snapshot, reason, "web"),
        PlannedAction(hold, reason, "web", (snapshot.id,)),
    )
    result, _, _ = run(plan, answer)
    assert [planned.action for planned in result.completed] == [snapshot]
    assert [planned.action for planned, _ in result.failed] == [hold]


def test_a_bug_in_one_action_is_its_failure_and_the_others_go_on() -> None:
    def answer(host: str, script: Script) -> Mapping[str, Outcome]:
        if script.steps[0].argv[-1] == "b/bad":
            raise KeyError("oops")
        return created(host, script)

    result, _, _ = run(plan_of(create("b/bad"), create("b/ok")), answer)
    assert names(result.completed) == ["b/ok"]
    [(_, failure)] = result.failed
    assert failure.message == "this is a bug in reconciler: KeyError: 'oops'"


def test_a_broken_connection_is_tried_once_more() -> None:
    stop = Stop()
    tries: list[str] = []

    def answer(host: str, script: Script) -> Mapping[str, Outcome] | HostError:
        tries.append(host)
        return Unreachable(host, "gone") if len(tries) == 1 else created(host, script)

    result, _, _ = run(plan_of(create("b/x")), answer, stop)
    assert result.ok
    assert stop.waited == [2.0]

    tries.clear()
    result, events, _ = run(
        plan_of(create("b/x")), lambda host, _: Unreachable(host, "gone"), Stop()
    )
    [(_, failure)] = result.failed
    assert failure.message == "vault: gone"
    assert any(isinstance(event, ActionFailed) for event in events)


@pytest.mark.parametrize("busy", [1, 5, 6])
def test_a_busy_filesystem_is_waited_for_but_not_for_ever(busy: int) -> None:
    left, stop = [busy], Stop()

    def answer(host: str, script: Script) -> Mapping[str, Outcome]:
        if left[0]:
            left[0] -= 1
            missing = "cannot open 'b/x': dataset does not exist"
            said = "cannot create 'b/x': dataset is busy"
            return {"create": Outcome(1, "", said), "there": Outcome(1, "", missing)}
        return created(host, script)

    result, _, _ = run(plan_of(create("b/x")), answer, stop)
    assert result.ok is (busy < 6)
    assert stop.waited == [1.0, 2.0, 4.0, 8.0, 16.0][:busy]


def test_every_action_is_told_of_exactly_once_however_it_ends() -> None:
    actions: list[Action] = []
    plan = plan_of(create("b/x"), create("b/x/y", "b/x"), create("b/z"))
    _, events, _ = run(plan, created)
    actions = [event.action for event in events if isinstance(event, Completed)]
    assert sorted(action.places[0][1] for action in actions) == ["b/x", "b/x/y", "b/z"]


def test_a_stream_that_must_wait_is_not_begun_and_neither_is_what_depends_on_it() -> None:
    stream = PlannedAction(send("tank/a"), Reason("r", "r"), "web")
    after = replace(create("b/after"), depends_on=(stream.id,))
    plan = plan_of(stream, after, create("b/other"))
    events: list[Event] = []
    fleet = FakeFleet(created)

    result = execute(
        plan,
        Desired(fleet.addresses, {}, "sha256:0"),
        fleet,  # type: ignore[arg-type]
        events.append,
        threading.Event(),
        must_wait=lambda planned: f"{planned.action.verb} waits",
    )

    assert names(result.completed) == ["b/other"]
    assert result.skipped == (stream, after)
    assert (result.failed, result.interrupted) == ((), False)
    skipped = [event for event in events if isinstance(event, Skipped)]
    assert [(event.id, event.because) for event in skipped] == [
        (stream.id, "send waits"),
        (after.id, "send waits"),
    ]


def test_a_stream_that_must_wait_leaves_its_room_to_others() -> None:
    waiting = [PlannedAction(send(f"tank/{n}"), Reason("r", "r"), "web") for n in range(2)]
    slots = Slots({})
    fleet = FakeFleet(created)

    execute(
        plan_of(*waiting),
        Desired(fleet.addresses, {}, "sha256:0"),
        fleet,  # type: ignore[arg-type]
        lambda _: None,
        threading.Event(),
        slots=slots,
        must_wait=lambda _: "closed",
    )

    assert slots.take(Lane.of(waiting[0].action).demands)
    assert slots.take(Lane.of(waiting[0].action).demands)


@pytest.mark.parametrize("fails", [False, True])
def test_a_stream_waits_for_what_makes_room_for_it_and_goes_on_if_that_fails(
    *, fails: bool
) -> None:
    old, _ = fs("backup/old", "@s,11 @t,12").versions
    room = planned(Destroy("vault", "backup/old", (old,)))
    later = planned(Destroy("vault", "backup/new", (old,)), room.action)
    stream = planned(send("tank/a"))

    def answer(_host: str, script: Script) -> Mapping[str, Outcome]:
        done = Outcome(0, "", "")
        if script.steps[0].name == "check":
            there = Outcome(0, f"backup/old@s\t{old.guid}\n", "")
            refused = Outcome(1, "", "cannot destroy snapshot backup/old@s: permission denied")
            gone = Outcome(1, "", "cannot open 'backup/old@s': dataset does not exist")
            destroyed, after = (refused, there) if fails else (done, gone)
            return {"check": there, "destroy": destroyed, "after": after}
        return {"stream": done, "look": Outcome(0, f"backup/tank/a@s\t{old.guid}\n", "")}

    result, events, _ = run(plan_of(stream, room, later), answer)

    assert stream in result.completed
    assert [p.id for p, _ in result.failed] == [room.id] * fails
    assert (later in result.skipped) == fails
    begun = [event.id for event in events if isinstance(event, Started)]
    assert begun.index(room.id) < begun.index(stream.id)
