"""What the hosts are like at first, what is wanted of them, and what has happened since."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st

from reconciler.desired.model import Desired
from reconciler.simulator.faults import Cut, Dies, Fails, Fault, Hangs, Lost, ScriptCut
from tests.property.happenings import WILD, Happening, happenings
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

SLOT = 900

_HOSTS = {
    "alpha": ("zpool create tank disk", "zfs create tank/a", "zfs create tank/a/b"),
    "beta": ("zpool create tank disk", "zfs create tank/a", "zfs create -s -V 1M tank/d"),
    "vault": ("zpool create backup disk",),
    "north": ("zpool create backup disk", "zpool create other disk"),
}

_WHAT = "tank/** !tank"

SPECS = (
    (f"web: alpha {_WHAT} every 15m keep last 2 -> vault keep last 3",),
    (f"web: alpha {_WHAT} every 15m keep last 1 -> vault keep daily 2 -> north keep last 1",),
    (f"web: alpha,beta {_WHAT} every 15m keep last 2 -> vault keep hourly 2",),
    (
        "web: alpha tank/a/** every 15m keep last 2 -> north keep last 2",
        "db: beta tank/** !tank every 30m prefix db- keep last 1 -> vault keep last 2",
    ),
    (f"web: alpha {_WHAT} every 15m prefix rec- keep last 1 -> vault keep last 2 initial newest",),
    (f"web: alpha {_WHAT} every 15m if-changed keep last 2 -> vault keep last 2",),
    (f"web: alpha {_WHAT} every 15m -> vault -> north other/{{host}} keep last 1",),
    (
        f"web: alpha {_WHAT} every 15m keep last 2 -> vault keep last 2",
        "onward: vault backup/** received -> north other/{host} keep last 3",
    ),
)


@cache
def wanted(number: int) -> Desired:
    """Return one of the spec sets."""
    return desired(*SPECS[number % len(SPECS)])


def opening(specs: Desired) -> Stage:
    """Return the hosts as they are before anything has happened."""
    hosts = sorted(specs.hosts)
    stage = Stage(hosts)
    for host in hosts:
        for line in _HOSTS[host]:
            assert stage.sh(host, line).status == 0, line
    return stage


class Trouble(NamedTuple):
    """Something that goes wrong at a moment of some host."""

    host: int
    moment: int
    fault: Fault

    def on(self, _stage: Stage, specs: Desired) -> dict[str, dict[int, Fault]]:
        """Return what a controller of these hosts meets."""
        hosts = sorted(specs.hosts)
        return {hosts[self.host % len(hosts)]: {self.moment: self.fault}}


class CutStream(NamedTuple):
    """One of the streams is cut after some bytes."""

    number: int
    bytes: int

    def on(self, stage: Stage, specs: Desired) -> dict[str, dict[int, Fault]]:
        """Return what a controller meets, which is tried out to see which streams there are."""
        rehearsal = Controller(stage.copy(), specs)
        rehearsal.apply()
        streams = [
            (host, moment)
            for host, faults in rehearsal.faults.items()
            for moment, argv in faults.started.items()
            if argv[1] == "send"
        ]
        if not streams:
            return {}
        host, moment = streams[self.number % len(streams)]
        return {host: {moment: Cut(self.bytes, 255)}}


class Scene(NamedTuple):
    """One thing after the other: some happenings, some slots of time, then perhaps an apply."""

    happenings: tuple[Happening, ...]
    slots: int
    applies: bool
    trouble: Trouble | CutStream | None


class Story(NamedTuple):
    """A spec set and what has happened so far."""

    specs: int
    scenes: tuple[Scene, ...]

    @property
    def desired(self) -> Desired:
        """What is wanted."""
        return wanted(self.specs)

    def told(self) -> Stage:
        """Return the hosts after the story."""
        stage = opening(self.desired)
        for scene in self.scenes:
            for happening in scene.happenings:
                happening.on(stage)
            stage.now += SLOT * scene.slots
            if scene.applies:
                planned = scene.trouble.on(stage, self.desired) if scene.trouble else {}
                Controller(stage, self.desired, planned).apply()
        stage.changes.clear()
        return stage


def stories(what: tuple[str, ...] = WILD, scenes: int = 4) -> st.SearchStrategy[Story]:
    """Return some story. After its last scene there may be something to be done."""
    some = st.lists(happenings(what), max_size=3).map(tuple)
    slots, mostly = st.sampled_from([1, 1, 2, 5, 100]), st.sampled_from([True] * 4 + [False])
    away = st.builds(Trouble, st.integers(0, 3), st.just(1), st.just(Lost()))
    cut = st.builds(CutStream, st.integers(0, 7), st.integers(500, 6000))
    scene = st.builds(Scene, some, slots, mostly, st.one_of(st.none(), troubles(), away, cut))
    last = st.builds(
        Scene, some, st.sampled_from([0, 1, 1, 1, 100]), st.just(value=False), st.none()
    )
    before = st.lists(scene, max_size=scenes - 1)
    return st.builds(
        Story,
        st.integers(0, len(SPECS) - 1),
        st.builds(lambda found, end: (*found, end), before, last),
    )


TEXTS: Sequence[tuple[str, ...]] = (
    ("cannot open 'tank/a': dataset does not exist",),
    ("cannot destroy snapshot tank/a@x: dataset is busy",),
    ("cannot receive incremental stream: dataset is busy",),
    ("internal error: out of memory",),
    ("cannot hold snapshot 'tank/a@x': permission denied",),
    (),
)


def troubles() -> st.SearchStrategy[Trouble]:
    """Return something that goes wrong somewhere; at moment 1 a host is not reached at all."""
    moments = st.one_of(st.just(1), st.integers(1, 60), st.integers(1, 200))
    return st.builds(Trouble, st.integers(0, 3), moments, faults())


def faults() -> st.SearchStrategy[Fault]:
    """Return something that goes wrong."""
    statuses = st.sampled_from([0, 1, 255])
    return st.one_of(
        st.just(Lost()),
        st.just(Hangs()),
        st.just(Dies()),
        st.builds(Fails, st.sampled_from(TEXTS), st.sampled_from([1, 2, 134, 255])),
        st.builds(Cut, st.integers(0, 400), statuses),
        st.builds(Cut, st.integers(1000, 8000), statuses),
        st.builds(ScriptCut, st.integers(0, 2000), statuses),
    )
