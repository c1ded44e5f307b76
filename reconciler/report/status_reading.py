"""The fields of a status document, read: see `report.status_json`."""

from reconciler.report.fields import Fields
from reconciler.report.status import (
    Blockage,
    Condition,
    ConditionType,
    ControllerStatus,
    Hearing,
    HostStatus,
    Lag,
    Outcome,
    PastRun,
    Phase,
    PoolStatus,
    ReplicationStatus,
    RunningSend,
    SpecsStatus,
    Truth,
    Way,
)


def read_status(fields: Fields) -> ControllerStatus:
    """Return the status that a document's fields say; the error of `fields` when they don't."""
    return ControllerStatus(
        at=fields.instant("at"),
        version=fields.text("version"),
        identity=fields.text("identity"),
        started=fields.instant("started"),
        heartbeat=fields.instant("heartbeat"),
        dry_run=fields.flag("dry_run"),
        ready=fields.flag("ready"),
        specs=_specs(fields.object("specs")),
        hosts=tuple(_host(host) for host in fields.objects("hosts")),
        replications=tuple(_replication(found) for found in fields.objects("replications")),
        running=tuple(_send(send) for send in fields.objects("running")),
        working=fields.number("working"),
        workers=fields.number("workers"),
    )


def _specs(fields: Fields) -> SpecsStatus:
    return SpecsStatus(
        source=fields.text("source"),
        digest=fields.text("digest"),
        revision=fields.optional("revision", fields.text),
        objects=fields.number("objects"),
        loaded_at=fields.instant("loaded_at"),
        problem=fields.optional("problem", fields.text),
        problem_since=fields.optional("problem_since", fields.instant),
    )


def _host(fields: Fields) -> HostStatus:
    return HostStatus(
        name=fields.text("name"),
        address=fields.text("address"),
        conditions=_conditions(fields),
        observed_at=fields.optional("observed_at", fields.instant),
        hearing=fields.word("hearing", Hearing),
        zfs_version=fields.text("zfs_version"),
        pools=tuple(_pool(pool) for pool in fields.objects("pools")),
        filesystems=fields.number("filesystems"),
        snapshots=fields.number("snapshots"),
        bookmarks=fields.number("bookmarks"),
        history=_history(fields),
    )


def _pool(fields: Fields) -> PoolStatus:
    return PoolStatus(fields.text("name"), fields.text("health"), fields.number("free"))


def _conditions(fields: Fields) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=found.word("type", ConditionType),
            status=found.word("status", Truth),
            reason=found.text("reason"),
            message=found.text("message"),
            observed_generation=found.text("observed_generation"),
            last_transition=found.instant("last_transition"),
        )
        for found in fields.objects("conditions")
    )


def _history(fields: Fields) -> tuple[PastRun, ...]:
    return tuple(
        PastRun(
            generation=past.text("generation"),
            outcome=past.word("outcome", Outcome),
            message=past.text("message"),
            first=past.instant("first"),
            last=past.instant("last"),
            count=past.number("count"),
            seconds=past.decimal("seconds"),
            done=past.counts("done"),
        )
        for past in fields.objects("history")
    )


def _replication(fields: Fields) -> ReplicationStatus:
    return ReplicationStatus(
        name=fields.text("name"),
        generation=fields.text("generation"),
        conditions=_conditions(fields),
        suspended=fields.optional("suspended", fields.text),
        ways=tuple(_way(way) for way in fields.objects("ways")),
        lags=tuple(_lag(lag) for lag in fields.objects("lags")),
        blocked=tuple(_blockage(blocked) for blocked in fields.objects("blocked")),
        history=_history(fields),
        next_due=fields.optional("next_due", fields.instant),
    )


def _way(fields: Fields) -> Way:
    return Way(
        sender=fields.text("sender"),
        receiver=fields.optional("receiver", fields.text),
        phase=fields.word("phase", Phase),
        next_at=fields.optional("next_at", fields.instant),
        failures=fields.number("failures"),
        message=fields.text("message"),
    )


def _lag(fields: Fields) -> Lag:
    return Lag(
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        receiver_host=fields.text("receiver_host"),
        receiver=fields.text("receiver"),
        newest=fields.optional("newest", fields.instant),
        replicated=fields.optional("replicated", fields.instant),
        max_lag=fields.optional("max_lag", fields.number),
    )


def _blockage(fields: Fields) -> Blockage:
    return Blockage(
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        code=fields.text("code"),
        message=fields.text("message"),
        evidence=fields.texts("evidence"),
        remedy=fields.text("remedy"),
    )


def _send(fields: Fields) -> RunningSend:
    return RunningSend(
        replication=fields.text("replication"),
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        receiver_host=fields.text("receiver_host"),
        receiver=fields.text("receiver"),
        bytes=fields.number("bytes"),
        estimated_bytes=fields.optional("estimated_bytes", fields.number),
        since=fields.instant("since"),
    )
