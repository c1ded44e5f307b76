"""Many actions on one host in one execution.

Holds of one tag are one command, and so are releases; everything else is a script of its own among
the others. Together or alone, an action is judged by the same eyes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.actions.abort import AbortReceive
from reconciler.actions.base import Verdict
from reconciler.actions.bookmark import Bookmark
from reconciler.actions.create import CreateFilesystem
from reconciler.actions.destroy import Destroy
from reconciler.actions.destroy_filesystem import DestroyFilesystem
from reconciler.actions.hold import Hold, Release, hold_all, release_all
from reconciler.actions.properties import MarkGone
from reconciler.actions.rename import Rename
from reconciler.actions.rollback import Rollback
from reconciler.actions.snapshot import Snapshot
from reconciler.hosts.joining import joined, part
from reconciler.hosts.script import Script, Transcript

ScriptedAction = (
    Snapshot
    | CreateFilesystem
    | Bookmark
    | Hold
    | Release
    | Destroy
    | DestroyFilesystem
    | MarkGone
    | AbortReceive
    | Rename
    | Rollback
)
"""Actions done by one script on one host."""


@dataclass(frozen=True, slots=True)
class Together:
    """Actions on one host as one script. In the order given, but for marks of one kind."""

    actions: tuple[ScriptedAction, ...]
    _parts: tuple[tuple[int, ...], ...]
    """For each part of the script, which of the actions it does."""
    _scripts: tuple[Script, ...]

    @classmethod
    def of(cls, actions: Sequence[ScriptedAction]) -> "Together":
        """Return actions that do not depend on one another as one script."""
        groups: dict[tuple[str, str], list[int]] = {}
        for number, action in enumerate(actions):
            key = (action.verb, action.tag if isinstance(action, Hold | Release) else action.id)
            groups.setdefault(key, []).append(number)
        parts = tuple(tuple(numbers) for numbers in groups.values())
        scripts = (_script([actions[number] for number in numbers]) for numbers in parts)
        return cls(tuple(actions), parts, tuple(scripts))

    @property
    def host(self) -> str:
        """The host's name."""
        return self.actions[0].host

    def script(self) -> Script:
        """Return the commands."""
        return joined(self._scripts) if len(self._scripts) > 1 else self._scripts[0]

    def shares(self, number: int) -> bool:
        """Tell whether an action shares its commands: one guid that differs stops all of them."""
        return any(number in numbers and len(numbers) > 1 for numbers in self._parts)

    def judge(self, transcript: Transcript) -> list[Verdict]:
        """Return what came of each action, in the order they were given in."""
        verdicts: dict[int, Verdict] = {}
        for number, numbers in enumerate(self._parts):
            own = part(transcript, number) if len(self._parts) > 1 else transcript
            verdicts |= {n: self.actions[n].judge(own) for n in numbers}
        return [verdicts[number] for number in range(len(self.actions))]


def _script(group: Sequence[ScriptedAction]) -> Script:
    if len(group) == 1:
        return group[0].script()
    holds = [action for action in group if isinstance(action, Hold)]
    releases = [action for action in group if isinstance(action, Release)]
    return hold_all(holds) if holds else release_all(releases)
