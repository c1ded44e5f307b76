"""Bookmark a version on the sender: a replication cursor, or what stays of it (zfs-bookmark(8))."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from reconciler.actions.base import (
    Done,
    Failed,
    Resolve,
    Verdict,
    changed,
    failure_of,
    guid_check,
    read_guids,
    unchecked,
)
from reconciler.hosts.script import Printed, Script, Step, Transcript
from reconciler.observed.change import current, filesystem_of, with_filesystem, with_versions
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.types import Version, VersionKind


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A bookmark has the guid, createtxg and creation of the version it is made of."""

    verb: ClassVar[str] = "bookmark"

    host: str
    filesystem: str
    version: Version
    """The snapshot (or bookmark) it is made of."""
    prefix: str
    """The bookmark's name up to its guid: the guid of a promised snapshot is not known yet."""
    peer: str
    """Whose replication cursor it is, for people: `vault backup/alpha/tank/www`.

    Empty: nobody's, it is what is left of a snapshot that is to be destroyed.
    """

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"bookmark:{self.host}:{self.filesystem}:{self.prefix}{self.version.label}"

    @property
    def name(self) -> str:
        """The bookmark's name after the #."""
        return cursor_name(self.prefix, self.version.guid)

    @property
    def full(self) -> str:
        """The bookmark's full name."""
        return f"{self.filesystem}#{self.name}"

    @property
    def made(self) -> Version:
        """The bookmark."""
        return Version(
            kind=VersionKind.BOOKMARK,
            name=self.name,
            guid=self.version.guid,
            createtxg=self.version.createtxg,
            creation=self.version.creation,
        )

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        filesystem = filesystem_of(observed, self.host, self.filesystem)
        if filesystem is None:
            return observed
        # Where the snapshot was received its place in the order is another than where it was made.
        version = current(filesystem, self.version) or self.version
        made = replace(self, version=version).made
        return with_filesystem(observed, self.host, with_versions(filesystem, made))

    def resolved(self, resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return replace(self, version=resolve(self.version))

    def script(self) -> Script:
        """Return the commands: check the guid, bookmark, list the bookmark's guid."""
        check, same = guid_check(self.filesystem, (self.version,))
        return Script(
            (
                check,
                replace(self.step(), when=same),
                Step("made", commands.list_guids([self.full])),
            ),
            mutates=True,
            proof=(Printed("made", f"{self.full}\t{self.version.guid}"),),
        )

    def step(self) -> Step:
        """Return the command itself, for whoever has checked the guid."""
        return Step("bookmark", commands.bookmark(self.version.of(self.filesystem), self.full))

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when a bookmark of that name has the version's guid, old or new."""
        made = read_guids(transcript.get("made")) or {}
        if made.get(self.full) == self.version.guid:
            return Done()
        if self.full in made:
            return Failed(changed(f"{self.full} exists with another guid ({made[self.full]})"))
        if transcript.get("bookmark") is None:
            return Failed(unchecked(transcript, self.filesystem, self.version))
        return Failed(failure_of(transcript.get("bookmark"), f"{self.full} was not made"))


def cursor_name(prefix: str, guid: int) -> str:
    """Return the name of the cursor for one guid; a promised guid shows as such."""
    return f"{prefix}{guid:016x}" if guid >= 0 else f"{prefix}planned{-guid:015x}"
