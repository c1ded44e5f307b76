"""What all actions share: reasons, verdicts, promised versions and the guid check."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from reconciler.hosts.script import Outcome, Printed, Step, Transcript
from reconciler.zfs import commands
from reconciler.zfs.errors import Failure, FailureKind, Reaction, classify
from reconciler.zfs.parse import ParseError, parse_guids
from reconciler.zfs.types import Version

if TYPE_CHECKING:
    from reconciler.actions import Action

READ = 8
"""Outputs that are remembered as read: actions that share their commands look at the same one."""

Resolve = Callable[[Version], Version]
"""Turns a promised version into the real one that an earlier action made."""


class Reason(NamedTuple):
    """Why an action is in the plan: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Done:
    """The world is as the action wanted it, whoever made it so."""

    learned: Mapping[int, Version] = field(default_factory=dict)
    """Promised guid → the real version."""
    note: str = ""
    printed: tuple[str, ...] = ()
    """What hooks printed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The world is not as the action wanted it."""

    failure: Failure
    printed: tuple[str, ...] = ()
    """What hooks printed."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Not done as a whole: these smaller actions are what is left; `note` says why."""

    actions: "tuple[Action, ...]"
    note: str
    failure: Failure | None = None
    """What stays undone whatever becomes of the smaller actions."""


Verdict = Done | Failed | Narrowed


def planned_guid(host: str, filesystem: str, name: str) -> int:
    """Return the guid that stands for a snapshot the plan will make: negative, so never real."""
    digest = sha256(f"{host}:{filesystem}@{name}".encode()).hexdigest()
    return -1 - int(digest[:15], 16)


def guids_text(filesystem: str, versions: Sequence[Version]) -> str:
    """Return what `commands.list_guids` prints when exactly these versions are there."""
    return "\n".join(f"{version.of(filesystem)}\t{version.guid}" for version in versions)


def guid_check(filesystem: str, versions: Sequence[Version]) -> tuple[Step, Printed]:
    """Return the step that lists the versions' guids and the condition that all are as planned."""
    names = [version.of(filesystem) for version in versions]
    step = Step("check", commands.list_guids(names))
    return step, Printed("check", guids_text(filesystem, versions))


@lru_cache(maxsize=READ)
def read_guids(outcome: Outcome | None) -> Mapping[str, int] | None:
    """Return full name → guid of the versions a step listed; None when that can't be known.

    Names that do not exist make `zfs list` end with 1 while the others are listed; any other
    trouble means that nothing is known.
    """
    if outcome is None or outcome.status not in {0, 1}:
        return None
    lines = [line for line in outcome.stderr.splitlines() if line.strip()]
    if outcome.status == 1 and not (lines and all(_says_missing(line) for line in lines)):
        return None
    try:
        return {row.name: row.guid for row in parse_guids(outcome.stdout)}
    except ParseError:
        return None


def _says_missing(line: str) -> bool:
    """Tell whether a line of `zfs list` says that one asked name does not exist."""
    return classify(line, 1).kind is FailureKind.DOES_NOT_EXIST


def failure_of(outcome: Outcome | None, otherwise: str) -> Failure:
    """Return the failure an outcome shows, or one that says `otherwise`."""
    if outcome is not None and not outcome.ok:
        return classify(outcome.stderr, outcome.status)
    return unexpected(otherwise)


def unexpected(message: str) -> Failure:
    """Return the failure for a world that is not as the commands' exit codes claim."""
    return Failure(FailureKind.UNKNOWN, Reaction.CONFLICT, message)


def changed(message: str) -> Failure:
    """Return the failure for a version that is no longer the one the plan saw."""
    return Failure(FailureKind.CHANGED, Reaction.CONFLICT, message)


def unchecked(transcript: Transcript, filesystem: str, version: Version) -> Failure:
    """Return why the guid check of one version did not let its action through."""
    found = read_guids(transcript.get("check"))
    if found is None:
        return failure_of(transcript.get("check"), f"{filesystem}: its versions can't be listed")
    full = version.of(filesystem)
    if full not in found:
        return Failure(FailureKind.DOES_NOT_EXIST, Reaction.CONFLICT, f"{full} is gone")
    return changed(f"{full} has guid {found[full]}, the plan saw {version.guid}")
