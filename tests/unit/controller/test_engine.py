"""What the engine makes of what it hears: lived through on simulated hosts, mostly without threads.

`Life` (tests/support/living.py) is an engine whose clock jumps to when something is due next.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.controller import work
from reconciler.controller.engine import COME_BACK_LATE, START_SPREAD
from reconciler.controller.flight import Flight
from reconciler.controller.keys import Key, part_of
from reconciler.controller.memory import REPEATS
from reconciler.desired.model import Desired
from reconciler.observed.model import Seen
from reconciler.planner.plan import Plan
from reconciler.report.status import Outcome, Phase
from reconciler.report.telemetry import Silent
from reconciler.simulator.faults import Interlude, Lost
from reconciler.zfs.types import Argv
from tests.support.living import HOUR, Life
from tests.support.stage import Stage
from tests.support.worlds import desired

SLOT = 900

WEB = "web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 3"
DB = "db: beta tank/** !tank every 1h prefix db- keep last 2 -> vault keep last 3"

SENDER, PAIR = Key("web", "alpha"), Key("web", "alpha", "vault")
DB_SENDER, DB_PAIR = Key("db", "beta"), Key("db", "beta", "vault")

AWAY = dict.fromkeys(range(1, 10_000), Lost())
"""A host that can't be reached."""


class Counting(Silent):
    """Counts what is said to telemetry."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.results: list[tuple[str, str]] = []

    def panicked(self, kind: str) -> None:
        self.counts[f"panicked {kind}"] += 1

    def blocked(self, guard: str, count: int) -> None:
        self.counts[f"blocked {guard}"] += count

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        assert seconds >= 0
        self.counts["reconciled"] += 1
        self.results.append((kind, result))

    def taken(self, kind: str, waited: float) -> None:
        del kind
        assert waited >= 0
        self.counts["taken"] += 1

    def observed(self, host: str, seconds: float, *, seen: bool) -> None:
        del seconds, seen
        self.asked[host] += 1


def opened(*, specs: Desired, beta: bool = True) -> Stage:
    stage = Stage(sorted(specs.hosts))
    for host in specs.hosts:
        pool = "backup" if host in {"vault", "north"} else "tank"
        stage.sh(host, f"zpool create {pool} disk")
        if pool == "tank" and (beta or host != "beta"):
            stage.sh(host, "zfs create tank/a", "zfs create tank/b")
    return stage


def a_life(*lines: str, **facts: object) -> Life:
    specs = desired(*(lines or (WEB,)))
    life = Life(opened(specs=specs), specs, telemetry=Counting(), **facts)  # type: ignore[arg-type]
    assert isinstance(life.telemetry, Counting)
    return life


def told(life: Life) -> Counting:
    assert isinstance(life.telemetry, Counting)
    return life.telemetry


def settled(*lines: str, **facts: object) -> Life:
    """A life in which everything has been done that was to be done at first."""
    life = a_life(*lines, **facts)
    life.live(SLOT // 2)
    life.worked.clear()
    told(life).asked.clear()
    return life


def keys(life: Life) -> set[Key]:
    return {key for _, key in life.worked}


def names(life: Life, host: str, filesystem: str, delimiter: str = "@") -> list[str]:
    dataset = life.stage.world[host].datasets[filesystem]
    there = dataset.snapshots if delimiter == "@" else dataset.bookmarks
    return [version.name for version in there]


# -- specs -----------------------------------------------------------------------------------------


def test_the_first_runs_are_spread() -> None:
    life = a_life(WEB, DB)
    at = [life.engine.queue.state(key, 0).next_at for key in (SENDER, PAIR, DB_SENDER, DB_PAIR)]
    began = life.stage.now
    assert all(one is not None and 0 <= one - began <= START_SPREAD for one in at)
    assert len(set(at)) == 4


def test_a_spec_change_has_looked_at_what_changed_and_nothing_else() -> None:
    life = settled(WEB, DB)
    other = desired(WEB, DB.replace("keep last 2", "keep last 5"))
    life.engine.adopt(other, life.fleet(other))
    life.work()
    assert keys(life) == {DB_SENDER, DB_PAIR}


def test_specs_that_say_the_same_are_nothing_new() -> None:
    life = settled(WEB, DB)
    life.engine.adopt(desired(WEB, DB), life.fleet(life.desired))
    life.work()
    assert keys(life) == set()


def test_a_replication_that_vanished_is_forgotten_and_destroys_nothing() -> None:
    life = settled(WEB, DB)
    before = dict(life.stage.world)
    left = desired(WEB)
    life.engine.adopt(left, life.fleet(left))
    life.live(3 * HOUR)
    assert keys(life) == {SENDER, PAIR}
    assert life.stage.world["beta"] == before["beta"]
    memory = life.engine.memory
    assert {key.replication for key in memory.reports} == {"web"}
    assert memory.histories.keys() == {"web"}
    assert memory.host_histories.keys() == {"alpha", "vault"}
    assert set(life.engine.queue) == {SENDER, PAIR}


def test_what_came_back_after_it_vanished_is_looked_at() -> None:
    life = settled(WEB, DB)
    for specs in (desired(WEB), desired(WEB, DB)):
        life.engine.adopt(specs, life.fleet(specs))
    life.work()
    assert keys(life) == {DB_SENDER, DB_PAIR}


def test_specs_that_change_while_a_key_is_worked_on_let_nothing_of_the_old_ones_be_done() -> None:
    """What was looked at may be what other specs ask for; and they may forbid what was planned."""
    life = a_life()
    halted = desired(WEB.replace("keep last 2", "suspended keep last 2", 1))
    assert halted.replications["web"].suspend
    life.stage.now += int(START_SPREAD) + 1
    key = taken(life, SENDER)
    life.faults["alpha"].planned = {
        1: Interlude(lambda: life.engine.adopt(halted, life.fleet(halted)))
    }
    life.engine.work(key)
    assert life.engine.law is not None
    assert life.engine.law.desired == halted
    assert names(life, "alpha", "tank/a") == []


def test_a_key_that_vanishes_before_it_is_worked_on_is_given_back() -> None:
    life = a_life(WEB, DB)
    life.stage.now += int(START_SPREAD) + 1
    key = taken(life, DB_SENDER)
    left = desired(WEB)
    life.engine.adopt(left, life.fleet(left))
    life.engine.work(key)
    assert names(life, "beta", "tank/a") == []
    assert told(life).counts["panicked sender"] == 0
    assert DB_SENDER not in set(life.engine.queue)


def test_a_key_that_vanishes_while_it_is_worked_on_is_given_back() -> None:
    specs, left = desired(WEB, DB), desired(WEB)
    life = Life(opened(specs=specs), specs, telemetry=Counting())
    life.faults["beta"].planned = {1: Interlude(lambda: life.engine.adopt(left, life.fleet(left)))}
    life.live(HOUR)
    assert told(life).counts["taken"] == told(life).counts["reconciled"]
    assert set(life.engine.queue) == {SENDER, PAIR}
    assert life.engine.queue.working() == 0


def test_a_new_root_on_a_host_has_it_looked_at_anew_and_does_not_make_us_deaf() -> None:
    life = settled(WEB)
    for host in ("alpha", "vault"):
        life.engine.hears(host, is_open=True)
    life.work()
    more = desired(WEB, "db: alpha tank/a prefix db- every 1h -> vault backup/db/{host}")
    life.engine.adopt(more, life.fleet(more))
    assert life.engine.world.is_heard("vault")
    assert life.engine.world.last("vault") is None


# -- suspended and asked for -----------------------------------------------------------------------


def test_what_is_suspended_does_nothing_until_it_is_resumed() -> None:
    life = settled()
    before = dict(life.stage.world)
    life.engine.suspend({"web": "by root: maintenance"})
    life.live(3 * HOUR)
    assert life.stage.world == before
    life.engine.suspend({})
    life.live(10)
    assert len(names(life, "vault", "backup/alpha/tank/a")) == 2


def test_what_was_suspended_before_there_were_specs_is_suspended() -> None:
    specs = desired(WEB)
    life = Life(opened(specs=specs), specs)
    life.engine.law = None
    life.engine.suspend({"web": "by root"})
    life.engine.adopt(specs, life.fleet(specs))
    life.live(HOUR)
    assert names(life, "alpha", "tank/a") == []


def test_a_suspension_outlives_a_spec_change() -> None:
    life = settled()
    life.engine.suspend({"web": "by root"})
    other = desired(WEB.replace("last 2", "last 4"))
    life.engine.adopt(other, life.fleet(other))
    before = dict(life.stage.world)
    life.live(HOUR)
    assert life.stage.world == before


def test_suspending_one_leaves_the_others_at_work() -> None:
    life = settled(WEB, DB)
    life.engine.suspend({"web": "by root"})
    before = dict(life.stage.world)
    life.live(HOUR)
    assert life.stage.world["alpha"] == before["alpha"]
    assert life.stage.world["beta"] != before["beta"]


def test_who_asks_for_a_replication_has_its_hosts_looked_at_though_nothing_was_heard() -> None:
    life = settled(WEB, DB)
    for host in life.desired.hosts:
        life.engine.hears(host, is_open=True)
    life.work()
    life.worked.clear()
    told(life).asked.clear()
    life.engine.wake([SENDER])
    life.work()
    assert told(life).asked == {}, "an open and silent stream says that nothing changed"
    assert life.engine.ask_for("web")
    life.work()
    assert told(life).asked == {"alpha": 1, "vault": 1}
    assert keys(life) == {SENDER, PAIR}


def test_who_asks_for_a_replication_does_not_wait_for_a_host_that_was_away() -> None:
    life = a_life(planned={"vault": dict(AWAY)})
    life.live(HOUR)
    assert life.engine.queue.state(PAIR, life.ticks()).phase is Phase.RETRYING
    life.faults["vault"].planned = {}
    life.engine.ask_for("web")
    life.work()
    assert len(names(life, "vault", "backup/alpha/tank/a")) > 0


def test_nobody_can_ask_for_what_the_specs_do_not_have() -> None:
    life = settled()
    assert not life.engine.ask_for("nothing")
    life.work()
    assert keys(life) == set()


# -- when ------------------------------------------------------------------------------------------


def test_the_senders_key_comes_up_at_the_slot_and_the_receiver_gets_it_then() -> None:
    life = settled()
    slot = life.stage.now // SLOT * SLOT + SLOT
    life.live(SLOT)
    assert keys(life) == {SENDER, PAIR}
    assert {at for at, _ in life.worked} <= {slot, slot + 1}
    assert len(names(life, "vault", "backup/alpha/tank/a")) == 2


def test_the_senders_key_comes_up_when_cron_says_so() -> None:
    web = WEB.replace("every 15m", "cron 10-59/15 * * * * zone Asia/Kolkata")
    life = settled(web)
    slot = life.stage.now // SLOT * SLOT + 600
    slot += SLOT if slot <= life.stage.now else 0
    life.live(SLOT)
    assert keys(life) == {SENDER, PAIR}
    assert {at for at, _ in life.worked} <= {slot, slot + 1}
    assert len(names(life, "vault", "backup/alpha/tank/a")) == 2


def test_the_pairs_key_comes_up_when_a_window_opens() -> None:
    life = a_life(WEB.replace("every 15m", "every 7d allow 30 * * * * 5m"))
    opens = life.stage.now // HOUR * HOUR + HOUR // 2
    opens += HOUR if opens <= life.stage.now else 0
    life.live(opens - life.stage.now - 1)
    assert len(names(life, "alpha", "tank/a")) == 1
    assert "backup/alpha/tank/a" not in life.stage.world["vault"].datasets
    assert told(life).counts["blocked window"] == 0, "it is no guard's doing that needs a look"
    life.worked.clear()
    life.live(2)
    assert keys(life) == {SENDER, PAIR}
    assert {at for at, _ in life.worked} <= {opens, opens + 1}
    assert len(names(life, "vault", "backup/alpha/tank/a")) == 1


@pytest.mark.parametrize(
    ("moment", "arrived"),
    [
        pytest.param(10, [], id="while its parent is made"),
        pytest.param(15, [], id="before the first stream"),
        pytest.param(16, ["a"], id="while the first one comes in"),
        pytest.param(24, ["a", "b"], id="while the last one comes in"),
    ],
)
def test_when_a_window_ends_what_runs_goes_on_and_what_has_not_begun_waits(
    moment: int, arrived: list[str]
) -> None:
    life = a_life(WEB.replace("every 15m", "every 7d allow 30 * * * * 5m"))

    def pass_by() -> None:
        life.stage.now += 600

    def there() -> list[str]:
        received = life.stage.world["vault"].datasets
        return [name for name in ("a", "b") if f"backup/alpha/tank/{name}" in received]

    opens = life.stage.now // HOUR * HOUR + HOUR // 2
    life.live(opens - life.stage.now - 1)
    life.faults["vault"].planned = {life.faults["vault"].moments + moment: Interlude(pass_by)}
    life.live(600)
    assert life.faults["vault"].happened
    assert there() == arrived
    life.live(HOUR)
    assert there() == ["a", "b"]


def test_everything_is_looked_at_now_and_then_though_nothing_was_heard() -> None:
    seldom = WEB.replace("15m", "7d")
    life = settled(seldom, resync=600)
    for host in life.desired.hosts:
        life.engine.hears(host, is_open=True)
    life.work()
    for _ in range(5):
        life.worked.clear()
        told(life).asked.clear()
        life.live(661)
        assert keys(life) == {SENDER, PAIR}
        assert told(life).asked.keys() == {"alpha", "vault"}


def test_a_host_that_is_quiet_is_not_asked_between_slots() -> None:
    life = settled()
    for host in life.desired.hosts:
        life.engine.hears(host, is_open=True)
    life.work()
    told(life).asked.clear()
    life.live(SLOT // 4)
    assert told(life).asked == {}


def test_what_is_heard_wakes_those_it_concerns() -> None:
    life = settled(WEB, DB)
    life.engine.changed("alpha", frozenset({"tank/a"}))
    life.work()
    assert keys(life) == {SENDER, PAIR}
    life.worked.clear()
    life.engine.changed("vault", frozenset({"backup/beta/tank/a"}))
    life.work()
    assert keys(life) == {DB_PAIR}
    life.worked.clear()
    life.engine.changed("alpha", frozenset({"other/thing"}))
    life.work()
    assert keys(life) == set()


def test_what_is_destroyed_is_planned_from_looks_that_were_made_for_it() -> None:
    """What both ends had may be gone from one of them, and no event has said so."""
    many = WEB.replace("last 2", "last 9")
    life = settled(many)
    life.live(3 * SLOT)
    for host in life.desired.hosts:
        life.engine.hears(host, is_open=True)
    life.work()
    *_, older, newest = names(life, "vault", "backup/alpha/tank/a")
    there = f"backup/alpha/tank/a@{newest}"
    life.stage.sh("vault", f"zfs release rec-base_web {there}", f"zfs destroy {there}")
    life.stage.sh(
        "alpha", *(f"zfs destroy tank/a#{n}" for n in names(life, "alpha", "tank/a", "#"))
    )
    fewer = desired(WEB.replace("last 2", "last 1"))
    life.engine.adopt(fewer, life.fleet(fewer))
    told(life).asked.clear()
    life.engine.work(taken(life, SENDER))
    assert told(life).asked.keys() == {"alpha", "vault"}
    assert older in names(life, "alpha", "tank/a"), "it is all that both ends have"


def taken(life: Life, wanted: Key) -> Key:
    """Take a key up, whatever else is due."""
    while (key := life.engine.take()) is not None:
        if key == wanted:
            return key
    raise AssertionError(f"{wanted} is not due")


# -- trouble ---------------------------------------------------------------------------------------


def test_a_host_that_is_away_keeps_no_other_waiting_and_is_not_hammered() -> None:
    life = a_life(WEB, DB, planned={"beta": dict(AWAY)})
    life.live(2 * HOUR)
    assert len(names(life, "vault", "backup/alpha/tank/a")) == 3
    assert told(life).asked["beta"] < 50
    report = life.engine.memory.reports[DB_SENDER]
    assert (report.outcome, report.reason) == (Outcome.FAILED, "HostUnreachable")


def test_what_is_heard_of_one_end_does_not_hurry_the_retries_for_the_other() -> None:
    life = a_life(planned={"vault": dict(AWAY)})
    life.live(2 * HOUR)
    life.worked.clear()
    for _ in range(120):
        life.engine.changed("alpha", frozenset({"tank/a"}))
        life.live(1)
    assert sum(key == PAIR for _, key in life.worked) < 10


def test_somebody_who_undoes_all_we_do_is_told_of_and_not_fought_for_ever() -> None:
    def undo(_: Key) -> None:
        for cursor in names(life, "alpha", "tank/a", "#"):
            life.stage.sh("alpha", f"zfs destroy tank/a#{cursor}")

    life = settled(WEB.replace("15m", "7d"))
    life.on_work = undo
    undo(PAIR)
    life.engine.wake()
    life.live(2 * HOUR)
    report = life.engine.memory.reports[PAIR]
    assert (report.outcome, report.reason) == (Outcome.FAILED, "NotConverging")
    assert REPEATS < sum(key == PAIR for _, key in life.worked) < 60
    about = [past for past in life.engine.memory.histories["web"] if past.message == report.message]
    assert len(about) == 1, "it stays one thing, however often it happens"


def test_a_bug_with_one_key_is_counted_and_told_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = threading.Event()
    broken.set()
    original = part_of

    def breaking(made: Plan, key: Key, *rest: Any, **more: Any) -> Plan:
        if key == DB_SENDER and broken.is_set():
            raise RuntimeError("no such thing")
        return original(made, key, *rest, **more)

    monkeypatch.setattr(work, "part_of", breaking)
    life = a_life(WEB, DB)
    life.live(2 * HOUR)
    assert 2 < told(life).counts["panicked sender"] < 40
    assert told(life).counts["taken"] == told(life).counts["reconciled"]
    assert len(names(life, "vault", "backup/alpha/tank/a")) == 3
    report = life.engine.memory.reports[DB_SENDER]
    assert (report.outcome, report.reason) == (Outcome.FAILED, "Bug")
    assert "RuntimeError: no such thing" in report.message
    assert any("this is a bug" in said and "'db'" in said for said in life.notebook.said_)
    broken.clear()
    life.live(HOUR)
    assert life.engine.memory.reports[DB_SENDER].outcome is Outcome.SUCCEEDED
    assert names(life, "vault", "backup/beta/tank/a")


def test_a_bug_in_reporting_a_run_gives_back_all_that_it_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    life = a_life()
    monkeypatch.setattr(work, "finding", lambda *_: 1 / 0)
    life.live(20)
    assert life.engine.memory.reports[SENDER].reason == "Bug"
    assert life.engine.working.flights == ()
    monkeypatch.undo()
    life.live(HOUR)
    assert life.engine.memory.reports[PAIR].outcome is Outcome.SUCCEEDED


def test_a_run_that_cannot_be_launched_gives_back_all_that_it_had() -> None:
    life = a_life()

    def refuse(_: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    around = life.engine.around
    life.engine.working._around = replace(around, launch=refuse)
    life.live(20)
    assert life.engine.memory.reports[SENDER].reason == "Bug"
    assert life.engine.working.flights == ()
    life.engine.working._around = around
    life.live(HOUR)
    assert life.engine.memory.reports[SENDER].outcome is Outcome.SUCCEEDED
    assert len(names(life, "alpha", "tank/a")) > 0


# -- streams that take long ------------------------------------------------------------------------


class Slow:
    """A launch that leaves runs with streams to themselves until they are let go on."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.gate = threading.Event()
        self.threads: list[threading.Thread] = []
        self.waits = threading.Event()
        self.streams: list[Argv] = []
        life.engine.working._around = replace(life.engine.around, launch=self.launch)

    def launch(self, run: Callable[[], None]) -> None:
        flight = self.life.engine.working.flights[-1]
        if not any(planned.action.verb == "send" for planned in flight.part.actions):
            run()
            return
        thread = threading.Thread(target=self._held, args=(run,), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _held(self, run: Callable[[], None]) -> None:
        self.gate.wait(30)
        run()

    def land(self) -> None:
        """Let the streams end."""
        self.gate.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def slow() -> Slow:
    """Everything was sent but for a new snapshot, the stream of which is under way."""
    slow = Slow(settled())
    slow.life.live(SLOT)
    assert flown(slow).key == PAIR
    return slow


def flown(slow: Slow) -> Flight:
    (flight,) = slow.life.engine.working.flights
    return flight


def test_a_stream_that_takes_long_leaves_its_key_free(slow: Slow) -> None:
    engine = slow.life.engine
    assert engine.queue.working() == 0
    assert flown(slow).is_away
    assert told(slow.life).counts["taken"] == told(slow.life).counts["reconciled"]
    slow.land()


def test_new_filesystems_do_not_wait_for_a_stream_that_takes_long(slow: Slow) -> None:
    life = slow.life
    life.stage.sh("alpha", "zfs create tank/new")
    life.engine.working._around = life.engine.around
    life.live(SLOT)
    assert names(life, "vault", "backup/alpha/tank/new")
    assert len(names(life, "vault", "backup/alpha/tank/a")) == 1
    slow.land()


def test_the_next_snapshot_does_not_wait_for_a_stream_that_takes_long(slow: Slow) -> None:
    life = slow.life
    before = names(life, "alpha", "tank/a")
    life.live(2 * SLOT)
    assert len(set(names(life, "alpha", "tank/a")) - set(before)) == 2
    slow.land()


def test_nothing_else_touches_what_a_stream_that_takes_long_touches(slow: Slow) -> None:
    life = slow.life
    vault = life.stage.world["vault"]
    first = flown(slow)
    life.live(3 * SLOT)
    assert life.stage.world["vault"] == vault
    assert life.engine.working.flights == (first,)
    slow.land()


def test_other_receivers_do_not_wait_for_a_stream_that_takes_long() -> None:
    life = settled(f"{WEB} -> north keep last 3")
    slow = Slow(life)
    life.live(SLOT)
    flying = {flight.key for flight in life.engine.working.flights}
    assert flying == {PAIR, Key("web", "alpha", "north")}
    slow.land()
    for host in ("north", "vault"):
        sent = names(life, host, "backup/alpha/tank/a")
        assert sent == names(life, "alpha", "tank/a")


def test_while_streams_go_on_nobody_looks_every_second(slow: Slow) -> None:
    life = slow.life
    told(life).asked.clear()
    life.live(SLOT // 2)
    looks = SLOT // 2 / COME_BACK_LATE
    assert told(life).asked["vault"] <= 3 * (looks + 1)
    slow.land()


def test_the_end_of_a_stream_wakes_its_key(slow: Slow) -> None:
    life = slow.life
    life.live(SLOT // 4)
    life.worked.clear()
    slow.land()
    life.engine.working._around = life.engine.around
    life.work()
    assert PAIR in keys(life)
    life.live(10)
    sent = names(life, "alpha", "tank/a")[-1]
    assert names(life, "vault", "backup/alpha/tank/a")[-1] == sent
    assert life.engine.working._claims._taken == {}


def test_streams_that_fail_after_a_long_time_are_not_begun_again_at_once(slow: Slow) -> None:
    life = slow.life
    life.faults["vault"].planned = dict(AWAY)
    slow.land()
    assert life.engine.memory.reports[PAIR].outcome is Outcome.FAILED
    state = life.engine.queue.state(PAIR, life.ticks())
    assert (state.phase, state.failures) == (Phase.RETRYING, 1)


def test_a_replication_that_vanishes_while_its_stream_goes_on_leaves_nothing(slow: Slow) -> None:
    life = slow.life
    other = desired(WEB.replace("web:", "other:").replace("rec-", "oth-"))
    life.engine.adopt(other, life.fleet(other))
    slow.land()
    assert PAIR not in set(life.engine.queue)
    assert PAIR not in life.engine.memory.reports
    assert life.engine.working._claims._taken == {}


def test_what_has_not_changed_on_a_host_is_the_very_same_when_it_is_looked_at_again() -> None:
    life = settled()
    world = life.engine.world
    world.doubt("alpha")
    before, _ = world.observe(["alpha"], fresh=True)
    life.stage.sh("alpha", "zfs snapshot tank/a@mine")
    after, _ = world.observe(["alpha"], fresh=True)

    first, second = before["alpha"], after["alpha"]
    assert isinstance(first, Seen)
    assert isinstance(second, Seen)
    assert second.filesystems["tank/b"] is first.filesystems["tank/b"]
    assert len(second.filesystems["tank/a"].snapshots) > len(first.filesystems["tank/a"].snapshots)
