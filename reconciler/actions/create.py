"""Create a placeholder: a receiver filesystem that exists only as a parent."""

from dataclasses import dataclass
from typing import ClassVar, Self

from reconciler.actions.base import Done, Failed, Resolve, Verdict, failure_of
from reconciler.hosts.script import Printed, Script, Step, Transcript
from reconciler.observed.change import with_filesystem
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.zfs import commands
from reconciler.zfs.types import FilesystemKind


@dataclass(frozen=True, slots=True)
class CreateFilesystem:
    """`zfs create -o canmount=off -o mountpoint=none`, marked as ours by a user property."""

    verb: ClassVar[str] = "create-filesystem"

    host: str
    filesystem: str

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"create-filesystem:{self.host}:{self.filesystem}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        seen = observed[self.host]
        parent = self.filesystem.rpartition("/")[0]
        above = seen.filesystems.get(parent) if isinstance(seen, Seen) else None
        created = new_filesystem(self.filesystem, FilesystemKind.FILESYSTEM, above)
        return with_filesystem(observed, self.host, created)

    def resolved(self, _resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return self

    def script(self) -> Script:
        """Return the commands: create, then see whether it is there."""
        return Script(
            (
                Step("create", commands.create_placeholder(self.filesystem)),
                Step("there", commands.list_filesystem(self.filesystem)),
            ),
            mutates=True,
            proof=(Printed("there", self.filesystem),),
        )

    def judge(self, transcript: Transcript) -> Verdict:
        """Count a filesystem that somebody else made meanwhile as done: it is only a parent."""
        there = transcript.get("there")
        if there is not None and there.ok and there.stdout.strip("\n") == self.filesystem:
            return Done()
        return Failed(failure_of(transcript.get("create"), f"{self.filesystem} was not created"))


def new_filesystem(
    name: str, kind: FilesystemKind, parent: Filesystem | None, *, placeholder: bool = True
) -> Filesystem:
    """Return a filesystem as it is right after we made it: empty, and encrypted as its parent."""
    encrypted = parent is not None and parent.encryption != "off"
    return Filesystem(
        name=name,
        kind=kind,
        guid=0,
        createtxg=1,
        used=0,
        written=0,
        referenced=0,
        encryption=parent.encryption if parent is not None else "off",
        keystatus=parent.keystatus if parent is not None else "none",
        encryptionroot=parent.encryptionroot if parent is not None and encrypted else None,
        origin=None,
        readonly=not placeholder,
        mounted=False,
        resume_token=None,
        inconsistent=False,
        placeholder=placeholder,
        disabled=parent.disabled if parent is not None else False,
    )
