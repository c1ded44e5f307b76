"""Set a filesystem aside: under another name it keeps all that it has, and its place is free."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from reconciler.actions.base import Done, Failed, Resolve, Verdict, changed, failure_of
from reconciler.hosts.script import Printed, Script, Step, Transcript
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed, Seen
from reconciler.zfs import commands
from reconciler.zfs.names import is_within


@dataclass(frozen=True, slots=True)
class Rename:
    """`zfs rename`: the filesystem with all its versions and all that is below (zfs-rename(8))."""

    verb: ClassVar[str] = "rename"

    host: str
    filesystem: str
    to: str
    """The new name, in the same pool."""
    guid: int
    """The filesystem's guid that the plan saw."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"rename:{self.host}:{self.filesystem}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem), (self.host, self.to))

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        seen = observed[self.host]
        if not isinstance(seen, Seen):
            raise TypeError(f"{self.host} is unseen: nothing can be said to change there")
        if filesystem_of(observed, self.host, self.filesystem) is None:
            return observed
        moved = {}
        for name, filesystem in seen.filesystems.items():
            if is_within(name, self.filesystem):
                new = self.to + name[len(self.filesystem) :]
                moved[new] = replace(filesystem, name=new)
            else:
                moved[name] = filesystem
        return {**observed, self.host: replace(seen, filesystems=dict(sorted(moved.items())))}

    def resolved(self, _resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return self

    def script(self) -> Script:
        """Return the commands: compare the guid, rename, see what has the new name."""
        rename = commands.rename(self.filesystem, self.to)
        return Script(
            (
                Step("check", commands.get_guid(self.filesystem)),
                Step("rename", rename, when=Printed("check", str(self.guid))),
                Step("after", commands.get_guid(self.to)),
            ),
            mutates=True,
        )

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when what the plan saw has the new name, whoever gave it."""
        after, check = transcript.get("after"), transcript.get("check")
        if after is not None and after.ok and after.stdout.strip() == str(self.guid):
            return Done()
        if check is not None and check.ok and transcript.get("rename") is None:
            return Failed(changed(f"{self.filesystem} is another filesystem than the plan saw"))
        failed = transcript.get("rename") or check
        return Failed(failure_of(failed, f"{self.filesystem} was not renamed"))
