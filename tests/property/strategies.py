"""Random worlds that ZFS could have brought about, and random specs for them.

A filesystem begins as a history: all snapshots it ever had. Of these the sender has some, others
as bookmarks, others not at all; the receiver got the history up to some point and destroyed some
of it. On top come the mishaps: divergence, a half received stream, a receiver that was written
to, clones, holds of others, hosts and pools that can't be seen, clocks that are wrong.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from reconciler.actions.bookmark import cursor_name
from reconciler.desired.model import Desired, Keep
from reconciler.observed.model import Filesystem, Observation, Observed, Pool
from reconciler.planner.marks import PairMarks, snapshot_name
from reconciler.zfs.names import ancestors
from reconciler.zfs.types import FilesystemKind, Version, VersionKind
from tests.support.tokens import token
from tests.support.worlds import (
    NOW,
    desired,
    encrypted,
    fs,
    keep,
    marks,
    placeholder,
    pool,
    seen,
    unseen,
    volume,
)

SENDERS = ("alpha", "beta", "gamma")
VAULTS = ("vault", "north")
NAMES = ("tank/a", "tank/a/b", "tank/a/b/c", "tank/d", "tank/e")
FILESYSTEM = FilesystemKind.FILESYSTEM
WHAT = "tank/** !tank !tank/clones/**"
"""All but the pools themselves, and no clones."""

LEFT = "rec-mark_web_"
"""What begins the names of the bookmarks that are left of snapshots of `web`."""

SCHEDULES = (
    *("", "every 15m", "every 15m if-changed", "every 7d"),
    *("cron 30 2 * * * zone Europe/Vienna", "cron */15 * * * *", "external ^rec-|man"),
)
WINDOWS = ("allow 0 2 * * * 4h", "allow 0 22 * * * 8h", "deny 0 23 * * * 1h")
"""Closed, open and closed at NOW."""

DAY = 86400
SLOT = 900


class Scenario(NamedTuple):
    """All that a plan is made from."""

    desired: Desired
    observed: Observed
    now: int


class Lot(NamedTuple):
    """One snapshot of a history, and what became of it on both ends."""

    snapshot: Version
    on_sender: str
    """snapshot | bookmark | cursor | left | gone"""
    on_receiver: bool
    held: str


@lru_cache(maxsize=None, typed=True)  # True is no 1
def usually(common: object, *rare: object) -> st.SearchStrategy:
    """Return `common` mostly, now and then one of the others; shrinks to `common`."""
    return st.sampled_from([common] * (5 * len(rare)) + list(rare))


# -- histories -------------------------------------------------------------------------------------


_GAPS = st.lists(st.sampled_from((SLOT, 3 * SLOT, DAY, 8 * DAY)), max_size=6)


def _history(draw: st.DrawFn, number: int) -> list[Lot]:
    """All snapshots that filesystem number `number` ever had, oldest first."""
    gaps = draw(_GAPS)
    end = NOW - draw(usually(100, 2 * DAY, -3600))
    return [_lot(draw, number, place, end - sum(gaps[place:])) for place in range(1, len(gaps) + 1)]


def _lot(draw: st.DrawFn, number: int, place: int, at: int) -> Lot:
    """One snapshot: ours mostly, its creation mostly what its name says."""
    managed = draw(usually(True, False))
    snapshot = Version(
        kind=VersionKind.SNAPSHOT,
        name=snapshot_name("rec-", at) if managed else f"manual{place}",
        guid=1000 * number + place,
        createtxg=10 * place,
        creation=at + draw(usually(0, 0, -DAY, 3600)),
        written=draw(usually(1, 0)),
        referenced=100,
        spec="web" if managed else None,
    )
    where = draw(usually("snapshot", "bookmark", "cursor", "left", "gone"))
    holds = draw(usually("", "keep", "step", "uncounted"))
    return Lot(snapshot, where, draw(usually(True, False)), holds)


def on_sender(history: list[Lot], pairs: list[PairMarks]) -> tuple[Version, ...]:
    """What the sender has of a history."""
    return tuple(version for lot in history for version in _sender_version(lot, pairs))


def _sender_version(lot: Lot, pairs: list[PairMarks]) -> list[Version]:
    snapshot = lot.snapshot
    mark = snapshot._replace(
        kind=VersionKind.BOOKMARK, name=f"mark{snapshot.guid}", written=None, spec=None
    )
    match lot.on_sender:
        case "snapshot":
            return [_held(snapshot, lot.held, pairs[0])]
        case "bookmark":
            return [mark]
        case "left":
            return [mark._replace(name=f"{LEFT}{snapshot.guid:016x}")]
        case "cursor":
            names = [cursor_name(pair.cursor_prefix, snapshot.guid) for pair in pairs]
            cursors = [mark._replace(name=name) for name in names]
            return [*cursors, _held(snapshot, lot.held, pairs[-1])]
    return []


def _held(version: Version, how: str, pair: PairMarks) -> Version:
    match how:
        case "keep":
            return version._replace(holds=("keep",), userrefs=1)
        case "step":
            return version._replace(holds=(pair.step_tag,), userrefs=1)
        case "uncounted":
            return version._replace(userrefs=1)
    return version


def on_receiver(history: list[Lot], pair: PairMarks) -> tuple[Version, ...]:
    """What the receiver has of a history, the last one held as the base."""
    got = [
        lot.snapshot._replace(createtxg=7 * (place + 3), spec=None)
        for place, lot in enumerate(history)
        if lot.on_receiver
    ]
    if got:
        got[-1] = got[-1]._replace(holds=(pair.base_tag,), userrefs=1)
    return tuple(got)


# -- pairs -----------------------------------------------------------------------------------------


def _source(draw: st.DrawFn, name: str, history: list[Lot], pairs: list[PairMarks]) -> Filesystem:
    """The sender's filesystem."""
    made = draw(usually(fs, volume)) if name in {"tank/a/b/c", "tank/d", "tank/e"} else fs
    secret = encrypted() if draw(usually(False, True)) else {}
    found: Filesystem = made(name, written=draw(_WRITTEN), **secret)
    return replace(
        found, versions=on_sender(history, pairs), disabled=draw(usually(False, False, False, True))
    )


def _receiver(
    draw: st.DrawFn, name: str, source: Filesystem, history: list[Lot], pair: PairMarks
) -> Filesystem | None:
    """What is at the receiver's place."""
    cut = draw(st.integers(0, len(history)))
    got = on_receiver(history[:cut], pair)
    there = replace(
        source, name=name, versions=got, written=0, disabled=False, readonly=True, origin=None
    )
    state = draw(_STATES)
    if state == "absent" or (state == "replica" and not got):
        return None
    return _mishap(state, there, history[cut:])


_MISHAPS = ("diverged", "partial", "placeholder", "empty", "written", "off", "volume", "garbled")
_STATES = st.sampled_from(["replica"] * 8 + ["absent", "absent", *_MISHAPS])
_WRITTEN = st.sampled_from([0, 5])


def _mishap(state: str, there: Filesystem, to_come: list[Lot]) -> Filesystem | None:
    """Return a replica to which something happened; None if there would be nothing at all."""
    changes: dict[str, dict[str, Any]] = {
        "empty": {"versions": ()},
        "written": {"written": 5},
        "off": {"disabled": True},
        "volume": {"kind": FilesystemKind.VOLUME},
        "garbled": {"resume_token": "1-0-0-00"},
    }
    if state == "placeholder":
        return placeholder(there.name)
    if state == "diverged" and there.versions:
        return _diverged(there, there.versions[-1])
    if state == "partial" and to_come:
        return _partial(there, to_come[0].snapshot.guid)
    changed = replace(there, **changes.get(state, {}))
    return changed if there.versions or state in changes else None


def _diverged(there: Filesystem, last: Version) -> Filesystem:
    """Somebody took a snapshot of the replica."""
    later = last.createtxg + 1
    mine = last._replace(name="mine", guid=last.guid + 500, createtxg=later, holds=(), userrefs=0)
    return replace(there, versions=(*there.versions, mine))


def _partial(there: Filesystem, toguid: int) -> Filesystem:
    """A stream was cut."""
    base = there.versions[-1].guid if there.versions else None
    saved = token(toguid, base, raw=there.encryption != "off")
    return replace(there, resume_token=saved, inconsistent=base is None)


# -- hosts -----------------------------------------------------------------------------------------


def _observations(
    draw: st.DrawFn, senders: tuple[str, ...], vaults: tuple[str, ...], size: int, now: int
) -> Observed:
    """All hosts, each perhaps unseen or with a wrong clock."""
    stock: dict[str, list[Filesystem]] = {host: [] for host in (*senders, *vaults)}
    number = 0
    for host in senders:
        for name in draw(trees(size)):
            number += 1
            history = _history(draw, number)
            root = f"backup/{host}"
            source = _source(draw, name, history, [marks(v, root) for v in vaults])
            stock[host] += [source, *_clones(draw, source)]
            for vault in vaults:
                receiver = f"{root}/{name}"
                if _can_be(receiver, name, stock[vault]):
                    found = _receiver(draw, receiver, source, history, marks(vault, root))
                    stock[vault] += [found, *_clones(draw, found)] if found is not None else []
    return {host: _host(draw, host, tuple(found), now) for host, found in stock.items()}


def trees(size: int) -> st.SearchStrategy[list[str]]:
    """Names of filesystems, parents with them and before them."""
    chosen = st.lists(st.sampled_from(NAMES), unique=True, max_size=size)
    return chosen.map(
        lambda names: sorted({whole for name in names for whole in (name, *ancestors(name)[1:])})
    )


def _can_be(receiver: str, name: str, present: list[Filesystem]) -> bool:
    """Tell whether something can be there: below a parent that is."""
    above = {there.name: there for there in present}
    parent = receiver.rpartition("/")[0]
    if name.count("/") == 1:
        return True
    there = above.get(parent)
    return there is not None and there.kind is FILESYSTEM and not there.inconsistent


def _clones(draw: st.DrawFn, source: Filesystem) -> list[Filesystem]:
    """Perhaps a clone of one of the snapshots, outside of what is replicated."""
    if not source.snapshots or draw(usually(True, False)):
        return []
    origin = draw(st.sampled_from(source.snapshots))
    return [fs(f"{source.pool}/clones/{origin.guid}", origin=origin.of(source.name))]


def _host(draw: st.DrawFn, name: str, filesystems: tuple[Filesystem, ...], now: int) -> Observation:
    """A host with these filesystems; now and then it can't be asked, or its pool is in trouble."""
    if draw(usually(False, False, False, True)):
        return unseen(name)
    own = ["backup", "other"] if name in VAULTS else ["tank"]
    skew = draw(usually(0, 0, 0, 300, -300))
    known = [fs(pool) for pool in own]
    shelves = [_pool(draw, pool) for pool in own]
    return seen(name, *known, *filesystems, pools=shelves, skew=skew, at=now)


def _pool(draw: st.DrawFn, name: str) -> Pool:
    """A pool, mostly a healthy one."""
    return pool(name, readonly=draw(usually(False, False, False, True)))


# -- specs -----------------------------------------------------------------------------------------

RULES = ("last 1", "last 2", "hourly 2", "daily 1", "daily 3", "weekly 2", "monthly 1")
MORE_RULES = (
    "yearly 1",
    "within 2h",
    "within 3d",
    "matching rec-.*0000Z",
    "grid 1x1h(keep=all)|2x1h|2x1d",
    "grid 2x1d",
)
ZONES = (
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
)


def keep_texts() -> st.SearchStrategy[str]:
    """Keep rules, none of them too."""
    rules = st.sampled_from([*RULES, *MORE_RULES])
    return st.lists(rules, max_size=3, unique=True).map(" ".join)


def keeps() -> st.SearchStrategy[Keep]:
    """Keep rules in some time zone."""
    return st.builds(keep, keep_texts(), st.sampled_from(ZONES))


@st.composite
def spec_sets(
    draw: st.DrawFn, senders: tuple[str, ...], vaults: tuple[str, ...], *, mends: bool
) -> Desired:
    """One replication of everything to each vault, perhaps one more of a part of it."""
    mending = ("rollback", "setAside", "setAside") if mends else ("stop",)
    clearing = [draw(st.sampled_from(mending)) for _ in vaults]
    schedule = draw(st.sampled_from(SCHEDULES))
    windows = draw(usually("", *WINDOWS))
    kinds = [draw(usually("all", "newest", "refuse")) for _ in vaults]
    targets = [
        f"-> {vault} keep {draw(keep_texts())} initial {kind} conflict {way_out}"
        for vault, kind, way_out in zip(vaults, kinds, clearing, strict=True)
    ]
    rules = "" if "external" in schedule else f"keep {draw(keep_texts())}"
    if "external" not in schedule:
        rules += draw(usually("", " bookmarks all", " bookmarks last 1"))
    source = f"web: {','.join(senders)} {WHAT} {schedule} {windows} {rules}"
    lines = [f"{source} {draw(usually('', 'suspended'))} {' '.join(targets)}"]
    if draw(st.booleans()):
        lines.append(
            f"db: {senders[0]} tank/a/** prefix db- every 1h keep {draw(keep_texts())}"
            f" -> {vaults[0]} other/{{host}} keep {draw(keep_texts())}"
        )
    return desired(*lines)


@st.composite
def scenarios(draw: st.DrawFn, most: int = 3, size: int = 3, *, mends: bool = False) -> Scenario:
    """A spec set, a world it is about, and an instant; `mends`: with `onConflict`."""
    senders = SENDERS[: draw(st.integers(1, most))]
    vaults = VAULTS[: draw(st.integers(1, 2))]
    now = NOW + draw(st.sampled_from([0, 100, 3600, -3600, 3 * DAY]))
    observed = _observations(draw, senders, vaults, size, now)
    return Scenario(draw(spec_sets(senders, vaults, mends=mends)), observed, now)


# -- chains ----------------------------------------------------------------------------------------

ONWARD = "onward: vault backup/** received"
"""The replication that sends on what the vault receives, without its windows and targets."""


@st.composite
def chained(draw: st.DrawFn, size: int = 2) -> Scenario:
    """A chain of three hosts: alpha → vault → north, and an instant."""
    now = NOW + draw(st.sampled_from([0, 100, 3600, -3600, 3 * DAY]))
    web, onward = marks("vault", "backup/alpha"), marks("north", "backup/vault", "onward")
    stock: dict[str, list[Filesystem]] = {"alpha": [], "vault": [], "north": []}
    for number, name in enumerate(draw(trees(size)), start=1):
        history = _history(draw, number)
        source = _source(draw, name, history, [web])
        stock["alpha"] += [source, *_clones(draw, source)]
        middle = f"backup/alpha/{name}"
        if not _can_be(middle, name, stock["vault"]):
            continue
        found = _receiver(draw, middle, source, history, web)
        later = draw(sent_on(history))
        if found is not None:
            found = _sending_on(found, later, onward)
            stock["vault"] += [found, *_clones(draw, found)]
        end = f"backup/vault/{middle}"
        if _can_be(end, name, stock["north"]):
            last = _receiver(draw, end, found or source, later, onward)
            stock["north"] += [last] if last is not None else []
    observed = {host: _host(draw, host, tuple(there), now) for host, there in stock.items()}
    return Scenario(draw(chain_specs()), observed, now)


@st.composite
def sent_on(draw: st.DrawFn, history: list[Lot]) -> list[Lot]:
    """What the middle ever got of a history, and what became of it there and at the end."""
    got = [
        lot.snapshot._replace(createtxg=7 * (place + 3), spec=None)
        for place, lot in enumerate(history)
        if lot.on_receiver
    ]
    return [
        Lot(
            snapshot,
            draw(usually("snapshot", "bookmark", "cursor", "gone")),
            draw(usually(True, False)),
            draw(usually("", "keep", "step", "uncounted")),
        )
        for snapshot in got
    ]


def _sending_on(there: Filesystem, later: list[Lot], onward: PairMarks) -> Filesystem:
    """Return the middle's filesystem with what sending on has left there.

    What it was sent last is its base and stays, and so does what is not of the history.
    """
    lots = {lot.snapshot.guid: lot for lot in later}
    versions: list[Version] = []
    for version in there.versions:
        lot = lots.get(version.guid)
        if lot is None or version.holds:
            versions.append(version)
        else:
            versions += on_sender([lot], [onward])
    return replace(there, versions=tuple(versions))


@st.composite
def chain_specs(draw: st.DrawFn) -> Desired:
    """One replication, and one that sends on what the first one brings."""
    schedule = draw(st.sampled_from(SCHEDULES))
    rules = "" if "external" in schedule else f"keep {draw(keep_texts())}"
    kinds = [draw(usually("all", "newest", "refuse")) for _ in range(2)]
    suspended = [draw(usually("", "suspended")) for _ in range(2)]
    windows = [draw(usually("", *WINDOWS)) for _ in range(2)]
    return desired(
        f"web: alpha {WHAT} {schedule} {windows[0]} {rules} {suspended[0]}"
        f" -> vault keep {draw(keep_texts())} initial {kinds[0]}",
        f"{ONWARD} {windows[1]} {suspended[1]}"
        f" -> north keep {draw(keep_texts())} initial {kinds[1]}",
    )
