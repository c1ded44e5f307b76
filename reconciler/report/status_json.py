"""A controller's status as one JSON document, and back: `loads(dumps(status)) == status`.

`/api/v1/status`, `reconciler status --json` and the state file are this document. Its minor version
is additive: readers ignore fields they do not know. What can be computed (lag, lateness, the exit
code) is written for other programs and not read back.
"""

import json
from collections.abc import Mapping

from reconciler.errors import StatusFileError
from reconciler.report.fields import Fields, Json
from reconciler.report.figures import timestamp
from reconciler.report.status import (
    Blockage,
    Condition,
    ControllerStatus,
    HostStatus,
    Lag,
    PastRun,
    PoolStatus,
    ReplicationStatus,
    RunningSend,
    SpecsStatus,
    Way,
)
from reconciler.report.status_reading import read_status
from reconciler.report.status_summary import of_status

FORMAT_VERSION = "1.0"

_LAST = 253_402_300_799
"""The end of the year 9999: RFC 3339 has no later instant."""


def dump(status: ControllerStatus) -> Json:
    """Return a status as a JSON document."""
    summary = of_status(status)
    return {
        "format_version": FORMAT_VERSION,
        "at": _instant(status.at),
        "version": status.version,
        "identity": status.identity,
        "started": _instant(status.started),
        "heartbeat": _instant(status.heartbeat),
        "dry_run": status.dry_run,
        "ready": status.ready,
        "exit_code": int(summary.code),
        "summary": summary.text,
        "specs": _specs(status.specs),
        "hosts": [_host(host) for host in status.hosts],
        "replications": [_replication(found, status.at) for found in status.replications],
        "running": [_send(send) for send in status.running],
        "working": status.working,
        "workers": status.workers,
    }


def dumps(status: ControllerStatus) -> str:
    """Return a status as JSON text: the same status gives the same bytes."""
    return json.dumps(dump(status), indent=2) + "\n"


def compact(status: ControllerStatus) -> str:
    """Return the same on one line: much quicker to make and shorter, for programs."""
    return json.dumps(dump(status), separators=(",", ":")) + "\n"


def load(document: object) -> ControllerStatus:
    """Return the status of a JSON document; StatusFileError when it is none."""
    if not isinstance(document, Mapping) or "format_version" not in document:
        raise StatusFileError("it is JSON, but not a controller's status")
    fields = Fields(document, error=StatusFileError)
    version = fields.text("format_version")
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise StatusFileError(
            f"it has format version {version}, this reconciler reads {FORMAT_VERSION}:"
            " use the reconciler that the controller runs"
        )
    return read_status(fields)


def loads(text: str) -> ControllerStatus:
    """Return the status of a JSON text; StatusFileError when it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StatusFileError(f"it is not JSON, or was cut: {error}") from error
    return load(document)


def _instant(at: int | None) -> str | int | None:
    """Return an instant as RFC 3339; one that no calendar has, from a mad host, as a number."""
    return at if at is None or not 0 <= at <= _LAST else timestamp(at)


def _specs(specs: SpecsStatus) -> Json:
    return {
        "source": specs.source,
        "digest": specs.digest,
        "revision": specs.revision,
        "objects": specs.objects,
        "loaded_at": _instant(specs.loaded_at),
        "problem": specs.problem,
        "problem_since": _instant(specs.problem_since),
    }


def _host(host: HostStatus) -> Json:
    return {
        "name": host.name,
        "address": host.address,
        "conditions": [_condition(condition) for condition in host.conditions],
        "observed_at": _instant(host.observed_at),
        "hearing": str(host.hearing),
        "zfs_version": host.zfs_version,
        "pools": [_pool(pool) for pool in host.pools],
        "filesystems": host.filesystems,
        "snapshots": host.snapshots,
        "bookmarks": host.bookmarks,
        "history": [_past(past) for past in host.history],
    }


def _pool(pool: PoolStatus) -> Json:
    return {"name": pool.name, "health": pool.health, "free": pool.free}


def _condition(condition: Condition) -> Json:
    return {
        "type": str(condition.type),
        "status": str(condition.status),
        "reason": condition.reason,
        "message": condition.message,
        "observed_generation": condition.observed_generation,
        "last_transition": _instant(condition.last_transition),
    }


def _past(past: PastRun) -> Json:
    return {
        "generation": past.generation,
        "outcome": str(past.outcome),
        "message": past.message,
        "first": _instant(past.first),
        "last": _instant(past.last),
        "count": past.count,
        "seconds": past.seconds,
        "done": dict(past.done),
    }


def _replication(found: ReplicationStatus, at: int) -> Json:
    return {
        "name": found.name,
        "generation": found.generation,
        "conditions": [_condition(condition) for condition in found.conditions],
        "suspended": found.suspended,
        "ways": [_way(way) for way in found.ways],
        "lags": [_lag(lag, at) for lag in found.lags],
        "blocked": [_blockage(blocked) for blocked in found.blocked],
        "history": [_past(past) for past in found.history],
        "next_due": _instant(found.next_due),
    }


def _way(way: Way) -> Json:
    return {
        "sender": way.sender,
        "receiver": way.receiver,
        "phase": str(way.phase),
        "next_at": _instant(way.next_at),
        "failures": way.failures,
        "message": way.message,
    }


def _lag(lag: Lag, at: int) -> Json:
    return {
        "host": lag.host,
        "filesystem": lag.filesystem,
        "receiver_host": lag.receiver_host,
        "receiver": lag.receiver,
        "newest": _instant(lag.newest),
        "replicated": _instant(lag.replicated),
        "max_lag": lag.max_lag,
        "lag_seconds": lag.seconds(at),
        "late": lag.is_late(at),
    }


def _blockage(blocked: Blockage) -> Json:
    return {
        "host": blocked.host,
        "filesystem": blocked.filesystem,
        "code": blocked.code,
        "message": blocked.message,
        "evidence": list(blocked.evidence),
        "remedy": blocked.remedy,
    }


def _send(send: RunningSend) -> Json:
    return {
        "replication": send.replication,
        "host": send.host,
        "filesystem": send.filesystem,
        "receiver_host": send.receiver_host,
        "receiver": send.receiver,
        "bytes": send.bytes,
        "estimated_bytes": send.estimated_bytes,
        "since": _instant(send.since),
    }
