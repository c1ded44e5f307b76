"""Hearing of changes on a host: a thread that follows its events, or polls where it can't.

What is heard is a hint where to look again, nothing more; what is missed is found by the next full
look. docs/watch.md, "How changes on hosts become known".
"""

import random
import threading
import time
from collections.abc import Callable

from reconciler.controller.listening import (
    Changes,
    Delays,
    Ear,
    Polled,
    announces_nothing,
    difference,
    wait_before,
)
from reconciler.errors import CommandEnded, HostError
from reconciler.hosts.host import Host
from reconciler.hosts.script import Outcome, Script, Step
from reconciler.report.telemetry import Telemetry
from reconciler.zfs.parse import parse_changes
from reconciler.zfs.queries import follow_events, list_changes

_PATIENCE = 60.0
"""Seconds that a poll may take."""
_FAREWELL = 5.0


def _nobody(_: str) -> None:
    """Hear a note, and forget it."""


class HostHearing:
    """Calls functions from a thread of its own when something may have changed on a host.

    `on_change` gets the host's name and the filesystems, None for all of it. `on_state` hears when
    the host's event stream opens, and when that ends; right after the opening `on_change` is called
    with None. `note` gets a sentence when it turns out that a stream can't be had.
    """

    def __init__(  # noqa: PLR0913 - who hears of it, and what it does not have of its own
        self,
        host: Host,
        pools: tuple[str, ...],
        on_change: Callable[[str, Changes], None],
        on_state: Callable[[str, bool], None],
        telemetry: Telemetry,
        *,
        note: Callable[[str], None] = _nobody,
        delays: Delays | None = None,
        chance: random.Random | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._pools = pools
        self._on_change = on_change
        self._on_state = on_state
        self._telemetry = telemetry
        self._note = note
        self._delays = delays or Delays()
        self._chance = chance or random.Random()  # noqa: S311 - no secret
        self._ticks = ticks
        self._stop = threading.Event()
        self._failures = 0
        self._noted = ""
        self._polled: Polled | None = None
        self._tells_changes = True
        self._thread = threading.Thread(target=self._run, name=f"hear {host.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; what runs on the host ends within seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_FAREWELL)

    def _run(self) -> None:
        self._stop.wait(self._chance.uniform(0.0, self._delays.spread))
        while not self._stop.is_set():
            try:
                self._hear()
            except Exception as error:  # noqa: BLE001 - a bug must not make us deaf for ever
                self._fail(f"a mistake of ours: {type(error).__name__}: {error}")
                self._stop.wait(wait_before(self._failures, self._delays, self._chance))

    def _hear(self) -> None:
        """Listen until the stream ends, and wait until it may be opened again."""
        try:
            self._listen(Ear(self._pools, self._delays))
        except HostError as error:
            self._fail(error.message)
            self._rest(error)

    def _listen(self, ear: Ear) -> None:
        """Follow the host's events until we are to stop; raise HostError when they end."""

        def on_line(line: str) -> None:
            ear.line(line, self._ticks())

        try:
            self._host.follow(
                follow_events(), on_line, self._stop, on_pulse=lambda: self._tell(ear)
            )
        finally:
            if ear.is_open:
                self._shut(ear)

    def _tell(self, ear: Ear) -> None:
        now = self._ticks()
        if ear.opens(now):
            self._noted = ""
            self._on_state(self._host.name, True)
            self._on_change(self._host.name, None)
        self._count(ear)
        self._change(ear.changes(now))

    def _shut(self, ear: Ear) -> None:
        if ear.was_steady(self._ticks()):
            self._failures = 0
        self._on_state(self._host.name, False)
        if not self._stop.is_set():
            self._telemetry.deaf(self._host.name)
        self._count(ear)
        self._change(ear.rest())

    def _count(self, ear: Ear) -> None:
        if heard := ear.take_heard():
            self._telemetry.heard(self._host.name, heard)

    def _change(self, changes: Changes) -> None:
        if changes != frozenset():
            self._on_change(self._host.name, changes)

    def _fail(self, why: str) -> None:
        self._failures += 1
        if why != self._noted:
            self._noted = why
            self._note(f"{self._host.name}: changes there can't be heard: {why}")

    # -- without a stream --------------------------------------------------------------------------

    def _rest(self, error: HostError) -> None:
        """Wait until the stream is to be opened again; poll in the meantime.

        A host that can't be reached isn't polled: that would fail alike.
        """
        is_polled, is_hopeless = isinstance(error, CommandEnded), announces_nothing(error)
        self._tells_changes = True
        until = self._ticks() + self._pause(is_hopeless=is_hopeless)
        if is_hopeless:
            self._poll()
        while not self._stop.is_set() and (left := until - self._ticks()) > 0:
            poll = self._delays.poll * self._chance.uniform(0.9, 1.1)
            if not is_polled or left < poll:
                self._stop.wait(left)
            elif not self._stop.wait(poll):
                self._poll()

    def _pause(self, *, is_hopeless: bool) -> float:
        if is_hopeless:
            return self._delays.again
        return wait_before(self._failures, self._delays, self._chance)

    def _poll(self) -> None:
        """Find out what changed since the last time, as far as the host can tell."""
        if not (self._tells_changes and self._pools):
            self._change(None)
            return
        ask = Script(
            (Step("now", ("date", "+%s")), Step("changes", list_changes(self._pools))),
        )
        try:
            answers = self._host.run(ask, timeout=_PATIENCE)
        except HostError:
            # Whoever looks at the host finds that out. What changes until the next poll is unknown.
            self._polled = None
            return
        self._learn(answers.get("now"), answers.get("changes"))

    def _learn(self, clock: Outcome | None, rows: Outcome | None) -> None:
        before, self._polled = self._polled, _read(clock, rows)
        if self._polled is None:
            # Before 2.2 there is no such property; then there is no use in asking.
            self._tells_changes = rows is None or "invalid property" not in rows.stderr
            self._change(None)
        else:
            self._change(difference(before, self._polled))


def _read(clock: Outcome | None, rows: Outcome | None) -> Polled | None:
    """Return what a poll has found; None unless all of it is there."""
    if clock is None or rows is None or not (clock.ok and rows.ok):
        return None
    try:
        return Polled(int(clock.stdout), dict(parse_changes(rows.stdout)))
    except ValueError:
        return None
