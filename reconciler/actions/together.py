"""Many actions on one host in one execution.

Holds of one tag are one command, and so are releases; destroys of one pool's snapshots are one
channel program, where that can be; bookmarks share the check before and the look after. Everything
else is a script of its own among the others. An action that depends on others of these is begun
only when they have shown on the host that they are done. Together or alone, an action is judged by
the same eyes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from reconciler.actions.abort import AbortReceive
from reconciler.actions.base import Done, Verdict
from reconciler.actions.bookmark import Bookmark
from reconciler.actions.create import CreateFilesystem
from reconciler.actions.destroy import Destroy
from reconciler.actions.destroy_filesystem import DestroyFilesystem
from reconciler.actions.hold import Hold, Release, hold_all, release_all
from reconciler.actions.properties import MarkGone
from reconciler.actions.rename import Rename
from reconciler.actions.rollback import Rollback
from reconciler.actions.shared import (
    bookmark_all,
    destroy_bookmarks,
    destroy_snapshots,
    divided,
    gave_no_answer,
    own,
)
from reconciler.actions.snapshot import Snapshot
from reconciler.hosts.joining import joined, part
from reconciler.hosts.script import Script, Transcript
from reconciler.zfs.names import pool_of
from reconciler.zfs.types import Version

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
    _after: tuple[tuple[int, ...], ...]
    """For each part, the earlier ones that have to be done."""

    @classmethod
    def of(
        cls,
        actions: Sequence[ScriptedAction],
        after: Sequence[Sequence[int]] = (),
        *,
        programs: bool = False,
    ) -> "Together":
        """Return actions as one script; `after` has for each the numbers of those it depends on.

        These come before it. A promised version is one that an action makes on which this one
        depends. With `programs`, channel programs are tried first where they can do what is wanted.
        """
        after = after or [()] * len(actions)
        depths = _depths(after)
        groups: dict[tuple[object, ...], list[int]] = {}
        for number, action in sorted(enumerate(actions), key=lambda item: depths[item[0]]):
            key = (depths[number], *_command(action, programs=programs))
            groups.setdefault(key, []).append(number)
        parts = tuple(
            part
            for numbers in groups.values()
            for part in _parts(actions, numbers, programs=programs)
        )
        place = {number: p for p, numbers in enumerate(parts) for number in numbers}
        needed = (sorted({place[m] for n in numbers for m in after[n]}) for numbers in parts)
        scripts = (
            _script([actions[number] for number in numbers], programs=programs) for numbers in parts
        )
        return cls(tuple(actions), parts, tuple(scripts), tuple(map(tuple, needed)))

    @property
    def host(self) -> str:
        """The host's name."""
        return self.actions[0].host

    def script(self) -> Script:
        """Return the commands."""
        return joined(self._scripts, self._after) if len(self._scripts) > 1 else self._scripts[0]

    def shares(self, number: int) -> bool:
        """Tell whether an action shares its commands: one guid that differs stops all of them."""
        return any(number in numbers and len(numbers) > 1 for numbers in self._parts)

    def judge(self, transcript: Transcript) -> list[Verdict | None]:
        """Return what came of each action, in the order they were given in.

        None for one that was not begun, because another was not seen to be done.
        """
        verdicts: dict[int, Verdict | None] = {}
        made: dict[int, Version] = {}
        for number, numbers in enumerate(self._parts):
            all_of_it = self._part(transcript, number)
            if self._after[number] and not all_of_it.outcomes:
                verdicts |= dict.fromkeys(numbers)
                continue
            for position, n in enumerate(numbers):
                action = self.actions[n].resolved(partial(_real, made))
                verdicts[n] = verdict = action.judge(own(all_of_it, position))
                made |= verdict.learned if isinstance(verdict, Done) else {}
        return [verdicts[number] for number in range(len(self.actions))]

    def without_programs(self, transcript: Transcript) -> bool:
        """Tell whether a channel program was tried that the host or the pool does not run."""
        return any(
            gave_no_answer(self._part(transcript, number)) for number in range(len(self._parts))
        )

    def _part(self, transcript: Transcript, number: int) -> Transcript:
        return part(transcript, number) if len(self._parts) > 1 else transcript


def _depths(after: Sequence[Sequence[int]]) -> list[int]:
    """Return for each action how many others come before it, one after the other."""
    depths: list[int] = []
    for needed in after:
        depths.append(1 + max((depths[number] for number in needed), default=-1))
    return depths


def _command(action: ScriptedAction, *, programs: bool) -> tuple[object, ...]:
    """Return what is the same for actions that share their commands."""
    match action:
        case Hold() | Release():
            return action.verb, action.tag, action.version.is_planned
        case Destroy() if action.of_snapshots and programs:
            return action.verb, pool_of(action.filesystem)
        case Destroy() if action.of_cursor:
            return "destroy cursors", ""
        case Bookmark():
            return action.verb, "", action.version.is_planned
    return action.verb, action.id


def _parts(
    actions: Sequence[ScriptedAction], numbers: Sequence[int], *, programs: bool
) -> Iterator[tuple[int, ...]]:
    """Return which of the actions that may share their commands do."""
    found = [action for n in numbers if isinstance(action := actions[n], Destroy)]
    if not programs or not found or not found[0].of_snapshots:
        yield tuple(numbers)
        return
    for chunk in divided(found):
        yield tuple(numbers[place] for place in chunk)


def _real(made: Mapping[int, Version], version: Version) -> Version:
    """Return what was made of a promised version, if that is known."""
    return made.get(version.guid, version)


def _script(group: Sequence[ScriptedAction], *, programs: bool) -> Script:
    """Return the commands for actions that share them."""
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
