"""Snapshot several filesystems of one pool in one transaction group."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from reconciler.actions import hooks
from reconciler.actions.base import Done, Failed, Resolve, Verdict, failure_of, planned_guid
from reconciler.desired.model import Hook
from reconciler.hosts.script import Outcome, Script, Step, Succeeded, Transcript
from reconciler.observed.change import filesystem_of, next_txg, with_filesystem, with_versions
from reconciler.observed.model import Filesystem, Observed
from reconciler.zfs import commands
from reconciler.zfs.parse import ParseError, parse_versions
from reconciler.zfs.types import Version, VersionKind


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`zfs snapshot a@name b@name ...`: all of them or none (zfs-snapshot(8))."""

    verb: ClassVar[str] = "snapshot"

    host: str
    filesystems: tuple[str, ...]
    """Of one pool, sorted."""
    name: str
    """The part after the @."""
    spec: str
    """The replication it belongs to, kept in the user property `reconciler:spec`."""
    at: int
    """The instant of the plan, epoch seconds."""
    hooks: tuple[Hook, ...] = ()
    """What is run on the host before and after."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        pool = self.filesystems[0].partition("/")[0]
        return f"snapshot:{self.host}:{pool}@{self.name}:{self.spec}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return tuple((self.host, filesystem) for filesystem in self.filesystems)

    def promised(self, filesystem: Filesystem) -> Version:
        """Return the version that this action will make of a filesystem."""
        return Version(
            kind=VersionKind.SNAPSHOT,
            name=self.name,
            guid=planned_guid(self.host, filesystem.name, self.name),
            createtxg=next_txg(filesystem),
            creation=self.at,
            written=filesystem.written,
            referenced=filesystem.referenced,
            spec=self.spec,
        )

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        for name in self.filesystems:
            filesystem = filesystem_of(observed, self.host, name)
            if filesystem is not None:
                grown = with_versions(filesystem, self.promised(filesystem))
                observed = with_filesystem(observed, self.host, replace(grown, written=0))
        return observed

    def resolved(self, _resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return self

    def script(self) -> Script:
        """Return the commands: snapshot, with the hooks around it, then list what is there."""
        names = [f"{filesystem}@{self.name}" for filesystem in self.filesystems]
        about = (
            f"RECONCILER_SNAPSHOT={self.name}",
            "RECONCILER_FILESYSTEMS=" + "\n".join(self.filesystems),
            f"RECONCILER_REPLICATION={self.spec}",
        )
        allowed = hooks.allowed_by(self.hooks)
        return Script(
            (
                *hooks.before(self.hooks, about),
                Step("snapshot", commands.snapshot(names, self.spec), allowed),
                *hooks.after(self.hooks, about),
                Step("made", commands.list_versions(names)),
            ),
            mutates=True,
            finishes=bool(self.hooks),
            seconds=hooks.seconds(self.hooks),
            proof=() if self.hooks else (Succeeded("snapshot"), Succeeded("made")),
        )

    def judge(self, transcript: Transcript) -> Verdict:
        """Learn the guids of the new snapshots; a snapshot that is missing is a failure.

        Snapshots that were there before count when all are marked as made for this spec: then an
        earlier try made them, whose answer was lost. ZFS makes all of them or none.
        """
        verdict = self._judge(transcript)
        if not self.hooks:
            return verdict
        printed = hooks.printed(self.hooks, transcript)
        failed = hooks.broken_after(self.hooks, transcript)
        if isinstance(verdict, Failed):
            return replace(verdict, printed=printed)
        if failed is not None:
            return Failed(failed, printed)
        return replace(
            verdict, note="; ".join(hooks.notes(self.hooks, transcript)), printed=printed
        )

    def _judge(self, transcript: Transcript) -> Done | Failed:
        stopped = hooks.stopped(self.hooks, transcript)
        if stopped is not None:
            return Failed(stopped)
        act, made = transcript.get("snapshot"), transcript.get("made")
        found = _versions(made)
        earlier = [version for version in found.values() if version.spec == self.spec]
        if (act is None or not act.ok) and len(earlier) < len(self.filesystems):
            return Failed(failure_of(act, f"@{self.name} was not made"))
        missing = [name for name in self.filesystems if f"{name}@{self.name}" not in found]
        if missing:
            return Failed(failure_of(made, f"{missing[0]}@{self.name} is missing after snapshot"))
        return Done(
            learned={
                planned_guid(self.host, name, self.name): found[f"{name}@{self.name}"]
                for name in self.filesystems
            }
        )


def _versions(outcome: Outcome | None) -> dict[str, Version]:
    """Return full name → version of what a step listed; nothing when it can't be read."""
    if outcome is None or not outcome.ok:
        return {}
    try:
        rows = parse_versions(outcome.stdout)
    except ParseError:
        return {}
    return {row.version.of(row.filesystem): row.version for row in rows}
