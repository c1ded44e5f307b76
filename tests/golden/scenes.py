"""The plans whose text is kept in files: one scene for each thing there is to say."""

from collections.abc import Callable
from dataclasses import replace

from reconciler.actions import AbortReceive, Destroy, Reason, Release, Send, SendMode
from reconciler.planner.plan import HostState, Note, Plan, PlannedAction, Severity, Specs
from reconciler.planner.planning import plan
from reconciler.planner.restrict import restrict
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.types import FilesystemKind, Version, VersionKind
from tests.support.tokens import token
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, volume, world

SPECS = Specs("main@4e04f8d", "sha256:0", 12)


def one_step() -> Plan:
    """Snapshot, send, move the cursor, destroy: the usual."""
    specs = desired("web: alpha tank/www/** every 15m keep last 2 -> vault keep last 3")
    here = "@~22:30,1 @~22:45,2 @~23:00,3,written=4300000 #cur,3"
    there = "@~22:30,1 @~22:45,2 @~23:00,3,held=base"
    observed = world(
        seen("alpha", fs("tank/www", here, written=4300000)),
        seen("vault", replica("backup/alpha/tank/www", there)),
    )
    return plan(specs, observed, NOW, explain=True)


def many_filesystems() -> Plan:
    """Forty filesystems alike, and some that are not."""
    specs = desired(
        "data: alpha,beta tank/data/** every 1h keep last 2 -> vault -> far under keep last 5",
    )
    names = [f"tank/data/vm-{number:02}" for number in range(40)]
    here = "@~20:00,1 @~21:00,2 @~22:00,3,written=1000000"
    observed = world(
        seen("alpha", fs("tank/data"), *(fs(name, here, spec="data") for name in names)),
        seen("beta", fs("tank/data"), volume("tank/data/my disk", written=5), fs("tank/data/x y")),
        seen("vault", *(replica(f"backup/alpha/{name}", "@~21:00,2") for name in names)),
        seen("far", fs("under")),
    )
    return plan(specs, observed, NOW)


def long_history() -> Plan:
    """Keep rules that take away a lot, each version for its own reason."""
    specs = desired("web: alpha tank/www every 15m keep last 3 hourly 3 -> vault keep daily 2")
    times = [f"~{hour:02}:{minute:02}" for hour in range(12, 23) for minute in (0, 15, 30, 45)]
    history = " ".join(f"@{time},{guid}" for guid, time in enumerate([*times, "~23:00"], start=1))
    observed = world(
        seen("alpha", fs("tank/www", f"{history} #cur,45")),
        seen("vault", replica("backup/alpha/tank/www", f"{history},held=base")),
    )
    return plan(specs, observed, NOW, explain=True)


def trouble() -> Plan:
    """Unseen hosts, conflicts, guards, errors and warnings all at once."""
    specs = desired(
        "web: alpha tank/www/** every 15m keep last 1 -> vault keep last 1",
        "db: beta tank/db every 1h -> vault",
        "off: alpha tank/off every 1h suspended -> vault",
        "nil: alpha tank/nil every 1h -> vault",
    )
    kept = "@~22:30,1 @~22:45,2 @~23:00,3"
    observed = world(
        seen(
            "alpha",
            fs("tank/www", f"{kept} #cur,3"),
            *(fs(f"tank/www/{name}", "@~23:00,3") for name in "abcdef"),
            fs("tank/off"),
        ),
        seen(
            "vault",
            replica("backup/alpha/tank/www", kept),
            *(
                replica(f"backup/alpha/tank/www/{name}", "@~23:00,3 @manual,4 @test,5")
                for name in "abcdef"
            ),
            replica("backup/alpha/tank/www/gone", "@~23:00,9"),
            skew=400,
        ),
        unseen("beta"),
    )
    made = plan(specs, observed, NOW)
    hosts = [
        replace(state, remedy="see that sshd listens") if not state.seen else state
        for state in made.hosts
    ]
    return replace(made, hosts=tuple(hosts))


def first_time() -> Plan:
    """Nothing is on the receiver yet; an encrypted source; a receive that was cut."""
    specs = desired("web: alpha tank/secret tank/cut every 1d -> vault")
    secret = fs("tank/secret", encryption="aes-256-gcm", keystatus="available")
    cut = replica("backup/alpha/tank/cut", resume_token=token(1), inconsistent=True)
    observed = world(seen("alpha", secret, fs("tank/cut", "@~22:00,1")), seen("vault", cut))
    return plan(specs, observed, NOW)


def wrong_clock() -> Plan:
    """A guard that objects on many filesystems."""
    names = [f"tank/www/{name}" for name in "abcdef"]
    kept = "@~22:30,1 @~22:45,2 @~23:15,3 #cur,3"
    specs = desired("web: alpha tank/www/* every 15m keep last 2 -> vault keep last 9")
    there = (replica(f"backup/alpha/{name}", "@~22:45,2 @~23:15,3,held=base") for name in names)
    observed = world(
        seen("alpha", *(fs(name, kept) for name in names), skew=-3600), seen("vault", *there)
    )
    return plan(specs, observed, NOW)


def odds_and_ends() -> Plan:
    """What the planner seldom makes: other paths, unknown sizes, streams from cursors, aborts."""
    to = Version(VersionKind.SNAPSHOT, "rec-20261122T231500Z", 7, 70, NOW)
    cursor = Version(VersionKind.BOOKMARK, "rec-cursor_web_vault-5e7de5_0000000000000003", 3, 30, 0)
    send = Send(
        host="alpha",
        filesystem="tank/a",
        kind=FilesystemKind.FILESYSTEM,
        receiver_host="vault",
        receiver_filesystem="backup/alpha/tank/a",
        mode=SendMode.INCREMENTAL,
        base=cursor,
        versions=(to,),
        flags=StreamFlags(),
        path="direct",
    )
    elsewhere = replace(
        send,
        filesystem="tank/b",
        receiver_filesystem="other/name",
        base=cursor._replace(name="mine"),
        estimated_bytes=2**30,
    )
    sized = replace(
        send,
        filesystem="tank/c",
        receiver_filesystem="backup/alpha/tank/c",
        estimated_bytes=5 * 2**20,
    )
    actions = (
        AbortReceive("vault", "backup/alpha/tank/c", "1-2-3"),
        send,
        elsewhere,
        sized,
        Destroy("alpha", "tank/a", (cursor,)),
        Release("vault", "backup/alpha/tank/a", to, "rec-base_web"),
    )
    return Plan(
        at=NOW,
        specs=SPECS,
        hosts=(HostState("alpha", seen=True), HostState("vault", seen=True)),
        actions=tuple(PlannedAction(action, Reason("x", "it is so"), "web") for action in actions),
    )


def from_zrepl() -> Plan:
    """What zrepl replicated: once from its snapshot, once from its cursor."""
    specs = desired("web: alpha tank/www/* every 15m prefix zrepl_ -> vault backup/sink/prod")
    old, cursor = "@zrepl_20261122_230000_000", "#zrepl_CURSOR_G_{0:016x}_J_push,{0}"
    here = fs("tank/www/a", f"{old},11,held=zrepl_STEP_J_push {cursor.format(11)}")
    gone = fs("tank/www/b", cursor.format(12))
    there = (
        replica(f"backup/sink/prod/tank/www/{name}", f"{old},{guid},held=zrepl_last_received_J_x")
        for name, guid in (("a", 11), ("b", 12))
    )
    return plan(specs, world(seen("alpha", here, gone), seen("vault", *there)), NOW)


def nothing() -> Plan:
    """All is well."""
    specs = desired("web: alpha tank/www every 15m -> vault")
    both = "@~23:15,3"
    observed = world(
        seen("alpha", fs("tank/www", f"{both} #cur,3")),
        seen("vault", replica("backup/alpha/tank/www", f"{both},held=base")),
    )
    return plan(specs, observed, NOW)


def nobody() -> Plan:
    """No host answers."""
    specs = desired("web: alpha tank/www every 15m -> vault")
    return plan(specs, world(unseen("alpha"), unseen("vault")), NOW)


def targeted() -> Plan:
    """A part of a plan."""
    return restrict(many_filesystems(), ["beta", "vault:backup/alpha/tank/data/vm-0?"], ["data"])


def hostile() -> Plan:
    """Words from hosts that would steer a terminal."""
    evil = "\x1b[2J\x07 line\nbreak"
    abort = AbortReceive("alpha", "tank/a", "1-2-3")
    return Plan(
        at=NOW,
        specs=SPECS,
        hosts=(HostState("alpha", seen=True), HostState("beta", seen=False, cause=evil)),
        actions=(PlannedAction(abort, Reason("stale-receive", evil), "web"),),
        notes=(Note(Severity.WARNING, evil, "web"),),
    )


def outside_windows() -> Plan:
    """Streams that wait, of many filesystems and of one; what is done all the same."""
    specs = desired(
        "data: alpha tank/data/* allow 0 2 * * * 4h zone Europe/Vienna -> vault",
        "web: alpha tank/www every 15m deny 0 18 * * * 6h keep last 2 -> vault keep last 2",
    )
    here, there = "@~21:00,1 @~22:00,2 @~23:00,3", "@~21:00,1 @~22:00,2"
    marked = f"{here} #rec-cursor_data_vault-5e7de5_0000000000000002,2"
    names = [f"tank/data/vm-{number:02}" for number in range(12)]
    observed = world(
        seen(
            "alpha",
            *(fs(name, marked, spec="data") for name in names),
            fs("tank/www", f"{here} #cur,2"),
        ),
        seen(
            "vault",
            *(replica(f"backup/alpha/{name}", f"{there},held=rec-base_data") for name in names),
            replica("backup/alpha/tank/www", f"@~20:00,9 {there},held=base"),
        ),
    )
    return plan(specs, observed, NOW)


def sources() -> Plan:
    """Cloned, renamed, first seen gone, and gone for long enough."""
    specs = desired(
        "web: alpha tank/** !tank -> vault gone 90d",
        "db: beta pg/** !pg max-destroy 50% -> vault gone 1d",
    )
    old = {"gone_since": NOW - 90 * 86400}
    observed = world(
        seen(
            "alpha",
            fs("tank/base", "@~22:00,1 #cur,1"),
            fs("tank/copy", "@~23:00,2,written=70000", origin="tank/base@rec-20261122T220000Z"),
            fs("tank/new", "@~22:00,11 @~23:00,12 #cur,12"),
        ),
        seen("beta", fs("pg/main", "@~22:00,31", spec="db")),
        seen(
            "vault",
            replica("backup/alpha/tank/base", "@~22:00,1,held=base"),
            replica("backup/alpha/tank/old", "@~22:00,11 @~23:00,12,held=base"),
            replica("backup/alpha/tank/gone", "@~20:00,21"),
            replica("backup/alpha/tank/left", "@~20:00,22 @~21:00,23,held=base", **old),
            replica("backup/beta/pg/main", "@~22:00,31"),
            replica("backup/beta/pg/left", "@~20:00,32 @~21:00,33", **old),
        ),
    )
    return plan(specs, observed, NOW)


SCENES: dict[str, Callable[[], Plan]] = {
    scene.__name__.replace("_", "-"): scene
    for scene in (
        one_step,
        many_filesystems,
        long_history,
        trouble,
        first_time,
        wrong_clock,
        odds_and_ends,
        nothing,
        nobody,
        targeted,
        hostile,
        from_zrepl,
        outside_windows,
        sources,
    )
}


def scene(name: str) -> Plan:
    """Return a plan by its scene's name."""
    return replace(SCENES[name](), specs=SPECS)
