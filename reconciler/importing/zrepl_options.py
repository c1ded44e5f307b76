"""What of a zrepl.yml is said in remarks alone: options that specs don't have or don't need."""

from collections.abc import Iterator

from reconciler.importing.remarks import Remark, lost, note
from reconciler.importing.sections import Section
from reconciler.importing.zrepl import JobType

_BY_POOLS = "chosen by what both pools can (-L -c -e)"
_STREAM_FLAGS = ("large_blocks", "compressed", "embedded_data")


def outside_jobs(whole: Section) -> Iterator[Remark]:
    """Say what becomes of all that is not in `jobs`."""
    for path in whole.texts("include"):
        where = whole.at("include")
        yield lost(where, f"the jobs in {path} are not read: import that file, too")
    global_ = whole.section("global")
    for key, said in _GLOBAL.items():
        if global_.has(key):
            yield note(global_.key_at(key), f"`global.{key}`: {said}")
    yield from unknown(global_)
    yield from unknown(whole)


_GLOBAL = {
    "logging": "reconciler logs to stderr; what is shown is not set in specs",
    "monitoring": "metrics are served by `reconciler watch` (docs/watch.md)",
    "control": "there is no daemon on the hosts, so no socket",
    "serve": "there is no daemon on the hosts, so no socket",
}


def snapshots(section: Section) -> Iterator[Remark]:
    """Say what becomes of hooks and of the format of names."""
    for hook in section.sections("hooks"):
        what = hook.text("path") or hook.text("type")
        yield lost(hook.at(), f"the hook {what} is not run: `hooks` can do it (docs/hooks.md)")
    ours = "names are PREFIX and YYYYMMDDTHHMMSSZ, always in UTC"
    for key in ("timestamp_format", "timestamp_location"):
        if section.has(key):
            yield note(section.key_at(key), f"`{key}`: {ours}")
    yield from unknown(section, "type", "prefix", "interval", "cron")


def sending(job: Section) -> Iterator[Remark]:
    """Say what becomes of a sender's options."""
    send = job.section("send")
    if send.flag("encrypted"):
        said = "encrypted filesystems are always sent raw; those that are not are sent, too"
        yield note(send.key_at("encrypted"), f"`encrypted: true`: {said}")
    elif not send.flag("raw"):
        said = "if one of them is encrypted, zrepl sent it decrypted; reconciler sends it raw, and"
        what = "a raw stream can't continue that: such a filesystem would be sent anew"
        yield note(send.at(), f"without `encrypted: true`: {said} {what}")
    for key in _STREAM_FLAGS:
        if send.has(key):
            yield note(send.key_at(key), f"`{key}`: {_BY_POOLS}")
    for key in ("send_properties", "backup_properties"):
        if send.flag(key):
            yield lost(send.key_at(key), f"`{key}`: properties are not sent in this version")
    if send.flag("saved"):
        yield lost(send.key_at("saved"), "`saved`: partly received filesystems are not sent on")
    yield from _bandwidth(send)
    yield from unknown(send)


def receiving(recv: Section) -> Iterator[Remark]:
    """Say what becomes of a receiver's options."""
    properties = recv.section("properties")
    ours = "received with `-x mountpoint -o canmount=noauto -o readonly=on`, nothing else is set"
    if properties.texts("inherit"):
        yield lost(properties.key_at("inherit"), f"`inherit`: {ours} in this version")
    if properties.entries("override"):
        yield lost(properties.key_at("override"), f"`override`: {ours} in this version")
    placeholder = recv.section("placeholder")
    match placeholder.text("encryption", "unspecified"):
        case "inherit":
            said = "parents that are missing are made with the encryption of what they are in"
            yield note(placeholder.key_at("encryption"), said)
        case "off":
            said = "`encryption: off`: missing parents are made as encrypted as what they are in"
            yield lost(placeholder.key_at("encryption"), said)
    yield from _bandwidth(recv)
    for section in (properties, placeholder, recv):
        yield from unknown(section)


_CONNECT = ("type", "address", "host", "user", "port", "listener_name", "client_identity")
_TLS = ("ca", "cert", "key", "server_cn", "client_cns")
_SERVE = ("type", "clients", "client_identities", "listener_name", "listen", "listen_freebind")
_TIMES = ("dial_timeout", "handshake_timeout")


def reaching(job: Section) -> Iterator[Remark]:
    """Say what becomes of the transport's options: everything goes by ssh."""
    connect, serve = job.section("connect"), job.section("serve")
    for section in (connect, serve):
        if any(section.has(key) for key in _TLS):
            said = "certificates are not used: hosts are reached by ssh, with verified host keys"
            yield note(section.at(), said)
    if serve.has("listen"):
        yield note(serve.key_at("listen"), "nothing listens here: hosts are reached by ssh")
    for key in ("identity_file", "options"):
        if connect.has(key):
            said = "belongs into ssh_config, which is read; a key that may only run"
            yield note(connect.key_at(key), f"`{key}` {said} `zrepl stdinserver` is of no use")
    yield from unknown(connect, *_CONNECT, *_TLS, *_TIMES)
    yield from unknown(serve, *_SERVE, *_TLS, *_TIMES)


def replicating(job: Section) -> Iterator[Remark]:
    """Say what becomes of `replication:`."""
    replication = job.section("replication")
    protection, concurrency = replication.section("protection"), replication.section("concurrency")
    for key in ("initial", "incremental"):
        if (word := protection.text(key, "guarantee_resumability")) != "guarantee_resumability":
            said = "here it is always that of `guarantee_resumability`, with holds and cursors"
            yield note(protection.key_at(key), f"`{key}: {word}`: {said}")
    for key in ("steps", "size_estimates"):
        if concurrency.has(key):
            said = "how much is done at once is said by `limits` of a Host"
            yield note(concurrency.key_at(key), f"`{key}`: {said}")
    yield from unknown(job.section("conflict_resolution"), "initial_replication")
    for section in (protection, concurrency, replication):
        yield from unknown(section)


def _bandwidth(section: Section) -> Iterator[Remark]:
    limit = section.section("bandwidth_limit")
    yield from unknown(limit, "max", "bucket_capacity")
    if limit.has("max") and not limit.text("max").startswith("-"):
        said = "not taken over: write `bandwidth` into the target, or into `limits` of a Host"
        yield lost(limit.at(), f"`bandwidth_limit` of {limit.text('max')}: {said}")


_ACTIVE = frozenset({"connect", "pruning", "replication", "conflict_resolution"})
_TAKES = frozenset({"filesystems", "snapshotting"})
_KEYS = {
    JobType.PUSH: _ACTIVE | _TAKES | {"send"},
    JobType.PULL: _ACTIVE | {"root_fs", "interval", "recv"},
    JobType.SINK: frozenset({"serve", "root_fs", "recv"}),
    JobType.SOURCE: _TAKES | {"serve", "send"},
    JobType.SNAP: _TAKES | {"pruning"},
}


def misplaced(job: Section, type_: JobType) -> Iterator[Remark]:
    """Say which keys a job of this type can't have, whoever has asked for them."""
    for key, value in job.data.items():
        if value is not None and key not in _KEYS[type_] | {"name", "type"}:
            yield lost(job.key_at(key), f"`{key}` has no meaning in a {type_} job")


def unknown(section: Section, *known: str) -> Iterator[Remark]:
    """Say which keys nobody has asked for."""
    for key in section.left():
        if key not in known:
            yield lost(section.key_at(key), f"`{key}` has no meaning here that is known")
