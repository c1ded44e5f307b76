"""What an action is called on one line, and what comes after a failure."""

from reconciler.actions import (
    AbortReceive,
    Action,
    Bookmark,
    CreateFilesystem,
    Destroy,
    Hold,
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
        case AbortReceive():
            said = f"{action.filesystem}  its partial receive"
        case CreateFilesystem():
            said = action.filesystem
        case Rename():
            said = f"{action.filesystem} → {action.to}"
        case Rollback():
            said = f"{action.to.of(action.filesystem)}{lost_text(action)}"
    return f"{action.verb}  {action.host} {said}"


def lost_text(action: Rollback) -> str:
    """Return what a rollback destroys."""
    return f"  destroys {versions_text(action.lost)}" if action.lost else ""


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
