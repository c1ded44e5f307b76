"""A plan as one JSON document, and back: `load(dump(plan)) == plan`.

The document is what `plan --json` prints, what `--out` saves and what `show` and `apply FILE`
read. Its minor version is additive: readers ignore fields they do not know. `plan_id` is the
SHA-256 of all the rest, so a file that was edited or cut is not taken for a plan.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

from reconciler import __version__
from reconciler.errors import PlanFileError
from reconciler.planner.plan import (
    Blocked,
    Conflict,
    HostState,
    Kept,
    Note,
    Plan,
    PlannedAction,
    PolicyChange,
)
from reconciler.report.action_json import action_object, version_object
from reconciler.report.fields import Fields, Json, guid_text
from reconciler.report.figures import timestamp
from reconciler.report.plan_reading import read_plan

FORMAT_VERSION = "1.0"


def dump(plan: Plan) -> Json:
    """Return a plan as a JSON document."""
    content = {"format_version": FORMAT_VERSION, **_content(plan)}
    return {"format_version": FORMAT_VERSION, "plan_id": plan_id(content), **content}


def dumps(plan: Plan) -> str:
    """Return a plan as JSON text: the same plan gives the same bytes."""
    return json.dumps(dump(plan), indent=2) + "\n"


def load(document: object) -> Plan:
    """Return the plan of a JSON document; PlanFileError when it is none, or was edited."""
    if not isinstance(document, Mapping) or not document.keys() >= {"format_version", "plan_id"}:
        raise PlanFileError(_something_else(document))
    fields = Fields(document)
    version = fields.text("format_version")
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise PlanFileError(
            f"it has format version {version}, this reconciler reads {FORMAT_VERSION}:"
            " make the plan anew"
        )
    if fields.text("plan_id") != plan_id(document):
        raise PlanFileError("its content does not match its plan_id: it was edited or damaged")
    return read_plan(fields)


def loads(text: str) -> Plan:
    """Return the plan of a JSON text; PlanFileError when it is none, or was edited."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        if any(line.startswith("apiVersion:") for line in text.splitlines()):
            raise PlanFileError(_SPECS) from error
        raise PlanFileError(f"it is not JSON, or was cut: {error}") from error
    return load(document)


def plan_id(content: Mapping[str, object]) -> str:
    """Return `sha256:...` over the canonical form of a document without its id."""
    rest = {key: value for key, value in content.items() if key != "plan_id"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return f"sha256:{sha256(canonical.encode()).hexdigest()}"


_SPECS = "these are specs, not a saved plan: give them with -f"


def _something_else(document: object) -> str:
    """Say what a JSON document is that is no plan."""
    if isinstance(document, Mapping) and "apiVersion" in document:
        return _SPECS
    return "it is JSON, but not a saved plan (`reconciler plan --out FILE` makes one)"


def _content(plan: Plan) -> Json:
    return {
        "reconciler_version": __version__,
        "at": timestamp(plan.at),
        "outcome": str(plan.outcome),
        "complete": plan.complete,
        "applyable": bool(plan.actions),
        "targets": list(plan.targets),
        "allow_destroy": list(plan.allow_destroy),
        "policy_change": _policy_change(plan.policy_change),
        "specs": {
            "revision": plan.specs.revision,
            "digest": plan.specs.digest,
            "objects": plan.specs.objects,
        },
        "hosts": [_host(state) for state in plan.hosts],
        "actions": [planned_object(planned) for planned in plan.actions],
        "kept": [_kept(kept) for kept in plan.kept],
        "conflicts": [conflict_object(conflict) for conflict in plan.conflicts],
        "blocked": [blocked_object(blocked) for blocked in plan.blocked],
        "diagnostics": [note_object(note) for note in plan.notes],
        "summary": dict(plan.summary),
        "estimated_bytes": plan.estimated_bytes,
        "next_due": None if plan.next_due is None else timestamp(plan.next_due),
    }


def _policy_change(change: PolicyChange | None) -> Json | None:
    if change is None:
        return None
    return {
        "compared": change.compared,
        "more": change.more,
        "fewer": change.fewer,
        "filesystems": change.filesystems,
    }


def _host(state: HostState) -> Json:
    observed_at = None if state.observed_at is None else timestamp(state.observed_at)
    return {
        "host": state.host,
        "seen": state.seen,
        "cause": state.cause,
        "remedy": state.remedy,
        "observed_at": observed_at,
        "zfs_version": state.zfs_version,
        "pools": [{"name": name, "guid": guid_text(guid)} for name, guid in state.pools],
    }


def planned_object(planned: PlannedAction) -> Json:
    """Return an action with its place in the plan."""
    return {
        **action_object(planned.action),
        "reason": {"code": planned.reason.code, "message": planned.reason.message},
        "replication": planned.replication,
        "depends_on": list(planned.depends_on),
    }


def conflict_object(conflict: Conflict) -> Json:
    """Return a conflict as JSON."""
    return {
        "replication": conflict.replication,
        "host": conflict.host,
        "filesystem": conflict.filesystem,
        "code": conflict.code,
        "message": conflict.message,
        "evidence": list(conflict.evidence),
        "remedy": conflict.remedy,
    }


def blocked_object(blocked: Blocked) -> Json:
    """Return a blocked action as JSON."""
    return {
        "action_id": blocked.action_id,
        "host": blocked.host,
        "filesystem": blocked.filesystem,
        "versions": [version_object(version) for version in blocked.versions],
        "guard": blocked.guard,
        "message": blocked.message,
        "remedy": blocked.remedy,
    }


def note_object(note: Note) -> Json:
    """Return a note as a diagnostic; it is about hosts, not about a place in a spec file."""
    return {
        "severity": str(note.severity),
        "summary": note.summary,
        "detail": "",
        "replication": note.replication,
        "file": None,
        "line": None,
        "column": None,
    }


def _kept(kept: Kept) -> Json:
    return {
        "host": kept.host,
        "filesystem": kept.filesystem,
        "version": version_object(kept.version),
        "rules": list(kept.rules),
    }
