"""What is left of a destroy that could not be done as a whole."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from reconciler.actions import Destroy, Done, Failed, Verdict
from reconciler.errors import HostLocked
from reconciler.executor.perform import LOCKED_DELAYS, Performer
from reconciler.executor.transfer import Transfer
from reconciler.hosts.cutting import Cut
from reconciler.hosts.host import StderrListener
from reconciler.hosts.script import Outcome, Script, Transcript
from reconciler.zfs.errors import FailureKind, Reaction
from tests.support.transcripts import ran, refused, said
from tests.support.worlds import fs
from tests.unit.executor.conftest import FakeFleet, Stop

DESTROY = Destroy("alpha", "t/a", tuple(fs("t/a", "@a,11 @b,12 @c,13").versions))


class Snapshots:
    """The snapshots of t/a by name, and which of them are held: `zfs` as far as needed here."""

    def __init__(self, held: str = "", **guids: int) -> None:
        self.guids = guids
        self.held = held

    def answer(self, _host: str, script: Script) -> Mapping[str, Outcome]:
        check, destroy, _ = script.steps
        before = self._listed(check.argv)
        outcomes = {"check": before, "destroy": said(), "after": before}
        allowed = ran(script, **outcomes).get("destroy") is not None
        names = destroy.argv[-1].partition("@")[2].split(",")
        if allowed and self.held in names:
            outcomes["destroy"] = refused(
                f"cannot destroy snapshot t/a@{self.held}: it's being held"
            )
        elif allowed:
            self.guids = {name: guid for name, guid in self.guids.items() if name not in names}
        outcomes["after"] = self._listed(check.argv)
        return ran(script, **outcomes).outcomes

    def _listed(self, argv: tuple[str, ...]) -> Outcome:
        asked = [full.partition("@")[2] for full in argv if "@" in full]
        rows = "".join(f"t/a@{n}\t{self.guids[n]}\n" for n in asked if n in self.guids)
        missing = [n for n in asked if n not in self.guids]
        lines = (f"cannot open 't/a@{name}': dataset does not exist" for name in missing)
        return refused(*lines, stdout=rows) if missing else said(rows)


def perform(snapshots: Snapshots) -> Verdict:
    fleet = FakeFleet(snapshots.answer)
    performer = Performer(fleet, Transfer(fleet), lambda version: version, lambda _: None)  # type: ignore[arg-type]
    return performer.perform(DESTROY, lambda _: None)


def test_a_locked_host_is_tried_again_for_a_while_at_moments_of_our_own() -> None:
    def answer(_host: str, _script: Script) -> HostLocked:
        return HostLocked("alpha", "another controller is at work there")

    fleet, stop = FakeFleet(answer), Stop()
    performer = Performer(fleet, Transfer(fleet), lambda version: version, stop.wait)  # type: ignore[arg-type]
    verdict = performer.perform(DESTROY, lambda _: None)
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.LOCKED
    assert verdict.failure.reaction is Reaction.BUSY
    assert "another controller" in verdict.failure.message
    assert len(fleet.ran) == len(stop.waited) + 1 == 5
    assert stop.waited == [delay * (1 + fleet.lock.phase) for delay in LOCKED_DELAYS]


def test_what_was_done_on_a_host_that_could_not_be_locked_says_so_once() -> None:
    class Unlocked(FakeFleet):
        def answered(
            self,
            host: str,
            script: Script,
            on_stderr: StderrListener | None,
            cut: Cut | None = None,
        ) -> Transcript:
            transcript = super().answered(host, script, on_stderr, cut)
            return replace(transcript, unlocked="there is no program flock")

    fleet = Unlocked(Snapshots().answer)
    performer = Performer(fleet, Transfer(fleet), lambda version: version, lambda _: None)  # type: ignore[arg-type]
    verdicts = [performer.perform(DESTROY, lambda _: None) for _ in range(2)]
    remark = "alpha could not be locked against other controllers: there is no program flock"
    assert verdicts == [Done(note=remark), Done()]


def test_a_destroy_of_several_is_done_when_all_are_gone() -> None:
    there = Snapshots(a=11, b=12, c=13, d=14)

    assert perform(there) == Done()
    assert there.guids == {"d": 14}


def test_what_is_left_goes_when_some_were_gone_before() -> None:
    there = Snapshots(b=12, c=13)

    assert isinstance(perform(there), Done)
    assert there.guids == {}


def test_a_version_that_is_another_one_now_stays_and_is_reported_though_the_others_went() -> None:
    there = Snapshots(a=11, b=99, c=13)
    verdict = perform(there)

    assert there.guids == {"b": 99}
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED


@pytest.mark.parametrize("held", ["a", "b", "c"])
def test_a_version_that_is_held_stays_and_is_reported_though_the_others_went(held: str) -> None:
    there = Snapshots(a=11, b=12, c=13, held=held)
    verdict = perform(there)

    assert list(there.guids) == [held]
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.HELD
