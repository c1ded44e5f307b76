"""What OpenZFS says about a name that can't be one (libzfs_dataset.c, `zfs_validate_name`)."""

import re

from reconciler.zfs.names import MAX_DEPTH, MAX_NAME

_FORBIDDEN = re.compile(r"[^A-Za-z0-9\-_.: ]")
_REPLACEMENT = "\ufffd"
"""ZFS prints the first byte of a character, which is none."""

_REFERENCES = {
    "": "empty component or misplaced '@' or '#' delimiter in name",
    ".": "self reference, '.' is found in name",
    "..": "parent reference, '..' is found in name",
}


def complaint(name: str, kinds: str) -> str | None:
    """Return what is wrong with a name, None for a good one.

    `kinds` is made of the delimiters that may occur: `""` for filesystems alone, `"@"`, `"@#"`.
    """
    if len(name.encode()) > MAX_NAME:
        return "name is too long"
    if name.startswith("/"):
        return "leading slash in name"
    return _components(name) or _kind(name, kinds) or _shape(name)


def _kind(name: str, kinds: str) -> str | None:
    for delimiter, what in (("@", "snapshot"), ("#", "bookmark")):
        if delimiter in name and delimiter not in kinds:
            return f"{what} delimiter '{delimiter}' is not expected here"
    return None


def _shape(name: str) -> str | None:
    if re.split("[@#]", name)[0].count("/") >= MAX_DEPTH:
        return "maximum name nesting depth exceeded"
    return None if name[:1].isalpha() else "name must begin with a letter"


def _components(name: str) -> str | None:
    """Return what is wrong with how a name is put together."""
    filesystem, *rest = re.split("[@#]", name)
    if len(rest) > 1:
        return "multiple '@' and/or '#' delimiters in name"
    if name.endswith("/") or (rest and "/" in rest[0]):
        return "trailing slash in name"
    components = (*filesystem.split("/"), *rest)
    return next((wrong for part in components if (wrong := _component(part)) is not None), None)


def _component(component: str) -> str | None:
    if component in _REFERENCES:
        return _REFERENCES[component]
    found = _FORBIDDEN.search(component)
    if found is None:
        return None
    bad = found.group()
    if bad == "%":
        return "invalid character % in name"
    return f"invalid character '{bad if bad.isascii() else _REPLACEMENT}' in name"
