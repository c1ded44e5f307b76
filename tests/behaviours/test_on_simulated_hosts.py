"""Whole controllers on simulated hosts, with something going wrong at a given moment."""

from dataclasses import replace
from functools import cache
from typing import TypeGuard

import pytest

from reconciler.actions import Destroy, Hold, Send, Snapshot
from reconciler.desired.model import Hook, Snapshots
from reconciler.executor.events import ActionFailed, Completed, Event
from reconciler.report.summary import ExitCode, of_run
from reconciler.simulator.faults import Cut, Fails, Fault, Lost, Meanwhile
from tests.property.rightness import RULES, gone
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

WEB = desired("web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 2")
SLOT = 900
LIST = ("zfs", "list")
REFUSED = Fails(("internal error: no",), 1)


def opening(*more: str) -> Stage:
    """Return hosts on which nothing was done yet."""
    made = Stage(["alpha", "vault"])
    made.sh("alpha", "zpool create tank disk", "zfs create tank/a", "zfs create tank/b", *more)
    made.sh("vault", "zpool create backup disk")
    return made


def stage(*more: str) -> Stage:
    """Return hosts on which three slots were replicated and a fourth one is due."""
    return _stage(*more).copy()


@cache
def _stage(*more: str) -> Stage:
    made = opening(*more)
    for number in range(3):
        made.sh("alpha", f"write tank/a file{number} 1M")
        assert Controller(made, WEB).apply() is not None
        made.now += SLOT
    made.changes.clear()
    return made


def settled(made: Stage) -> bool:
    """Let an undisturbed controller act; tell whether nothing is left to do."""
    for _ in range(2):
        Controller(made, WEB).apply()
    return Controller(made, WEB).plan().actions == ()


def moments() -> list[tuple[str, int]]:
    """Return every moment of one cycle at which a command starts."""
    rehearsal = Controller(stage(), WEB)
    rehearsal.apply()
    return [(h, n) for h, faults in rehearsal.faults.items() for n in faults.started]


@pytest.mark.parametrize(("ends", "taken"), [("exit 0", ["a", "b"]), ("exit 1", ["b"])])
def test_h25_hooks_are_run_before_and_after_and_a_failing_one_stops_its_own_snapshots_alone(
    ends: str, taken: list[str]
) -> None:
    hooks = (
        Hook("one", "write tank/a before 1M", "write tank/a after 1M", 60, abort=True),
        Hook("two", ends, "", 60, abort=True),
    )
    specs = desired(
        "hooked: alpha tank/a every 15m -> vault", "plain: alpha tank/b every 15m -> vault"
    )
    hooked = specs.replications["hooked"]
    assert isinstance(hooked.snapshots, Snapshots)
    with_hooks = replace(hooked, snapshots=replace(hooked.snapshots, hooks=hooks))
    specs = replace(specs, replications={**specs.replications, "hooked": with_hooks})
    made = opening()
    Controller(made, specs).apply()

    alpha = made.world["alpha"].datasets
    assert [f for f in ("a", "b") if alpha[f"tank/{f}"].snapshots] == taken
    assert set(alpha["tank/a"].files) == {"before", "after"}
    for snapshot in alpha["tank/a"].snapshots:
        assert set(snapshot.files) == {"before"}


def test_h26_a_pool_whose_snapshot_fails_stops_no_other_pool_and_nothing_is_sent_of_it() -> None:
    both = desired("web: alpha tank/** other/** !tank !other every 15m keep last 2 -> vault")
    made = Stage(["alpha", "vault"])
    made.sh("alpha", "zpool create tank disk", "zfs create tank/a")
    made.sh("alpha", "zpool create other disk", "zfs create other/b")
    made.sh("vault", "zpool create backup disk")
    rehearsal = Controller(made.copy(), both)
    rehearsal.apply()
    snapshots = (
        n for n, argv in rehearsal.faults["alpha"].started.items() if argv[1] == "snapshot"
    )
    refused = Fails(("cannot create snapshots : out of space", "no snapshots were created"))
    controller = Controller(made, both, {"alpha": {next(snapshots): refused}})
    controller.apply()

    done = [e.action for e in controller.events if isinstance(e, Completed)]
    failed = [e.action for e in controller.events if isinstance(e, ActionFailed)]
    taken = {name for a in done if isinstance(a, Snapshot) for name in a.filesystems}
    assert len(taken) == 1
    assert [type(action) for action in failed] == [Snapshot]
    assert {a.filesystem for a in done if isinstance(a, Send)} == taken


def test_h40_more_versions_than_one_command_takes_are_all_destroyed() -> None:
    names = [f"tank/a@rec-20261101T{n // 60:02}{n % 60:02}00Z" for n in range(350)]
    made = opening(*(f"zfs snapshot -o reconciler:spec=web {name}" for name in names))
    controller = Controller(made, WEB)
    controller.apply()
    destroys = _destroyed(controller, "alpha", "tank/a@")
    assert max(map(len, destroys)) <= 100
    assert sum(map(len, destroys)) == 349
    assert len(snapshots(made)) == 2


def snapshots(made: Stage) -> list[str]:
    return [snapshot.name for snapshot in made.world["alpha"].datasets["tank/a"].snapshots]


def _destroyed(controller: Controller, host: str, prefix: str) -> list[list[str]]:
    """Return the snapshots that each channel program was given."""
    started = controller.faults[host].started.values()
    given = (argv for argv in started if argv[1] == "program")
    return [[word for word in argv if word.startswith(prefix)] for argv in given]


def test_h41_a_busy_version_stops_no_other_and_one_that_is_gone_is_success() -> None:
    lines = [f"zfs snapshot -o reconciler:spec=web tank/a@rec-20261101T00000{n}Z" for n in range(4)]
    made = opening(*lines)
    rehearsal = Controller(made.copy(), WEB)
    rehearsal.apply()
    (moment,) = (
        n
        for n, argv in rehearsal.faults["alpha"].started.items()
        if argv[1] == "program" and any(word.startswith("tank/a@rec-20261101") for word in argv)
    )
    meanwhile = Meanwhile(
        (
            ("zfs", "hold", "mine", "tank/a@rec-20261101T000001Z"),
            ("zfs", "destroy", "tank/a@rec-20261101T000002Z"),
        )
    )
    Controller(made, WEB, {"alpha": {moment: meanwhile}}).apply()
    left = [name for name in snapshots(made) if name.startswith("rec-20261101")]
    assert left == ["rec-20261101T000001Z", "rec-20261101T000003Z"]


def test_h46_a_version_made_anew_since_the_plan_is_left_alone() -> None:
    made = stage()
    controller = Controller(made, WEB)
    plan = controller.plan()
    (old,) = (
        p.action.versions[0].of(p.action.filesystem)
        for p in plan.actions
        if isinstance(p.action, Destroy)
        and p.action.host == "alpha"
        and p.action.filesystem == "tank/a"
        and p.action.versions[0].is_snapshot
    )
    made.sh("alpha", f"zfs destroy {old}", f"zfs snapshot {old}")
    controller.execute(plan)
    assert old.partition("@")[2] in snapshots(made)
    assert any(isinstance(e, ActionFailed) for e in controller.events)


def test_h56_a_full_target_gets_room_by_shorter_rules_before_the_stream() -> None:
    made = Stage(["alpha", "vault"])
    made.sh("alpha", "zpool create tank disk", "zfs create tank/a")
    made.sh("vault", "zpool create backup disk:16M")

    def cycle(keep: int) -> tuple[list[str], int]:
        """Let something be written and replicated; return what failed and what is left there."""
        made.sh("alpha", "write tank/a file 3M")
        specs = desired(f"web: alpha tank/a every 15m keep last 2 -> vault keep last {keep}")
        controller = Controller(made, specs)
        controller.apply()
        made.now += SLOT
        failed = [e.failure.message for e in controller.events if isinstance(e, ActionFailed)]
        return failed, len(made.world["vault"].datasets["backup/alpha/tank/a"].snapshots)

    while not (result := cycle(keep=9))[0]:
        pass
    refused = "cannot receive {} stream: out of space"
    assert result == ([refused.format("incremental")], 5)
    assert cycle(keep=9) == ([refused.format("resume")], 5)
    assert [cycle(keep=2), cycle(keep=2)] == [([], 2), ([], 2)]


def test_h56_a_stream_goes_on_though_what_had_expired_could_not_be_destroyed() -> None:
    made = stage()
    shorter = desired("web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 1")
    rehearsal = Controller(made.copy(), shorter)
    rehearsal.apply()
    started = rehearsal.faults["vault"].started
    (first, program), *_ = ((n, argv) for n, argv in started.items() if argv[1] == "program")
    assert first < min(n for n, argv in started.items() if argv[1] == "receive")
    old = next(word for word in program if word.startswith("backup/alpha/tank/a@"))
    meanwhile = Meanwhile((("zfs", "hold", "mine", old),))
    controller = Controller(made, shorter, {"vault": {first: meanwhile}})
    controller.apply()

    failed = [e.action for e in controller.events if isinstance(e, ActionFailed)]
    assert [(type(a), a.places[0][1]) for a in failed] == [(Destroy, "backup/alpha/tank/a")]
    there = made.world["vault"].datasets["backup/alpha/tank/a"].snapshots
    newest = made.world["alpha"].datasets["tank/a"].snapshots[-1]
    assert [old.partition("@")[2], newest.name] == [snapshot.name for snapshot in there]


@pytest.mark.parametrize(
    "fault",
    [REFUSED, Fails((), 255), Lost(), Cut(3, 0), Cut(20, 255)],
    ids=["refused", "255", "lost", "cut with 0", "cut with 255"],
)
def test_h109_every_command_of_a_run_fails_in_turn_and_the_next_run_converges(
    fault: Fault,
) -> None:
    for host, moment in moments():
        made = stage()
        controller = Controller(made, WEB, {host: {moment: fault}})
        plan = controller.plan()
        result = controller.execute(plan)
        assert controller.faults[host].happened
        if fault == REFUSED and of_run(plan, result).code is not ExitCode.INCOMPLETE:
            # A command for several filesystems was refused; for each alone it no longer was.
            assert not Controller(made, WEB).plan().actions
        for change in made.changes:
            for rule in RULES:
                rule(WEB, change)
        assert settled(made), f"{host}, moment {moment}"


TAKEN_OFF = "zfs release {tag} {snapshot}"


@pytest.mark.parametrize(
    ("gone", "next_cycle"),
    [("zfs destroy {snapshot}", {"a", "b"}), ("zfs destroy -r tank/a", {"b"})],
    ids=["snapshot", "filesystem"],
)
def test_h84_what_vanishes_as_its_stream_begins_fails_alone_and_the_next_cycle_goes_on(
    gone: str, next_cycle: set[str]
) -> None:
    made = stage()
    rehearsal = Controller(made.copy(), WEB)
    plan = rehearsal.plan()
    (tag,) = {
        p.action.tag for p in plan.actions if isinstance(p.action, Hold) if p.action.host == "alpha"
    }
    rehearsal.execute(plan)
    started = rehearsal.faults["alpha"].started
    streams = {argv[-1]: n for n, argv in started.items() if argv[1] == "send"}
    snapshot = next(name for name in streams if name.startswith("tank/a@"))
    lines = [line.format(tag=tag, snapshot=snapshot) for line in (TAKEN_OFF, gone)]
    meanwhile = Meanwhile(tuple(tuple(line.split()) for line in lines))
    controller = Controller(made, WEB, {"alpha": {streams[snapshot]: meanwhile}})
    controller.apply()

    failed = [(e.action, e.failure.message) for e in controller.events if _failed(e)]
    assert [(type(action), message) for action, message in failed] == [
        (Send, f"cannot open '{snapshot}': dataset does not exist")
    ]
    assert _newest(made, "b") == "rec-20261123T000000Z" != _newest(made, "a")
    made.now += SLOT
    assert settled(made)
    assert {name for name in ("a", "b") if _newest(made, name) == "rec-20261123T001500Z"} == (
        next_cycle
    )
    assert len(made.world["vault"].datasets["backup/alpha/tank/a"].snapshots) == 2


def test_h84_a_filesystem_that_vanished_before_its_pools_snapshot_costs_the_others_one_cycle() -> (
    None
):
    made = stage()
    controller = Controller(made, WEB)
    plan = controller.plan()
    made.sh("alpha", "zfs destroy -r tank/a")
    controller.execute(plan)

    failed = [(type(e.action), e.failure.message) for e in controller.events if _failed(e)]
    assert failed == [(Snapshot, "cannot open 'tank/a': dataset does not exist")]
    assert settled(made)
    assert _newest(made, "b") == "rec-20261123T000000Z"
    assert len(made.world["vault"].datasets["backup/alpha/tank/a"].snapshots) == 2


def _failed(event: Event) -> TypeGuard[ActionFailed]:
    return isinstance(event, ActionFailed)


def _newest(made: Stage, name: str) -> str:
    """Return the newest snapshot that vault has of one of alpha's filesystems."""
    return made.world["vault"].datasets[f"backup/alpha/tank/{name}"].snapshots[-1].name


def test_h112_a_world_in_order_costs_one_execution_and_a_handful_of_commands_per_host() -> None:
    counts = []
    for filesystems in (0, 20):
        made = stage(*(f"zfs create tank/more{n}" for n in range(filesystems)))
        assert settled(made)
        controller = Controller(made, WEB)
        controller.apply()
        assert not made.changes or controller.events == []
        counts.append([len(faults.started) for faults in controller.faults.values()])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 8


def test_h116_a_listing_cut_anywhere_is_unknown_and_nothing_is_taken_away() -> None:
    rehearsal = Controller(stage(), WEB)
    rehearsal.plan()
    for host, faults in rehearsal.faults.items():
        for moment in [n for n, argv in faults.started.items() if argv[:2] == LIST]:
            for length, status in ((0, 255), (1, 0), (100, 0), (100, 255)):
                made = stage()
                Controller(made, WEB, {host: {moment: Cut(length, status)}}).apply()
                lost = [g for c in made.changes for g in gone(c)]
                assert not lost, f"{host}, {moment}, {length} bytes, status {status}: {lost}"
