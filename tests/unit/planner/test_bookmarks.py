"""What is left of snapshots that are destroyed on a sender: bookmarks, as many as the spec says."""

from reconciler.observed.model import Observed
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from tests.support.converge import converge
from tests.support.shown import blocked, of_verb, steps
from tests.support.worlds import NOW, desired, fs, replica, seen, world

WWW = "backup/alpha/tank/www"
FOUR = "@~20:00,10 @~21:00,11 @~22:00,12 @~23:00,13"


def left(guid: int, replication: str = "web") -> str:
    """A bookmark that was left of the snapshot with a guid."""
    return f"#rec-mark_{replication}_{guid:016x},{guid}"


def hosts(here: str, there: str = "") -> Observed:
    vault = [replica(WWW, there)] if there else []
    return world(seen("alpha", fs("tank/www", here)), seen("vault", fs("backup"), *vault))


def planned(here: str, words: str, there: str = "", to: str = "") -> Plan:
    return plan(desired(f"web: alpha tank/www keep last 1 {words} {to}"), hosts(here, there), NOW)


def names(made: Plan) -> list[str]:
    return [p.id for p in made.actions if p.action.verb == "bookmark"]


def test_without_a_word_nothing_is_left_of_what_is_destroyed() -> None:
    assert steps(planned(FOUR, "")) == ["destroy alpha tank/www@~20:00@~21:00@~22:00"]


def test_each_snapshot_leaves_a_bookmark_before_it_goes() -> None:
    made = planned(FOUR, "bookmarks all")
    (destroy,) = [p for p in made.actions if p.action.verb == "destroy"]

    assert steps(made) == [
        "bookmark alpha tank/www@~20:00",
        "bookmark alpha tank/www@~21:00",
        "bookmark alpha tank/www@~22:00",
        "destroy alpha tank/www@~20:00@~21:00@~22:00",
    ]
    assert set(names(made)) <= set(destroy.depends_on)


def test_of_the_newest_ones_alone_bookmarks_are_made_and_older_ones_go_after_that() -> None:
    made = planned(f"@~18:00,8 {left(9)} {FOUR}", "bookmarks last 2")

    assert steps(made) == [
        "bookmark alpha tank/www@~21:00",
        "bookmark alpha tank/www@~22:00",
        "destroy alpha tank/www@~18:00@~20:00@~21:00@~22:00",
        f"destroy alpha tank/www{left(9).partition(',')[0]}",
    ]
    assert set(names(made)) <= set(made.actions[-1].depends_on)


def test_what_is_left_of_it_already_is_not_left_again() -> None:
    made = planned(f"@~21:00,11 {left(11)} @~23:00,13", "bookmarks all")

    assert steps(made) == ["destroy alpha tank/www@~21:00"]


def test_bookmarks_of_others_and_of_other_replications_are_neither_counted_nor_destroyed() -> None:
    others = f"#mine,5 {left(6, 'web2')} {left(7, 'we')} #rec-mark_web_7,8 {left(9)}"
    made = planned(f"{others} @~23:00,13", "bookmarks last 1")

    assert steps(made) == []


def test_when_the_spec_does_not_ask_for_any_those_that_are_there_stay() -> None:
    assert steps(planned(f"{left(9)} {left(10)} @~23:00,13", "")) == []


def test_a_bookmark_from_which_a_receiver_goes_on_stays_however_many_newer_ones_there_are() -> None:
    here = f"{left(9)} #cur,9 {left(11)} {left(12)} @~23:00,13"
    made = planned(
        here, "bookmarks last 1", "@x,9,held=base", "allow 0 2 * * * 4h -> vault keep last 9"
    )

    assert of_verb(made, "destroy") == [f"destroy alpha tank/www{left(11).partition(',')[0]}"]
    assert blocked(made) == ["vault backup/alpha/tank/www@~23:00: window"]


def test_a_receiver_that_lost_its_newest_snapshots_goes_on_from_what_was_left() -> None:
    """The cursor is on 22:00, which the receiver has no more."""
    made = planned(f"{left(11)} #cur,12 @~23:00,13", "bookmarks all", "@~21:00,11", "-> vault")
    without = planned("#cur,12 @~23:00,13", "", "@~21:00,11", "-> vault")

    (send,) = of_verb(made, "send")
    assert send.startswith("send alpha tank/www #")
    assert send.endswith("→ @~23:00")
    assert [conflict.code for conflict in without.conflicts] == ["no-common-version"]


def test_once_it_is_done_nothing_is_left_to_do() -> None:
    for words in ("bookmarks all", "bookmarks last 2"):
        specs = desired(f"web: alpha tank/www keep last 1 {words} -> vault keep last 1")
        after = converge(specs, hosts(f"{left(9)} {FOUR}"), NOW)
        assert plan(specs, after, NOW).actions == ()


def test_of_a_bookmark_that_was_left_it_is_said_what_it_is() -> None:
    specs = desired("web: alpha tank/www keep last 1 bookmarks all")
    made = plan(specs, hosts(f"{left(9)} @~23:00,13"), NOW, explain=True)

    assert made.kept[-1].rules == ("left of a snapshot by web",)
