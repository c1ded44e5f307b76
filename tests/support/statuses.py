"""Controllers' statuses: a quiet one, one with everything in it, and arbitrary ones."""

from dataclasses import fields, is_dataclass, replace

from hypothesis import strategies as st

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
from tests.support.worlds import NOW

MINUTE, HOUR, DAY = 60, 3600, 86400
GIB = 2**30
GENERATION = "sha256:5c1f0d"


def ready(message: str = "all is as the specs say") -> tuple[Condition, ...]:
    """Return the conditions of an object that is well."""
    return (a_condition(ConditionType.READY, Truth.TRUE, "ReconciliationSucceeded", message),)


def not_ready(reason: str, message: str, *more: ConditionType) -> tuple[Condition, ...]:
    """Return the conditions of an object that is not; `more` holds besides."""
    first = a_condition(ConditionType.READY, Truth.FALSE, reason, message)
    return (first, *(a_condition(type_, Truth.TRUE, reason, message) for type_ in more))


def a_condition(type_: ConditionType, status: Truth, reason: str, message: str) -> Condition:
    """Return a condition that has been so for two hours."""
    return Condition(type_, status, reason, message, GENERATION, NOW - 2 * HOUR)


def lag(host: str, filesystem: str, to: str, seconds: int | None, max_lag: int | None) -> Lag:
    """Return the lag of a receiver below `backup/`."""
    return Lag(
        host=host,
        filesystem=filesystem,
        receiver_host=to,
        receiver=f"backup/{host}/{filesystem}",
        newest=NOW - 5 * MINUTE,
        replicated=None if seconds is None else NOW - seconds,
        max_lag=max_lag,
    )


def past(outcome: Outcome, message: str, ago: int, count: int = 1, **done: int) -> PastRun:
    """Return runs that ended alike, the last of them `ago` seconds before now."""
    last = NOW - ago
    first = last - (count - 1) * 15 * MINUTE
    return PastRun(
        GENERATION, outcome, message, first, last, count, 3.2, tuple(sorted(done.items()))
    )


def a_host(name: str, **changes: object) -> HostStatus:
    """Return a host that is well, but for some fields."""
    well = HostStatus(
        name=name,
        address=f"ssh {name}.example.com",
        conditions=ready("seen"),
        observed_at=NOW - 40,
        hearing=Hearing.EVENTS,
        zfs_version="2.2.2",
        pools=(PoolStatus("tank", "ONLINE", 931 * GIB),),
        filesystems=12,
        snapshots=480,
        bookmarks=12,
        history=(past(Outcome.SUCCEEDED, "", 40, 96),),
    )
    return replace(well, **changes)  # type: ignore[arg-type]


SPECS = SpecsStatus(
    source="/srv/specs.git@main",
    digest="sha256:9e107d9d372bb6826bd81d3542a419d6",
    revision="4e04f8d2",
    objects=7,
    loaded_at=NOW - 6 * HOUR,
    problem=None,
)

WEB = ReplicationStatus(
    name="web",
    generation=GENERATION,
    conditions=ready(),
    suspended=None,
    ways=(
        Way("web1", None, Phase.IDLE, NOW + 10 * MINUTE, 0, ""),
        Way("web1", "vault", Phase.IDLE, NOW + 10 * MINUTE, 0, ""),
    ),
    lags=(
        lag("web1", "tank/www", "vault", 5 * MINUTE, HOUR),
        lag("web1", "tank/www/shop", "vault", 20 * MINUTE, HOUR),
    ),
    history=(past(Outcome.SUCCEEDED, "", 5 * MINUTE, 96, snapshot=2, send=2, destroy=1),),
    next_due=NOW + 10 * MINUTE,
)

QUIET = ControllerStatus(
    at=NOW,
    version="0.1.0",
    identity="reconciler@ctl pid 812",
    started=NOW - 3 * DAY,
    heartbeat=NOW - 1,
    dry_run=False,
    ready=True,
    specs=SPECS,
    hosts=(a_host("vault", pools=(PoolStatus("backup", "ONLINE", 4100 * GIB),)), a_host("web1")),
    replications=(WEB,),
    workers=8,
)
"""All is well and nothing is to be done."""

BEGINNING = replace(
    QUIET,
    ready=False,
    specs=SpecsStatus("specs", "", None, 0, 0, "specs: there are no spec files", NOW - 20),
    hosts=(),
    replications=(),
)
"""No specs have ever been in force."""

DATABASE = ReplicationStatus(
    name="database",
    generation=GENERATION,
    conditions=not_ready(
        "DivergedHistory",
        "blocked on vault backup/db1/tank/db: diverged",
        ConditionType.STALLED,
    ),
    suspended=None,
    ways=(
        Way("db1", None, Phase.IDLE, NOW + 40, 0, ""),
        Way("db1", "offsite", Phase.RETRYING, NOW + 4 * MINUTE, 6, "offsite: Connection timed out"),
        Way("db1", "vault", Phase.WORKING, None, 0, ""),
    ),
    lags=(
        lag("db1", "tank/db", "vault", 3 * HOUR + 12 * MINUTE, HOUR),
        lag("db1", "tank/db/logs", "vault", 4 * MINUTE, HOUR),
        lag("db1", "tank/db", "offsite", 26 * HOUR, DAY),
        lag("db1", "tank/db/logs", "offsite", None, DAY),
    ),
    blocked=(
        Blockage(
            host="vault",
            filesystem="backup/db1/tank/db",
            code="diverged",
            message="diverged: 2 snapshots there that db1 does not have (@manual, @test), newer"
            " than the common @rec-20261122T200000Z",
            evidence=(
                "common: @rec-20261122T200000Z (guid 11259375)",
                "only on vault: @manual (guid 20015998343868)",
                "only on vault: @test (guid 20015998343869)",
                "newest on db1: @rec-20261122T231000Z (guid 16909060)",
            ),
            remedy="to keep what is there: zfs rename backup/db1/tank/db away and start afresh; to"
            " give it up: zfs rollback -r backup/db1/tank/db@rec-20261122T200000Z on vault"
            " (destroys @manual, @test)",
        ),
        Blockage(
            host="db1",
            filesystem="tank/db/logs",
            code="budget",
            message="212 of 230 versions would go, at most 50 may in one run",
            remedy="look at the plan, then: reconciler apply --allow-destroy database",
        ),
    ),
    history=(
        past(Outcome.BLOCKED, "1 conflict to settle", 12 * MINUTE, 12, snapshot=2),
        past(Outcome.SUCCEEDED, "", 3 * HOUR + 12 * MINUTE, 410, snapshot=2, send=2, destroy=1),
    ),
    next_due=NOW + 40,
)

HOME = ReplicationStatus(
    name="home",
    generation=GENERATION,
    conditions=(
        a_condition(ConditionType.READY, Truth.UNKNOWN, "Progressing", "first streams are sent"),
        a_condition(ConditionType.RECONCILING, Truth.TRUE, "Progressing", "2 streams run"),
    ),
    suspended=None,
    ways=(
        Way("nas", None, Phase.QUEUED, NOW, 0, ""),
        Way("nas", "vault", Phase.WORKING, None, 0, ""),
    ),
    lags=(
        lag("nas", "tank/home", "vault", 50 * MINUTE, HOUR),
        lag("nas", "tank/home/old photographs and films", "vault", None, None),
    ),
    history=(past(Outcome.INTERRUPTED, "the controller was stopped", HOUR, 1, snapshot=1),),
    next_due=NOW + 5 * MINUTE,
)

ARCHIVE = ReplicationStatus(
    name="archive",
    generation=GENERATION,
    conditions=not_ready("Suspended", "suspended: disks are being swapped"),
    suspended="disks are being swapped (anna, until 2026-11-23)",
    ways=(Way("vault", "offsite", Phase.WAITING, None, 0, ""),),
    lags=(lag("vault", "backup", "offsite", 30 * HOUR, 2 * DAY),),
)

SENDS = (
    RunningSend(
        replication="home",
        host="nas",
        filesystem="tank/home",
        receiver_host="vault",
        receiver="backup/nas/tank/home",
        bytes=31 * GIB,
        estimated_bytes=84 * GIB,
        since=NOW - 5 * MINUTE,
    ),
    RunningSend(
        replication="home",
        host="nas",
        filesystem="tank/home/old photographs and films",
        receiver_host="vault",
        receiver="backup/nas/tank/home/old photographs and films",
        bytes=2 * GIB,
        estimated_bytes=None,
        since=NOW - 90,
    ),
)

BUSY = replace(
    QUIET,
    specs=replace(
        SPECS,
        problem="specs/web.yaml:14:5: spec.targets.0.keep: unknown field `hourli`, did you mean"
        " `hourly`?",
        problem_since=NOW - 25 * MINUTE,
    ),
    hosts=(
        a_host("db1", filesystems=4, snapshots=312, bookmarks=8),
        a_host(
            "nas",
            address="local",
            hearing=Hearing.POLLING,
            zfs_version="2.1.11",
            pools=(PoolStatus("fast", "ONLINE", 212 * GIB), PoolStatus("tank", "DEGRADED", GIB)),
        ),
        a_host(
            "offsite",
            conditions=not_ready(
                "HostUnreachable",
                "Connection timed out; see that offsite.example.com is up",
                ConditionType.STALLED,
            ),
            observed_at=NOW - 26 * HOUR,
            hearing=Hearing.POLLING,
            pools=(PoolStatus("backup", "ONLINE", 900 * GIB),),
            history=(past(Outcome.FAILED, "Connection timed out", 60, 40),),
        ),
        a_host("vault", pools=(PoolStatus("backup", "ONLINE", 4100 * GIB),), snapshots=20112),
        a_host("web1"),
    ),
    replications=(ARCHIVE, DATABASE, HOME, WEB),
    running=SENDS,
    working=2,
)
"""A bad day: everything that can be shown is there."""

HOSTILE = "<script>alert(1)</script>&\"'`\n\x1b[31m\u202e{}%s\udcff"
"""What a host may say, and a page must not believe."""


def renamed(status: ControllerStatus, text: str) -> ControllerStatus:
    """Return a status in which every text that could come from elsewhere is another one."""
    changed = _renamed(status, text)
    assert isinstance(changed, ControllerStatus)
    return changed


def _renamed(value: object, text: str) -> object:
    if isinstance(value, tuple):
        return tuple(_renamed(item, text) for item in value)
    if type(value) is str:
        return text
    if is_dataclass(value) and not isinstance(value, type):
        names = {field.name for field in fields(value)} - {"done"}
        return replace(value, **{name: _renamed(getattr(value, name), text) for name in names})
    return value


_counts = st.dictionaries(st.text(max_size=8), st.integers(min_value=0), max_size=3)

_past = st.builds(
    PastRun,
    seconds=st.floats(allow_nan=False, allow_infinity=False),
    done=_counts.map(lambda counts: tuple(sorted(counts.items()))),
)
_history = st.lists(_past, max_size=2).map(tuple)

statuses = st.builds(
    ControllerStatus,
    hosts=st.lists(st.builds(HostStatus, history=_history, pools=...), max_size=2).map(tuple),
    replications=st.lists(
        st.builds(
            ReplicationStatus, history=_history, ways=..., lags=..., blocked=..., next_due=...
        ),
        max_size=2,
    ).map(tuple),
    running=...,
    working=...,
    workers=...,
)
"""Statuses of every shape, with instants that no calendar has."""
