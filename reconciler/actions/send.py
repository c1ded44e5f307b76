"""Send versions from a sender's filesystem to its receiver.

What is run is a pair of commands; which way the stream takes between them (a local pipe, straight
from sender to receiver, or through the controller) is the executor's choice by `path`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Self

from reconciler.actions.base import Resolve
from reconciler.actions.create import new_filesystem
from reconciler.observed.change import filesystem_of, next_txg, with_filesystem, with_versions
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.handover import NOTHING, Properties
from reconciler.zfs.named_properties import applies
from reconciler.zfs.piping import PLAIN, Piping
from reconciler.zfs.types import Argv, FilesystemKind, Version


class SendMode(StrEnum):
    """How the stream begins."""

    FULL = "full"
    INCREMENTAL = "incremental"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a clone is a clone of, on both ends."""

    filesystem: str
    """The sender's, which has the base."""
    snapshot: str
    """The receiver's snapshot of the same guid, by its full name."""


@dataclass(frozen=True, slots=True)
class Send:
    """`zfs send | zfs receive -s -u`: never `-F`, never `-R` (zfs-send(8), zfs-receive(8))."""

    verb: ClassVar[str] = "send"

    host: str
    """The sender."""
    filesystem: str
    kind: FilesystemKind
    receiver_host: str
    receiver_filesystem: str
    mode: SendMode
    base: Version | None
    """The version the receiver has: snapshot or bookmark; None for a full stream."""
    versions: tuple[Version, ...]
    """What arrives, oldest first. More than one only as one incremental run (`-I`)."""
    flags: StreamFlags
    path: str
    """auto | direct | relay"""
    token: str | None = None
    estimated_bytes: int | None = None
    origin: Origin | None = None
    """Set for the first stream of a clone: the base is a version of another filesystem."""
    properties: Properties = NOTHING
    """What a filesystem gets that is first received."""
    decrypts: bool = False
    """Whether what is encrypted on the sender leaves it in clear."""
    piping: Piping = PLAIN
    """What the stream passes on its way."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        place = f"{self.receiver_host}:{self.receiver_filesystem}"
        return send_id(self.host, self.to.of(self.filesystem), place)

    @property
    def root(self) -> str:
        """The receiver's filesystem: it tells targets on one host apart."""
        return self.receiver_filesystem

    @property
    def to(self) -> Version:
        """The newest version that arrives."""
        return self.versions[-1]

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return (
            (self.host, self.filesystem),
            (self.receiver_host, self.receiver_filesystem),
        )

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        there = filesystem_of(observed, self.receiver_host, self.receiver_filesystem)
        if there is None:
            parent = self.receiver_filesystem.rpartition("/")[0]
            above = filesystem_of(observed, self.receiver_host, parent)
            there = new_filesystem(self.receiver_filesystem, self.kind, above, placeholder=False)
            given = {n: v for n, v in self.properties.override if applies(n, self.kind)}
            origin = self.origin.snapshot if self.origin else None
            there = replace(there, origin=origin, properties=given)
        if self.flags.raw and not there.snapshots:
            source = filesystem_of(observed, self.host, self.filesystem)
            there = replace(
                there,
                encryption=source.encryption if source is not None else there.encryption,
                keystatus="unavailable",
                encryptionroot=there.name,
            )
        txg = next_txg(there)
        arrived = [
            version._replace(createtxg=txg + number, holds=(), userrefs=0, spec=None)
            for number, version in enumerate(self.versions)
        ]
        there = with_versions(there, *arrived)
        done = replace(
            there,
            written=0,
            referenced=self.to.referenced or there.referenced,
            resume_token=None,
            inconsistent=False,
        )
        return with_filesystem(observed, self.receiver_host, done)

    def resolved(self, resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return replace(
            self,
            base=resolve(self.base) if self.base is not None else None,
            versions=tuple(resolve(version) for version in self.versions),
        )

    @property
    def start(self) -> str | None:
        """The full name of the base; None for a full stream."""
        if self.base is None:
            return None
        return self.base.of(self.origin.filesystem if self.origin is not None else self.filesystem)

    def send_command(self) -> Argv:
        """Return the sender's command."""
        if self.token is not None:
            return commands.send_resume(self.token)
        return commands.send(
            self.to.of(self.filesystem),
            base=self.start,
            intermediates=len(self.versions) > 1,
            flags=self.flags,
            properties=self.brings_properties,
        )

    @property
    def brings_properties(self) -> bool:
        """Whether the sender's properties go along: what a token resumes goes without."""
        return self.properties.send and self.base is None and self.token is None

    def receive_command(self) -> Argv:
        """Return the receiver's command.

        A resumed first receive gets the properties again: an interrupted one may not have set
        them yet. Not so the origin: what was begun as a clone is one.
        """
        first = self.base is None or self.origin is not None
        origin = self.origin.snapshot if self.origin is not None and self.token is None else None
        return commands.receive(
            self.receiver_filesystem,
            kind=self.kind,
            initial=first,
            properties=self.properties,
            raw=self.flags.raw,
            origin=origin,
        )

    def clear_mark(self) -> Argv:
        """Return the receiver's command that takes off what came with the snapshot's properties."""
        return commands.clear_mark(self.to.of(self.receiver_filesystem))

    def look(self) -> Argv:
        """Return the receiver's command that tells which of the versions it has, by guid."""
        return commands.list_guids([v.of(self.receiver_filesystem) for v in self.versions])


def send_id(host: str, version: str, receiver: str) -> str:
    """Return the id of the send that brings a version to a receiver (`host:filesystem`)."""
    return f"send:{host}:{version}:{receiver}"
