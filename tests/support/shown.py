"""Plans in short words, so that a test can say what it expects in a few lines.

snapshot alpha tank/a tank/b @~23:15
create vault backup/alpha
hold alpha tank/www@~23:00 step
send alpha tank/www @~22:00 → @~23:00 @~23:15
cursor alpha tank/www@~23:00 vault
destroy vault backup/alpha/tank/www@~21:00
"""

import re
from typing import assert_never

from reconciler.actions import (
    AbortReceive,
    Action,
    Bookmark,
    CreateFilesystem,
    Destroy,
    DestroyFilesystem,
    Hold,
    MarkGone,
    Release,
    Rename,
    Rollback,
    Send,
    SendMode,
    Snapshot,
)
from reconciler.planner.plan import Plan
from reconciler.zfs.types import Version

_OURS = re.compile(r"rec-20261122T(\d\d)(\d\d)00Z")
_CURSOR = re.compile(r"#rec-cursor_[^_]*_([^_]*)-[0-9a-f]{6}_[0-9a-f]{16}")


def short(text: str) -> str:
    """Return a text with our names in the dialect of `worlds`."""
    return _CURSOR.sub(r"#cur/\1", _OURS.sub(r"~\1:\2", text))


def steps(plan: Plan) -> list[str]:
    """Return the actions in order."""
    return [short(_step(planned.action)) for planned in plan.actions]


def of_verb(plan: Plan, *verbs: str) -> list[str]:
    """Return the actions of some verbs, in order."""
    return [step for step in steps(plan) if step.split()[0] in verbs]


def conflicts(plan: Plan) -> list[str]:
    """Return filesystem and code of all conflicts."""
    return [f"{c.host} {c.filesystem} {c.code}" for c in plan.conflicts]


def notes(plan: Plan) -> list[str]:
    """Return severity and text of all notes."""
    return [f"{note.severity}: {note.summary}" for note in plan.notes]


def blocked(plan: Plan) -> list[str]:
    """Return what guards took out, and which one."""
    return [
        f"{b.host} {b.filesystem}{''.join(short(v.label) for v in b.versions)}: {b.guard}"
        for b in plan.blocked
    ]


def _step(action: Action) -> str:
    match action:
        case Snapshot():
            words = ["snapshot", action.host, *action.filesystems, f"@{action.name}"]
        case Bookmark():
            what = ["cursor" if action.peer else "bookmark", action.host]
            words = [*what, action.version.of(action.filesystem), *action.peer.split()[:1]]
        case Hold() | Release():
            words = [action.verb, action.host, action.full, _tag(action.tag)]
        case Destroy():
            words = ["destroy", action.host, action.filesystem + _labels(action.versions, "")]
        case AbortReceive() | CreateFilesystem() | DestroyFilesystem() | MarkGone():
            words = [*_plainly(action), action.host, action.filesystem]
        case Rename():
            words = ["rename", action.host, action.filesystem, action.to.rpartition("/")[2]]
        case Rollback():
            lost = _labels(action.lost, "")
            words = [
                "rollback",
                action.host,
                action.to.of(action.filesystem),
                *filter(None, [lost]),
            ]
        case Send():
            words = ["send", action.host, action.filesystem, _stream(action)]
        case _:
            assert_never(action)
    return " ".join(words)


def _plainly(
    action: AbortReceive | CreateFilesystem | DestroyFilesystem | MarkGone,
) -> tuple[str, ...]:
    match action:
        case AbortReceive():
            return ("abort",)
        case CreateFilesystem():
            return ("create",)
        case DestroyFilesystem():
            return ("destroy-filesystem",)
        case MarkGone(since=since):
            return ("mark",) if since is not None else ("unmark",)


def _stream(send: Send) -> str:
    begin = "full" if send.base is None else send.base.label
    if send.origin is not None:
        begin = f"{send.start} as clone of {send.origin.snapshot}"
    resumed = " resumed" if send.mode is SendMode.RESUME else ""
    return f"{begin} → {_labels(send.versions, ' ')}{resumed}"


def _labels(versions: tuple[Version, ...], between: str) -> str:
    return between.join(version.label for version in versions)


def _tag(tag: str) -> str:
    return tag.removeprefix("rec-").partition("_")[0] if tag.startswith("rec-") else tag
