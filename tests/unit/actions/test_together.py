"""Many actions in one execution, on a simulated host: what is there afterwards counts."""

from collections.abc import Sequence

import pytest

from reconciler.actions import (
    Bookmark,
    Destroy,
    Done,
    Failed,
    Hold,
    Release,
    ScriptedAction,
    Snapshot,
    Together,
    Verdict,
)
from reconciler.actions.base import Resolve
from reconciler.executor.execute import Ledger
from reconciler.executor.perform import BUSY_DELAYS, Performer
from reconciler.executor.transfer import Transfer
from reconciler.observed.model import Seen
from reconciler.simulator.faults import Fault, Lost, Meanwhile
from reconciler.zfs.errors import FailureKind
from reconciler.zfs.types import Version
from tests.support.stage import Controller, Impatient, Stage
from tests.support.worlds import desired

WEB = desired("web: alpha tank/** other/** !tank !other every 15m keep last 2 -> vault keep last 2")
FILESYSTEMS = ("tank/a/b", "tank/a", "tank/a b", "tank/a-b", "other/c")


class Alpha:
    """A simulated host whose filesystems have a snapshot each, some of them held."""

    def __init__(self) -> None:
        self.stage = Stage(["alpha", "vault"])
        self.sh("zpool create tank disk", "zpool create other disk")
        for name in sorted(FILESYSTEMS):
            self.sh(f"zfs create '{name}'", f"zfs snapshot '{name}@s'")
        self.sh("zfs snapshot tank/a@t", "zfs hold old tank/a@s tank/a/b@s")
        self.stage.changes.clear()
        self.planned: dict[int, Fault] = {}

    def sh(self, *lines: str) -> str:
        result = self.stage.sh("alpha", *lines)
        assert result.status == 0, result.stderr
        return result.stdout.decode()

    def version(self, name: str) -> Version:
        filesystem, _, version = name.partition("@")
        seen = Controller(self.stage, WEB).observe()["alpha"]
        assert isinstance(seen, Seen)
        versions = seen.filesystems[filesystem].versions
        return next(one for one in versions if one.name == version)

    def hold(self, name: str, tag: str = "step") -> Hold:
        return Hold("alpha", name.partition("@")[0], self.version(name), tag)

    def release(self, name: str, tag: str = "old") -> Release:
        return Release("alpha", name.partition("@")[0], self.version(name), tag)

    def perform(
        self,
        *actions: ScriptedAction,
        after: Sequence[Sequence[int]] = (),
        resolve: Resolve = lambda version: version,
    ) -> tuple[list[Verdict | None], int]:
        """Perform actions together; return what came of it, and how many executions it took."""
        controller = Controller(self.stage, WEB, {"alpha": self.planned})
        transfer = Transfer(controller.fleet)
        performer = Performer(controller.fleet, transfer, resolve, Impatient().wait)
        verdicts = performer.perform_together(actions, after)
        return verdicts, controller.executions["alpha"]

    def held(self) -> set[tuple[str, str]]:
        names = self.sh("zfs list -H -o name -t snapshot").splitlines()
        quoted = " ".join(f"'{name}'" for name in names)
        rows = self.sh(f"zfs holds -H {quoted}").splitlines()
        return {(row.split("\t")[0], row.split("\t")[1]) for row in rows}


@pytest.fixture
def alpha() -> Alpha:
    return Alpha()


OLD = {("tank/a@s", "old"), ("tank/a/b@s", "old")}


def test_holds_of_one_tag_are_one_command(alpha: Alpha) -> None:
    holds = [alpha.hold(f"{name}@s") for name in FILESYSTEMS]
    commands = [step.argv[1] for step in Together.of(holds).script().steps]
    assert commands == ["list", "hold", "holds", "list"]
    verdicts, executions = alpha.perform(*holds)
    assert verdicts == [Done()] * len(FILESYSTEMS)
    assert executions == 1
    assert alpha.held() == OLD | {(f"{name}@s", "step") for name in FILESYSTEMS}


def test_releases_of_one_tag_are_one_command(alpha: Alpha) -> None:
    verdicts, executions = alpha.perform(alpha.release("tank/a@s"), alpha.release("tank/a/b@s"))
    assert (verdicts, executions) == ([Done()] * 2, 1)
    assert alpha.held() == set()


def test_everything_else_is_in_the_same_execution_and_judged_by_itself(alpha: Alpha) -> None:
    taken = alpha.version("tank/a@s")
    verdicts, executions = alpha.perform(
        Destroy("alpha", "tank/a", (taken,)),
        alpha.hold("tank/a b@s", "x"),
        Bookmark("alpha", "tank/a", alpha.version("tank/a@t"), "c_", "vault"),
        alpha.hold("tank/a-b@s", "y"),
        alpha.release("tank/a/b@s"),
    )
    assert executions == 1 + len(BUSY_DELAYS)  # what is busy is tried again
    assert isinstance(verdicts[0], Failed)
    assert verdicts[0].failure.kind is FailureKind.BUSY
    assert verdicts[1:] == [Done()] * 4
    assert alpha.held() == {("tank/a@s", "old"), ("tank/a b@s", "x"), ("tank/a-b@s", "y")}
    assert "tank/a#c_" in alpha.sh("zfs list -H -o name -t bookmark")


def test_one_that_was_replaced_keeps_no_other_from_being_held(alpha: Alpha) -> None:
    holds = [alpha.hold(f"{name}@s") for name in FILESYSTEMS]
    alpha.sh("zfs destroy other/c@s", "zfs snapshot other/c@s", "zfs destroy 'tank/a b@s'")
    verdicts, executions = alpha.perform(*holds)
    kinds = [v.failure.kind if isinstance(v, Failed) else None for v in verdicts]
    assert kinds == [None, None, FailureKind.DOES_NOT_EXIST, None, FailureKind.CHANGED]
    assert executions == 1 + len(holds)
    assert alpha.held() == OLD | {
        (f"{name}@s", "step") for name in ("tank/a/b", "tank/a", "tank/a-b")
    }


def test_a_host_that_can_not_be_reached_fails_all_of_them(alpha: Alpha) -> None:
    holds = [alpha.hold("tank/a@s"), alpha.hold("tank/a-b@s", "other")]
    controller = Controller(alpha.stage, WEB, {"alpha": {n: Lost() for n in range(9)}})
    performer = Performer(
        controller.fleet, Transfer(controller.fleet), lambda v: v, Impatient().wait
    )
    verdicts = performer.perform_together(holds)
    assert [v.failure.kind for v in verdicts if isinstance(v, Failed)] == [
        FailureKind.TRANSPORT
    ] * 2
    assert alpha.held() == OLD


def test_those_that_are_busy_are_waited_for_together(alpha: Alpha) -> None:
    names = ("tank/a", "tank/a/b")
    busy = [Destroy("alpha", name, (alpha.version(f"{name}@s"),)) for name in names]
    fine = Destroy("alpha", "tank/a-b", (alpha.version("tank/a-b@s"),))
    verdicts, executions = alpha.perform(*busy, fine)
    assert [isinstance(verdict, Failed) for verdict in verdicts] == [True, True, False]
    assert executions == 1 + len(BUSY_DELAYS)


A_BEHIND_S: Sequence[Sequence[int]] = ((), (0,), (0, 1))


def moved(alpha: Alpha) -> tuple[Bookmark, Release, Destroy]:
    """Return a cursor for the newer snapshot, and what is to be done about the older one then."""
    old, new = alpha.version("tank/a@s"), alpha.version("tank/a@t")
    cursor = Bookmark("alpha", "tank/a", new, "c_", "vault")
    return cursor, alpha.release("tank/a@s"), Destroy("alpha", "tank/a", (old,))


def test_what_depends_on_another_one_is_done_after_it_in_the_same_execution(alpha: Alpha) -> None:
    cursor, release, destroy = moved(alpha)
    verdicts, executions = alpha.perform(cursor, release, destroy, after=A_BEHIND_S)
    assert (verdicts, executions) == ([Done()] * 3, 1)
    assert alpha.sh("zfs list -H -o name -t all -r tank/a -d 1").split("\n")[:3] == [
        "tank/a",
        "tank/a@t",
        cursor.full.replace(" ", ""),
    ]


def test_nothing_is_released_or_destroyed_for_a_cursor_that_is_not_there(alpha: Alpha) -> None:
    cursor, release, destroy = moved(alpha)
    alpha.sh(f"zfs bookmark tank/a@s tank/a#{cursor.name}")
    verdicts, executions = alpha.perform(cursor, release, destroy, after=A_BEHIND_S)
    assert isinstance(verdicts[0], Failed)
    assert verdicts[0].failure.kind is FailureKind.CHANGED
    assert (verdicts[1:], executions) == ([None, None], 1)
    assert alpha.held() == OLD


def test_nothing_is_destroyed_when_one_of_what_it_depends_on_is_not_done(alpha: Alpha) -> None:
    cursor, _, destroy = moved(alpha)
    other = Bookmark("alpha", "tank/a", cursor.version, "d_", "vault2")
    alpha.sh(f"zfs bookmark tank/a@s tank/a#{other.name}")
    verdicts, _ = alpha.perform(cursor, other, destroy, after=((), (), (0, 1)))
    assert [type(verdict) for verdict in verdicts] == [Done, Failed, type(None)]
    assert "tank/a@s" in alpha.sh("zfs list -H -o name -t snapshot -r tank/a")
    assert alpha.held() == OLD


def test_new_snapshots_are_held_in_the_execution_that_makes_them(alpha: Alpha) -> None:
    names = ("tank/a", "tank/a b")
    snapshot = Snapshot("alpha", names, "new", "web", 0)
    seen = Controller(alpha.stage, WEB).observe()["alpha"]
    assert isinstance(seen, Seen)
    holds = [
        Hold("alpha", name, snapshot.promised(seen.filesystems[name]), "step") for name in names
    ]
    verdicts, executions = alpha.perform(snapshot, *holds, after=((), (0,), (0,)))
    assert (verdicts[1:], executions) == ([Done()] * 2, 1)
    assert {(f"{name}@new", "step") for name in names} <= alpha.held()


def test_a_new_snapshot_that_is_gone_at_once_keeps_no_other_from_being_held(alpha: Alpha) -> None:
    """Before the first execution has ended nobody knows the guids of the others."""
    snapshot = Snapshot("alpha", ("tank/a", "tank/a-b"), "new", "web", 0)
    seen = Controller(alpha.stage, WEB).observe()["alpha"]
    assert isinstance(seen, Seen)
    holds = [
        Hold("alpha", name, snapshot.promised(seen.filesystems[name]), "step")
        for name in snapshot.filesystems
    ]
    alpha.planned = {n: Meanwhile((("zfs", "destroy", "tank/a-b@new"),)) for n in range(5, 9)}
    ledger = Ledger()
    made, *held = alpha.perform(snapshot, *holds, after=((), (0,), (0,)), resolve=ledger.resolve)[0]
    assert isinstance(made, Done)
    assert held == [None, None]

    ledger.learn(made)
    verdicts, _ = alpha.perform(*holds, resolve=ledger.resolve)
    assert verdicts[0] == Done()
    assert isinstance(verdicts[1], Failed)
    assert ("tank/a@new", "step") in alpha.held()


def test_nothing_is_held_when_the_snapshots_are_not_made(alpha: Alpha) -> None:
    snapshot = Snapshot("alpha", ("tank/a", "tank/a-b"), "t", "web", 0)
    seen = Controller(alpha.stage, WEB).observe()["alpha"]
    assert isinstance(seen, Seen)
    promised = snapshot.promised(seen.filesystems["tank/a"])
    verdicts, executions = alpha.perform(
        snapshot, Hold("alpha", "tank/a", promised, "step"), after=((), (0,))
    )
    assert isinstance(verdicts[0], Failed)
    assert (verdicts[1], executions) == (None, 1)
    assert alpha.held() == OLD


def test_what_nothing_shows_the_end_of_has_nothing_after_it_in_one_script(alpha: Alpha) -> None:
    destroy = Destroy("alpha", "tank/a", (alpha.version("tank/a@s"),))
    with pytest.raises(ValueError, match="nothing shows on the host"):
        Together.of([destroy, alpha.hold("tank/a b@s")], [(), (0,)]).script()


def test_all_fail_that_wait_for_nothing_when_the_host_can_not_be_reached(alpha: Alpha) -> None:
    cursor, release, destroy = moved(alpha)
    controller = Controller(alpha.stage, WEB, {"alpha": {n: Lost() for n in range(9)}})
    performer = Performer(
        controller.fleet, Transfer(controller.fleet), lambda v: v, Impatient().wait
    )
    verdicts = performer.perform_together([cursor, release, destroy], A_BEHIND_S)
    assert [type(verdict) for verdict in verdicts] == [Failed, type(None), type(None)]
