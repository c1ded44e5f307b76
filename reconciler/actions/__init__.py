"""The verbs: one module each. A value that knows its address, its effect and its script.

An action never runs itself. `script` is data, `judge` reads what came of it; the executor stands
between them. Every script checks, in the same execution and right before it acts, that the
versions it names still have the guids the plan saw.
"""

from reconciler.actions.abort import AbortReceive
from reconciler.actions.base import Done, Failed, Narrowed, Reason, Verdict
from reconciler.actions.bookmark import Bookmark
from reconciler.actions.create import CreateFilesystem
from reconciler.actions.destroy import Destroy
from reconciler.actions.destroy_filesystem import DestroyFilesystem
from reconciler.actions.hold import Hold, Release
from reconciler.actions.properties import MarkGone
from reconciler.actions.rename import Rename
from reconciler.actions.rollback import Rollback
from reconciler.actions.send import Send, SendMode
from reconciler.actions.snapshot import Snapshot
from reconciler.actions.together import ScriptedAction, Together

Action = ScriptedAction | Send

__all__ = [
    "AbortReceive",
    "Action",
    "Bookmark",
    "CreateFilesystem",
    "Destroy",
    "DestroyFilesystem",
    "Done",
    "Failed",
    "Hold",
    "MarkGone",
    "Narrowed",
    "Reason",
    "Release",
    "Rename",
    "Rollback",
    "ScriptedAction",
    "Send",
    "SendMode",
    "Snapshot",
    "Together",
    "Verdict",
]
