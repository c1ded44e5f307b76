"""What an action is called on one line, and what comes after a failure."""

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
    Snapshot,
)
from reconciler.report.naming import filesystems_text, versions_text
from reconciler.zfs.errors import Failure, Reaction

SYMBOLS = {
    Snapshot.verb: "+",
    CreateFilesystem.verb: "+",
    Send.verb: "→",
    Bookmark.verb: "#",
    Hold.verb: "~",
    Release.verb: "~",
    Destroy.verb: "-",
    AbortReceive.verb: "-",
    Rename.verb: "~",
    Rollback.verb: "-",
    DestroyFilesystem.verb: "-",
    MarkGone.verb: "#",
}


def describe(action: Action) -> str:
    """Return an action in words: `send  alpha tank/www@daily → vault backup/alpha/tank/www`."""
    match action:
        case Snapshot():
            said = f"{filesystems_text(action.filesystems)}  @{action.name}"
        case Send():
            there = f"{action.receiver_host} {action.receiver_filesystem}"
            said = f"{action.to.of(action.filesystem)} → {there}"
        case Bookmark():
            whose = f"cursor for {action.peer}" if action.peer else "stays when it is destroyed"
            said = f"{action.version.of(action.filesystem)}  {whose}"
        case Hold() | Release():
            said = f"{action.full}  {action.tag}"
        case Destroy():
            said = f"{action.filesystem}  {versions_text(action.versions)}"
        case AbortReceive() | CreateFilesystem() | DestroyFilesystem() | MarkGone():
            said = f"{action.filesystem}{_what_of_it(action)}"
        case Rename():
            said = f"{action.filesystem} → {action.to}"
        case Rollback():
            said = f"{action.to.of(action.filesystem)}{lost_text(action)}"
    return f"{action.verb}  {action.host} {said}"


def _what_of_it(
    action: AbortReceive | CreateFilesystem | DestroyFilesystem | MarkGone,
) -> str:
    match action:
        case AbortReceive():
            return "  its partial receive"
        case MarkGone():
            return f"  {mark_text(action)}"
        case _:
            return ""


def lost_text(action: Rollback) -> str:
    """Return what a rollback destroys."""
    return f"  destroys {versions_text(action.lost)}" if action.lost else ""


def mark_text(mark: MarkGone) -> str:
    """Return what is noted down about a receiver's source."""
    return "its source is gone" if mark.since is not None else "its source is no longer gone"


def what_next(action: Action, failure: Failure) -> str:
    """Return what happens after a failure and who has to do something."""
    if isinstance(action, Send) and failure.reaction in {Reaction.RETRY, Reaction.BUSY}:
        return "the next apply goes on from what has arrived"
    return _NEXT[failure.reaction]


_NEXT = {
    Reaction.RETRY: "the next apply tries it again",
    Reaction.BUSY: "somebody is at work there; the next apply tries it again",
    Reaction.CONFLICT: "the host is not as it was planned for; the next plan looks at it anew",
    Reaction.PERMANENT: "it fails again until the spec or the host is changed",
    Reaction.DONE: "it may be done already; the next plan looks at the host anew",
    Reaction.SPACE: "make room there; then the next apply goes on",
}
