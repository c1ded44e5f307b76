"""A run of a plan as JSON objects, one a line.

Common keys are `type`, `@timestamp`, `@level` and `@message`; a reader that does not know a type
shows its message. Objects about one action carry its `id`.
"""

import json
from collections.abc import Iterator

from reconciler import __version__
from reconciler.executor.events import (
    ActionFailed,
    Completed,
    Event,
    Progressed,
    RunResult,
    Skipped,
    Started,
)
from reconciler.planner.plan import Plan
from reconciler.report import plan_json
from reconciler.report.fields import Json
from reconciler.report.figures import timestamp
from reconciler.report.summary import Summary, counts_of
from reconciler.report.wording import describe, what_next

STREAM_VERSION = "1.0"


def event_line(document: Json, now: float) -> str:
    """Return an object as its line, with the instant it was made."""
    return json.dumps({"type": document["type"], "@timestamp": timestamp(now), **document}) + "\n"


def version_object() -> Json:
    """Return the object every stream begins with."""
    message = f"reconciler {__version__}"
    return _object("version", "info", message, version=STREAM_VERSION, reconciler=__version__)


def plan_objects(plan: Plan) -> Iterator[Json]:
    """Yield the plan, and what stands in its way one by one."""
    yield _object("plan", "info", f"{len(plan.actions)} actions", plan=plan_json.dump(plan))
    for state in plan.hosts:
        if not state.seen:
            message = f"{state.host} was not seen: {state.cause}"
            yield _object(
                "host_unseen",
                "error",
                message,
                host=state.host,
                cause=state.cause,
                remedy=state.remedy,
            )
    for conflict in plan.conflicts:
        message = f"{conflict.host} {conflict.filesystem}: {conflict.message}"
        yield _object("conflict", "warning", message, **plan_json.conflict_object(conflict))
    for blocked in plan.blocked:
        message = f"{blocked.host} {blocked.filesystem}: {blocked.message}"
        yield _object("blocked", "warning", message, **plan_json.blocked_object(blocked))
    for note in plan.notes:
        level = "info" if note.severity == "notice" else str(note.severity)
        yield _object("diagnostic", level, note.summary, **plan_json.note_object(note))


def event_object(event: Event) -> Json:
    """Return what happened to an action."""
    name = describe(event.action)
    match event:
        case Started():
            return _about(event, "action_start", "info", f"begun: {name}")
        case Progressed():
            message = f"{event.bytes} bytes: {name}"
            return _about(event, "action_progress", "info", message) | {
                "bytes": event.bytes,
                "estimated_bytes": event.estimated_bytes,
            }
        case Completed():
            return _about(event, "action_complete", "info", f"done: {name}") | {
                "seconds": round(event.seconds, 3),
                "note": event.note,
                **_printed(event),
            }
        case ActionFailed():
            message = f"failed: {name}: {event.failure.message}"
            return _about(event, "action_failed", "error", message) | {
                "kind": str(event.failure.kind),
                "reaction": str(event.failure.reaction),
                "message": event.failure.message,
                "next": what_next(event.action, event.failure),
                **_printed(event),
            }
        case Skipped():
            message = f"not begun: {name}: {event.because}"
            return _about(event, "action_skipped", "warning", message) | {"because": event.because}


def _printed(event: Completed | ActionFailed) -> Json:
    return {"printed": list(event.printed)} if event.printed else {}


def summary_object(summary: Summary, result: RunResult | None) -> Json:
    """Return the object every stream ends with; without a result nothing was run."""
    ran = result or RunResult((), (), (), interrupted=False)
    return _object(
        "summary",
        "error" if summary.code else "info",
        summary.text,
        exit_code=int(summary.code),
        completed=dict(counts_of(ran.completed)),
        failed=len(ran.failed),
        skipped=len(ran.skipped),
        interrupted=ran.interrupted,
    )


def error_object(message: str, code: int) -> Json:
    """Return the last object of a stream that an error ended."""
    return _object("error", "error", message, exit_code=code)


def _about(event: Event, kind: str, level: str, message: str) -> Json:
    host, filesystem = event.action.places[0]
    return _object(
        kind,
        level,
        message,
        id=event.id,
        action=event.action.verb,
        host=host,
        filesystem=filesystem,
    )


def _object(kind: str, level: str, message: str, /, **facts: object) -> Json:
    return {"type": kind, "@level": level, "@message": message, **facts}
