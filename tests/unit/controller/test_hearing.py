"""The thread that hears of changes on a host, with hosts that do as they are told."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from reconciler.controller.hearing import HostHearing
from reconciler.controller.listening import Delays
from reconciler.errors import CommandEnded, HostError, Unreachable
from reconciler.hosts.cutting import Cut
from reconciler.hosts.host import LineListener, Pulse, StderrListener
from reconciler.hosts.script import Outcome, Script, Transcript
from reconciler.hosts.simulated import SimulatedHost
from reconciler.report.telemetry import Silent
from reconciler.simulator.announcing import Announced, record
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.faults import Fails, Faults
from reconciler.simulator.model import Machine
from reconciler.simulator.run import run
from reconciler.zfs.events import HISTORY
from reconciler.zfs.types import Argv

QUICK = Delays(
    spread=0.01,
    settle=0.05,
    mute=0.05,
    quiet=0.05,
    longest=0.5,
    first=0.01,
    most=0.05,
    poll=0.05,
    again=600.0,
)

DENIED = CommandEnded("web1", "denied", status=255, stderr="cannot get event: permission denied\n")
UNKNOWN_PROPERTY = "bad property list: invalid property 'snapshots_changed'\nusage:\n"


class Telemetry(Silent):
    def __init__(self) -> None:
        self.events = 0
        self.broken = 0

    def heard(self, host: str, count: int) -> None:
        assert host == "web1"
        self.events += count

    def deaf(self, host: str) -> None:
        assert host == "web1"
        self.broken += 1


@dataclass
class Stage:
    """One host's hearing and what it told."""

    told: list[object] = field(default_factory=list)
    """Changes and states in their order."""
    notes: list[str] = field(default_factory=list)
    telemetry: Telemetry = field(default_factory=Telemetry)
    hearings: list[HostHearing] = field(default_factory=list)

    def hear(self, host: "ScriptedHost | SimulatedHost", delays: Delays = QUICK) -> HostHearing:
        hearing = HostHearing(
            host,
            ("tank",),
            lambda _, changes: self.told.append(changes and set(changes)),
            lambda _, is_open: self.told.append("open" if is_open else "shut"),
            self.telemetry,
            note=self.notes.append,
            delays=delays,
        )
        self.hearings.append(hearing)
        hearing.start()
        return hearing

    def wait_for(self, *told: object) -> None:
        wait_until(lambda: self.told[: len(told)] == list(told), lambda: self.told)


def wait_until(condition: Callable[[], bool], shown: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.01)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    for hearing in stage.hearings:
        hearing.close()


@dataclass
class ScriptedHost:
    """Follows as its script says: each stream is its lines and, perhaps, the error it ends with."""

    streams: list[tuple[list[str], HostError | None]]
    answers: list[Outcome | HostError] = field(default_factory=list)
    """To one poll after the other; the last one stays."""
    name: str = "web1"
    followed: int = 0
    polls: int = 0
    say: "list[str]" = field(default_factory=list)
    """Lines that come later."""
    broken: HostError | None = None
    """Breaks the stream that is open."""

    def run(
        self,
        script: Script,
        *,
        timeout: float,
        on_stderr: StderrListener | None = None,
        cut: Cut | None = None,
    ) -> Transcript:
        del script, timeout, on_stderr, cut
        answer = self.answers[min(self.polls, len(self.answers) - 1)]
        self.polls += 1
        if isinstance(answer, HostError):
            raise answer
        return Transcript({"now": Outcome(0, f"{1000 + self.polls * 60}\n", ""), "changes": answer})

    def follow(
        self,
        argv: Argv,
        on_line: LineListener,
        stop: threading.Event,
        *,
        on_pulse: Pulse | None = None,
    ) -> None:
        assert argv == ("zpool", "events", "-f", "-v", "-H")
        assert on_pulse is not None
        lines, error = self.streams[min(self.followed, len(self.streams) - 1)]
        self.followed += 1
        if error is not None and not lines:
            raise error
        for line in lines:
            on_line(line)
        while not stop.is_set():
            on_pulse()
            while self.say:
                on_line(self.say.pop(0))
            if self.broken is not None:
                broken, self.broken = self.broken, None
                raise broken
            stop.wait(0.01)

    def close(self) -> None:
        """Do nothing."""


def event(dataset: str) -> list[str]:
    return list(record(Announced("tank", HISTORY, dataset, "snapshot"), 1, 1_795_000_000.0))


def rows(**changed: int) -> Outcome:
    return Outcome(0, "".join(f"tank/{name}\t{at}\n" for name, at in changed.items()), "")


SILENT_STREAM: tuple[list[str], None] = ([], None)


class TestStream:
    def test_when_it_opens_anything_may_have_changed(self, stage: Stage) -> None:
        stage.hear(ScriptedHost([(event("tank/a@old"), None)]))
        stage.wait_for("open", None)
        assert stage.telemetry.events == 0, "what was before is no news"

    def test_an_event_is_told_once_with_its_filesystem(self, stage: Stage) -> None:
        host = ScriptedHost([SILENT_STREAM])
        stage.hear(host)
        stage.wait_for("open", None)
        host.say += [*event("tank/a@one"), *event("tank/a@two"), *event("tank/b@one")]
        stage.wait_for("open", None, {"tank/a", "tank/b"})
        wait_until(lambda: stage.telemetry.events == 3)
        time.sleep(0.2)
        assert len(stage.told) == 3

    def test_when_it_breaks_that_is_told_and_it_is_opened_again(self, stage: Stage) -> None:
        host = ScriptedHost([SILENT_STREAM])
        stage.hear(host)
        stage.wait_for("open", None)
        host.broken = Unreachable("web1", "the connection broke")
        stage.wait_for("open", None, "shut", "open", None)
        assert stage.telemetry.broken == 1
        assert stage.notes == ["web1: changes there can't be heard: the connection broke"]
        assert host.polls == 0, "a host that can't be reached is not polled"

    def test_an_event_just_before_it_breaks_is_told(self, stage: Stage) -> None:
        host = ScriptedHost([SILENT_STREAM])
        stage.hear(host, Delays(spread=0.01, settle=0.05, mute=0.05, quiet=60, longest=600))
        stage.wait_for("open", None)
        host.say += event("tank/a@one")
        host.broken = Unreachable("web1", "the connection broke")
        stage.wait_for("open", None, "shut", {"tank/a"})

    def test_it_is_tried_for_as_long_as_it_takes_and_noted_once(self, stage: Stage) -> None:
        down: tuple[list[str], HostError] = ([], Unreachable("web1", "no answer"))
        host = ScriptedHost([down] * 20 + [SILENT_STREAM])
        stage.hear(host)
        stage.wait_for("open", None)
        assert host.followed == 21
        assert stage.notes == ["web1: changes there can't be heard: no answer"]
        assert stage.telemetry.broken == 0

    def test_a_mistake_in_a_listener_does_not_make_it_deaf(self, stage: Stage) -> None:
        host = ScriptedHost([SILENT_STREAM])
        mistakes = ["once"]

        def on_change(_: str, changes: object) -> None:
            if mistakes:
                raise ValueError(mistakes.pop())
            stage.told.append(changes)

        hearing = HostHearing(
            host,
            (),
            on_change,
            lambda *_: None,
            stage.telemetry,
            note=stage.notes.append,
            delays=QUICK,
        )
        stage.hearings.append(hearing)
        hearing.start()
        stage.wait_for(None)
        assert "a mistake of ours: ValueError: once" in stage.notes[0]

    def test_close_ends_it(self, stage: Stage) -> None:
        hearing = stage.hear(ScriptedHost([SILENT_STREAM]))
        stage.wait_for("open", None)
        hearing.close()
        assert stage.told == ["open", None, "shut"]
        assert not hearing._thread.is_alive()
        assert stage.telemetry.broken == 0, "nothing broke"


class TestPolling:
    def test_what_moved_is_told(self, stage: Stage) -> None:
        polls: list[Outcome | HostError] = [rows(a=1, b=1), rows(a=1, b=1), rows(a=1, b=1090)]
        host = ScriptedHost([([], DENIED)], polls)
        stage.hear(host)
        stage.wait_for(None, {"tank/b"})
        wait_until(lambda: host.polls > 6)
        assert stage.told == [None, {"tank/b"}]
        assert host.followed == 1, "the stream is tried again much later"
        assert stage.notes == ["web1: changes there can't be heard: denied"]

    def test_before_2_2_anything_may_have_changed_and_the_host_is_left_alone(
        self, stage: Stage
    ) -> None:
        host = ScriptedHost([([], DENIED)], [Outcome(2, "", UNKNOWN_PROPERTY)])
        stage.hear(host)
        stage.wait_for(None, None, None)
        assert host.polls == 1

    def test_after_a_poll_that_failed_anything_may_have_changed(self, stage: Stage) -> None:
        down = Unreachable("web1", "no answer")
        host = ScriptedHost([([], DENIED)], [rows(a=1), down, rows(a=1)])
        stage.hear(host)
        wait_until(lambda: host.polls > 4)
        assert stage.told == [None, None]

    def test_a_listing_that_is_not_understood_may_mean_anything(self, stage: Stage) -> None:
        host = ScriptedHost(
            [([], DENIED)], [rows(a=1), Outcome(0, "tank/a\tsoon\n", ""), rows(a=1)]
        )
        stage.hear(host)
        wait_until(lambda: host.polls > 4)
        assert stage.told == [None, None, None]

    def test_the_stream_is_tried_again_and_used_when_it_can_be_had(self, stage: Stage) -> None:
        host = ScriptedHost([([], DENIED), SILENT_STREAM], [rows(a=1)])
        stage.hear(
            host, Delays(spread=0.01, settle=0.05, mute=0.05, quiet=0.05, poll=60.0, again=0.2)
        )
        stage.wait_for(None, "open", None)

    def test_a_mistake_in_a_listener_does_not_end_it(self, stage: Stage) -> None:
        host = ScriptedHost([([], DENIED)], [rows(a=1)])
        calls: list[object] = []

        def on_change(_: str, changes: object) -> None:
            calls.append(changes)
            raise ValueError("always")

        hearing = HostHearing(
            host, ("tank",), on_change, lambda *_: None, stage.telemetry, delays=QUICK
        )
        stage.hearings.append(hearing)
        hearing.start()
        wait_until(lambda: host.followed == 2 and host.polls > 3)
        assert calls == [None]

    def test_a_stream_that_ends_for_no_known_reason_is_opened_again_soon(
        self, stage: Stage
    ) -> None:
        killed = CommandEnded("web1", "killed", status=None, stderr="")
        host = ScriptedHost([([], killed), SILENT_STREAM], [rows(a=1)])
        stage.hear(host)
        stage.wait_for("open", None)
        assert host.polls == 0


class TestSimulatedHost:
    def test_a_change_of_its_state_is_heard(self, stage: Stage) -> None:
        cell = MemoryCell(Machine("web1"))
        host = SimulatedHost("web1", cell, time.time)

        def change(*commands: str) -> None:
            for command in commands:
                assert run(cell, tuple(command.split()), clock=time.time).status == 0

        change("zpool create tank disk", "zfs create tank/a", "zfs create tank/b")
        stage.hear(host)
        stage.wait_for("open", None)
        change("zfs snapshot tank/a@one")
        stage.wait_for("open", None, {"tank/a"})
        change("zfs bookmark tank/a@one tank/a#one")
        stage.wait_for("open", None, {"tank/a"}, {"tank/a"})
        change("zpool export tank")
        stage.wait_for("open", None, {"tank/a"}, {"tank/a"}, None)

    def test_one_that_lets_us_hear_nothing_is_polled(self, stage: Stage) -> None:
        cell = MemoryCell(Machine("web1", release="2.3.2"))
        denied = Fails(("cannot get event: permission denied",), 255)
        host = SimulatedHost("web1", cell, time.time, Faults({1: denied}))

        def change(*commands: str) -> None:
            for command in commands:
                assert run(cell, tuple(command.split()), clock=time.time).status == 0

        change("zpool create tank disk", "zfs create tank/a", "zfs create tank/b")
        stage.hear(host)
        stage.wait_for(None)
        change("zfs snapshot tank/a@one")
        stage.wait_for(None, {"tank/a"})
