"""A plan's JSON document → `Plan`: the reading half of `report.plan_json`."""

from reconciler.actions import Reason
from reconciler.planner.plan import (
    Blocked,
    Conflict,
    HostState,
    Kept,
    Note,
    Plan,
    PlannedAction,
    PolicyChange,
    Severity,
    Specs,
)
from reconciler.report.action_json import read_action, read_version
from reconciler.report.fields import Fields


def read_plan(fields: Fields) -> Plan:
    """Return the plan of a document whose version and id are right."""
    specs = fields.object("specs")
    return Plan(
        at=fields.moment("at"),
        specs=Specs(
            revision=specs.optional("revision", specs.text),
            digest=specs.text("digest"),
            objects=specs.number("objects"),
        ),
        hosts=tuple(_host(state) for state in fields.objects("hosts")),
        actions=tuple(_planned(action) for action in fields.objects("actions")),
        conflicts=tuple(_conflict(conflict) for conflict in fields.objects("conflicts")),
        blocked=tuple(_blocked(blocked) for blocked in fields.objects("blocked")),
        notes=tuple(_note(note) for note in fields.objects("diagnostics")),
        kept=tuple(_kept(kept) for kept in fields.objects("kept")),
        next_due=fields.optional("next_due", fields.moment),
        targets=fields.texts("targets"),
        policy_change=fields.optional(
            "policy_change", lambda name: _policy_change(fields.object(name))
        ),
        allow_destroy=fields.optional("allow_destroy", fields.texts) or (),
    )


def _policy_change(fields: Fields) -> PolicyChange:
    return PolicyChange(
        compared=fields.text("compared"),
        more=fields.number("more"),
        fewer=fields.number("fewer"),
        filesystems=fields.number("filesystems"),
    )


def _host(fields: Fields) -> HostState:
    return HostState(
        host=fields.text("host"),
        seen=fields.flag("seen"),
        cause=fields.text("cause"),
        remedy=fields.text("remedy"),
        observed_at=fields.optional("observed_at", fields.moment),
        zfs_version=fields.text("zfs_version"),
        pools=tuple((pool.text("name"), pool.guid("guid")) for pool in fields.objects("pools")),
    )


def _planned(fields: Fields) -> PlannedAction:
    reason = fields.object("reason")
    return PlannedAction(
        action=read_action(fields),
        reason=Reason(reason.text("code"), reason.text("message")),
        replication=fields.text("replication"),
        depends_on=fields.texts("depends_on"),
    )


def _conflict(fields: Fields) -> Conflict:
    return Conflict(
        replication=fields.text("replication"),
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        code=fields.text("code"),
        message=fields.text("message"),
        evidence=fields.texts("evidence"),
        remedy=fields.text("remedy"),
    )


def _blocked(fields: Fields) -> Blocked:
    return Blocked(
        action_id=fields.text("action_id"),
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        versions=tuple(read_version(version) for version in fields.objects("versions")),
        guard=fields.text("guard"),
        message=fields.text("message"),
        remedy=fields.optional("remedy", fields.text) or "",
    )


def _note(fields: Fields) -> Note:
    return Note(
        severity=fields.word("severity", Severity),
        summary=fields.text("summary"),
        replication=fields.optional("replication", fields.text),
    )


def _kept(fields: Fields) -> Kept:
    return Kept(
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        version=read_version(fields.object("version")),
        rules=fields.texts("rules"),
    )
