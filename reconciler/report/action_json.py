"""Versions and actions as JSON objects, and back.

Everything needed to restore an action exactly is there. What can be worked out of other fields
(`id`, `to`, a bookmark's `name`) is written for readers and not read back.
"""

from collections.abc import Callable, Mapping
from typing import Final

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
from reconciler.actions.send import Origin
from reconciler.desired.model import Hook
from reconciler.errors import PlanFileError
from reconciler.report.fields import Fields, Json, guid_text
from reconciler.report.figures import timestamp
from reconciler.report.piping_json import piping_object, read_piping
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.handover import NOTHING, Properties
from reconciler.zfs.piping import PLAIN
from reconciler.zfs.properties import GONE_SINCE
from reconciler.zfs.types import FilesystemKind, Version, VersionKind

_OfWhole = AbortReceive | Rename | Rollback | CreateFilesystem | DestroyFilesystem | MarkGone
"""What is done to a filesystem as a whole."""


def version_object(version: Version) -> Json:
    """Return a version as JSON."""
    return {
        "kind": str(version.kind),
        "name": version.name,
        "guid": guid_text(version.guid),
        "createtxg": version.createtxg,
        "creation": version.creation,
        "userrefs": version.userrefs,
        "written": version.written,
        "referenced": version.referenced,
        "spec": version.spec,
        "holds": list(version.holds),
    }


def read_version(fields: Fields) -> Version:
    """Return the version of a JSON object."""
    return Version(
        kind=fields.word("kind", VersionKind),
        name=fields.text("name"),
        guid=fields.guid("guid"),
        createtxg=fields.number("createtxg"),
        creation=fields.number("creation"),
        userrefs=fields.number("userrefs"),
        written=fields.optional("written", fields.number),
        referenced=fields.optional("referenced", fields.number),
        spec=fields.optional("spec", fields.text),
        holds=fields.texts("holds"),
    )


def action_object(action: Action) -> Json:
    """Return an action as JSON: its verb, its host, and what else the verb needs."""
    begin: Json = {"id": action.id, "action": action.verb, "host": action.host}
    return begin | _particulars(action)


def _particulars(action: Action) -> Json:
    match action:
        case Snapshot():
            return {
                "filesystems": list(action.filesystems),
                "name": action.name,
                "spec": action.spec,
                "at": timestamp(action.at),
                **({"hooks": [_hook(hook) for hook in action.hooks]} if action.hooks else {}),
            }
        case Send():
            return {"filesystem": action.filesystem, **_send(action)}
        case _:
            return {"filesystem": action.filesystem, **_on_one_filesystem(action)}


def _hook(hook: Hook) -> Json:
    return {
        "name": hook.name,
        "before": hook.before,
        "after": hook.after,
        "timeout_seconds": hook.timeout,
        "on_failure": "abort" if hook.abort else "continue",
    }


def _on_one_filesystem(
    action: Bookmark | Hold | Release | Destroy | _OfWhole,
) -> Json:
    match action:
        case Bookmark():
            named: Json = {"name": action.name, "prefix": action.prefix, "peer": action.peer}
            return _versions(action.version) | named
        case Hold() | Release():
            return _versions(action.version) | {"tag": action.tag}
        case Destroy():
            return _versions(*action.versions)
        case _:
            return _of_whole(action)


def _of_whole(action: "_OfWhole") -> Json:
    match action:
        case DestroyFilesystem():
            return {"guid": guid_text(action.guid)}
        case MarkGone():
            since = None if action.since is None else timestamp(action.since)
            return {"guid": guid_text(action.guid), "property": GONE_SINCE, "since": since}
        case AbortReceive():
            return {"token": action.token}
        case Rename():
            return {"to": action.to, "guid": guid_text(action.guid)}
        case Rollback():
            kept = [version_object(version) for version in action.kept]
            lost = _versions(*action.lost)
            return {"to": version_object(action.to), **lost, "kept": kept}
        case CreateFilesystem():
            return {}


def _versions(*versions: Version) -> Json:
    return {"versions": [version_object(version) for version in versions]}


def _send(send: Send) -> Json:
    return {
        "kind": str(send.kind),
        "receiver": {"host": send.receiver_host, "filesystem": send.receiver_filesystem},
        "mode": str(send.mode),
        "from": None if send.base is None else version_object(send.base),
        "to": version_object(send.to),
        **_versions(*send.versions),
        "flags": {name: getattr(send.flags, name) for name in _FLAGS},
        "path": send.path,
        "token": send.token,
        "estimated_bytes": send.estimated_bytes,
        **({"origin": _origin(send.origin)} if send.origin is not None else {}),
        **({"properties": _handed(send.properties)} if send.properties else {}),
        **({"decrypts": True} if send.decrypts else {}),
        **({"piping": piping_object(send.piping)} if send.piping != PLAIN else {}),
    }


def _handed(properties: Properties) -> Json:
    return {
        "send": properties.send,
        "override": dict(properties.override),
        "exclude": list(properties.exclude),
    }


def _origin(origin: Origin) -> Json:
    return {"filesystem": origin.filesystem, "receiver_snapshot": origin.snapshot}


_FLAGS = ("large_blocks", "compressed", "embedded", "raw")


def read_action(fields: Fields) -> Action:
    """Return the action of a JSON object."""
    verb = fields.text("action")
    read = _READERS.get(verb)
    if read is None:
        raise PlanFileError(f"it has an action {verb!r}: a newer reconciler made it")
    return read(fields)


def _read_snapshot(fields: Fields) -> Snapshot:
    return Snapshot(
        host=fields.text("host"),
        filesystems=fields.texts("filesystems"),
        name=fields.text("name"),
        spec=fields.text("spec"),
        at=fields.moment("at"),
        hooks=tuple(map(_read_hook, fields.optional("hooks", fields.objects) or ())),
    )


def _read_hook(fields: Fields) -> Hook:
    return Hook(
        name=fields.text("name"),
        before=fields.text("before"),
        after=fields.text("after"),
        timeout=fields.number("timeout_seconds"),
        abort=fields.text("on_failure") == "abort",
    )


def _read_send(fields: Fields) -> Send:
    receiver, flags = fields.object("receiver"), fields.object("flags")
    return Send(
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        kind=fields.word("kind", FilesystemKind),
        receiver_host=receiver.text("host"),
        receiver_filesystem=receiver.text("filesystem"),
        mode=fields.word("mode", SendMode),
        base=fields.optional("from", lambda name: read_version(fields.object(name))),
        versions=_some_versions(fields),
        flags=StreamFlags(**{name: flags.flag(name) for name in _FLAGS}),
        path=fields.text("path"),
        token=fields.optional("token", fields.text),
        estimated_bytes=fields.optional("estimated_bytes", fields.number),
        origin=fields.optional("origin", lambda name: _read_origin(fields.object(name))),
        properties=_read_properties(fields.optional("properties", fields.object)),
        decrypts=fields.optional("decrypts", fields.flag) or False,
        piping=fields.optional("piping", lambda name: read_piping(fields.object(name))) or PLAIN,
    )


def _read_origin(fields: Fields) -> Origin:
    return Origin(fields.text("filesystem"), fields.text("receiver_snapshot"))


def _read_properties(fields: Fields | None) -> Properties:
    if fields is None:
        return NOTHING
    override = fields.object("override")
    assigned = sorted((name, override.text(name)) for name in override.names)
    return Properties(fields.flag("send"), tuple(assigned), fields.texts("exclude"))


def _read_bookmark(fields: Fields) -> Bookmark:
    return Bookmark(
        host=fields.text("host"),
        filesystem=fields.text("filesystem"),
        version=_some_versions(fields)[0],
        prefix=fields.text("prefix"),
        peer=fields.text("peer"),
    )


def _read_hold(fields: Fields) -> Hold:
    return Hold(*_place(fields), _some_versions(fields)[0], fields.text("tag"))


def _read_release(fields: Fields) -> Release:
    return Release(*_place(fields), _some_versions(fields)[0], fields.text("tag"))


def _read_destroy(fields: Fields) -> Destroy:
    return Destroy(*_place(fields), _some_versions(fields))


def _read_abort(fields: Fields) -> AbortReceive:
    return AbortReceive(*_place(fields), fields.text("token"))


def _read_rename(fields: Fields) -> Rename:
    return Rename(*_place(fields), fields.text("to"), fields.guid("guid"))


def _read_rollback(fields: Fields) -> Rollback:
    lost, kept = (tuple(map(read_version, fields.objects(name))) for name in ("versions", "kept"))
    return Rollback(*_place(fields), read_version(fields.object("to")), kept, lost)


def _read_create(fields: Fields) -> CreateFilesystem:
    return CreateFilesystem(*_place(fields))


def _read_destroy_filesystem(fields: Fields) -> DestroyFilesystem:
    return DestroyFilesystem(*_place(fields), fields.guid("guid"))


def _read_mark_gone(fields: Fields) -> MarkGone:
    if fields.text("property") != GONE_SINCE:
        raise fields.wrong("property", GONE_SINCE)
    since = fields.optional("since", fields.moment)
    return MarkGone(*_place(fields), fields.guid("guid"), since)


def _place(fields: Fields) -> tuple[str, str]:
    return fields.text("host"), fields.text("filesystem")


def _some_versions(fields: Fields) -> tuple[Version, ...]:
    versions = tuple(read_version(version) for version in fields.objects("versions"))
    if not versions:
        raise fields.wrong("versions", "a list of at least one version")
    return versions


_READERS: Final[Mapping[str, Callable[[Fields], Action]]] = {
    Snapshot.verb: _read_snapshot,
    Send.verb: _read_send,
    Bookmark.verb: _read_bookmark,
    Hold.verb: _read_hold,
    Release.verb: _read_release,
    Destroy.verb: _read_destroy,
    AbortReceive.verb: _read_abort,
    CreateFilesystem.verb: _read_create,
    Rename.verb: _read_rename,
    Rollback.verb: _read_rollback,
    DestroyFilesystem.verb: _read_destroy_filesystem,
    MarkGone.verb: _read_mark_gone,
}
