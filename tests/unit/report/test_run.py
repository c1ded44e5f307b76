"""A run as lines and as JSON objects."""

import json
from dataclasses import replace

import pytest

from reconciler.actions import Send
from reconciler.executor.events import (
    ActionFailed,
    Completed,
    Event,
    Progressed,
    RunResult,
    Skipped,
    Started,
)
from reconciler.planner.plan import PlannedAction
from reconciler.planner.planning import plan
from reconciler.report import events_json
from reconciler.report.lines import Line, text_of
from reconciler.report.run_text import RunLog, progress_text, result_lines
from reconciler.report.summary import of_run
from reconciler.report.wording import what_next
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from tests.support.worlds import NOW, desired, fs, seen, unseen, world

SPECS = desired("web: alpha tank/www every 15m -> vault", "db: beta tank/db -> vault")
PLAN = plan(
    SPECS,
    world(
        seen("alpha", fs("tank/www", "@~23:00,1,referenced=100000000")),
        seen("vault", fs("backup/alpha")),
        unseen("beta"),
    ),
    NOW,
)
[SEND, *_] = [p for p in PLAN.actions if isinstance(p.action, Send)]
SNAPSHOT = PLAN.actions[0]
CUT = Failure(FailureKind.SIGNAL, Reaction.RETRY, "the connection broke")
FULL = Failure(FailureKind.NO_SPACE, Reaction.SPACE, "out of space")


def send_of(planned: PlannedAction) -> Send:
    assert isinstance(planned.action, Send)
    return planned.action


def lines(log: RunLog, event: Event, now: float) -> list[str]:
    return [str(line) for line in log.take(event, now)]


def test_a_long_send_is_heard_of_every_ten_seconds() -> None:
    log, send = RunLog(len(PLAN.actions)), send_of(SEND)
    said = lines(log, Started(SEND.id, send), 0)
    for second in range(1, 26):
        said += lines(log, Progressed(SEND.id, send, second * 2**20), second)
    said += lines(log, Completed(SEND.id, send, 26.0), 26)
    name = "→ send  alpha tank/www@rec-20261122T230000Z → vault backup/alpha/tank/www"
    total = len(PLAN.actions)
    assert said == [
        f"[ 0/{total}] {name}  begun, ~95.4 MiB",
        f"[ 0/{total}] {name}  10.0 MiB of ~95.4 MiB (10%), 1.0 MiB/s, 1m25s left",
        f"[ 0/{total}] {name}  20.0 MiB of ~95.4 MiB (20%), 1.0 MiB/s, 1m15s left",
        f"[ 1/{total}] {name}  25.0 MiB, done in 26s, 985 KiB/s",
    ]


def test_what_zfs_thinks_of_a_stream_goes_before_what_the_plan_thought() -> None:
    log, send = RunLog(len(PLAN.actions)), send_of(SEND)
    lines(log, Started(SEND.id, send), 0)
    event = Progressed(SEND.id, send, 10 * 2**20, 20 * 2**20)
    (said,) = lines(log, event, 10)

    assert said.endswith("10.0 MiB of ~20.0 MiB (50%), 1.0 MiB/s, 10s left")
    assert events_json.event_object(event)["estimated_bytes"] == 20 * 2**20
    of_plan = events_json.event_object(replace(event, estimate=None))["estimated_bytes"]
    assert of_plan == send.estimated_bytes != 20 * 2**20


def test_a_short_action_gets_one_line_with_its_note() -> None:
    log = RunLog(3)
    assert lines(log, Started(SNAPSHOT.id, SNAPSHOT.action), 0) == []
    done = Completed(SNAPSHOT.id, SNAPSHOT.action, 0.2, note="it was there")
    assert lines(log, done, 1) == [
        "[1/3] + snapshot  alpha tank/www  @rec-20261122T231500Z  done in 0.2s (it was there)"
    ]


def test_a_failure_is_told_at_once_and_what_is_skipped_is_remembered() -> None:
    log = RunLog(3)
    [line] = log.take(ActionFailed(SEND.id, SEND.action, CUT), 1)
    assert str(line).startswith("[1/3] ! send")
    assert str(line).endswith("failed: the connection broke")
    assert lines(log, Skipped("other", SNAPSHOT.action, "send failed"), 1) == []
    assert log.because == {"other": "send failed"}
    assert log.finished == 2


@pytest.mark.parametrize(
    ("sent", "estimate", "seconds", "text"),
    [
        (0, None, 0, "0 B"),
        (2048, None, 2, "2.0 KiB, 1.0 KiB/s"),
        (50 * 2**20, 100 * 2**20, 10, "50.0 MiB of ~100 MiB (50%), 5.0 MiB/s, 10s left"),
        (200, 100, 10, "200 B of ~100 B (99%), 20 B/s"),
        (10, 0, 10, "10 B, 1 B/s"),
    ],
)
def test_progress_says_what_is_known(
    sent: int, estimate: int | None, seconds: float, text: str
) -> None:
    assert progress_text(sent, estimate, seconds) == text


def test_the_end_names_everything_that_was_not_done() -> None:
    skipped = PLAN.actions[-5:]
    result = RunResult((SNAPSHOT,), ((SEND, FULL),), skipped, interrupted=False)
    because = {planned.id: "send of alpha tank/www failed" for planned in skipped[:-1]}
    text = text_of(result_lines(PLAN, result, because))
    assert "Failed\n  ! send  alpha tank/www@" in text
    assert "      out of space\n      next: make room there; then the next apply goes on" in text
    assert "Not begun\n  because send of alpha tank/www failed:" in text
    assert "  interrupted:\n" in text
    assert "Done: 1 snapshotted. 1 action failed. 5 actions not begun. 1 host not seen" in text


def test_many_skipped_actions_are_counted() -> None:
    result = RunResult((), (), PLAN.actions, interrupted=True)
    text = text_of(result_lines(PLAN, result, {}))
    assert f"      and {len(PLAN.actions) - 3} more\n" in text


def test_a_run_without_trouble_ends_with_one_line() -> None:
    result = RunResult(PLAN.actions, (), (), interrupted=False)
    assert len(list(result_lines(PLAN, result, {}))) == 2
    assert next(result_lines(PLAN, result, {})) == Line()


@pytest.mark.parametrize("reaction", Reaction)
def test_every_failure_says_what_comes_next(reaction: Reaction) -> None:
    failure = Failure(FailureKind.UNKNOWN, reaction, "x")
    assert what_next(SNAPSHOT.action, failure)
    if reaction in {Reaction.RETRY, Reaction.BUSY}:
        assert what_next(SEND.action, failure) == "the next apply goes on from what has arrived"


def test_every_object_of_a_stream_is_one_line_with_the_common_keys() -> None:
    result = RunResult((SNAPSHOT,), ((SEND, CUT),), (), interrupted=False)
    send = send_of(SEND)
    documents = [
        events_json.version_object(),
        *events_json.plan_objects(PLAN),
        events_json.event_object(Started(SEND.id, send)),
        events_json.event_object(Progressed(SEND.id, send, 5)),
        events_json.event_object(Completed(SNAPSHOT.id, SNAPSHOT.action, 0.25, "note")),
        events_json.event_object(ActionFailed(SEND.id, send, CUT)),
        events_json.event_object(Skipped(SEND.id, send, "interrupted")),
        events_json.summary_object(of_run(PLAN, result), result),
        events_json.error_object("no", 1),
    ]
    lines = [events_json.event_line(document, NOW) for document in documents]
    read = [json.loads(line) for line in lines]
    assert all(line.count("\n") == 1 and line.endswith("\n") for line in lines)
    for document in read:
        assert document["@timestamp"] == "2026-11-22T23:15:00Z"
        assert document["@level"] in {"info", "warning", "error"}
        assert document["@message"]
    kinds = [document["type"] for document in read]
    assert kinds[0] == "version"
    assert {"plan", "host_unseen"} < set(kinds)
    by_kind = {document["type"]: document for document in read}
    assert by_kind["action_progress"]["bytes"] == 5
    assert by_kind["action_progress"]["id"] == SEND.id
    assert by_kind["action_complete"]["seconds"] == 0.25
    assert by_kind["action_failed"]["reaction"] == "retry"
    assert by_kind["action_skipped"]["because"] == "interrupted"
    assert by_kind["summary"]["exit_code"] == 3
    assert by_kind["summary"]["completed"] == {"snapshot": 1}


def test_what_stands_in_the_way_is_in_the_stream() -> None:
    specs = desired(
        "web: alpha tank/www every 15m keep last 1 -> vault", "nil: alpha tank/x -> vault"
    )
    made = plan(
        specs,
        world(
            seen("alpha", fs("tank/www", "@~22:45,1 @~23:00,2"), skew=500),
            seen("vault", fs("backup/alpha/tank/www", "@manual,9")),
        ),
        NOW,
    )
    kinds = {str(document["type"]) for document in events_json.plan_objects(made)}
    assert {"plan", "conflict", "diagnostic"} <= kinds
