"""6.5 of the list of behaviours: partial receives, and streams that fail."""

import pytest

from reconciler.actions import AbortReceive, Failed, Hold, Send
from reconciler.errors import CommandTimeout
from reconciler.executor.transfer import stream_timeout
from reconciler.hosts.script import Outcome
from reconciler.observed.model import Filesystem, Observed
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.zfs.errors import FailureKind, Reaction
from tests.behaviours.fakes import NEWEST, Line, send
from tests.behaviours.outcomes import THERE, WWW, guids, without
from tests.support.converge import converge, stages
from tests.support.shown import conflicts, of_verb, steps
from tests.support.tokens import token
from tests.support.transcripts import missing, ran, said
from tests.support.worlds import NOW, desired, fs, placeholder, replica, seen, world
from tests.unit.cli.conftest import Pretended, Runner

LINE = "web: alpha tank/www -> vault"
ABC = "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13"
HOUR = 3600


def partial(versions: str, saved: str) -> Filesystem:
    """Return a receiver with a partial receive, its first one if it has no versions."""
    return replica(WWW, versions, resume_token=saved, inconsistent=not versions)


def worlds(source: str, there: Filesystem) -> Observed:
    """Return both ends of a pair."""
    return world(seen("alpha", fs("tank/www", source)), seen("vault", there))


def planned(source: str, there: Filesystem, words: str = "") -> Plan:
    return plan(desired(f"{LINE} {words}"), worlds(source, there), NOW)


def sends(made: Plan) -> list[Send]:
    """Return the streams of a plan."""
    return [p.action for p in made.actions if isinstance(p.action, Send)]


def test_h76_a_token_for_the_next_wanted_snapshot_is_resumed_without_other_flags() -> None:
    saved = token(13, 12)
    made = planned(ABC, partial("@~22:00,12,held=base", saved))

    (stream,) = sends(made)
    assert stream.send_command() == ("zfs", "send", "-v", "-P", "-t", saved)
    assert of_verb(made, "abort") == []
    after = converge(desired(LINE), worlds(ABC, partial("@~22:00,12,held=base", saved)), NOW)
    assert guids(after, THERE) == [12, 13]


@pytest.mark.parametrize(
    "saved",
    [
        pytest.param(token(99, 12), id="its snapshot is gone"),
        pytest.param(token(13, 98), id="its base is gone"),
    ],
)
def test_h77_a_token_whose_snapshots_are_gone_is_given_up_for_a_fresh_incremental(
    saved: str,
) -> None:
    made = planned(ABC, partial("@~22:00,12,held=base", saved))

    assert of_verb(made, "abort", "send") == [
        f"abort vault {WWW}",
        "send alpha tank/www @~22:00 → @~23:00",
    ]
    (abort,) = (p.id for p in made.actions if isinstance(p.action, AbortReceive))
    (stream,) = (p for p in made.actions if isinstance(p.action, Send))
    assert abort in stream.depends_on


def test_h78_a_token_for_what_the_target_would_not_keep_is_given_up() -> None:
    made = planned(ABC, partial("@~22:00,12,held=base", token(13, 12)), "keep matching x")

    assert steps(made) == [f"abort vault {WWW}"]


def test_h78_a_token_is_given_up_when_there_is_nothing_to_send() -> None:
    made = planned("@~22:00,12 #cur,12", partial("@~22:00,12,held=base", token(13, 12)))

    assert steps(made) == [f"abort vault {WWW}"]


def test_h78_a_token_that_moved_on_meanwhile_is_not_given_up() -> None:
    abort = AbortReceive("vault", WWW, "1-ab-cd-ef")
    other = said("1-ff-cd-ef\n")

    verdict = abort.judge(ran(abort.script(), check=other, after=other))

    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED


def test_h79_a_first_receive_whose_snapshot_is_gone_is_given_up_and_begun_anew() -> None:
    there = partial("", token(99))

    assert of_verb(planned(ABC, there), "abort", "send")[:2] == [
        f"abort vault {WWW}",
        "send alpha tank/www full → @~21:00",
    ]
    assert guids(converge(desired(LINE), worlds(ABC, there), NOW), THERE) == [11, 12, 13]


@pytest.mark.parametrize(
    ("there", "code"),
    [
        pytest.param(replica(WWW, "@theirs,99"), "no-common-version", id="with snapshots"),
        pytest.param(fs(WWW), "receiver-without-snapshots", id="of somebody else"),
        pytest.param(placeholder(WWW), "receiver-is-placeholder", id="a placeholder"),
        pytest.param(replica(WWW, inconsistent=True), "receive-under-way", id="being received"),
    ],
)
def test_h79_no_filesystem_but_that_of_a_cut_first_receive_is_ever_removed(
    there: Filesystem, code: str
) -> None:
    made = planned(ABC, there)

    assert conflicts(made) == [f"vault {WWW} {code}"]
    assert steps(made) == []


ARRIVED_BUT_NOT_MOUNTED = Outcome(1, f"cannot mount '{WWW}': failed to create mountpoint\n", "")


def test_h83_a_receive_that_only_failed_to_mount_is_a_success_with_a_word() -> None:
    there = send(Line(ARRIVED_BUT_NOT_MOUNTED, arrives=True))

    assert there.ok
    assert there.notes == (f"arrived, although: cannot mount '{WWW}': failed to create mountpoint",)
    assert not send(Line(ARRIVED_BUT_NOT_MOUNTED)).ok


def test_h84_a_snapshot_that_vanished_before_its_stream_is_a_failure_of_that_stream_alone() -> None:
    hold = Hold("alpha", "tank/www", NEWEST, "tag")
    gone = missing(NEWEST.of("tank/www"))

    verdict = hold.judge(ran(hold.script(), check=gone, after=gone))

    assert isinstance(verdict, Failed)
    assert verdict.failure.message == f"{NEWEST.of('tank/www')} is gone"


def test_h84_when_a_snapshot_vanished_the_others_go_on_and_the_next_plan_sends_the_next() -> None:
    specs = desired("web: alpha tank/** !tank -> vault")
    before = world(
        seen("alpha", fs("tank/a", "@~22:00,1 @~23:00,2"), fs("tank/b", "@~23:00,3")),
        seen("vault", fs("backup")),
    )
    made = plan(specs, before, NOW)
    hold = next(p.id for p in made.actions if p.id.startswith("hold:alpha:tank/a"))

    *_, after = stages(without(made, {hold}), before)
    assert guids(after, ("vault", "backup/alpha/tank/b")) == [3]

    vanished = {
        **after,
        "alpha": seen("alpha", fs("tank/a", "@~23:00,2"), fs("tank/b", "@~23:00,3")),
    }
    done = converge(specs, vanished, NOW)
    assert guids(done, ("vault", "backup/alpha/tank/a")) == [2]


def test_h85_when_the_first_of_two_streams_fails_the_second_is_not_tried_and_others_are() -> None:
    specs = desired("web: alpha tank/** !tank -> vault")
    before = world(
        seen("alpha", fs("tank/a", "@~22:00,1 @~23:00,2"), fs("tank/b", "@~23:00,3")),
        seen("vault", fs("backup")),
    )
    made = plan(specs, before, NOW)
    first = next(p.id for p in made.actions if isinstance(p.action, Send))

    left = without(made, {first})
    assert [p.action.filesystem for p in left if isinstance(p.action, Send)] == ["tank/b"]
    *_, after = stages(left, before)
    assert guids(converge(specs, after, NOW), ("vault", "backup/alpha/tank/a")) == [1, 2]


def test_h85_the_outcome_of_a_run_is_told_once_at_its_end(
    command: Runner, hosts: Pretended
) -> None:
    assert hosts.observed
    kinds = [event["type"] for event in command("apply", "--auto-approve", "--json").events]

    assert kinds.count("action_complete") > 1
    assert kinds.count("summary") == 1
    assert kinds[-1] == "summary"


def test_h86_a_stream_that_hangs_is_cut_and_resumed_by_the_next_plan() -> None:
    hung = send(Line(CommandTimeout("(controller)", "not done after 21600 s")))

    (failure,) = hung.failures
    assert failure.reaction is Reaction.RETRY
    assert "not done after 21600 s" in failure.message
    cut = partial("@~22:00,12,held=base", token(13, 12))
    assert of_verb(planned(ABC, cut), "send") == ["send alpha tank/www @~22:00 → @~23:00 resumed"]


def test_h86_a_slow_stream_has_the_time_that_its_size_needs() -> None:
    terabyte = 10**12

    assert stream_timeout(0) == 6 * HOUR
    assert stream_timeout(terabyte) > terabyte / 100_000
    assert stream_timeout(None) == 30 * 24 * HOUR
