"""Many actions on one host in one execution.

Holds of one tag are one command, and so are releases; destroys of one pool's snapshots are one
channel program, where that can be; bookmarks share the check before and the look after. Everything
else is a script of its own among the others. Together or alone, an action is judged by the same
eyes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.actions.abort import AbortReceive
from reconciler.actions.base import Verdict
from reconciler.actions.bookmark import Bookmark
from reconciler.actions.create import CreateFilesystem
from reconciler.actions.destroy import Destroy
from reconciler.actions.hold import Hold, Release, hold_all, release_all
from reconciler.actions.rename import Rename
from reconciler.actions.rollback import Rollback
from reconciler.actions.shared import (
    bookmark_all,
    destroy_bookmarks,
    destroy_snapshots,
    gave_no_answer,
    own,
)
from reconciler.actions.snapshot import Snapshot
from reconciler.hosts.joining import joined, part
from reconciler.hosts.script import Script, Transcript
from reconciler.zfs.names import pool_of

ScriptedAction = (
    Snapshot
    | CreateFilesystem
    | Bookmark
    | Hold
    | Release
    | Destroy
    | AbortReceive
    | Rename
    | Rollback
)
"""Actions done by one script on one host."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Together:
    """Actions on one host as one script. In the order given, but for those of one kind."""

    actions: tuple[ScriptedAction, ...]
    _parts: tuple[tuple[int, ...], ...]
    """For each part of the script, which of the actions it does."""
    _scripts: tuple[Script, ...]

    @classmethod
    def of(cls, actions: Sequence[ScriptedAction], *, programs: bool = False) -> "Together":
        """Return actions that do not depend on one another as one script.

        With `programs`, channel programs are tried first where they can do what is wanted.
        """
        groups: dict[_Key, list[int]] = {}
        for number, action in enumerate(actions):
            groups.setdefault(_key(action, programs=programs), []).append(number)
        parts = tuple(tuple(numbers) for numbers in groups.values())
        scripts = (
            _script([actions[number] for number in numbers], programs=programs) for numbers in parts
        )
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
            all_of_it = self._part(transcript, number)
            verdicts |= {
                n: self.actions[n].judge(own(all_of_it, position))
                for position, n in enumerate(numbers)
            }
        return [verdicts[number] for number in range(len(self.actions))]

    def without_programs(self, transcript: Transcript) -> bool:
        """Tell whether a channel program was tried that the host or the pool does not run."""
        return any(
            gave_no_answer(self._part(transcript, number)) for number in range(len(self._parts))
        )

    def _part(self, transcript: Transcript, number: int) -> Transcript:
        return part(transcript, number) if len(self._parts) > 1 else transcript


def _key(action: ScriptedAction, *, programs: bool) -> _Key:
    """Return what is the same for actions that share their commands."""
    match action:
        case Hold(tag=tag) | Release(tag=tag):
            return action.verb, tag
        case Destroy(filesystem=filesystem) if action.of_snapshots and programs:
            return action.verb, pool_of(filesystem)
        case Destroy() if action.of_cursor:
            return "destroy bookmarks", ""
        case Bookmark():
            return action.verb, ""
    return action.verb, action.id


def _script(group: Sequence[ScriptedAction], *, programs: bool) -> Script:
    """Return the commands for actions with the same key."""
    destroys = [action for action in group if isinstance(action, Destroy)]
    if programs and destroys and destroys[0].of_snapshots:
        return destroy_snapshots(destroys)
    if len(group) == 1:
        return group[0].script()
    if destroys:
        return destroy_bookmarks(destroys)
    if bookmarks := [action for action in group if isinstance(action, Bookmark)]:
        return bookmark_all(bookmarks)
    holds = [action for action in group if isinstance(action, Hold)]
    releases = [action for action in group if isinstance(action, Release)]
    return hold_all(holds) if holds else release_all(releases)
