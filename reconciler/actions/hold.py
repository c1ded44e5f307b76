"""Protect a base while it is needed, and give it free again (zfs-hold(8))."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Self

from reconciler.actions.base import (
    READ,
    Done,
    Failed,
    Resolve,
    Verdict,
    failure_of,
    guids_text,
    read_guids,
    unchecked,
)
from reconciler.hosts.script import Printed, Script, Step, Succeeded, Transcript
from reconciler.observed.change import current, filesystem_of, with_filesystem, with_holds
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.parse import ParseError, parse_holds
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class _Tagged:
    """What holding and releasing share: one tag on one snapshot."""

    host: str
    filesystem: str
    version: Version
    tag: str

    verb: ClassVar[str] = ""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"{self.verb}:{self.host}:{self.full}:{self.tag}"

    @property
    def full(self) -> str:
        """The snapshot's full name."""
        return self.version.of(self.filesystem)

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    def resolved(self, resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return replace(self, version=resolve(self.version))

    def _tags(self, transcript: Transcript) -> frozenset[str] | None:
        """Return the tags the snapshot has now, None when they can't be known."""
        outcome = transcript.get("holds")
        listed = None if outcome is None or not outcome.ok else _listed(outcome.stdout)
        return None if listed is None else listed.get(self.full, frozenset())

    def _with_tags(self, observed: Observed, *, held: bool) -> Observed:
        filesystem = filesystem_of(observed, self.host, self.filesystem)
        version = current(filesystem, self.version) if filesystem is not None else None
        if filesystem is None or version is None:
            return observed
        tags = {*version.holds, self.tag} if held else {*version.holds} - {self.tag}
        return with_filesystem(observed, self.host, with_holds(filesystem, version, tuple(tags)))


@dataclass(frozen=True, slots=True)
class Hold(_Tagged):
    """`zfs hold`: the snapshot can't be destroyed while the tag is on it."""

    verb: ClassVar[str] = "hold"

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        return self._with_tags(observed, held=True)

    def script(self) -> Script:
        """Return the commands for this one alone."""
        return hold_all([self])

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when the very snapshot that was planned carries the tag."""
        if transcript.get("hold") is None:
            return Failed(unchecked(transcript, self.filesystem, self.version))
        tags = self._tags(transcript)
        after = read_guids(transcript.get("after")) or {}
        if tags and self.tag in tags and after.get(self.full) == self.version.guid:
            return Done()
        return Failed(failure_of(transcript.get("hold"), f"{self.full} was not held"))


@dataclass(frozen=True, slots=True)
class Release(_Tagged):
    """`zfs release`: one reason less to keep the snapshot."""

    verb: ClassVar[str] = "release"

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        return self._with_tags(observed, held=False)

    def script(self) -> Script:
        """Return the commands for this one alone."""
        return release_all([self])

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when the tag is gone, be it with the whole snapshot."""
        if transcript.get("release") is None:
            found = read_guids(transcript.get("check"))
            if found is not None and found.get(self.full) != self.version.guid:
                return Done(note=f"{self.full} is gone, and its hold with it")
            return Failed(unchecked(transcript, self.filesystem, self.version))
        tags = self._tags(transcript)
        if tags is not None and self.tag not in tags:
            return Done()
        return Failed(failure_of(transcript.get("release"), f"{self.full} is still held"))


def hold_all(holds: Sequence[Hold]) -> Script:
    """Return the commands for holds of one tag: check the guids, hold, list holds and guids again.

    The second guid listing closes the gap between check and hold: once held, the snapshot
    can't be replaced by another one of the same name. Snapshots that are made in the same
    execution, right before, have no guid yet to compare: it is compared afterwards.
    """
    check, known = _check(holds)
    promised = any(hold.version.is_planned for hold in holds)
    same = Succeeded("check") if promised else known
    names = [hold.full for hold in holds]
    return Script(
        (
            check,
            Step("hold", commands.hold(holds[0].tag, names), when=same),
            Step("holds", commands.list_holds(names), when=same),
            Step("after", check.argv),
        ),
        mutates=True,
        proof=() if promised else (Succeeded("hold"), replace(known, step="after")),
    )


def release_all(releases: Sequence[Release]) -> Script:
    """Return the commands for releases of one tag: check the guids, release, list what is left."""
    check, same = _check(releases)
    names = [release.full for release in releases]
    return Script(
        (
            check,
            Step("release", commands.release(releases[0].tag, names), when=same),
            Step("holds", commands.list_holds(names), when=same),
        ),
        mutates=True,
        proof=(Succeeded("release"),),
    )


@lru_cache(maxsize=READ)
def _listed(text: str) -> Mapping[str, frozenset[str]] | None:
    """Return the tags by snapshot that `zfs holds` printed, None when that is not what it is."""
    tags: dict[str, set[str]] = {}
    try:
        for row in parse_holds(text):
            tags.setdefault(row.name, set()).add(row.tag)
    except ParseError:
        return None
    return {name: frozenset(found) for name, found in tags.items()}


def _check(tagged: Sequence[_Tagged]) -> tuple[Step, Printed]:
    """Return the guid check of all. `zfs list` sorts what it was asked for by filesystem."""
    ordered = sorted(tagged, key=lambda one: (one.filesystem, one.version.createtxg))
    step = Step("check", commands.list_guids([one.full for one in ordered]))
    lines = (guids_text(one.filesystem, (one.version,)) for one in ordered)
    return step, Printed("check", "\n".join(lines))
