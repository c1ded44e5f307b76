"""Whatever happens to the spec files and whenever one looks: in force are whole, good specs."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from reconciler.controller.specs import SpecKeeper
from reconciler.desired.diagnostics import Position, SpecError
from reconciler.desired.files import SpecFile, SpecFiles, fingerprint, none_here
from reconciler.report.telemetry import Silent, Telemetry
from tests.support.spec_texts import specs

NAMES = ("web", "mail", "db", "vm")
QUIET, POLL = 2.0, 60.0


@dataclass
class Memory:
    """A source that holds what it is told to; None: it can't be read at all."""

    text: str | None = ""

    def describe(self) -> str:
        return "memory"

    def fingerprint(self) -> str:
        return self.read().fingerprint

    def read(self) -> SpecFiles:
        if self.text is None:
            raise SpecError([Position("memory").error("this can't be read")])
        found = SpecFile("a.yaml", self.text.encode()) if self.text else none_here("memory")
        return SpecFiles((found,), fingerprint([found]))

    def watched(self) -> None:
        return None


Names = frozenset[str]

WHOLE = st.frozensets(st.sampled_from(NAMES), min_size=1)
WRITTEN = st.tuples(st.just("write"), WHOLE)
CUT = st.tuples(st.just("cut"), st.integers(0, 400))
OTHER = st.tuples(st.sampled_from(["empty", "away", "poke", "restart"]), st.none())
WAIT = st.tuples(st.just("wait"), st.floats(0.0, 200.0))
EVENTS = st.lists(st.one_of(WRITTEN, CUT, OTHER, WAIT), max_size=25)


@dataclass
class World:
    """A source, a keeper and the time."""

    store: Path
    source: Memory = field(default_factory=Memory)
    telemetry: Telemetry = field(default_factory=Silent)
    now: float = 1_795_389_300.0
    good: set[Names] = field(default_factory=set)
    keeper: SpecKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.keeper = SpecKeeper(self.source, self.store, self.telemetry, quiet=QUIET, poll=POLL)

    def happen(self, what: str, how: object) -> None:
        match what, how:
            case "write", frozenset() as names:
                self.source.text = specs(*sorted(names))
                self.good.add(names)
            case "cut", int(end):
                self.source.text = (self.source.text or "")[:end]
            case "empty", _:
                self.source.text = ""
            case "away", _:
                self.source.text = None
            case "poke", _:
                self.keeper.poke(self.now)
            case "restart", _:
                self.restart()
            case "wait", float(seconds):
                self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Let time pass, with all looks that are due."""
        end = self.now + seconds
        while (due := self.keeper.next_at(self.now)) <= end:
            self.now = max(self.now, due)
            before = self.keeper.desired()
            others = self.keeper.refresh(self.now)
            assert others == (self.keeper.desired() is not before)
        self.now = end

    @property
    def in_force(self) -> Names | None:
        desired = self.keeper.desired()
        return None if desired is None else frozenset(desired.replications)


@given(EVENTS)
def test_in_force_is_only_what_somebody_wrote_whole(events: list[tuple[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder, "specs.json"))
        for what, how in events:
            world.happen(what, how)
            # A cut text can be whole by chance; then there is less of it, never anything else.
            force = world.in_force
            assert force is None or any(force <= good for good in world.good)
            if what != "restart" and world.keeper.status().problem is None:
                assert force is not None


@given(EVENTS, WHOLE)
def test_what_is_whole_and_not_shrunken_comes_into_force_in_the_end(
    events: list[tuple[str, object]], names: Names
) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder, "specs.json"))
        for what, how in events:
            world.happen(what, how)
        world.happen("write", frozenset(NAMES))
        world.wait(2 * POLL)
        assert world.in_force == frozenset(NAMES)
        assert world.keeper.status().problem is None

        world.happen("write", names)
        world.wait(2 * POLL)
        shrank = len(NAMES) - len(names) > len(NAMES) / 2
        assert (world.in_force == names) != shrank
        assert (world.keeper.status().problem is not None) == shrank


@given(EVENTS)
def test_once_there_are_specs_in_force_there_always_are(events: list[tuple[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder, "specs.json"))
        world.happen("write", frozenset(NAMES))
        world.wait(2 * POLL)
        for what, how in events:
            world.happen(what, how)
            if what == "restart":
                world.wait(2 * POLL)
            assert world.in_force
