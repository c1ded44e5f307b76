"""6.4 of the list of behaviours: retention where filesystems are replicated."""

from dataclasses import replace

import pytest

from reconciler.actions import Send
from reconciler.observed.model import Observation, Seen
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from tests.behaviours.outcomes import HERE, THERE, WWW, bookmarks, doomed, guids, have_common, needs
from tests.support.converge import converge, stages
from tests.support.shown import of_verb, short, steps
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world

SENT = "web: alpha tank/www keep last 1 -> vault keep last 1"
SOURCE = fs("tank/www", "@~21:00,11 @~22:00,12 #cur,12 @~23:00,13")
COPY = replica(WWW, "@~20:00,10 @~21:00,11 @~22:00,12,held=base")
ALPHA, VAULT = seen("alpha", SOURCE), seen("vault", COPY)


def planned(line: str, *hosts: Observation) -> Plan:
    return plan(desired(line), world(*hosts), NOW)


def test_h48_while_the_source_can_not_be_listed_its_target_loses_nothing() -> None:
    made = planned(SENT, unseen("alpha"), VAULT)

    assert steps(made) == []
    assert made.outcome is Outcome.INCOMPLETE
    assert doomed(planned(SENT, ALPHA, VAULT), THERE) == [10, 11, 12]


def test_h48_other_replications_go_on_while_one_source_can_not_be_listed() -> None:
    specs = desired(SENT, "db: beta tank/db keep last 1 -> vault keep last 1")
    before = world(
        unseen("alpha"),
        seen("beta", fs("tank/db", "@~22:00,22,spec=db @~23:00,23,spec=db")),
        seen("vault", COPY, replica("backup/beta/tank/db", "@~21:00,21 @~22:00,22")),
    )
    after = converge(specs, before, NOW)

    assert guids(after, THERE) == [10, 11, 12]
    assert guids(after, ("vault", "backup/beta/tank/db")) == [23]
    assert guids(after, ("beta", "tank/db")) == [23]


def test_h52_while_the_target_can_not_be_listed_nothing_is_taken_for_arrived() -> None:
    held = seen("alpha", fs("tank/www", "@~21:00,11 @~22:00,12,held=step #cur,12 @~23:00,13"))

    for alpha in (ALPHA, held):
        assert steps(planned(SENT, alpha, unseen("vault"))) == []


def test_h53_the_base_of_an_offline_target_stays_while_the_other_one_goes_on() -> None:
    line = "web: alpha tank/www keep last 1 -> vault keep last 1 -> north keep last 1"
    specs = desired(line)
    alpha = seen("alpha", fs("tank/www", "@~21:00,11 #cur/north,11 @~22:00,12 #cur,12 @~23:00,13"))
    north = seen("north", replica(WWW, "@~21:00,11,held=base"))

    offline = converge(specs, world(alpha, VAULT, unseen("north")), NOW)
    assert guids(offline, HERE) == [11, 12, 13]
    assert guids(offline, THERE) == [13]
    assert 11 in bookmarks(offline, HERE)

    back = plan(specs, {**offline, "north": north}, NOW)
    assert of_verb(back, "send") == ["send alpha tank/www @~21:00 → @~23:00"]
    done = converge(specs, {**offline, "north": north}, NOW)
    assert guids(done, HERE) == guids(done, ("north", WWW)) == [13]


def test_h53_the_offline_targets_cursor_alone_is_enough_to_go_on_from() -> None:
    specs = desired("web: alpha tank/www keep last 1 -> vault keep last 1 -> north keep last 1")
    before = world(
        seen("alpha", fs("tank/www", "#cur/north,11 @~22:00,12 #cur,12 @~23:00,13")),
        VAULT,
        seen("north", replica(WWW, "@~21:00,11,held=base")),
    )

    assert of_verb(plan(specs, before, NOW), "send") == [
        "send alpha tank/www #cur/north → @~23:00",
        "send alpha tank/www @~22:00 → @~23:00",
    ]


def test_h55_expired_ones_that_the_target_would_keep_are_sent_before_they_are_destroyed() -> None:
    specs = desired("web: alpha tank/www keep last 1 -> vault keep last 9")
    before = world(
        seen("alpha", fs("tank/www", "@~20:00,10 @~21:00,11 @~22:00,12 @~23:00,13")),
        seen("vault", replica(WWW, "@~20:00,10")),
    )

    after = converge(specs, before, NOW)
    assert guids(after, THERE) == [10, 11, 12, 13]
    assert guids(after, HERE) == [13]


def test_h55_expired_ones_that_no_target_would_keep_go_without_having_been_sent() -> None:
    specs = desired("web: alpha tank/www keep last 1 -> vault keep last 1")
    before = world(
        seen("alpha", fs("tank/www", "@~20:00,10 @~21:00,11 @~22:00,12 @~23:00,13")),
        seen("vault", replica(WWW, "@~20:00,10")),
    )

    assert of_verb(plan(specs, before, NOW), "send") == ["send alpha tank/www @~20:00 → @~23:00"]
    assert guids(converge(specs, before, NOW), HERE) == [13]


def test_h55_the_base_stays_though_it_is_expired_and_there_is_nothing_to_send() -> None:
    made = planned(
        "web: alpha tank/www keep last 1 -> vault keep matching x",
        ALPHA,
        seen("vault", replica(WWW, "@~21:00,11 @~22:00,12,held=base")),
    )

    assert doomed(made, HERE) == [11]
    assert doomed(made, THERE) == [11]


DAYS = ("11-19", "11-20", "11-21", "11-22")
HOURS = [f"@~{day}T{hour:02}:00" for day in DAYS for hour in range(24)]


def test_h57_only_the_dailies_that_the_target_keeps_are_sent_each_from_the_one_before() -> None:
    specs = desired("web: alpha tank/www -> vault keep daily 3")
    hours = " ".join(f"{hour},{guid}" for guid, hour in enumerate(HOURS, start=1))
    before = world(
        seen("alpha", fs("tank/www", hours)), seen("vault", replica(WWW, f"{HOURS[0]},1"))
    )

    sends = [p.action for p in plan(specs, before, NOW).actions if isinstance(p.action, Send)]
    assert [(send.base and send.base.guid, send.to.guid) for send in sends] == [
        (1, 48),
        (48, 72),
        (72, 96),
    ]
    assert guids(converge(specs, before, NOW), THERE) == [48, 72, 96]


def test_h58_unsent_ones_that_the_target_wants_stay_on_the_sender_until_they_arrived() -> None:
    made = planned(
        "web: alpha tank/www keep last 1 -> vault keep last 10",
        seen(
            "alpha",
            fs("tank/www", "@~18:00,8 @~19:00,9 @~20:00,10 @~21:00,11 @~22:00,12 @~23:00,13"),
        ),
        seen("vault", replica(WWW, "@~18:00,8")),
    )

    (send,) = (p for p in made.actions if p.action.verb == "send")
    (destroy,) = (p for p in made.actions if p.action.verb == "destroy")
    assert doomed(made, HERE) == [8, 9, 10, 11, 12]
    assert short(send.id) == f"send:alpha:tank/www@~23:00:vault:{WWW}"
    assert send.id in needs(made, destroy)


def test_h59_while_one_replication_is_long_in_sending_the_others_retention_does_not_wait() -> None:
    specs = desired(SENT, "db: alpha tank/db keep last 1 -> vault keep last 1")
    before = world(
        seen(
            "alpha",
            SOURCE,
            fs("tank/db", "@~22:00,22,spec=db #m,22 @~23:00,23,spec=db"),
        ),
        seen(
            "vault",
            COPY,
            replica("backup/alpha/tank/db", "@~22:00,22 @~23:00,23,held=rec-base_db"),
        ),
    )
    made = plan(specs, before, NOW)

    sends = {p.id for p in made.actions if p.action.verb == "send"}
    destroys = [p for p in made.actions if p.action.verb == "destroy"]
    assert {p.replication for p in made.actions if p.id in sends} == {"web"}
    assert {p.replication for p in destroys} == {"web", "db"}
    waiting = {p.replication for p in destroys if needs(made, p) & sends}
    assert waiting == {"web"}


def test_h60_our_snapshots_on_a_source_that_no_spec_selects_any_more_stay() -> None:
    made = planned(
        "web: alpha tank/** !tank !tank/old keep last 1",
        seen(
            "alpha",
            fs("tank/old", "@~20:00,1 @~21:00,2 @~22:00,3"),
            fs("tank/www", "@~20:00,4 @~21:00,5"),
        ),
    )

    assert doomed(made, ("alpha", "tank/old")) == []
    assert doomed(made, HERE) == [4]


def test_h61_both_ends_are_marked_before_the_old_base_is_let_go() -> None:
    assert steps(planned(SENT, ALPHA, VAULT)) == [
        f"destroy vault {WWW}@~20:00@~21:00",
        "hold alpha tank/www@~23:00 step",
        "send alpha tank/www @~22:00 → @~23:00",
        f"hold vault {WWW}@~23:00 base",
        "cursor alpha tank/www@~23:00 vault",
        f"release vault {WWW}@~22:00 base",
        "release alpha tank/www@~23:00 step",
        f"destroy vault {WWW}@~22:00",
        "destroy alpha tank/www@~21:00@~22:00",
        "destroy alpha tank/www#cur/vault",
    ]


def test_h61_a_crash_between_any_two_steps_leaves_a_common_version_and_a_way_on() -> None:
    specs = desired(SENT)
    before = world(ALPHA, VAULT)
    made = plan(specs, before, NOW)

    reached = list(stages(made.actions, before))
    assert len(reached) == len(made.actions) + 1
    for stage in reached:
        assert have_common(stage)
        after = converge(specs, stage, NOW)
        assert (guids(after, HERE), guids(after, THERE), bookmarks(after, HERE)) == (
            [13],
            [13],
            [13],
        )
        assert plan(specs, after, NOW).outcome is Outcome.NOTHING


@pytest.mark.parametrize("tag", ["keep", "rec-step_other_vault-000000", "sp ace ü"])
def test_h62_a_foreign_hold_is_left_and_told_of_and_the_rest_is_destroyed(tag: str) -> None:
    filesystem = fs("tank/www", "@~20:00,1 @~21:00,2 @~22:00,3")
    first, *others = filesystem.versions
    held = replace(filesystem, versions=(first._replace(holds=(tag,), userrefs=1), *others))
    made = plan(
        desired("web: alpha tank/www keep last 1"), world(seen("alpha", held)), NOW, explain=True
    )

    assert doomed(made) == [2]
    assert of_verb(made, "release") == []
    assert [(k.version.guid, k.rules) for k in made.kept if k.version.guid == 1] == [
        (1, (f"held by {tag}",))
    ]


def test_h63_holds_and_cursors_of_a_replication_that_is_gone_are_not_freed_by_the_way() -> None:
    both = desired("db: alpha tank/www prefix db- keep last 1 -> vault db keep last 1", SENT)
    left = replace(both, replications={"db": both.replications["db"]})
    source = fs("tank/www", "@~21:00,11 #cur,11 @~22:00,12,held=step")
    before = world(seen("alpha", source), seen("vault", COPY, fs("db")))
    after = converge(left, before, NOW)

    alpha, vault = after["alpha"], after["vault"]
    assert isinstance(alpha, Seen)
    assert isinstance(vault, Seen)
    assert vault.filesystems[WWW] == COPY
    assert set(source.versions) < set(alpha.filesystems["tank/www"].versions)
    assert len(guids(after, ("vault", "db/tank/www"))) == 1
