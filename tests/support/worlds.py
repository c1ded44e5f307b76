"""Small worlds in one line each: what is wanted, what is there, and what a plan makes of it.

    fs("tank/www", "@~22:00,11 @~23:00,12 #cur,11 @manual,13")

is a filesystem with four versions, oldest first, each `@name,guid` or `#name,guid`, perhaps with
facts behind: `@~23:00,12,written=0,held=step+keep`. Its dialect:

    ~23:00, ~11-20T23:00, ~2025-11-20T23:00    our name for that instant, on `DAY` unless said
    #cur, #cur/vault2                          the cursor of replication web from alpha to vault
    held=step, held=base, held=step/vault2     our hold tags of the same; others are as they are
    spec=, at=23:00, written=, referenced=, refs=

The createtxg is the place in the list (a bookmark has that of the snapshot with its guid), the
creation is the instant in our name, else a second after the version before. A snapshot with our
name carries the mark of replication `web` in `fs`, and none in `replica`, as after a receive.

    desired("web: alpha tank/www/** !tank/www/cache every 15m keep last 2 -> vault keep daily 7")

is a spec set. Each `->` begins a target: `HOST [UNDER] [keep RULES [in ZONE]] [initial KIND]
[conflict KIND] [gone 90d]`; the receivers lie below `backup/{host}` unless said. Without `every`
one snapshot is enough for ever, without `max-destroy 5` or `max-destroy 50%` any number may go,
without `bookmarks all` or `bookmarks last 3` there are cursors only.
`cron 0 2 * * *` stands in its place, or `external REGEX`; `allow 0 22 * * * 8h` and `deny ...` are
windows (several one after the other); `zone ZONE` is theirs and that of `cron`. `received` stands
there too: then the source is what other lines bring to the host.
"""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from reconciler.desired.chains import linked
from reconciler.desired.grid import parse_grid
from reconciler.desired.model import (
    Calendar,
    Cron,
    Desired,
    Every,
    External,
    Initial,
    Keep,
    KeepRule,
    Last,
    LeftBehind,
    Matching,
    MaxDestroy,
    OnConflict,
    Period,
    Received,
    Replication,
    Schedule,
    Snapshots,
    Target,
    Window,
    Windows,
    Within,
)
from reconciler.desired.selection import Selection
from reconciler.hosts.addresses import HostAddress, LocalAddress
from reconciler.observed.model import Filesystem, Observation, Observed, Pool, Seen, Unseen
from reconciler.planner.marks import PairMarks, snapshot_name, snapshot_time
from reconciler.zfs.names import ancestors
from reconciler.zfs.types import FilesystemKind, Version, VersionKind, version_order

DAY = "2026-11-22"
PREFIX = "rec-"
FEATURES = {"encryption": "enabled", "large_blocks": "enabled", "lz4_compress": "active"}
FOR_EVER = 10**11
"""Seconds: a slot that began at the epoch and has not ended."""

_KEYWORDS = (
    *("every", "cron", "external", "received", "prefix", "if-changed", "zone"),
    *("keep", "bookmarks", "in", "suspended", "allow", "deny", "max-destroy"),
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def instant(text: str) -> int:
    """Return `23:15`, `11-20T23:15:30` or `2025-11-20T23:15` as seconds since the epoch."""
    day, _, time = text.rpartition("T")
    day = DAY[: len(DAY) - len(day)] + day
    time = time if time.count(":") == 2 else f"{time}:00"
    return int(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC).timestamp())


NOW = instant("23:15")


def ours(text: str, prefix: str = PREFIX) -> str:
    """Return our snapshot name for an instant: `ours("23:15")` is `rec-20261122T231500Z`."""
    return snapshot_name(prefix, instant(text))


@cache
def marks(target: str = "vault", root: str = "backup/alpha", replication: str = "web") -> PairMarks:
    """Return the names of holds and cursors of a pair."""
    whole = Target(target, {"": root}, Keep())
    return PairMarks.of(desired(f"{replication}: alpha tank").replications[replication], whole, "")


# -- what is there ---------------------------------------------------------------------------------


def fs(name: str, versions: str = "", *, spec: str | None = "web", **facts: object) -> Filesystem:
    """Return a filesystem with versions (see above); `facts` are fields of `Filesystem`."""
    known: dict[str, object] = {
        "kind": FilesystemKind.FILESYSTEM,
        "guid": zlib.crc32(name.encode()),
        "createtxg": 1,
        "used": 1000,
        "written": 0,
        "referenced": 1000,
        "encryption": "off",
        "keystatus": "none",
        "encryptionroot": None,
        "origin": None,
        "readonly": False,
        "mounted": False,
        "resume_token": None,
        "inconsistent": False,
        "placeholder": False,
        "disabled": False,
    }
    listed = tuple(sorted(_versions(versions, spec), key=version_order))
    return Filesystem(name=name, versions=listed, **{**known, **facts})  # type: ignore[arg-type]


def volume(name: str, versions: str = "", **facts: Any) -> Filesystem:
    """Return a volume."""
    return fs(name, versions, kind=FilesystemKind.VOLUME, **facts)


def replica(name: str, versions: str = "", **facts: Any) -> Filesystem:
    """Return a filesystem that was received: its snapshots carry no user properties."""
    return fs(name, versions, spec=None, readonly=True, **facts)


def placeholder(name: str) -> Filesystem:
    """Return a filesystem that we made as a parent only."""
    return fs(name, placeholder=True)


def encrypted(**facts: object) -> dict[str, Any]:
    """Return the facts of an encrypted filesystem whose key is loaded."""
    return {"encryption": "aes-256-gcm", "keystatus": "available", **facts}


def pool(name: str, **facts: object) -> Pool:
    """Return a healthy pool; `facts` are fields of `Pool`."""
    known: dict[str, object] = {
        "guid": zlib.crc32(name.encode()),
        "health": "ONLINE",
        "readonly": False,
        "free": 10**12,
        "features": FEATURES,
    }
    return Pool(name=name, **{**known, **facts})  # type: ignore[arg-type]


def seen(
    host: str,
    *filesystems: Filesystem,
    pools: Sequence[Pool] = (),
    skew: int = 0,
    at: int = NOW,
) -> Seen:
    """Return a host with these filesystems, their parents and healthy pools for all of them.

    `skew` is by how many seconds its clock is ahead of the controller's.
    """
    whole = {name: fs(name) for given in filesystems for name in ancestors(given.name)}
    whole |= {given.name: given for given in filesystems}
    present = {given.pool: pool(given.pool) for given in filesystems}
    present |= {given.name: given for given in pools}
    return Seen(
        host=host,
        at=at,
        clock=at + skew,
        zfs_version="2.2.2",
        pools=dict(sorted(present.items())),
        filesystems=dict(sorted(whole.items())),
        listed=tuple(sorted(present)),
    )


def unseen(host: str, cause: str = "Connection timed out") -> Unseen:
    """Return a host that could not be asked."""
    return Unseen(host, cause)


def world(*observations: Observation) -> Observed:
    """Return the observations of several hosts."""
    return {observation.host: observation for observation in observations}


def _versions(text: str, spec: str | None) -> Iterator[Version]:
    places: dict[int, int] = {}
    before = instant("11-01T00:00")
    for place, word in enumerate(text.split(), start=1):
        name, guid, *pairs = word[1:].split(",")
        facts = dict(pair.split("=") for pair in pairs)
        whole = _name(name, int(guid))
        stamp = re.search(r"\d{8}T\d{6}Z$", whole)
        managed = snapshot_time(whole[: stamp.start()], whole) if stamp else None
        before = instant(facts["at"]) if "at" in facts else managed or before + 1
        kind = VersionKind.SNAPSHOT if word[0] == "@" else VersionKind.BOOKMARK
        is_snapshot = kind is VersionKind.SNAPSHOT
        holds = tuple(sorted(map(_tag, facts["held"].split("+")))) if "held" in facts else ()
        yield Version(
            kind=kind,
            name=whole,
            guid=int(guid),
            createtxg=10 * places.setdefault(int(guid), place),
            creation=before,
            userrefs=int(facts.get("refs", len(holds))),
            written=int(facts.get("written", 1)) if is_snapshot else None,
            referenced=int(facts.get("referenced", 100)) if is_snapshot else None,
            spec=facts.get("spec", spec) or None if is_snapshot and managed else None,
            holds=holds,
        )


def _name(name: str, guid: int) -> str:
    if name.startswith("~"):
        return ours(name[1:])
    if name.partition("/")[0] == "cur":
        return f"{marks(name.partition('/')[2] or 'vault').cursor_prefix}{guid:016x}"
    return name


def _tag(tag: str) -> str:
    kind, _, target = tag.partition("/")
    pair = marks(target or "vault")
    return {"step": pair.step_tag, "base": pair.base_tag}.get(kind, tag)


# -- what is wanted --------------------------------------------------------------------------------


def desired(*lines: str) -> Desired:
    """Return the spec set that lines like the one above stand for."""
    read = [_replication(line.split()) for line in lines]
    named = {replication.name: replication for replication in sorted(read, key=lambda r: r.name)}
    hosts = {host for r in read for host in (*r.senders, *(t.host for t in r.targets))}
    return Desired(
        hosts={host: HostAddress(host, LocalAddress()) for host in sorted(hosts)},
        replications=linked(named),
        digest="sha256:0",
        objects=len(hosts) + len(named),
    )


def keep(text: str, zone: str = "UTC") -> Keep:
    """Return the keep rules that `last 2 daily 7 within 36h grid 2x1h|2x1d` stands for."""
    words = text.split()
    rules = zip(words[::2], words[1::2], strict=True)
    return Keep(tuple(_rule(rule, value) for rule, value in rules), zone)


def _replication(words: Sequence[str]) -> Replication:
    source, *targets = _split(words, "->")
    said = _sections(source[1:], *_KEYWORDS)
    senders = tuple(said[""][0].split(","))
    return Replication(
        name=source[0].removesuffix(":"),
        senders=senders,
        selection=Selection.parse(said[""][1:]),
        snapshots=_snapshots(said),
        keep=_keep_of(said),
        targets=tuple(_target(words, senders) for words in targets),
        suspend="suspended" in said,
        max_destroy=_max_destroy(said.get("max-destroy", ())),
        bookmarks=_left_behind(said.get("bookmarks", ["cursor"])),
        windows=Windows(_windows(said, "allow"), _windows(said, "deny")),
    )


def _left_behind(words: Sequence[str]) -> LeftBehind | None:
    if words[0] == "cursor":
        return None
    return LeftBehind(None if words[0] == "all" else int(words[-1]))


def _max_destroy(words: Sequence[str]) -> MaxDestroy:
    shares = [int(word[:-1]) for word in words if word.endswith("%")]
    numbers = [int(word) for word in words if not word.endswith("%")]
    return MaxDestroy(numbers[0] if numbers else None, shares[0] if shares else None)


def _snapshots(said: Mapping[str, Sequence[str]]) -> Snapshots | External | Received:
    if "received" in said:
        return Received()
    if "external" in said:
        return External(said["external"][0])
    schedule: Schedule = Every(seconds(said["every"][0]) if "every" in said else FOR_EVER)
    if "cron" in said:
        schedule = Cron(" ".join(said["cron"]), _zone(said))
    prefix = said.get("prefix", [PREFIX])[0]
    return Snapshots(schedule, prefix, if_changed="if-changed" in said)


def _windows(said: Mapping[str, Sequence[str]], kind: str) -> tuple[Window, ...]:
    words = said.get(kind, [])
    each = (words[start : start + 6] for start in range(0, len(words), 6))
    return tuple(Window(Cron(" ".join(w[:5]), _zone(said)), seconds(w[5])) for w in each)


def _zone(said: Mapping[str, Sequence[str]]) -> str:
    return said.get("zone", ["UTC"])[0]


def _target(words: Sequence[str], senders: Sequence[str]) -> Target:
    said = _sections(words, "keep", "in", "initial", "conflict", "gone")
    host, *under = said[""]
    root = under[0] if under else "backup/{host}"
    return Target(
        host=host,
        roots={sender: root.replace("{host}", sender) for sender in senders},
        keep=_keep_of(said),
        initial=Initial(said.get("initial", ["all"])[0]),
        on_conflict=OnConflict(said.get("conflict", ["stop"])[0]),
        destroy_gone_after=seconds(said["gone"][0]) if "gone" in said else None,
    )


def _keep_of(said: Mapping[str, Sequence[str]]) -> Keep:
    return keep(" ".join(said.get("keep", ())), said.get("in", ["UTC"])[0])


def _rule(rule: str, value: str) -> KeepRule:
    match rule:
        case "last":
            return Last(int(value))
        case "within":
            return Within(seconds(value), value)
        case "matching":
            return Matching(value)
        case "grid":
            return parse_grid(value)
    return Calendar(Period(rule), int(value))


def seconds(text: str) -> int:
    """Return a duration like `15m`."""
    return int(text[:-1]) * _UNITS[text[-1]]


def _split(words: Sequence[str], separator: str) -> Iterator[list[str]]:
    part: list[str] = []
    for word in words:
        if word == separator:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _sections(words: Sequence[str], *keywords: str) -> dict[str, list[str]]:
    """Return keyword → the words behind it; what comes before the first is under the empty one."""
    found: dict[str, list[str]] = {"": []}
    keyword = ""
    for word in words:
        if word in keywords:
            keyword = word
            found[keyword] = []
        else:
            found[keyword].append(word)
    return found
