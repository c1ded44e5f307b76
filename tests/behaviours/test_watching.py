"""A controller that goes on while something is wrong: what it does and what it says of it."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.controller.overview import Self, overview
from reconciler.executor.perform import BROKEN_DELAYS
from reconciler.observed.model import Seen
from reconciler.report.metrics import Metrics
from reconciler.report.status import SpecsStatus
from reconciler.simulator.faults import Cut, Fault, Lost
from reconciler.zfs.errors import FailureKind
from tests.support.living import Life
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

WEB = desired("web: alpha tank/** !tank every 15m keep last 3 -> vault keep last 3")
BOTH = desired("web: alpha,beta tank/** !tank every 15m keep last 3 -> vault keep last 3")
SELDOM = desired("web: alpha tank/** !tank every 1d keep last 3 -> vault keep last 3")
SLOT, DAY = 900, 86400
PART = 6000
"""Bytes of a stream before it is cut: simulated records are short."""
ME = Self("1.0", "ctl pid 1", 1, 8, dry_run=False)
SOURCE = SpecsStatus("specs", "sha256:0", None, 3, 1, None)


def stage(*senders: str) -> Stage:
    made = Stage([*senders, "vault"])
    for sender in senders:
        made.sh(sender, "zpool create tank disk", "zfs create tank/a")
    made.sh("vault", "zpool create backup disk")
    return made


def scraped(life: Life, name: str, **labels: str) -> float:
    """Return a metric as a scrape would find it now."""
    status = overview(life.engine, ME, SOURCE, None, life.stage.now)
    text = Metrics(lambda: status).exposition(None)[0].decode()
    [found] = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"reconciler_{name}" and labels.items() <= sample.labels.items()
    ]
    return found


class Gone(dict[int, Fault]):
    """Every moment goes wrong."""

    def get(self, _moment: int, _default: object = None) -> Fault:
        return Lost()


def test_h107_while_one_host_of_three_is_away_the_metrics_say_which() -> None:
    life = Life(stage("alpha", "beta"), BOTH)
    life.faults["beta"].planned = Gone()
    life.live(SLOT)
    up = {host: scraped(life, "host_up", host=host) for host in ("alpha", "beta", "vault")}
    assert up == {"alpha": 1, "beta": 0, "vault": 1}


def test_h121_after_days_of_failures_the_ages_have_grown_and_so_has_the_count() -> None:
    life = Life(stage("alpha"), SELDOM)
    life.live(SLOT)
    labels = {"replication": "web", "filesystem": "tank/a"}
    arrived = scraped(life, "latest_replicated_snapshot_timestamp_seconds", **labels)
    assert life.stage.now - arrived < DAY

    life.faults["vault"].planned = Gone()
    failures = 0.0
    for _ in range(3):
        life.live(2 * DAY)
        assert scraped(life, "latest_replicated_snapshot_timestamp_seconds", **labels) == arrived
        more = scraped(life, "consecutive_failures", replication="web", receiver="vault")
        assert more > failures
        failures = more
    assert life.stage.now - arrived > 5 * DAY
    # Snapshots are made all the same.
    latest = scraped(life, "latest_snapshot_timestamp_seconds", host="alpha")
    assert life.stage.now - latest <= DAY

    life.faults["vault"].planned = {}
    life.live(DAY)
    again = scraped(life, "latest_replicated_snapshot_timestamp_seconds", **labels)
    assert life.stage.now - again <= DAY
    assert scraped(life, "consecutive_failures", replication="web", receiver="vault") == 0


def test_p52_what_is_older_than_its_goal_is_late_and_says_so() -> None:
    web = SELDOM.replications["web"]
    targets = tuple(replace(target, max_lag=2 * DAY) for target in web.targets)
    goals = replace(SELDOM, replications={"web": replace(web, targets=targets)})
    life = Life(stage("alpha"), goals)
    life.live(SLOT)

    def late() -> list[str]:
        status = overview(life.engine, ME, SOURCE, None, life.stage.now)
        [found] = status.replications
        return [lag.filesystem for lag in found.lags if lag.is_late(life.stage.now)]

    assert late() == []
    life.faults["vault"].planned = Gone()
    life.live(DAY)
    assert late() == []
    life.live(2 * DAY)
    assert late() == ["tank/a"]
    life.faults["vault"].planned = {}
    life.live(DAY)
    assert late() == []


# -- what is cut ----------------------------------------------------------------------------------


def sends(made: Stage) -> list[int]:
    """Return the moments at which a stream is sent in the next cycle."""
    rehearsal = Controller(made.copy(), WEB)
    rehearsal.apply()
    started = rehearsal.faults["alpha"].started
    return [moment for moment, argv in started.items() if argv[:2] == ("zfs", "send")]


def on_vault(made: Stage) -> tuple[set[int], str | None]:
    """Return the guids of the receiver's snapshots and its resume token."""
    seen = Controller(made, WEB).observe()["vault"]
    assert isinstance(seen, Seen)
    receiver = seen.filesystems.get("backup/alpha/tank/a")
    if receiver is None:
        return set(), None
    return {v.guid for v in receiver.versions if v.is_snapshot}, receiver.resume_token


def test_p24_a_stream_that_is_cut_again_and_again_gets_on_each_time_and_arrives() -> None:
    made = stage("alpha")
    made.sh("alpha", *(f"write tank/a file{number} 300M" for number in range(4)))
    tokens: list[str] = []
    for _ in range(20):
        moments = sends(made)
        if not moments:
            break
        Controller(made, WEB, {"alpha": {moments[0]: Cut(PART, 1)}}).apply()
        guids, token = on_vault(made)
        if token is not None:
            assert not guids
            assert token not in tokens, "nothing was won"
            tokens.append(token)
    assert len(tokens) >= 3
    guids, token = on_vault(made)
    assert len(guids) == 1
    assert token is None


def test_p32_after_a_pipe_that_broke_once_nothing_is_there_and_the_next_run_completes_it() -> None:
    made = stage("alpha")
    made.sh("alpha", "write tank/a file 300M")
    [moment] = sends(made)
    result = Controller(made, WEB, {"alpha": {moment: Cut(PART, 255)}}).apply()
    assert result is not None
    [(_, failure)] = result.failed
    assert failure.kind is FailureKind.TRANSPORT, failure
    assert on_vault(made)[0] == set()
    again = Controller(made, WEB).apply()
    assert again is not None
    assert again.ok
    assert len(on_vault(made)[0]) == 1


@pytest.mark.parametrize("broken", [1, 2])
def test_p33_as_many_failures_as_there_are_tries_are_got_over_and_no_more(broken: int) -> None:
    made = stage("alpha")
    rehearsal = Controller(made.copy(), WEB)
    plan = rehearsal.plan()
    looked = rehearsal.faults["alpha"].moments
    faults = {looked + number: Lost() for number in range(1, broken + 1)}
    controller = Controller(made, WEB, {"alpha": faults})
    result = controller.execute(controller.plan())
    assert len(controller.faults["alpha"].happened) == broken
    assert result.ok is (broken <= len(BROKEN_DELAYS))
    assert len(plan.actions) == len(result.completed) + len(result.failed) + len(result.skipped)


def test_p34_a_source_that_vanishes_during_a_run_takes_no_other_along() -> None:
    made = stage("alpha")
    made.sh("alpha", "zfs create tank/b")
    controller = Controller(made, WEB)
    plan = controller.plan()
    made.sh("alpha", "zfs destroy tank/a")
    result = controller.execute(plan)
    assert not result.ok
    Controller(made, WEB).apply()
    assert Controller(made, WEB).plan().actions == ()
    seen = Controller(made, WEB).observe()["vault"]
    assert isinstance(seen, Seen)
    assert len(seen.filesystems["backup/alpha/tank/b"].snapshots) == 1
