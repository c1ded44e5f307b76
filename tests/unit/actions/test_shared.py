"""What destroys and bookmarks share, on a simulated host: what is there afterwards counts."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from reconciler.actions import Bookmark, Destroy, Done, Failed, ScriptedAction, Together, Verdict
from reconciler.executor.perform import Performer
from reconciler.executor.transfer import Transfer
from reconciler.hosts.programs import AGAIN, Programs
from reconciler.observed.model import Seen
from reconciler.simulator.faults import Fails, Fault
from reconciler.zfs.errors import FailureKind
from reconciler.zfs.programs import MOST
from reconciler.zfs.types import Version
from tests.support.stage import Controller, Impatient, Stage
from tests.support.worlds import desired

WEB = desired("web: alpha tank/** other/** !tank !other every 15m keep last 2 -> vault keep last 2")
NAMES = ("tank/a/b", "tank/a", "tank/a b", "tank/a-b")
REFUSED = Fails(
    (
        "Channel program execution failed:",
        "Permission denied. Channel programs must be run as root.",
    )
)


class Alpha:
    """A simulated host whose filesystems have three snapshots each, and a cursor."""

    def __init__(self) -> None:
        self.stage = Stage(["alpha", "vault"])
        self.sh("zpool create tank disk", "zpool create other disk", "zfs create other/c")
        for name in sorted(NAMES):
            self.sh(f"zfs create '{name}'")
        for short in "stu":
            self.sh(*(f"zfs snapshot '{name}@{short}'" for name in (*NAMES, "other/c")))
        for name in NAMES:
            guid = self.version(name, "s").guid
            self.sh(f"zfs bookmark '{name}@s' '{name}#c_{guid:016x}'")
        self.controller = Controller(self.stage, WEB)

    def sh(self, *lines: str) -> str:
        result = self.stage.sh("alpha", *lines)
        assert result.status == 0, result.stderr
        return result.stdout.decode()

    def version(self, filesystem: str, name: str) -> Version:
        seen = Controller(self.stage, WEB).observe()["alpha"]
        assert isinstance(seen, Seen)
        versions = seen.filesystems[filesystem].versions
        return next(one for one in versions if one.name.startswith(name))

    def destroy(self, filesystem: str, names: str) -> Destroy:
        found = tuple(self.version(filesystem, name) for name in names.split())
        return Destroy("alpha", filesystem, found)

    def perform(
        self, actions: Sequence[ScriptedAction], faults: Mapping[int, Fault] | None = None
    ) -> list[Verdict | None]:
        self.controller = Controller(self.stage, WEB, {"alpha": faults or {}})
        return self.again(actions)

    def again(self, actions: Sequence[ScriptedAction]) -> list[Verdict | None]:
        fleet = self.controller.fleet
        performer = Performer(fleet, Transfer(fleet), lambda v: v, Impatient().wait)
        return performer.perform_together(actions)

    def processes(self) -> Counter[str]:
        """Return which commands ran, and how often."""
        return Counter(argv[1] for argv in self.controller.faults["alpha"].started.values())

    def left(self, kind: str = "snapshot") -> set[str]:
        return set(self.sh(f"zfs list -H -o name -t {kind} -r tank").splitlines())


@pytest.fixture
def alpha() -> Alpha:
    return Alpha()


def test_destroys_of_a_pool_are_one_program_and_one_look(alpha: Alpha) -> None:
    """Before it was three processes for each of them."""
    verdicts = alpha.perform([alpha.destroy(name, "s t") for name in NAMES])
    assert verdicts == [Done()] * len(NAMES)
    assert alpha.left() == {f"{name}@u" for name in NAMES}
    assert alpha.processes() == {"program": 1, "list": 1}


def test_each_pool_has_a_program_of_its_own(alpha: Alpha) -> None:
    alpha.perform([alpha.destroy("tank/a", "s"), alpha.destroy("other/c", "s")])
    assert alpha.processes() == {"program": 2, "list": 2}
    assert "other/c@s" not in alpha.sh("zfs list -H -o name -t snapshot -r other")


def test_one_that_was_made_anew_since_the_plan_is_left_and_told_of(alpha: Alpha) -> None:
    """H46"""
    destroys = [alpha.destroy(name, "t u") for name in NAMES]
    alpha.sh("zfs destroy tank/a@u", "zfs snapshot tank/a@u")
    verdicts = alpha.perform(destroys)
    assert [isinstance(verdict, Failed) for verdict in verdicts] == [False, True, False, False]
    assert isinstance(verdicts[1], Failed)
    assert verdicts[1].failure.kind is FailureKind.CHANGED
    assert alpha.left() == {f"{name}@s" for name in NAMES} | {"tank/a@u"}


def test_one_that_is_held_keeps_no_other_and_says_why_it_stays(alpha: Alpha) -> None:
    """H41: only `zfs destroy` explains, so it is asked for that one."""
    alpha.sh("zfs hold mine tank/a@t")
    verdicts = alpha.perform([alpha.destroy(name, "t u") for name in NAMES])
    assert [isinstance(verdict, Failed) for verdict in verdicts] == [False, True, False, False]
    assert isinstance(verdicts[1], Failed)
    assert verdicts[1].failure.kind is FailureKind.BUSY
    assert alpha.left() == {f"{name}@s" for name in NAMES} | {"tank/a@t"}


def test_what_is_gone_already_is_done(alpha: Alpha) -> None:
    destroys = [alpha.destroy(name, "s t") for name in NAMES]
    alpha.sh("zfs destroy tank/a@s,t", "zfs destroy 'tank/a b@s'")
    assert all(isinstance(verdict, Done) for verdict in alpha.perform(destroys))
    assert alpha.left() == {f"{name}@u" for name in NAMES}


def test_where_programs_are_refused_each_is_checked_and_destroyed_in_the_same_execution(
    alpha: Alpha,
) -> None:
    destroys = [alpha.destroy(name, "s t") for name in NAMES]
    verdicts = alpha.perform(destroys, {2: REFUSED})
    assert verdicts == [Done()] * len(NAMES)
    assert alpha.left() == {f"{name}@u" for name in NAMES}
    assert alpha.controller.executions["alpha"] == 1
    assert alpha.processes() == {"program": 1, "list": len(NAMES) + 1, "destroy": len(NAMES)}


def test_after_a_refusal_they_are_not_tried_again_for_an_hour(alpha: Alpha) -> None:
    """sudo notes each refusal, and may mail it."""
    alpha.perform([alpha.destroy("tank/a", "s")], {2: REFUSED})
    alpha.again([alpha.destroy("tank/a", "t")])
    assert alpha.left() >= {"tank/a@u"}
    assert "tank/a@t" not in alpha.left()
    assert alpha.processes()["program"] == 1


def test_after_that_they_are() -> None:
    now = 5.0
    programs = Programs(lambda: now)
    assert programs.worth_a_try("alpha")
    programs.refused("alpha")
    now += AGAIN - 1
    assert not programs.worth_a_try("alpha")
    assert programs.worth_a_try("beta")
    now += 1
    assert programs.worth_a_try("alpha")


def test_one_made_anew_is_left_where_programs_are_refused_as_well(alpha: Alpha) -> None:
    destroys = [alpha.destroy(name, "u") for name in NAMES]
    alpha.sh("zfs destroy tank/a@u", "zfs snapshot tank/a@u")
    verdicts = alpha.perform(destroys, {2: REFUSED})
    assert [isinstance(verdict, Failed) for verdict in verdicts] == [False, True, False, False]
    assert {name for name in alpha.left() if name.endswith("@u")} == {"tank/a@u"}


def test_a_program_is_given_so_many_and_no_more(alpha: Alpha) -> None:
    shorts = [f"x{number:03}" for number in range(MOST)]
    alpha.sh(*(f"zfs snapshot tank/a@{short}" for short in shorts))
    verdicts = alpha.perform(
        [alpha.destroy(name, "s") for name in NAMES] + [alpha.destroy("tank/a", " ".join(shorts))]
    )
    assert verdicts == [Done()] * (len(NAMES) + 1)
    assert alpha.processes() == {"program": 2, "list": 2}
    many = tuple(
        Version(**{**alpha.version("tank/a", "t")._asdict(), "name": f"y{n}"})
        for n in range(MOST + 1)
    )
    steps = Together.of([Destroy("alpha", "tank/a", many)], programs=True).script().steps
    assert [step.argv[1] for step in steps] == ["list", "destroy", "list"]


def test_destroys_of_cursors_share_the_check_and_the_look(alpha: Alpha) -> None:
    destroys = [alpha.destroy(name, "c_") for name in NAMES]
    assert alpha.perform(destroys) == [Done()] * len(NAMES)
    assert alpha.left("bookmark") == set()
    assert alpha.processes() == {"list": 2, "destroy": len(NAMES)}


def test_a_cursor_with_another_guid_than_its_name_says_is_left(alpha: Alpha) -> None:
    destroys = [alpha.destroy(name, "c_") for name in NAMES]
    name = f"tank/a#{destroys[1].versions[0].name}"
    alpha.sh(f"zfs destroy {name}", f"zfs bookmark tank/a@u {name}")
    verdicts = alpha.perform(destroys)
    assert [isinstance(verdict, Failed) for verdict in verdicts] == [False, True, False, False]
    assert alpha.left("bookmark") == {name}


def test_other_bookmarks_are_each_checked_right_before_their_own_command(alpha: Alpha) -> None:
    alpha.sh("zfs bookmark tank/a@s tank/a#own", "zfs bookmark tank/a-b@s tank/a-b#own")
    destroys = [alpha.destroy(name, "own") for name in ("tank/a", "tank/a-b")]
    assert alpha.perform(destroys) == [Done()] * 2
    assert alpha.processes() == {"list": 4, "destroy": 2}


def test_bookmarks_share_the_check_and_the_look(alpha: Alpha) -> None:
    marks = [Bookmark("alpha", name, alpha.version(name, "t"), "n_", "vault") for name in NAMES]
    marks.append(Bookmark("alpha", "tank/a", alpha.version("tank/a", "t"), "o_", "vault"))
    before = alpha.left("bookmark")
    assert alpha.perform(marks) == [Done()] * len(marks)
    assert alpha.left("bookmark") == before | {mark.full for mark in marks}
    assert alpha.processes() == {"list": 2, "bookmark": len(marks)}


def test_a_bookmark_of_what_was_made_anew_is_not_made_the_others_are(alpha: Alpha) -> None:
    marks = [Bookmark("alpha", name, alpha.version(name, "t"), "n_", "vault") for name in NAMES]
    alpha.sh("zfs destroy tank/a@t", "zfs snapshot tank/a@t")
    before = alpha.left("bookmark")
    verdicts = alpha.perform(marks)
    assert [isinstance(verdict, Failed) for verdict in verdicts] == [False, True, False, False]
    assert alpha.left("bookmark") == before | {m.full for m in marks if m.filesystem != "tank/a"}
