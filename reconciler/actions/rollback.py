"""Roll a receiver back to the common version: what came after it on the receiver is given up."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from reconciler.actions.base import (
    Done,
    Failed,
    Resolve,
    Verdict,
    changed,
    failure_of,
    guids_text,
)
from reconciler.hosts.script import Printed, Script, Step, Transcript
from reconciler.observed.change import filesystem_of, with_filesystem, without_versions
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Rollback:
    """`zfs rollback`, with `-r` only when newer snapshots have to go (zfs-rollback(8)).

    Only where the spec says `onConflict: rollback`. It is done when the filesystem has exactly the
    snapshots that the plan saw, so that nothing goes that nobody has looked at.
    """

    verb: ClassVar[str] = "rollback"

    host: str
    filesystem: str
    to: Version
    kept: tuple[Version, ...]
    """All older snapshots, oldest first."""
    lost: tuple[Version, ...]
    """All newer snapshots, oldest first: they are destroyed."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"rollback:{self.host}:{self.filesystem}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        filesystem = filesystem_of(observed, self.host, self.filesystem)
        if filesystem is None:
            return observed
        gone = frozenset((version.label, version.guid) for version in self.lost)
        left = replace(without_versions(filesystem, gone), written=0)
        return with_filesystem(observed, self.host, left)

    def resolved(self, _resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return self

    def script(self) -> Script:
        """Return the commands: compare all snapshots, roll back, see what is left."""
        back = commands.rollback(self.to.of(self.filesystem), newer=bool(self.lost))
        seen = guids_text(self.filesystem, (*self.kept, self.to, *self.lost))
        listing = commands.list_snapshot_guids(self.filesystem)
        return Script(
            (
                Step("check", listing),
                Step("rollback", back, when=Printed("check", seen)),
                Step("after", listing),
            ),
            mutates=True,
        )

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when the version is the newest and the command went well."""
        check, back = transcript.get("check"), transcript.get("rollback")
        after = transcript.get("after")
        if back is None:
            if check is None or not check.ok:
                return Failed(failure_of(check, f"{self.filesystem}: its snapshots are unknown"))
            return Failed(changed(f"{self.filesystem} has other snapshots than the plan saw"))
        wanted = guids_text(self.filesystem, (*self.kept, self.to))
        if back.ok and after is not None and after.ok and after.stdout.rstrip("\n") == wanted:
            return Done()
        return Failed(failure_of(back, f"{self.to.of(self.filesystem)} is not the newest there"))
