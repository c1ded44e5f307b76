"""Hooks around a group of snapshots: what is run when, and what becomes of failures."""

import pytest

from reconciler.actions import Done, Failed, Snapshot
from reconciler.actions.hooks import KILL_AFTER
from reconciler.desired.model import Hook
from reconciler.hosts.script import Outcome, Ran, Succeeded
from reconciler.zfs.errors import FailureKind
from tests.support.transcripts import ran, said

MADE = said("tank/a@rec-x\t21\t7\t1001\t0\t512\t4096\tweb\ttank/a@rec-x\n")


def snapshot(*hooks: Hook) -> Snapshot:
    return Snapshot("alpha", ("tank/a",), "rec-x", "web", 1000, hooks)


def hook(name: str, *, abort: bool = True, before: str = "b", after: str = "a") -> Hook:
    return Hook(name, before, after, 30, abort)


def failed(text: str = "", status: int = 1) -> Outcome:
    return Outcome(status, text, "")


def test_what_is_after_the_snapshots_goes_in_the_opposite_order() -> None:
    script = snapshot(hook("one"), hook("two")).script()

    names = [step.name for step in script.steps]
    assert names == ["before 0", "before 1", "snapshot", "after 1", "after 0", "made"]


def test_the_snapshots_wait_for_every_hook_that_may_stop_them() -> None:
    """H25"""
    script = snapshot(hook("one"), hook("two", abort=False), hook("three")).script()

    steps = {step.name: step.when for step in script.steps}
    assert steps["before 1"] == Succeeded("before 0")
    assert steps["before 2"] == Succeeded("before 0")
    assert steps["snapshot"] == Succeeded("before 2")


def test_what_was_begun_before_is_ended_after_whatever_came_of_it() -> None:
    """H25"""
    script = snapshot(hook("one"), hook("two", before="")).script()

    steps = {step.name: step.when for step in script.steps}
    assert steps["after 0"] == Ran("before 0")
    assert steps["after 1"] is None


def test_a_script_with_hooks_ends_what_it_begins_and_has_the_time_for_it() -> None:
    script = snapshot(hook("one"), hook("two", after="")).script()

    assert script.finishes
    assert script.seconds == 3 * (30 + KILL_AFTER)
    without = snapshot().script()
    assert (without.finishes, without.seconds) == (False, 0)


def test_a_hook_is_told_of_what_it_is_about_and_has_its_time() -> None:
    action = Snapshot("alpha", ("tank/a", "tank/b c"), "rec-x", "web", 1000, (hook("one"),))
    argv = action.script().steps[0].argv

    assert argv[:4] == ("timeout", "-k", str(KILL_AFTER), "30")
    assert argv[4:-3] == (
        "env",
        "RECONCILER_HOOK=before",
        "RECONCILER_SNAPSHOT=rec-x",
        "RECONCILER_FILESYSTEMS=tank/a\ntank/b c",
        "RECONCILER_REPLICATION=web",
    )
    assert argv[-1].endswith("\nb")


@pytest.mark.parametrize(
    ("status", "came"),
    [
        (3, "ended with status 3"),
        (124, "was not done after 30 s"),
        (137, "was not done after 30 s"),
        (-9, "was not done after 30 s"),
    ],
)
def test_without_its_hook_no_snapshot_is_taken_and_why_is_said(status: int, came: str) -> None:
    """H25"""
    action = snapshot(hook("freeze"))
    outcomes = {"before 0": failed("going\nno disk\n", status), "after 0": said(), "made": said()}
    verdict = action.judge(ran(action.script(), **outcomes))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.HOOK
    assert verdict.failure.message == (
        f"hook freeze, before: it {came}: no disk, so no snapshots were taken"
    )
    assert verdict.printed == ("hook freeze, before: going", "hook freeze, before: no disk")


def test_a_hook_that_may_fail_stops_nothing_and_is_told_of() -> None:
    """H25"""
    action = snapshot(hook("tell", abort=False))
    outcomes = {"before 0": failed("no"), "snapshot": said(), "after 0": failed(), "made": MADE}
    verdict = action.judge(ran(action.script(), **outcomes))

    assert isinstance(verdict, Done)
    assert verdict.note == (
        "hook tell, before: it ended with status 1: no; hook tell, after: it ended with status 1"
    )
    assert [version.guid for version in verdict.learned.values()] == [21]


def test_what_could_not_be_put_right_afterwards_is_a_failure_though_there_are_snapshots() -> None:
    action = snapshot(hook("thaw"))
    outcomes = {"before 0": said(), "snapshot": said(), "after 0": failed("frozen"), "made": MADE}
    verdict = action.judge(ran(action.script(), **outcomes))

    assert isinstance(verdict, Failed)
    assert verdict.failure.message == (
        "hook thaw, after: it ended with status 1: frozen. The snapshots are there; see to what it"
        " was to put right"
    )


def test_when_all_goes_well_there_is_nothing_to_tell_but_what_was_printed() -> None:
    action = snapshot(hook("one"))
    many = "".join(f"{n}\n" for n in range(30))
    outcomes = {"before 0": said(many), "snapshot": said(), "after 0": said("bye"), "made": MADE}
    verdict = action.judge(ran(action.script(), **outcomes))

    assert isinstance(verdict, Done)
    assert verdict.note == ""
    assert verdict.printed[0] == "hook one, before: 10"
    assert verdict.printed[-2:] == ("hook one, before: 29", "hook one, after: bye")
