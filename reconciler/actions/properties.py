"""Set or take away a user property of ours on a filesystem."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from reconciler.actions.base import Done, Failed, Resolve, Verdict, changed, failure_of
from reconciler.hosts.script import Printed, Script, Step, Transcript
from reconciler.observed.change import filesystem_of, with_filesystem
from reconciler.observed.model import Observed
from reconciler.zfs import commands
from reconciler.zfs.properties import GONE_SINCE, gone_since, gone_value


@dataclass(frozen=True, slots=True)
class MarkGone:
    """`zfs set reconciler:gone-since=...` on a receiver, or `zfs inherit` to take it away."""

    verb: ClassVar[str] = "set-property"

    host: str
    filesystem: str
    guid: int
    """The filesystem's guid that the plan saw."""
    since: int | None
    """Since when its source is known to be gone, epoch seconds; None: it no longer is."""

    @property
    def id(self) -> str:
        """Unique in a plan and the same in every run."""
        return f"set-property:{self.host}:{self.filesystem}:{GONE_SINCE}"

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """The (host, filesystem) pairs this action touches."""
        return ((self.host, self.filesystem),)

    @property
    def value(self) -> str | None:
        """What the property is set to."""
        return None if self.since is None else gone_value(self.since, self.filesystem)

    def effect(self, observed: Observed) -> Observed:
        """Return the observations as they are when this is done."""
        filesystem = filesystem_of(observed, self.host, self.filesystem)
        if filesystem is None:
            return observed
        return with_filesystem(observed, self.host, replace(filesystem, gone_since=self.since))

    def resolved(self, _resolve: Resolve) -> Self:
        """Return the action with promised versions replaced by real ones."""
        return self

    def script(self) -> Script:
        """Return the commands: compare the guid, set, see what it is then."""
        if self.value is None:
            change = commands.unset(self.filesystem, GONE_SINCE)
        else:
            change = commands.set_property(self.filesystem, GONE_SINCE, self.value)
        return Script(
            (
                Step("check", commands.get_guid(self.filesystem)),
                Step("set", change, when=Printed("check", str(self.guid))),
                Step("after", commands.get_property(self.filesystem, GONE_SINCE)),
            ),
            mutates=True,
        )

    def judge(self, transcript: Transcript) -> Verdict:
        """Succeed when the property says what it should; what is inherited says nothing."""
        check, after = transcript.get("check"), transcript.get("after")
        if check is not None and check.ok and transcript.get("set") is None:
            return Failed(changed(f"{self.filesystem} is another filesystem than the plan saw"))
        if after is not None and after.ok:
            now = gone_since(after.stdout.removesuffix("\n"), self.filesystem)
            if transcript.get("set") is not None and now == self.since:
                return Done()
        failed = transcript.get("set") or check
        return Failed(failure_of(failed, f"{GONE_SINCE} of {self.filesystem} was not set"))
