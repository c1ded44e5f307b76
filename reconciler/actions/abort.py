"""Give up a partial receive whose snapshot is no longer wanted or no longer there."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from reconciler.actions.base import Done, Failed, Resolve, Verdict, changed, failure_of
from reconciler.hosts.script import Printed, Script, Step, Transcript
from reconciler.observed.change import filesystem_of, with_filesystem, without_filesystem
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.errors import FailureKind


@dataclass(frozen=True, slots=True)
class AbortReceive:
    """`zfs receive -A`: drops the saved state (zfs-receive(8)).

    A filesystem whose first receive it was goes away with it: it never had a version.
    """

    verb: ClassVar[str] = "abort-receive"

    host: str
    filesystem: str
    token: str
    """The resume token the plan saw; another one means that somebody went on receiving."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"abort-receive:{self.host}:{self.filesystem}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        filesystem = filesystem_of(observed, self.host, self.filesystem)
        if filesystem is None:
            return observed
        if filesystem.inconsistent:
            return without_filesystem(observed, self.host, self.filesystem)
        return with_filesystem(observed, self.host, replace(filesystem, resume_token=None))

    def resolved(self, _resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return self

    def script(self) -> Script:
        """Return the commands: compare the token, abort, see whether it is gone."""
        return Script(
            (
                Step("check", commands.get_resume_token(self.filesystem)),
                Step(
                    "abort",
                    commands.abort_receive(self.filesystem),
                    when=Printed("check", self.token),
                ),
                Step("after", commands.get_resume_token(self.filesystem)),
            ),
            mutates=True,
        )

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when there is no saved state, or no such filesystem, any more."""
        after = transcript.get("after")
        if after is not None and after.status == 0 and after.stdout.strip() == "-":
            return Done()
        if after is None or not after.ok:
            failure = failure_of(after, "whether it was aborted can't be known")
            gone = failure.kind is FailureKind.DOES_NOT_EXIST
            return Done() if gone else Failed(failure)
        if transcript.get("abort") is None:
            return Failed(changed(f"{self.filesystem}: its partial receive has gone on meanwhile"))
        return Failed(failure_of(transcript.get("abort"), "the partial receive is still there"))
