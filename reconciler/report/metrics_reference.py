"""The reference page of the metrics, generated from their declarations.

python -m reconciler.report.metrics_reference > docs/metrics.md
"""

import sys
from collections.abc import Iterator, Mapping

from reconciler.report.measure import KNOWN, Measure, Per
from reconciler.report.measures import MEASURES, PER_FILESYSTEM
from reconciler.report.metrics import PART_NAMES

PROCESS = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
"""What prometheus_client says of the process itself."""

SMALL: Mapping[Per, int] = {
    Per.OBJECT: 5,
    Per.FILESYSTEM: 30,
    Per.GUARD: 20,
    Per.HOST: 3,
    Per.PART: 11,
    Per.POOL: 4,
    Per.RECEIVER: 30,
    Per.REPLICATION: 2,
    Per.WAY: 4,
}

LARGE: Mapping[Per, int] = {
    Per.OBJECT: 1_050,
    Per.FILESYSTEM: 100_000,
    Per.GUARD: 20,
    Per.HOST: 1_000,
    Per.PART: 11,
    Per.POOL: 1_200,
    Per.RECEIVER: 200_000,
    Per.REPLICATION: 50,
    Per.WAY: 3_000,
}

_INTRODUCTION = """\
# Metrics

<!-- Generated. Regenerate: python -m reconciler.report.metrics_reference > docs/metrics.md -->

`/metrics` of `reconciler watch` serves these, as Prometheus text or as OpenMetrics. Example alert
rules are in [contrib/prometheus/alerts.yaml](../contrib/prometheus/alerts.yaml), a dashboard is in
[contrib/grafana/dashboard.json](../contrib/grafana/dashboard.json).

* Instants are Unix timestamps, not ages: `time() - ...` is the age. Sizes are bytes, durations
  seconds.
* Gauges are made from the controller's status when a scrape asks, so a series ends with what it is
  about. Counters begin at zero with the controller; a host's or replication's counters stay until
  the controller is restarted, even when the specs no longer name it.
* A part that can't be made is left out and counted in `reconciler_scrape_errors_total`; the rest is
  served. Parts: {parts}.
* Label values are names from specs and hosts. Unprintable characters in them are escaped. No
  metric has a secret, a message or a snapshot's name in it.
* A run that `apply` does by hand is not in here; the metrics are the controller's.

"""

_CARDINALITY = """\

## How many series
The last column is a bound: each factor is either a number or what there is one of. Histograms have
one series per bucket and three more. Only the last three metrics grow with the number of
filesystems; they can be switched off.

| | 3 hosts, 30 filesystems | 1,000 hosts, 100,000 filesystems, two receivers each |
|---|---|---|
| per filesystem | {small_lags} | {large_lags} |
| all others | {small} | {large} |
| of the latter, combinations of replication and guard that may be blocked | {small_b} | {large_b} |

`reconciler_blocked` and `reconciler_guard_blocked_steps_total` have a series only for what is, or
was, blocked.

## What is not there
Drift and leaders: there are none. Timeouts are errors like others. Versions are counted per host,
not per filesystem: `reconciler status --json` and `reconciler facts` have more.
"""


def page() -> str:
    """Return the page."""
    return "".join(_page())


def total(sizes: Mapping[Per, int], measures: tuple[Measure, ...]) -> int:
    """Return the most series that some metrics can have together."""
    return sum(measure.series(sizes) for measure in measures)


def _page() -> Iterator[str]:
    yield _INTRODUCTION.format(parts=", ".join(f"`{part}`" for part in PART_NAMES))
    yield "| metric | type | labels | meaning | series at most |\n|---|---|---|---|---|\n"
    yield from map(_row, MEASURES)
    for name in PROCESS:
        type_ = "counter" if name.endswith("_total") else "gauge"
        yield f"| `{name}` | {type_} |  | Of the process, as all clients have it. | 1 |\n"
    yield "\nLabel values that are known beforehand:\n\n"
    yield from (
        f"* {per}: {', '.join(f'`{v}`' for v in values)}\n" for per, values in KNOWN.items()
    )
    others = tuple(measure for measure in MEASURES if measure not in PER_FILESYSTEM)
    blocked = tuple(measure for measure in others if measure.per == (Per.REPLICATION, Per.GUARD))
    yield _CARDINALITY.format(
        small_lags=f"{total(SMALL, PER_FILESYSTEM):,}",
        large_lags=f"{total(LARGE, PER_FILESYSTEM):,}",
        small=f"{total(SMALL, others):,}",
        large=f"{total(LARGE, others):,}",
        small_b=f"{total(SMALL, blocked):,}",
        large_b=f"{total(LARGE, blocked):,}",
    )


def _row(measure: Measure) -> str:
    labels = ", ".join(f"`{label}`" for label in measure.labels)
    return f"| `{measure.name}` | {measure.type} | {labels} | {measure.help} | {measure.bound} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
