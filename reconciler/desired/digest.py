"""Fingerprints of what specs say, the same for every way to write it down."""

import hashlib
import json
from collections.abc import Mapping
from enum import Enum

from reconciler.desired.model import Desired
from reconciler.zfs.piping import NOTHING

_NOT_CONTENT = frozenset({"digest", "revision", "objects", "folder"})
_SILENT: Mapping[str, object] = {"bandwidth": None, "piping": NOTHING}
"""Fields that came later, with what they are where nothing is said: then they are no content, so
that no digest of specs without them moves with a new version."""

_GENERATION = 12
"""Hex digits of a generation: short enough to be read out, long enough not to repeat."""


def digest(desired: Desired) -> str:
    """Return `sha256:...` over the canonical JSON of the hosts and replications."""
    return f"sha256:{_sha256(desired)}"


def generation(desired: Desired, name: str) -> str:
    """Return which specs of one replication these are; KeyError when there is no such one.

    It covers all that was resolved for the replication: its own section, the rules of the policies
    it refers to, the senders that its labels choose, and the hosts at both ends. What is said of
    other replications and hosts does not move it.
    """
    replication = desired.replications[name]
    names = {*replication.senders, *(target.host for target in replication.targets)}
    return _sha256((replication, *(desired.hosts[host] for host in sorted(names))))[:_GENERATION]


def host_generation(desired: Desired, host: str) -> str:
    """Return which specs of one host these are; KeyError when there is no such one."""
    return _sha256(desired.hosts[host])[:_GENERATION]


def _sha256(value: object) -> str:
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    """Turn resolved values into what JSON knows; a type's name tells apart what looks alike."""
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None:
        said = {name: getattr(value, name) for name in fields if name not in _NOT_CONTENT}
        plain = {name: _plain(part) for name, part in said.items() if not _is_silent(name, part)}
        return {"": type(value).__name__, **plain}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value


def _is_silent(name: str, value: object) -> bool:
    return name in _SILENT and value == _SILENT[name]
