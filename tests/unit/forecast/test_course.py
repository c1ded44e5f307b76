"""Time goes by for groups: what is left out, streams that take time, and looks by the planner."""

from dataclasses import replace

import pytest

from reconciler.desired.model import Desired
from reconciler.forecast.check import disagreement
from reconciler.forecast.course import Course, Span, slots
from reconciler.forecast.groups import group
from reconciler.forecast.invent import invented
from reconciler.forecast.ledger import Side
from reconciler.forecast.writes import Writes
from reconciler.observed.model import Filesystem, Observed
from reconciler.zfs.types import FilesystemKind
from tests.support.tokens import token
from tests.support.worlds import NOW, desired, fs, instant, replica, seen, unseen, world

HOUR, DAY = 3600, 86_400
WEB = "web: alpha tank/www/** every 1h keep last 2 -> vault keep last 3"


def writes(_host: str, filesystem: Filesystem) -> Writes:
    """Return a thousand bytes an hour in ten thousand, or nothing for what is called quiet."""
    return Writes(0.0 if "quiet" in filesystem.name else 1000 / HOUR, 10_000)


def gone_by(
    specs: Desired, hours: int, bandwidth: float | None = None, observed: Observed | None = None
) -> Course:
    span = Span(NOW, NOW + hours * HOUR, (NOW, NOW + hours * HOUR))
    groups, _ = group(specs, observed or invented(specs, NOW), NOW, writes)
    due = {name: slots(replication, span) for name, replication in specs.replications.items()}
    course = Course(groups, span, due, bandwidth)
    course.run()
    assert not course.disagreements
    return course


# -- groups ----------------------------------------------------------------------------------------


def test_filesystems_that_have_the_same_are_one_group() -> None:
    specs = desired(WEB)
    groups, _ = group(specs, invented(specs, NOW), NOW, writes)
    assert [len(found.members) for found in groups] == [4]


def test_what_has_a_history_of_its_own_is_a_group_of_its_own() -> None:
    observed = world(
        seen("alpha", fs("tank/www"), fs("tank/www/a", "@~22:00,1"), fs("tank/www/b")),
        seen("vault", fs("backup")),
    )
    groups, _ = group(desired(WEB), observed, NOW, writes)
    assert sorted(len(found.members) for found in groups) == [1, 2]


def left_out(specs: Desired, observed: Observed) -> list[tuple[str, str]]:
    groups, left = group(specs, observed, NOW, writes)
    assert (
        len({m.filesystem for g in groups for m in g.members} & {x.filesystem for x in left}) == 0
    )
    return [(found.filesystem, found.code) for found in left]


@pytest.mark.parametrize(
    ("there", "code"),
    [
        pytest.param(replica("backup/alpha/tank/www", "@x,9"), "conflict", id="conflict"),
        pytest.param(
            replica("backup/alpha/tank/www", "@~22:00,1,held=base", disabled=True),
            "disabled",
            id="switched off",
        ),
    ],
)
def test_a_filesystem_that_waits_for_a_person_is_left_out(there: Filesystem, code: str) -> None:
    observed = world(seen("alpha", fs("tank/www", "@~22:00,1 @~23:00,2")), seen("vault", there))
    assert left_out(desired(WEB), observed) == [("tank/www", code)]


def test_what_is_to_be_received_below_a_volume_is_left_out_though_no_window_is_open() -> None:
    specs = desired("web: alpha tank/www/** every 1h keep last 2 deny 0 0 * * * 24h -> vault")
    volume = fs("backup/alpha/tank", kind=FilesystemKind.VOLUME)
    observed = world(seen("alpha", fs("tank/www")), seen("vault", fs("backup"), volume))
    assert left_out(specs, observed) == [("tank/www", "conflict")]


def test_a_host_that_was_not_seen_is_left_out() -> None:
    observed = world(unseen("alpha"), seen("vault", fs("backup")))
    assert left_out(desired(WEB), observed) == [("", "unseen")]


def test_a_filesystem_whose_receiver_was_not_seen_is_left_out() -> None:
    observed = world(seen("alpha", fs("tank/www")), unseen("vault"))
    assert left_out(desired(WEB), observed) == [("tank/www", "unseen")]


def test_what_is_suspended_is_left_out_and_what_shares_its_filesystem() -> None:
    specs = desired(
        "web: alpha tank/www every 1h keep last 2 suspended -> vault",
        "db: alpha tank/www every 1h prefix db- keep last 2",
    )
    observed = world(seen("alpha", fs("tank/www")), seen("vault", fs("backup")))
    assert left_out(specs, observed) == [("tank/www", "suspended"), ("tank/www", "neighbour")]


def test_what_has_no_schedule_is_left_out() -> None:
    specs = desired(WEB)
    bare = replace(specs.replications["web"], snapshots=None)
    observed = world(seen("alpha", fs("tank/www")), seen("vault", fs("backup")))
    without = replace(specs, replications={"web": bare})
    assert left_out(without, observed) == [("tank/www", "unscheduled")]


def test_chains_are_left_out_from_their_beginning() -> None:
    specs = desired(
        "web: alpha tank/www every 15m -> vault",
        "onward: vault backup/** received -> north far/{host}",
    )
    observed = world(
        seen("alpha", fs("tank/www")),
        seen("vault", replica("backup/alpha/tank/www")),
        seen("north", fs("far")),
    )
    assert sorted(left_out(specs, observed)) == [
        ("backup/alpha/tank/www", "unscheduled"),
        ("tank/www", "not-modelled"),
    ]


def test_versions_whose_times_are_not_in_their_order_are_left_out() -> None:
    observed = world(
        seen("alpha", fs("tank/www", "@~22:00,1,at=22:00 @~23:00,2,at=21:00")),
        seen("vault", fs("backup")),
    )
    assert left_out(desired(WEB), observed) == [("tank/www", "disorder")]


@pytest.mark.parametrize(
    "future",
    [
        pytest.param("@~22:00,1,at=23:30", id="by its creation"),
        pytest.param("@~23:30,1,at=22:00", id="by its name"),
    ],
)
def test_versions_from_the_future_are_left_out(future: str) -> None:
    observed = world(seen("alpha", fs("tank/www", future)), seen("vault", fs("backup")))
    assert left_out(desired(WEB), observed) == [("tank/www", "disorder")]


def test_a_host_with_a_wrong_clock_is_left_out() -> None:
    observed = world(seen("alpha", fs("tank/www"), skew=90), seen("vault", fs("backup")))
    assert left_out(desired(WEB), observed) == [("tank/www", "blocked")]


# -- streams ---------------------------------------------------------------------------------------


def test_streams_that_need_no_time_arrive_with_the_snapshot() -> None:
    track = gone_by(desired(WEB), 5).tracks[0]
    assert track.lags[0].first == NOW
    assert max(track.lags[0].peaks) == HOUR


def test_a_stream_takes_its_bytes_by_the_bandwidth() -> None:
    # 4 filesystems of 10,000 bytes, 10 bytes a second: 4,000 s; then 4,000 bytes in 400 s.
    lag = gone_by(desired(WEB), 12, bandwidth=10.0).tracks[0].lags[0]
    assert lag.first == NOW + 4000
    assert HOUR + 400 in lag.peaks


def test_receivers_take_in_one_group_after_the_other() -> None:
    specs = desired(
        "a: alpha tank/a every 1h keep last 2 -> vault keep last 3",
        "b: alpha tank/b every 1h prefix b- keep last 2 -> vault keep last 3",
    )
    tracks = gone_by(specs, 12, bandwidth=10.0).tracks
    assert [track.lags[0].first for track in tracks] == [NOW + 1000, NOW + 2000]


def test_other_receivers_do_not_wait() -> None:
    specs = desired("a: alpha tank/a every 1h keep last 2 -> vault -> north")
    lags = gone_by(specs, 12, bandwidth=10.0).tracks[0].lags
    assert [lag.first for lag in lags] == [NOW + 1000, NOW + 1000]


def test_what_a_stream_comes_from_is_not_pruned_before_it_ends() -> None:
    course = gone_by(desired(WEB), 12, bandwidth=0.001)
    ledger = course.tracks[0].group.ledger
    assert len(ledger.here.versions) == 13
    assert ledger.copies[0].side.versions == {}


def test_what_is_wanted_of_a_backlog_is_sent_when_the_first_stream_ends() -> None:
    # In full until 01:43; then 00:00 and 01:00 until 02:09; then 02:00, beyond the end.
    ledger = gone_by(desired(WEB), 3, bandwidth=4.5).tracks[0].group.ledger
    assert [*ledger.copies[0].side.versions] == [
        NOW,
        instant("11-23T00:00"),
        instant("11-23T01:00"),
    ]


def test_the_bytes_of_a_stream_are_spread_over_its_hours() -> None:
    course = gone_by(desired(WEB), 12, bandwidth=5.0)
    hours = course.tracks[0].hours
    first = NOW // HOUR
    assert hours[first].bytes == pytest.approx(5.0 * (HOUR - NOW % HOUR))
    assert hours[first + 1].bytes == pytest.approx(5.0 * HOUR)


def test_a_partial_receive_that_goes_on_passes_over_what_is_older() -> None:
    there = replica("backup/alpha/tank/www", "@~20:00,1,held=base", resume_token=token(3, 1))
    versions = "@~20:00,1 @~21:00,2 @~22:00,3 @~23:00,4 #cur,1"
    observed = world(seen("alpha", fs("tank/www", versions)), seen("vault", there))
    specs = desired("web: alpha tank/www every 1h keep last 9 -> vault keep last 9")
    ledger = gone_by(specs, 0, observed=observed).tracks[0].group.ledger
    found = [*ledger.copies[0].side.versions]
    assert found == [instant("20:00"), instant("22:00"), instant("23:00")]


# -- what stays though no rule keeps it ------------------------------------------------------------


def test_the_common_version_stays_on_the_sender() -> None:
    specs = desired(
        "web: alpha tank/www every 1h keep last 1 -> vault keep matching rec-.*T000000Z"
    )
    ledger = gone_by(specs, 12).tracks[0].group.ledger
    midnight = instant("11-23T00:00")
    assert [*ledger.here.versions] == [midnight, instant("11-23T11:00")]
    assert [*ledger.copies[0].side.versions] == [midnight]


def test_what_somebody_holds_stays() -> None:
    observed = world(
        seen("alpha", fs("tank/www", "@~21:00,1,held=keep @~22:00,2")), seen("vault", fs("backup"))
    )
    ledger = gone_by(desired(WEB), 12, observed=observed).tracks[0].group.ledger
    assert [*ledger.here.versions] == [
        instant("21:00"),
        instant("11-23T10:00"),
        instant("11-23T11:00"),
    ]


# -- snapshots if something changed ----------------------------------------------------------------

QUIET = "web: alpha tank/quiet every 1h if-changed keep last 2 -> vault keep last 3"


def test_where_nothing_is_written_the_first_snapshot_is_the_only_one() -> None:
    ledger = gone_by(desired(QUIET), 12).tracks[0].group.ledger
    assert [*ledger.here.versions] == [NOW]


def test_what_was_written_before_the_beginning_is_in_one_more_snapshot() -> None:
    observed = world(
        seen("alpha", fs("tank/quiet", "@~23:10,1", written=5)), seen("vault", fs("backup"))
    )
    ledger = gone_by(desired(QUIET), 12, observed=observed).tracks[0].group.ledger
    assert [*ledger.here.versions] == [instant("23:10"), instant("11-23T00:00")]


# -- windows and grids -----------------------------------------------------------------------------


def test_what_waits_for_a_window_stays_on_the_sender_and_goes_when_it_opens() -> None:
    line = "web: alpha tank/www every 1h allow 30 5 * * * 1h keep last 2 -> vault keep last 4"
    waiting = gone_by(desired(line), 6).tracks[0].group.ledger
    sent = gone_by(desired(line), 7).tracks[0].group.ledger

    assert len(waiting.here.versions) == 4
    assert [len(copy.side.versions) for copy in waiting.copies] == [0]
    assert [len(copy.side.versions) for copy in sent.copies] == [4]


def test_a_grid_keeps_in_a_forecast_what_the_planner_keeps() -> None:
    line = "web: alpha tank/www every 1h keep grid 1x6h(keep=all)|3x6h -> vault keep last 1"
    ledger = gone_by(desired(line), 40).tracks[0].group.ledger

    assert len(ledger.here.versions) == 9


# -- the planner looks into ledgers ----------------------------------------------------------------


def test_a_ledger_that_keeps_too_long_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    course = gone_by(desired(WEB), 12)
    found = course.tracks[0].group
    assert disagreement(found, found.ledger, NOW + 13 * HOUR) is None
    monkeypatch.setattr(Side, "retire", lambda _self, _needed: 0)
    assert "the planner comes to" in str(disagreement(found, found.ledger, NOW + 13 * HOUR))


def test_a_group_whose_replication_the_planner_can_not_go_on_with_is_found_out() -> None:
    course = gone_by(desired(WEB), 12)
    found = course.tracks[0].group
    (target,) = found.replication.targets
    long = replace(target, roots={"alpha": "backup/" + "x" * 245})
    tall = replace(found, replication=replace(found.replication, targets=(long,)))
    assert "the planner objects" in str(disagreement(tall, found.ledger, NOW + 13 * HOUR))


def test_the_planner_is_asked_on_the_way_but_not_about_each_slot() -> None:
    assert 24 <= gone_by(desired(WEB), 20 * 24).checked <= 30
