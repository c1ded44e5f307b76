"""Metrics: what was counted and what is so, in a scrape that never fails."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from reconciler.report import gauges, metrics
from reconciler.report.gauges import Gauge
from reconciler.report.measure import Measure, Per
from reconciler.report.measures import MEASURES, PER_FILESYSTEM
from reconciler.report.metrics import Metrics
from reconciler.report.metrics_reference import PROCESS, page, total
from reconciler.report.status import Blockage, ControllerStatus
from reconciler.report.telemetry import Telemetry
from tests.support.statuses import BEGINNING, BUSY, HOSTILE, QUIET, WEB, lag, renamed, statuses
from tests.support.worlds import NOW

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"
COMMAND = "python -m reconciler.report.metrics_reference > docs/metrics.md"
NAME = "reconciler_"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def samples(of: Metrics) -> dict[str, list[Sample]]:
    """Return what a scrape gives, by sample name."""
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(of.exposition(None)[0].decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def value(of: Metrics, name: str, /, **labels: str) -> float | None:
    """Return one sample's value, None when it is not there."""
    every = samples(of).get(NAME + name, [])
    return next((s.value for s in every if s.labels == labels), None)


def of(status: ControllerStatus) -> Metrics:
    return Metrics(lambda: status)


def fed(telemetry: Telemetry) -> None:
    """Let everything happen that can be heard of."""
    for kind in ("sender", "pair"):
        telemetry.queued(kind)
        telemetry.taken(kind, 0.5)
        telemetry.panicked(kind)
        telemetry.retried(kind)
        telemetry.reconciled(kind, "error", 2.0)
    telemetry.acted("send", "success", 12.0)
    telemetry.sent("web", 4096)
    telemetry.planned("destroy", 7)
    telemetry.blocked("budget", 3)
    telemetry.observed("vault", 0.3, seen=True)
    telemetry.heard("vault", 2)
    telemetry.deaf("vault")
    telemetry.disagreed("vault", 1)
    telemetry.loaded(ok=False, at=NOW)


def test_what_happened_is_counted() -> None:
    made = of(QUIET)
    fed(made)
    fed(made)
    made.reconciled("pair", "terminal", 1.0)
    made.loaded(ok=True, at=NOW)
    made.observed("vault", 30.0, seen=False)
    expected: list[tuple[str, Mapping[str, str], float]] = [
        ("reconcile_total", {"kind": "pair", "result": "error"}, 2),
        ("reconcile_total", {"kind": "pair", "result": "terminal"}, 1),
        ("reconcile_errors_total", {"kind": "pair"}, 3),
        ("terminal_reconcile_errors_total", {"kind": "pair"}, 1),
        ("reconcile_panics_total", {"kind": "sender"}, 2),
        ("reconcile_time_seconds_count", {"kind": "sender"}, 2),
        ("reconcile_time_seconds_sum", {"kind": "sender"}, 4.0),
        ("workqueue_adds_total", {"name": "sender"}, 2),
        ("workqueue_queue_duration_seconds_sum", {"name": "pair"}, 1.0),
        ("workqueue_work_duration_seconds_count", {"name": "pair"}, 3),
        ("workqueue_retries_total", {"name": "pair"}, 2),
        ("steps_total", {"action": "send", "result": "success"}, 2),
        ("step_duration_seconds_sum", {"action": "send"}, 24.0),
        ("replicated_bytes_total", {"replication": "web"}, 8192),
        ("plan_steps_total", {"action": "destroy"}, 14),
        ("guard_blocked_steps_total", {"guard": "budget"}, 6),
        ("host_observations_total", {"host": "vault", "result": "seen"}, 2),
        ("host_observations_total", {"host": "vault", "result": "unseen"}, 1),
        ("host_observation_duration_seconds_count", {}, 3),
        ("host_events_total", {"host": "vault"}, 4),
        ("host_event_stream_failures_total", {"host": "vault"}, 2),
        ("host_unannounced_changes_total", {"host": "vault"}, 2),
        ("config_reloads_total", {"result": "failure"}, 2),
        ("config_reloads_total", {"result": "success"}, 1),
    ]
    found = samples(made)
    for name, labels, count in expected:
        matching = [s.value for s in found[NAME + name] if s.labels == labels]
        assert matching == [count], (name, labels)


def test_what_was_not_begun_took_no_time() -> None:
    made = of(QUIET)
    made.acted("send", "skipped", 0.0)
    assert value(made, "steps_total", action="send", result="skipped") == 1
    assert value(made, "step_duration_seconds_count", action="send") == 0


def test_series_that_are_known_to_come_are_there_from_the_beginning() -> None:
    made = of(QUIET)
    assert value(made, "reconcile_panics_total", kind="pair") == 0
    assert value(made, "reconcile_total", kind="sender", result="terminal") == 0
    assert value(made, "steps_total", action="abort-receive", result="failure") == 0
    assert value(made, "scrape_errors_total", part="hosts") == 0
    assert value(made, "config_reloads_total", result="failure") == 0
    assert value(made, "host_events_total", host="vault") is None
    made.observed("vault", 0.3, seen=True)
    assert value(made, "host_events_total", host="vault") == 0
    assert value(made, "host_unannounced_changes_total", host="vault") == 0


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("build_info", {"version": "0.1.0"}, 1),
        ("heartbeat_timestamp_seconds", {}, NOW - 1),
        ("config_last_reload_successful", {}, 0),
        ("config_last_reload_success_timestamp_seconds", {}, NOW - 6 * 3600),
        ("active_workers", {}, 2),
        ("max_concurrent_reconciles", {}, 8),
        ("workqueue_depth", {"name": "sender"}, 1),
        ("workqueue_depth", {"name": "pair"}, 0),
        (
            "resource_info",
            {
                "kind": "Replication",
                "name": "database",
                "ready": "False",
                "stalled": "true",
                "suspended": "false",
            },
            1,
        ),
        (
            "resource_info",
            {
                "kind": "Host",
                "name": "web1",
                "ready": "True",
                "stalled": "false",
                "suspended": "false",
            },
            1,
        ),
        ("host_up", {"host": "offsite"}, 0),
        ("host_up", {"host": "vault"}, 1),
        ("host_event_stream_open", {"host": "nas"}, 0),
        ("host_versions", {"host": "vault", "type": "snapshot"}, 20112),
        ("pool_health_info", {"host": "nas", "pool": "tank", "health": "DEGRADED"}, 1),
        ("pool_free_bytes", {"host": "nas", "pool": "tank"}, 2**30),
        ("blocked", {"replication": "database", "code": "diverged"}, 1),
        ("next_due_timestamp_seconds", {"replication": "web"}, NOW + 600),
        (
            "consecutive_failures",
            {"replication": "database", "sender": "db1", "receiver": "offsite"},
            6,
        ),
        ("running_sends", {"replication": "home"}, 2),
        ("running_sends", {"replication": "web"}, 0),
        ("latest_snapshot_timestamp_seconds", {"host": "db1", "filesystem": "tank/db"}, NOW - 300),
        (
            "latest_replicated_snapshot_timestamp_seconds",
            {
                "replication": "web",
                "host": "web1",
                "filesystem": "tank/www",
                "receiver_host": "vault",
                "receiver": "backup/web1/tank/www",
            },
            NOW - 300,
        ),
        (
            "replication_max_lag_seconds",
            {
                "replication": "database",
                "host": "db1",
                "filesystem": "tank/db/logs",
                "receiver_host": "offsite",
                "receiver": "backup/db1/tank/db/logs",
            },
            86400,
        ),
    ],
)
def test_what_is_so_is_read_off_the_status(
    name: str, labels: dict[str, str], expected: float
) -> None:
    assert value(of(BUSY), name, **labels) == expected


def test_what_never_arrived_has_a_goal_and_no_timestamp() -> None:
    status = replace(QUIET, replications=(replace(WEB, lags=(lag("a", "t", "v", None, 60),)),))
    found = samples(of(status))
    assert NAME + "latest_replicated_snapshot_timestamp_seconds" not in found
    assert len(found[NAME + "replication_max_lag_seconds"]) == 1


def test_specs_that_never_were_in_force_have_no_instant() -> None:
    assert value(of(BEGINNING), "config_last_reload_success_timestamp_seconds") is None
    assert value(of(BEGINNING), "config_last_reload_successful") == 0


def test_the_status_is_looked_at_when_it_is_asked_for() -> None:
    current = [QUIET]
    made = Metrics(lambda: current[0])
    assert value(made, "host_up", host="web1") == 1
    current[0] = replace(QUIET, hosts=())
    assert value(made, "host_up", host="web1") is None


def test_work_that_hangs_is_seen_before_it_ends() -> None:
    clock = Clock()
    made = Metrics(lambda: QUIET, clock=clock)
    made.taken("pair", 0.0)
    clock.now += 100
    made.taken("pair", 0.0)
    clock.now += 10
    assert value(made, "workqueue_longest_running_processor_seconds", name="pair") == 110
    assert value(made, "workqueue_unfinished_work_seconds", name="pair") == 120
    made.reconciled("pair", "success", 10.0)
    assert value(made, "workqueue_unfinished_work_seconds", name="pair") == 110
    made.reconciled("pair", "success", 110.0)
    assert value(made, "workqueue_longest_running_processor_seconds", name="pair") == 0
    made.reconciled("pair", "success", 5.0)
    assert value(made, "workqueue_unfinished_work_seconds", name="sender") == 0


@pytest.mark.parametrize("part", [*gauges.PARTS, *gauges.PER_FILESYSTEM])
def test_a_part_that_fails_takes_no_other_with_it(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: ControllerStatus) -> Iterator[Gauge]:
        yield MEASURES[0], {}
        raise RuntimeError("broken")

    table = "PARTS" if part in gauges.PARTS else "PER_FILESYSTEM"
    monkeypatch.setattr(metrics, table, {**getattr(gauges, table), part: broken})
    whole, cut = samples(of(BUSY)), Metrics(lambda: BUSY)
    names = set(samples(cut))
    assert whole.keys() <= names | set(samples(of(BUSY)))
    assert value(cut, "reconcile_panics_total", kind="pair") == 0
    assert value(cut, "scrape_errors_total", part=part) == 3, "each scrape tells of its own"
    others = {"blocked": "host_up"}.get(part, "blocked")
    assert NAME + others in names


def test_without_a_status_what_was_counted_is_served() -> None:
    def no_status() -> NoReturn:
        raise OSError("gone")

    made = Metrics(no_status)
    fed(made)
    assert value(made, "scrape_errors_total", part="status") == 1
    assert value(made, "reconcile_panics_total", kind="pair") == 1
    assert value(made, "heartbeat_timestamp_seconds") is None


@given(statuses)
@settings(max_examples=20)
def test_every_status_can_be_scraped(status: ControllerStatus) -> None:
    made = of(status)
    for accept in (None, metrics.OPENMETRICS):
        body, _ = made.exposition(accept)
        assert body
    assert all(s.value == 0 for s in samples(made)[NAME + "scrape_errors_total"])


def test_hosts_words_can_not_break_a_scrape() -> None:
    made = of(renamed(BUSY, HOSTILE))
    fed(made)
    made.observed(HOSTILE, 1.0, seen=True)
    made.blocked(HOSTILE, 1)
    found = samples(made)
    assert {s.labels["host"].isprintable() for s in found[NAME + "host_up"]} == {True}
    assert "<script>" in found[NAME + "host_up"][0].labels["host"]


def test_no_series_is_there_twice() -> None:
    twice = replace(
        QUIET,
        hosts=(*QUIET.hosts, *QUIET.hosts),
        replications=(WEB, WEB),
    )
    for status in (twice, renamed(BUSY, "x"), renamed(BUSY, HOSTILE)):
        for name, found in samples(of(status)).items():
            labels = [tuple(sorted(s.labels.items())) for s in found]
            assert len(labels) == len(set(labels)), name


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;q=0.2",
    ],
)
def test_openmetrics_is_served_where_it_is_accepted(accept: str) -> None:
    body, kind = of(QUIET).exposition(accept)
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")


@pytest.mark.parametrize("accept", [None, "", "*/*", "text/plain;version=a.b", "\x00"])
def test_else_it_is_prometheus_text(accept: str | None) -> None:
    body, kind = of(QUIET).exposition(accept)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# EOF" not in body


def test_what_grows_with_filesystems_can_be_left_out() -> None:
    found = samples(Metrics(lambda: BUSY, per_filesystem=False))
    assert not found.keys() & {measure.name for measure in PER_FILESYSTEM}
    assert NAME + "host_up" in found


# What the page in docs/ says


def registered(made: Metrics) -> dict[str, tuple[str, frozenset[str]]]:
    """Return type and labels of all that a scrape gave."""
    found = {}
    for family in made.registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for s in family.samples for label in s.labels} - {"le"}
        found[name] = (family.type, frozenset(labels))
    return found


def declared() -> dict[str, tuple[str, frozenset[str]]]:
    """Return what the page lists."""
    rows = re.findall(
        r"^\| `([a-z_]+)` \| (\w+) \| (.*?) \| .*? \| .*? \|$", DOCS.read_text(), re.MULTILINE
    )
    return {
        name: (type_, frozenset(re.findall(r"`(\w+)`", labels))) for name, type_, labels in rows
    }


def test_the_page_lists_exactly_what_there_is() -> None:
    made = of(BUSY)
    fed(made)
    assert registered(made) == declared()
    assert {name for name in declared() if name.startswith("process_")} == set(PROCESS)


def test_the_page_in_docs_is_up_to_date() -> None:
    assert DOCS.read_text() == page(), f"{DOCS.name} is stale. Regenerate it: {COMMAND}"
    assert COMMAND in page()


def sizes(status: ControllerStatus) -> dict[Per, int]:
    """Return how many there are of what grows."""
    lags = [lag for found in status.replications for lag in found.lags]
    return {
        Per.OBJECT: len(status.hosts) + len(status.replications),
        Per.FILESYSTEM: len({(lag.host, lag.filesystem) for lag in lags}),
        Per.GUARD: len({b.code for found in status.replications for b in found.blocked}),
        Per.HOST: len(status.hosts),
        Per.PART: len(metrics.PART_NAMES),
        Per.POOL: sum(len(host.pools) for host in status.hosts),
        Per.RECEIVER: len(lags),
        Per.REPLICATION: len(status.replications),
        Per.WAY: sum(len(found.ways) for found in status.replications),
    }


def many(status: ControllerStatus, times: int) -> ControllerStatus:
    """Return a status with more of everything, under other names."""
    hosts = [replace(h, name=f"{h.name}{i}") for i in range(times) for h in status.hosts]
    found = [replace(r, name=f"{r.name}{i}") for i in range(times) for r in status.replications]
    running = [replace(send, replication=f"{send.replication}0") for send in status.running]
    return replace(status, hosts=tuple(hosts), replications=tuple(found), running=tuple(running))


@pytest.mark.parametrize("status", [BUSY, many(BUSY, 10), many(QUIET, 50)])
def test_there_are_never_more_series_than_the_page_says(status: ControllerStatus) -> None:
    made = of(status)
    for host in status.hosts:
        for seen in (True, False):
            made.observed(host.name, 1.0, seen=seen)
        made.heard(host.name, 1)
    for found in status.replications:
        made.sent(found.name, 1)
    counts: dict[str, int] = {}
    for family in made.registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        counts[name] = len(family.samples)
    bounds = {measure.name: measure.series(sizes(status)) for measure in MEASURES}
    over = {name: count for name, count in counts.items() if count > bounds.get(name, 1)}
    assert not over
    assert sum(counts.values()) <= total(sizes(status), MEASURES) + len(PROCESS)


def test_a_bound_is_the_product_of_what_it_is_for() -> None:
    by_name: dict[str, Measure] = {measure.name: measure for measure in MEASURES}
    assert by_name["reconciler_host_versions"].bound == "one per host × 2"
    assert by_name["reconciler_host_versions"].series({Per.HOST: 7}) == 14
    assert by_name["reconciler_ready"].bound == "1"
    assert by_name["reconciler_reconcile_time_seconds"].series({}) == 28


def test_a_guards_words_are_a_small_set_of_codes() -> None:
    blocked = tuple(Blockage("v", f"b/{i}", "diverged", f"message {i}") for i in range(500))
    status = replace(QUIET, replications=(replace(WEB, blocked=blocked),))
    assert value(of(status), "blocked", replication="web", code="diverged") == 500
