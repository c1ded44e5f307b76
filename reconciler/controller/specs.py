"""The specs in force: the newest ones that are whole and right, else the last ones that were.

Nothing that is wrong with specs reaches the hosts: a set that is half-written, broken, empty or
suspiciously smaller changes nothing, and that is said until it is mended.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from reconciler.controller import kept
from reconciler.controller.kept import Good
from reconciler.controller.pace import Pace
from reconciler.controller.sources import Source
from reconciler.desired.diagnostics import SpecError
from reconciler.desired.load import of_files
from reconciler.desired.model import Desired
from reconciler.desired.shrink import accepts, shrunken
from reconciler.report.figures import count_text, timestamp
from reconciler.report.status import SpecsStatus
from reconciler.report.telemetry import Telemetry

_NOT_YET = "the specs have not been read yet"
_RESTLESS = "the specs keep changing while they are looked at: they are never the same twice"


class _Problem(NamedTuple):
    """Why the newest specs are not in force."""

    text: str
    since: int


def _unheard(_note: str) -> None:
    """Hear a note and forget it."""


@dataclass(slots=True, eq=False)
class SpecKeeper:
    """Keeps the specs of a source in force. It has no clock: `now` is given, in epoch seconds.

    Specs are taken when two looks, at least `quiet` seconds apart, find the same, so not while
    somebody writes them. `desired` returns the very same object as long as nothing has changed that
    the specs say; when they say the same in another commit or with other comments, only the status
    moves on. The last good set is kept in the file `store`, and is in force after a start at which
    the specs can't be used; without a store, or with an unusable one, then nothing is.

    `accept` is the digest of a set that may be as small as it is (see `desired.shrink`). `note`
    hears in a sentence what is wrong with the store. All methods may be called from any thread.
    """

    source: Source
    store: Path | None
    telemetry: Telemetry
    quiet: float = field(default=2.0, kw_only=True)
    """Seconds without a change before the specs are looked at, and between two looks."""
    poll: float = field(default=60.0, kw_only=True)
    """The longest time in seconds between two looks, whether or not a change was heard of."""
    accept: str | None = field(default=None, kw_only=True)
    note: Callable[[str], None] = field(default=_unheard, kw_only=True)

    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    """Around what several threads ask for."""
    _looking: threading.Lock = field(default_factory=threading.Lock, init=False)
    """Around a look: they are one after the other."""
    _pace: Pace = field(init=False)
    _judged: str | None = field(default=None, init=False)
    """The fingerprint that was decided about."""
    _seen: str | None = field(default=None, init=False)
    """The fingerprint of the last look, when that waits for the next one."""
    _good: Good | None = field(default=None, init=False)
    """The last good set; not in force before the first decision."""
    _written: Good | None = field(default=None, init=False)
    """The set in the store."""
    _desired: Desired | None = field(default=None, init=False)
    _problem: _Problem | None = field(default=None, init=False)
    _restless: _Problem | None = field(default=None, init=False)
    """Since when no two looks were alike."""
    _noted: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._pace = Pace(self.quiet, self.poll)
        if self.store is None:
            return
        try:
            self._good = self._written = kept.read(self.store, self.source.describe())
        except kept.Unusable as error:
            self.note(f"{error}; if the specs are broken now, there are none to go on with")

    def poke(self, now: float) -> None:
        """Hear that the specs may have changed."""
        with self._lock:
            self._pace.poke(now)

    def next_at(self, now: float) -> float:
        """Return when `refresh` has something to do; an instant that has passed means: now."""
        with self._lock:
            return self._pace.next_at(now)

    def desired(self) -> Desired | None:
        """Return the specs in force; None before there are any."""
        with self._lock:
            return self._desired

    def status(self) -> SpecsStatus:
        """Return what is in force, and why the newest is not."""
        with self._lock:
            good = None if self._desired is None else self._good
            problem = self._problem or self._lasting_restlessness()
        nothing_yet = None if good or problem else _NOT_YET
        return SpecsStatus(
            source=self.source.describe(),
            digest=good.desired.digest if good else "",
            revision=good.files.revision if good else None,
            objects=good.desired.objects if good else 0,
            loaded_at=good.loaded_at if good else 0,
            problem=problem.text if problem else nothing_yet,
            problem_since=problem.since if problem else None,
        )

    def refresh(self, now: float) -> bool:
        """Look at the specs if that is due; tell whether others are in force now."""
        with self._looking:
            with self._lock:
                if now < self._pace.next_at(now):
                    return False
                self._pace.look(now)
            self._write()
            found = self._fingerprint()
            if found == self._judged:
                self._settle()
                return False
            if found != self._seen:
                self._wait_for(found, now)
                return False
            return self._judge(found, now)

    def _fingerprint(self) -> str:
        """Return the source's fingerprint; a failure is one, too, and must last as well."""
        try:
            return self.source.fingerprint()
        except SpecError as error:
            return f"failed: {error}"

    def _judge(self, fingerprint: str, now: float) -> bool:
        """Decide about what two looks found; tell whether others are in force now."""
        try:
            files = self.source.read()
        except SpecError as error:
            # Tried again at the next look: it may end without any change of the fingerprint.
            self._judged = None
            self._settle(seen=fingerprint)
            return self._refuse(_summary(error), now)
        if files.fingerprint != fingerprint:
            self._wait_for(files.fingerprint, now)
            return False
        self._judged = fingerprint
        self._settle()
        try:
            desired = of_files(files.files, revision=files.revision, source=files.folder)
        except SpecError as error:
            return self._refuse(_summary(error), now)
        lost = self._good and shrunken(self._good.desired, desired)
        if lost and not accepts(self.accept, desired):
            return self._refuse(lost, now)
        return self._take(Good(desired, files, self.source.describe(), int(now)))

    def _take(self, new: Good) -> bool:
        """Put specs in force; tell whether they say anything else than those before."""
        with self._lock:
            before, self._problem = self._desired, None
            same = before is not None and _alike(before, new.desired)
            since = self._good.loaded_at if same and self._good else new.loaded_at
            self._good = replace(new, loaded_at=since)
            self._desired = before if same else new.desired
        self._write()
        self.telemetry.loaded(ok=True, at=new.loaded_at)
        return not same

    def _refuse(self, why: str, now: float) -> bool:
        """Leave the last good specs in force, or put them; tell whether others are in force now."""
        with self._lock:
            others = self._desired is None and self._good is not None
            if self._good is not None:
                self._desired = self._desired or self._good.desired
            since = self._problem.since if self._problem else int(now)
            self._problem = _Problem(f"{why.removesuffix('.')}. {_in_force(self._good)}", since)
        self.telemetry.loaded(ok=False, at=int(now))
        return others

    def _wait_for(self, fingerprint: str, now: float) -> None:
        """Let the next look confirm what this one found."""
        self._seen = fingerprint
        with self._lock:
            self._pace.unsettled = True
            self._restless = self._restless or _Problem(_RESTLESS, int(now))

    def _settle(self, *, seen: str | None = None) -> None:
        """Go back to looking now and then; `seen` needs no other look to be decided about."""
        self._seen = seen
        with self._lock:
            self._pace.unsettled = False
            self._restless = None

    def _lasting_restlessness(self) -> _Problem | None:
        """Return that nothing can be decided, when that has lasted long."""
        restless, looked = self._restless, self._pace.looked
        long = restless is not None and (looked or 0.0) - restless.since > 2 * self.poll
        return restless if long else None

    def _write(self) -> None:
        """Keep the specs in force in the store, unless it has them; what fails is tried again."""
        good = self._good if self._desired is not None else None
        if (
            self.store is None
            or good is None
            or (self._written and _kept_same(self._written, good))
        ):
            return
        try:
            kept.write(self.store, good)
            self._written, self._noted = good, ""
        except OSError as error:
            self._say(f"{self.store} can't be written: {error.strerror or error}")

    def _say(self, problem: str) -> None:
        """Say what is wrong with the store, but not again and again."""
        if problem != self._noted:
            self._noted = problem
            self.note(f"{problem}; if specs are broken at the next start, older ones are in force")


def _alike(one: Desired, other: Desired) -> bool:
    """Tell whether specs say the same, whatever commit they come from."""
    return replace(other, revision=one.revision, objects=one.objects) == one


def _kept_same(one: Good, other: Good) -> bool:
    return (one.files, one.source) == (other.files, other.source)


def _summary(error: SpecError) -> str:
    """Return the first finding, and how many more there are."""
    first, *more = error.diagnostics
    text = str(first).removesuffix(".")
    return f"{text} ({len(more)} more)" if more else text


def _in_force(good: Good | None) -> str:
    """Say which specs are in force in place of the newest ones."""
    if good is None:
        return "No specs are in force."
    revision = f" of {good.files.revision}" if good.files.revision else ""
    objects = count_text(good.desired.objects, "object")
    return f"In force are those{revision} loaded at {timestamp(good.loaded_at)} ({objects})."
