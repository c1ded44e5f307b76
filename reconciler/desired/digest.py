"""A fingerprint of what specs say, the same for every way to write it down."""

import hashlib
import json
from collections.abc import Mapping
from enum import Enum

from reconciler.desired.model import Desired

_NOT_CONTENT = frozenset({"digest", "revision", "objects", "folder"})


def digest(desired: Desired) -> str:
    """Return `sha256:...` over the canonical JSON of the hosts and replications."""
    text = json.dumps(_plain(desired), sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _plain(value: object) -> object:
    """Turn resolved values into what JSON knows; a type's name tells apart what looks alike."""
    fields = getattr(value, "__dataclass_fields__", None)
    if fields is not None:
        names = (name for name in fields if name not in _NOT_CONTENT)
        return {"": type(value).__name__, **{name: _plain(getattr(value, name)) for name in names}}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value
