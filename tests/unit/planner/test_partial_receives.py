"""Receives that were cut: resumed where that is still wanted, else given up."""

from typing import Any

import pytest

from reconciler.actions import Send
from reconciler.observed.model import Filesystem
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.shown import conflicts, of_verb, steps
from tests.support.tokens import token
from tests.support.worlds import NOW, desired, encrypted, fs, replica, seen, world

WWW = "backup/alpha/tank/www"
ABC = "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13"

RECORDED = (
    "1-8eb26251c-b8-789c636064000310a500c4ec50360710e72765a52697303030439460caa7a515a7968064"
    "b4e0f26c48f2499525a9c5405a435b07abfe92fcf4d2cc140686b4254e86fb5e8bd76b20c97382e5f31273538"
    "174625eb67ea243b12103020000cdef14ba"
)
"""A full stream of tank/a@s1, cut (t3-211.txt)."""
RECORDED_GUID = 9158047569383957606


def planned(source: Filesystem, there: Filesystem, words: str = "") -> Plan:
    line = f"web: alpha tank/www -> vault {words}"
    return plan(desired(line), world(seen("alpha", source), seen("vault", there)), NOW)


def partial(versions: str, saved: str, **facts: object) -> Filesystem:
    """Return a receiver with a partial receive, its first one if it has no versions."""
    first = not versions
    return replica(WWW, versions, resume_token=saved, inconsistent=first, **facts)


def test_a_stream_that_is_still_wanted_is_resumed() -> None:
    """H76"""
    found = planned(fs("tank/www", ABC), partial("@~22:00,12,held=base", token(13, 12)))

    assert of_verb(found, "send", "abort") == ["send alpha tank/www @~22:00 → @~23:00 resumed"]
    (send,) = (p.action for p in found.actions if isinstance(p.action, Send))
    assert send.token is not None
    assert send.send_command() == ("zfs", "send", "-v", "-P", "-t", send.token)


def test_a_first_stream_that_is_still_wanted_is_resumed() -> None:
    found = planned(fs("tank/www", ABC), partial("", token(11)))

    assert of_verb(found, "create", "send", "abort") == [
        "send alpha tank/www full → @~21:00 resumed",
        "send alpha tank/www @~21:00 → @~22:00 @~23:00",
    ]


def test_a_recorded_token_is_understood() -> None:
    found = planned(fs("tank/www", f"@~21:00,{RECORDED_GUID}"), partial("", RECORDED))

    assert of_verb(found, "send") == ["send alpha tank/www full → @~21:00 resumed"]


def test_a_token_resumes_one_version_and_the_rest_follows() -> None:
    source = fs("tank/www", "@~20:00,11 @~21:00,12 @~22:00,13 @~23:00,14")
    found = planned(source, partial("@~20:00,11", token(12, 11)))

    assert of_verb(found, "send") == [
        "send alpha tank/www @~20:00 → @~21:00 resumed",
        "send alpha tank/www @~21:00 → @~22:00 @~23:00",
    ]


def test_resuming_begins_at_a_bookmark_when_the_snapshot_is_gone() -> None:
    source = fs("tank/www", "#cur,12 @~23:00,13")
    found = planned(source, partial("@~22:00,12", token(13, 12)))

    assert of_verb(found, "send") == ["send alpha tank/www #cur/vault → @~23:00 resumed"]


@pytest.mark.parametrize(
    ("saved", "words", "facts"),
    [
        pytest.param(token(99, 12), "", {}, id="its snapshot is gone"),
        pytest.param(token(13, 11), "", {}, id="it begins elsewhere"),
        pytest.param(token(13), "", {}, id="it is a full stream"),
        pytest.param(token(13, 12, raw=True), "", {}, id="it is raw, and should not be"),
        pytest.param(token(13, 12), "", encrypted(), id="it is not raw, and should be"),
    ],
)
def test_a_stream_that_can_not_go_on_is_aborted_and_sent_anew(
    saved: str, words: str, facts: dict[str, Any]
) -> None:
    """H77 L21"""
    found = planned(
        fs("tank/www", ABC, **facts), partial("@~22:00,12,held=base", saved, **facts), words
    )

    assert of_verb(found, "abort", "send") == [
        f"abort vault {WWW}",
        "send alpha tank/www @~22:00 → @~23:00",
    ]
    ids = [planned.id for planned in found.actions]
    send = next(p for p in found.actions if isinstance(p.action, Send))
    assert ids[0].startswith("abort-receive")
    assert ids[0] in send.depends_on


def test_a_stream_of_what_the_receiver_would_not_keep_is_aborted() -> None:
    """H78"""
    found = planned(
        fs("tank/www", ABC), partial("@~22:00,12,held=base", token(13, 12)), "keep matching x"
    )

    assert steps(found) == [f"abort vault {WWW}"]


def test_a_first_stream_of_what_would_not_be_kept_is_aborted_and_another_sent() -> None:
    found = planned(fs("tank/www", ABC), partial("", token(11)), "keep last 1 initial newest")

    assert of_verb(found, "abort", "send") == [
        f"abort vault {WWW}",
        "send alpha tank/www full → @~23:00",
    ]


def test_initial_newest_finishes_what_was_begun_and_is_wanted() -> None:
    found = planned(fs("tank/www", ABC), partial("", token(11)), "keep last 9 initial newest")

    assert of_verb(found, "send") == [
        "send alpha tank/www full → @~21:00 resumed",
        "send alpha tank/www @~21:00 → @~23:00",
    ]


def test_an_aborted_first_stream_without_another_gives_its_hold_back() -> None:
    source = fs("tank/www", "@~21:00,11,held=step @~22:00,12")
    found = planned(source, partial("", token(11)), "keep matching x")

    assert steps(found) == [f"abort vault {WWW}", "release alpha tank/www@~21:00 step"]


def test_a_token_that_can_not_be_read_is_a_conflict() -> None:
    found = planned(fs("tank/www", ABC), partial("@~22:00,12", "1-0-0-00"))

    assert conflicts(found) == [f"vault {WWW} unreadable-token"]
    assert f"zfs receive -A {WWW}" in found.conflicts[0].remedy


def test_a_receive_of_somebody_else_is_waited_for() -> None:
    found = planned(fs("tank/www", ABC), replica(WWW, inconsistent=True))

    assert conflicts(found) == [f"vault {WWW} receive-under-way"]


def test_what_has_been_received_is_taken_off_the_estimate() -> None:
    source = fs("tank/www", "@~22:00,12 @~23:00,13,written=30")
    found = planned(source, partial("@~22:00,12", token(13, 12, received=12)))

    assert found.estimated_bytes == 18


def test_children_wait_for_a_parent_that_is_resumed() -> None:
    line = "web: alpha tank/www/** -> vault"
    alpha = seen("alpha", fs("tank/www", "@~23:00,11"), fs("tank/www/a", "@~23:00,21"))
    vault = seen("vault", partial("", token(11)))
    found = plan(desired(line), world(alpha, vault), NOW)

    sends = {p.action.filesystem: p for p in found.actions if isinstance(p.action, Send)}
    assert sends["tank/www"].id in sends["tank/www/a"].depends_on
