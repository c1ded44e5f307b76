"""Checks of names and values of properties in specs; like those in `checks`."""

import difflib
from collections.abc import Collection

from reconciler.desired.diagnostics import shown
from reconciler.zfs.named_properties import (
    ALIASES,
    ENCRYPTION,
    FIXED,
    MAX_PROPERTY_VALUE,
    OWN,
    SETTABLE,
    TOLD,
    is_user_property,
)


def selecting(name: str) -> str:
    """Check the name of a property that filesystems are selected by."""
    if name in TOLD:
        return name
    return _known(name, {*SETTABLE, *TOLD})


def setting(name: str) -> str:
    """Check the name of a property that is given to receivers, or kept off them."""
    if name in ENCRYPTION:
        raise ValueError(
            f"{shown(name)} can't be chosen for a receiver. A raw stream keeps the sender's; what"
            " is sent in clear is encrypted as what it is received below. See `encryption`."
        )
    if name in FIXED:
        raise ValueError(f"{shown(name)} comes with the stream and can't be changed. Remove it.")
    return _known(name, SETTABLE.keys())


def value(text: str) -> str:
    """Check the value of a property."""
    if text == "-":
        raise ValueError("`-` is how ZFS says that there is no value; it can't be one here")
    if not text or not text.isprintable():
        what = "empty" if not text else "not printable"
        raise ValueError(f"the value of a property must not be {what}")
    if len(text.encode()) > MAX_PROPERTY_VALUE:
        raise ValueError(f"the value is longer than {MAX_PROPERTY_VALUE} bytes")
    return text


def _known(name: str, native: Collection[str]) -> str:
    """Check that a name is one of these native properties, or a user property that is not ours."""
    if name.startswith(OWN):
        raise ValueError(f"{shown(name)} is reconciler's own and never handed over. Remove it.")
    if name in native or is_user_property(name):
        return name
    if name in ALIASES:
        raise ValueError(f"{shown(name)} is a short name. Write `{ALIASES[name]}`.")
    if ":" in name:
        advice = "Use a-z 0-9 : . _ -, at most 255, and no - first."
        raise ValueError(f"{shown(name)} can't be the name of a user property. {advice}")
    near = difflib.get_close_matches(name, sorted(native), 1)
    advice = f"Did you mean `{near[0]}`?" if near else "User properties have a colon in their name."
    raise ValueError(f"ZFS has no property {shown(name)} that can be named here. {advice}")
