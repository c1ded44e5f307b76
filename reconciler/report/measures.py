"""Every metric there is: `report.metrics` makes exactly these, `docs/metrics.md` lists them.

Names follow
controller-runtime and Prometheus' own conventions: base units, `_total` for counters, timestamps
instead of ages.
"""

from reconciler.report.measure import (
    ASK_BUCKETS,
    WAIT_BUCKETS,
    WORK_BUCKETS,
    Measure,
    Per,
    Type,
    counter,
    gauge,
    histogram,
)

_LAG_LABELS = "replication host filesystem receiver_host receiver"

# What is counted as it happens
RECONCILES = counter(
    "reconciler_reconcile_total",
    "Runs of keys of the work queue.",
    "kind result",
    Per.KIND,
    Per.RESULT,
)
RECONCILE_ERRORS = counter(
    "reconciler_reconcile_errors_total",
    "Runs that failed, with or without hope.",
    "kind",
    Per.KIND,
)
TERMINAL_ERRORS = counter(
    "reconciler_terminal_reconcile_errors_total",
    "Runs that failed in a way that only a change can mend.",
    "kind",
    Per.KIND,
)
PANICS = counter(
    "reconciler_reconcile_panics_total",
    "Runs that ended with a bug in reconciler.",
    "kind",
    Per.KIND,
)
RECONCILE_TIME = histogram(
    "reconciler_reconcile_time_seconds",
    WORK_BUCKETS,
    "What a run took, looking and planning included.",
    "kind",
    Per.KIND,
)
QUEUE_ADDS = counter(
    "reconciler_workqueue_adds_total",
    "Keys that were put into the work queue.",
    "name",
    Per.KIND,
)
QUEUE_TIME = histogram(
    "reconciler_workqueue_queue_duration_seconds",
    WAIT_BUCKETS,
    "How long keys that were due waited for a worker.",
    "name",
    Per.KIND,
)
WORK_TIME = histogram(
    "reconciler_workqueue_work_duration_seconds",
    WORK_BUCKETS,
    "How long keys were worked on.",
    "name",
    Per.KIND,
)
QUEUE_RETRIES = counter(
    "reconciler_workqueue_retries_total",
    "Keys that are tried again after a failure.",
    "name",
    Per.KIND,
)
STEPS = counter(
    "reconciler_steps_total",
    "Actions that ended.",
    "action result",
    Per.ACTION,
    Per.OUTCOME,
)
STEP_TIME = histogram(
    "reconciler_step_duration_seconds",
    WORK_BUCKETS,
    "What actions took that were begun.",
    "action",
    Per.ACTION,
)
SENT = counter(
    "reconciler_replicated_bytes_total",
    "Bytes of streams that were sent.",
    "replication",
    Per.REPLICATION,
)
PLANNED = counter(
    "reconciler_plan_steps_total",
    "Things that were planned; what is planned again after a failure counts again.",
    "action",
    Per.ACTION,
)
GUARDED = counter(
    "reconciler_guard_blocked_steps_total",
    "Versions that a guard took out of plans.",
    "guard",
    Per.GUARD,
)
ASKED = counter(
    "reconciler_host_observations_total",
    "Times a host was asked; result is seen or unseen.",
    "host result",
    Per.HOST,
    Per.SIGHT,
)
ASK_TIME = histogram(
    "reconciler_host_observation_duration_seconds",
    ASK_BUCKETS,
    "How long hosts took to answer, or not to.",
)
EVENTS = counter(
    "reconciler_host_events_total",
    "Events that came from a host.",
    "host",
    Per.HOST,
)
DEAF = counter(
    "reconciler_host_event_stream_failures_total",
    "Times a host's event stream broke.",
    "host",
    Per.HOST,
)
DISAGREED = counter(
    "reconciler_host_unannounced_changes_total",
    "Filesystems that were found changed though no event had said so.",
    "host",
    Per.HOST,
)
LOADS = counter(
    "reconciler_config_reloads_total",
    "Times specs were read; result is success or failure.",
    "result",
    Per.RELOAD,
)
RELOAD_OK = gauge(
    "reconciler_config_last_reload_successful",
    "Whether the newest specs are in force.",
)
RELOADED_AT = gauge(
    "reconciler_config_last_reload_success_timestamp_seconds",
    "When the specs in force were read.",
)
SCRAPE_ERRORS = counter(
    "reconciler_scrape_errors_total",
    "Times a part of the metrics could not be made, and was left out.",
    "part",
    Per.PART,
)

# What is looked at when it is asked for
BUILD = gauge("reconciler_build_info", "Always 1.", "version")
SPECS = gauge("reconciler_spec_info", "The specs in force; always 1.", "revision digest")
SPEC_OBJECTS = gauge("reconciler_spec_objects", "Objects in the specs in force.")
HEARTBEAT = gauge(
    "reconciler_heartbeat_timestamp_seconds", "When the loop was last seen to go round."
)
STARTED = gauge("reconciler_start_timestamp_seconds", "When the controller was started.")
READY = gauge(
    "reconciler_ready", "Whether specs are in force and every host was asked at least once."
)
DRY_RUN = gauge("reconciler_dry_run", "Whether nothing is changed on hosts.")
WORKING = gauge("reconciler_active_workers", "Keys that are worked on.")
WORKERS = gauge("reconciler_max_concurrent_reconciles", "Keys that can be worked on at once.")
DEPTH = gauge(
    "reconciler_workqueue_depth",
    "Keys that are due and wait for a worker.",
    "name",
    Per.KIND,
)
UNFINISHED = gauge(
    "reconciler_workqueue_unfinished_work_seconds",
    "For how long the keys now in work have been worked on, summed up.",
    "name",
    Per.KIND,
)
LONGEST = gauge(
    "reconciler_workqueue_longest_running_processor_seconds",
    "For how long the oldest of the keys now in work has been worked on.",
    "name",
    Per.KIND,
)
RESOURCE = gauge(
    "reconciler_resource_info",
    "One object of the specs; always 1. ready is True, False or Unknown; stalled and suspended are"
    " true or false.",
    "kind name ready stalled suspended",
    Per.OBJECT,
)
HOST_UP = gauge(
    "reconciler_host_up",
    "Whether a host was seen when it was last asked.",
    "host",
    Per.HOST,
)
HOST_SEEN_AT = gauge(
    "reconciler_host_observation_timestamp_seconds",
    "When a host was last seen.",
    "host",
    Per.HOST,
)
HOST_HEARD = gauge(
    "reconciler_host_event_stream_open",
    "Whether a host tells of changes as they happen; 0: it is polled.",
    "host",
    Per.HOST,
)
HOST_FILESYSTEMS = gauge(
    "reconciler_host_filesystems",
    "Filesystems and volumes of a host that were looked at.",
    "host",
    Per.HOST,
)
HOST_VERSIONS = gauge(
    "reconciler_host_versions",
    "Versions of a host; type is snapshot or bookmark.",
    "host type",
    Per.HOST,
    Per.VERSION,
)
POOL_HEALTH = gauge(
    "reconciler_pool_health_info",
    "A pool's health as zpool says it; always 1.",
    "host pool health",
    Per.POOL,
)
POOL_FREE = gauge(
    "reconciler_pool_free_bytes",
    "Free space of a pool.",
    "host pool",
    Per.POOL,
)
BLOCKED = gauge(
    "reconciler_blocked",
    "Things that wait for a person; code is the conflict's or the guard's name.",
    "replication code",
    Per.REPLICATION,
    Per.GUARD,
)
NEXT_DUE = gauge(
    "reconciler_next_due_timestamp_seconds",
    "When a replication is to be worked on next.",
    "replication",
    Per.REPLICATION,
)
FAILURES = gauge(
    "reconciler_consecutive_failures",
    "Failures in a row; receiver is empty for snapshots and retention on the sender.",
    "replication sender receiver",
    Per.WAY,
)
RUNNING = gauge(
    "reconciler_running_sends",
    "Streams that are under way.",
    "replication",
    Per.REPLICATION,
)
NEWEST = gauge(
    "reconciler_latest_snapshot_timestamp_seconds",
    "Creation of the newest managed snapshot of a replicated filesystem on its sender.",
    "host filesystem",
    Per.FILESYSTEM,
)
REPLICATED = gauge(
    "reconciler_latest_replicated_snapshot_timestamp_seconds",
    "Creation of the newest version that both ends have; absent while there is none.",
    _LAG_LABELS,
    Per.RECEIVER,
)
GOAL = gauge(
    "reconciler_replication_max_lag_seconds",
    "The goal (maxLag), where there is one.",
    _LAG_LABELS,
    Per.RECEIVER,
)

PER_FILESYSTEM = (NEWEST, REPLICATED, GOAL)
"""What grows with the number of filesystems, and can be left out."""

MEASURES: tuple[Measure, ...] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Measure)
)
"""All of them, in the order of this page."""


def of(type_: Type) -> tuple[Measure, ...]:
    """Return those of a type."""
    return tuple(measure for measure in MEASURES if measure.type is type_)
