"""Destroy a filesystem that nothing is left of: asked for by name, by `onSourceGone` alone.

Never `-r`. In the same execution right before, everything in and below it is listed: that must be
the filesystem itself, with the guid the plan saw, and nothing else. ZFS refuses by itself where
there are snapshots, children or a partial receive, but not where there are bookmarks.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from reconciler.actions.base import Done, Failed, Resolve, Verdict, changed, failure_of
from reconciler.hosts.script import Printed, Script, Step, Transcript
from reconciler.observed.change import filesystem_of, without_filesystem
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.errors import FailureKind


@dataclass(frozen=True, slots=True)
class DestroyFilesystem:
    """`zfs destroy fs` (zfs-destroy(8)), of a filesystem without versions and children."""

    verb: ClassVar[str] = "destroy-filesystem"

    host: str
    filesystem: str
    guid: int
    """The filesystem's guid that the plan saw."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"destroy-filesystem:{self.host}:{self.filesystem}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        if filesystem_of(observed, self.host, self.filesystem) is None:
            return observed
        return without_filesystem(observed, self.host, self.filesystem)

    def resolved(self, _resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return self

    def script(self) -> Script:
        """Return the commands: list all there is, destroy if that is the filesystem alone, look."""
        alone = Printed("check", f"{self.filesystem}\t{self.guid}")
        return Script(
            (
                Step("check", commands.list_all_within(self.filesystem)),
                Step("destroy", commands.destroy_filesystem(self.filesystem), when=alone),
                Step("after", commands.list_filesystem(self.filesystem)),
            ),
            mutates=True,
        )

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when it is gone, whoever destroyed it."""
        after = transcript.get("after")
        if after is None or not after.ok:
            failure = failure_of(after, f"whether {self.filesystem} is gone can't be known")
            return Done() if failure.kind is FailureKind.DOES_NOT_EXIST else Failed(failure)
        check = transcript.get("check")
        if check is not None and check.ok and transcript.get("destroy") is None:
            said = "is not the empty filesystem that the plan saw"
            return Failed(changed(f"{self.filesystem} {said}"))
        failed = transcript.get("destroy") or check
        return Failed(failure_of(failed, f"{self.filesystem} is still there"))
