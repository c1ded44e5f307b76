"""Destroy snapshots or one bookmark of one filesystem, by name and guid.

Never `-r`, never a range, never a filesystem. The guids are listed and compared in the same
execution right before the destroy; if one differs, nothing is destroyed, and what is left to do
is worked out from what was listed.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from reconciler.actions.base import (
    Done,
    Failed,
    Narrowed,
    Resolve,
    Verdict,
    changed,
    failure_of,
    guid_check,
    read_guids,
)
from reconciler.hosts.script import Script, Step, Transcript
from reconciler.observed.change import filesystem_of, with_filesystem, without_versions
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.types import Argv, Version


@dataclass(frozen=True, slots=True)
class Destroy:
    """`zfs destroy fs@a,b,c` or `zfs destroy fs#a` (zfs-destroy(8))."""

    verb: ClassVar[str] = "destroy"

    host: str
    filesystem: str
    versions: tuple[Version, ...]
    """All snapshots, or one bookmark; in version order."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        labels = ",".join(version.label for version in self.versions)
        return f"destroy:{self.host}:{self.filesystem}{labels}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    @property
    def of_snapshots(self) -> bool:
        """Whether it destroys snapshots."""
        return self.versions[0].is_snapshot

    @property
    def of_cursor(self) -> bool:
        """Whether it destroys a bookmark whose name has its guid in it, as those of ours do."""
        version = self.versions[0]
        return not version.is_snapshot and version.name.endswith(f"{version.guid:016x}")

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        filesystem = filesystem_of(observed, self.host, self.filesystem)
        if filesystem is None:
            return observed
        gone = frozenset((version.label, version.guid) for version in self.versions)
        return with_filesystem(observed, self.host, without_versions(filesystem, gone))

    def resolved(self, resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return replace(self, versions=tuple(resolve(version) for version in self.versions))

    def script(self) -> Script:
        """Return the commands: check every guid, destroy, list what is left."""
        check, same = guid_check(self.filesystem, self.versions)
        names = [version.of(self.filesystem) for version in self.versions]
        return Script(
            (
                check,
                replace(self.step(), when=same),
                Step("after", commands.list_guids(names)),
            ),
            mutates=True,
        )

    def step(self) -> Step:
        """Return the command itself, for whoever has checked the guids."""
        return Step("destroy", self._command())

    def _command(self) -> Argv:
        if self.of_snapshots:
            names = [version.name for version in self.versions]
            return commands.destroy_snapshots(self.filesystem, names)
        return commands.destroy_bookmark(self.versions[0].of(self.filesystem))

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when every version is gone.

        A version that has another guid now is left alone and reported; the ones that are still
        as planned become smaller actions: all of them together when the check stopped the
        command, one by one when ZFS refused it (it destroys all or none up to OpenZFS 2.4).
        """
        after = read_guids(transcript.get("after"))
        if after is None:
            return Failed(failure_of(transcript.get("after"), "what is left can't be listed"))
        left = tuple(v for v in self.versions if after.get(v.of(self.filesystem)) == v.guid)
        strangers = [
            name
            for version in self.versions
            if after.get(name := version.of(self.filesystem), version.guid) != version.guid
        ]
        stranger = (
            changed(f"{strangers[0]} is not the version that was planned to be destroyed; left")
            if strangers
            else None
        )
        if not left:
            return Failed(stranger) if stranger else Done()
        if transcript.get("destroy") is None and len(left) < len(self.versions):
            return Narrowed((replace(self, versions=left),), "some were gone or changed", stranger)
        if len(left) > 1:
            singles = tuple(replace(self, versions=(version,)) for version in left)
            return Narrowed(singles, "refused together, so one by one", stranger)
        return Failed(
            failure_of(transcript.get("destroy"), f"{self._full(left[0])} is still there")
        )

    def _full(self, version: Version) -> str:
        return version.of(self.filesystem)
