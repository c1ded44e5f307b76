"""The status value, put together from what the engine knows."""

from dataclasses import dataclass, replace

from reconciler.controller import conditions
from reconciler.controller.assess import Report
from reconciler.controller.conditions import Standing
from reconciler.controller.engine import Engine
from reconciler.controller.keys import Key
from reconciler.controller.law import Law
from reconciler.hosts.addresses import HostAddress, LocalAddress, SimulatedAddress, SshAddress
from reconciler.observed.model import Seen
from reconciler.planner.snapshotting import next_due
from reconciler.planner.waiting import next_opening
from reconciler.report.status import (
    Blockage,
    ControllerStatus,
    Hearing,
    HostStatus,
    Lag,
    Outcome,
    PoolStatus,
    ReplicationStatus,
    SpecsStatus,
    Way,
)
from reconciler.zfs.versions import columns_of


@dataclass(frozen=True, slots=True)
class Self:
    """What the controller says of itself."""

    version: str
    identity: str
    started: int
    workers: int
    dry_run: bool


def overview(
    engine: Engine, me: Self, specs: SpecsStatus, before: ControllerStatus | None, heartbeat: int
) -> ControllerStatus:
    """Return the status as it is now; transition times are carried on from the one before."""
    with engine.lock:
        law, now = engine.law, int(engine.around.clock())
        flights = engine.working.flights
        hosts = _hosts(engine, law, before, now) if law is not None else ()
        asked = all(engine.world.last(host.name) is not None for host in hosts)
        return ControllerStatus(
            at=now,
            version=me.version,
            identity=me.identity,
            started=me.started,
            heartbeat=heartbeat,
            dry_run=me.dry_run,
            ready=law is not None and asked,
            specs=specs,
            hosts=hosts,
            replications=_replications(engine, law, before, now) if law is not None else (),
            running=tuple(send for flight in flights for send in flight.sends),
            working=engine.queue.working(),
            workers=me.workers,
        )


def gist(status: ControllerStatus) -> ControllerStatus:
    """Return a status without what changes while nothing does: what is worth storing again."""
    return replace(
        status,
        at=0,
        heartbeat=0,
        working=0,
        running=tuple(replace(send, bytes=0) for send in status.running),
        hosts=tuple(
            replace(
                h,
                observed_at=None,
                pools=tuple(replace(pool, free=0) for pool in h.pools),
                history=tuple(replace(r, last=0, count=0, seconds=0.0) for r in h.history),
            )
            for h in status.hosts
        ),
        replications=tuple(
            replace(
                r,
                ways=(),
                next_due=None,
                history=tuple(replace(p, last=0, count=0, seconds=0.0) for p in r.history),
            )
            for r in status.replications
        ),
    )


# -- replications ----------------------------------------------------------------------------------


def _replications(
    engine: Engine, law: Law, before: ControllerStatus | None, now: int
) -> tuple[ReplicationStatus, ...]:
    known = {r.name: r.conditions for r in before.replications} if before is not None else {}
    by_name: dict[str, list[Key]] = {name: [] for name in law.desired.replications}
    for key in law.keys:
        by_name[key.replication].append(key)
    return tuple(
        _replication(engine, law, name, keys, known.get(name, ()), now)
        for name, keys in by_name.items()
    )


def _replication(  # noqa: PLR0913, PLR0917 - all that is known of one
    engine: Engine,
    law: Law,
    name: str,
    keys: list[Key],
    before: conditions.Conditions,
    now: int,
) -> ReplicationStatus:
    reports = {key: engine.memory.reports.get(key) for key in keys}
    found = [report for report in reports.values() if report is not None]
    lags = tuple(sorted((lag for r in found for lag in r.lags), key=_lag_order))
    ways = tuple(_way(engine, key) for key in keys)
    suspended, effective = _suspended(law, name), law.effective.replications[name]
    runs = any(flight.key.replication == name for flight in engine.working.flights)
    standing = Standing(
        generation=law.generations[name],
        suspended=suspended,
        reports=tuple(reports.values()),
        phases=tuple(way.phase for way in ways),
        runs=runs,
        late=[lag for lag in lags if lag.is_late(now)],
    )
    return ReplicationStatus(
        name=name,
        generation=law.generations[name],
        conditions=conditions.of_replication(standing, before, now),
        suspended=suspended,
        ways=ways,
        lags=lags,
        blocked=_blocked(found),
        history=engine.memory.histories.get(name, ()),
        next_due=next_due([effective], now, [next_opening(effective, now)]),
    )


def _suspended(law: Law, name: str) -> str | None:
    if law.desired.replications[name].suspend:
        return "suspended in the specs"
    return law.suspended.get(name)


def _blocked(reports: list[Report]) -> tuple[Blockage, ...]:
    distinct = dict.fromkeys(blockage for report in reports for blockage in report.blocked)
    return tuple(sorted(distinct, key=lambda b: (b.host, b.filesystem, b.code, b.message)))


def _lag_order(lag: Lag) -> tuple[str, str, str, str]:
    return lag.host, lag.filesystem, lag.receiver_host, lag.receiver


def _way(engine: Engine, key: Key) -> Way:
    ticks, report = engine.around.ticks(), engine.memory.reports.get(key)
    state = engine.queue.state(key, ticks)
    failed = report is not None and report.outcome is not Outcome.SUCCEEDED
    next_at = None
    if state.next_at is not None:
        next_at = int(engine.around.clock() + state.next_at - ticks)
    return Way(
        sender=key.sender,
        receiver=key.receiver or None,
        phase=state.phase,
        next_at=next_at,
        failures=state.failures,
        message=report.message if report is not None and failed else "",
    )


# -- hosts -----------------------------------------------------------------------------------------


def _hosts(
    engine: Engine, law: Law, before: ControllerStatus | None, now: int
) -> tuple[HostStatus, ...]:
    known = {h.name: h for h in before.hosts} if before is not None else {}
    return tuple(
        _host(engine, address, known.get(name), now)
        for name, address in sorted(law.desired.hosts.items())
    )


def _host(engine: Engine, address: HostAddress, before: HostStatus | None, now: int) -> HostStatus:
    name = address.name
    look = engine.world.last(name)
    observation = look.observation if look is not None else None
    hearing = Hearing.EVENTS if engine.world.is_heard(name) else Hearing.POLLING
    said = conditions.of_host(observation, before.conditions if before is not None else (), now)
    history = engine.memory.host_histories.get(name, ())
    status = HostStatus(name, where(address), said, None, hearing, history=history)
    if isinstance(observation, Seen):
        return _with_facts(status, observation)
    if before is not None:
        return replace(
            status,
            observed_at=before.observed_at,
            zfs_version=before.zfs_version,
            pools=before.pools,
            filesystems=before.filesystems,
            snapshots=before.snapshots,
            bookmarks=before.bookmarks,
        )
    return status


def _with_facts(status: HostStatus, seen: Seen) -> HostStatus:
    snapshots = bookmarks = 0
    for filesystem in seen.filesystems.values():
        labels = columns_of(filesystem.versions).labels
        count = sum(label.startswith("@") for label in labels)
        snapshots += count
        bookmarks += len(labels) - count
    return replace(
        status,
        observed_at=seen.at,
        zfs_version=seen.zfs_version,
        pools=tuple(
            PoolStatus(pool.name, pool.health, pool.free) for _, pool in sorted(seen.pools.items())
        ),
        filesystems=len(seen.filesystems),
        snapshots=snapshots,
        bookmarks=bookmarks,
    )


def where(address: HostAddress) -> str:
    """Return in words how a host is reached."""
    match address.address:
        case SshAddress(address=name, user=user, port=port):
            at = f"{user}@{name}" if user else name
            return f"ssh {at}:{port}" if port else f"ssh {at}"
        case LocalAddress():
            return "local"
        case SimulatedAddress(state=state):
            return f"simulated {state}"
