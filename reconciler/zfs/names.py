"""The grammar of ZFS names, so that a bad name is refused before a host is asked.

The rules are those of zfs(8), zpool-create(8) and of OpenZFS's `zfs_namecheck.c`, which both the
tools and the kernel use. Lengths count bytes; all legal characters are ASCII.
"""

import re
from collections.abc import Callable, Sequence

MAX_NAME = 255
"""Bytes of a full name with its `@snapshot` or `#bookmark` (ZFS_MAX_DATASET_NAME_LEN - 1)."""

MAX_POOL_NAME = 239
"""Bytes of a pool's name: ZFS keeps room for `pool/$ORIGIN@$ORIGIN`."""

MAX_DEPTH = 50
"""Components of a filesystem's name (the module parameter `zfs_max_dataset_nesting`)."""

MAX_TAG = 255
"""Bytes of a hold tag."""

_COMPONENT = re.compile(r"[A-Za-z0-9\-_.: ]+")
_PART = r"[A-Za-z0-9\-_: ][A-Za-z0-9\-_.: ]*+"
_FILESYSTEM = rf"[A-Za-z][A-Za-z0-9\-_.: ]*+(?:/{_PART})*+"
_PLAIN = re.compile(_FILESYSTEM)
_PLAIN_VERSION = re.compile(rf"(?!mirror|raidz|draid|spare|log[/@#]){_FILESYSTEM}[@#]{_PART}")
"""What most names look like; some that are allowed do not."""

_RESERVED_POOL = re.compile(r"mirror|raidz|draid|spare|log$")


class InvalidName(ValueError):
    """Raised when ZFS would refuse a name; `reason` says why in a sentence."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r}: {reason}")
        self.name = name
        self.reason = reason


def check_filesystem(name: str) -> None:
    """Raise InvalidName unless `name` can be a filesystem or volume: `tank/www`."""
    check_listed_filesystem(name)
    pool = name.partition("/")[0]
    if _RESERVED_POOL.match(pool):
        raise InvalidName(name, f"ZFS keeps pool names like '{pool}' for kinds of devices.")


def check_listed_filesystem(name: str) -> None:
    """Raise InvalidName unless a host may have a filesystem of this name.

    As `check_filesystem` but for reserved pool names: `zpool create` and `zpool import` refuse
    them, while pools that got such a name from an older release can be open all the same.
    """
    if len(name) <= MAX_POOL_NAME and _PLAIN.fullmatch(name) and name.count("/") < MAX_DEPTH:
        return
    _check_length(name)
    if "@" in name or "#" in name:
        raise InvalidName(name, "A filesystem's name has no '@' and no '#'.")
    components = name.split("/")
    for component in components:
        _check_component(name, component)
    if not name[0].isalpha():
        raise InvalidName(name, "The name of a pool begins with a letter.")
    if len(components[0]) > MAX_POOL_NAME:
        raise InvalidName(name, f"The pool's name is longer than {MAX_POOL_NAME} bytes.")
    if len(components) > MAX_DEPTH:
        raise InvalidName(name, f"It is nested deeper than {MAX_DEPTH} levels.")


def check_snapshot(full: str) -> None:
    """Raise InvalidName unless `full` can be a snapshot: `tank/www@daily`."""
    _check_version(full, "@", "snapshot")


def check_bookmark(full: str) -> None:
    """Raise InvalidName unless `full` can be a bookmark: `tank/www#cursor`."""
    _check_version(full, "#", "bookmark")


def check_version(full: str) -> None:
    """Raise InvalidName unless `full` can be a snapshot or a bookmark."""
    (check_bookmark if "#" in full else check_snapshot)(full)


def check_all(names: Sequence[str], check: Callable[[str], None]) -> None:
    """Apply one of the checks to each name; refuse to take no names for all of them."""
    if not names:
        raise ValueError("there are no names")
    for name in names:
        check(name)


def check_version_name(part: str) -> None:
    """Raise InvalidName unless `part` can follow the `@` or `#` of a snapshot or bookmark."""
    _check_length(part)
    if "/" in part:
        raise InvalidName(part, "The name of a snapshot or bookmark has no '/'.")
    if "@" in part or "#" in part:
        raise InvalidName(part, "There is more than one '@' or '#'.")
    _check_component(part, part)


def check_hold_tag(tag: str) -> None:
    """Raise InvalidName unless `tag` can be a hold tag (zfs-hold(8)) that reads back unchanged.

    ZFS itself takes any bytes. Tabs and line ends are refused because `zfs holds -H` prints tags
    unescaped between tabs, a leading `-` because the command would take it for an option.
    """
    if not tag:
        raise InvalidName(tag, "A hold tag can't be empty.")
    if len(tag.encode()) > MAX_TAG:
        raise InvalidName(tag, f"It is longer than {MAX_TAG} bytes.")
    if tag[0] in ".-":
        raise InvalidName(tag, f"A hold tag can't begin with '{tag[0]}'.")
    if not tag.isprintable():
        raise InvalidName(tag, "A hold tag can't have tabs, line ends or control characters.")


def pool_of(name: str) -> str:
    """Return the pool that a filesystem, snapshot or bookmark is in."""
    pool = name.partition("/")[0]
    if "@" in pool or "#" in pool:
        return pool.partition("@")[0].partition("#")[0]
    return pool


def filesystem_of(full: str) -> str:
    """Return the filesystem of a snapshot or bookmark, or the name itself if it is neither."""
    return full.partition("@")[0].partition("#")[0]


def parent_of(name: str) -> str | None:
    """Return the filesystem above, None for a pool's own filesystem."""
    return name.rpartition("/")[0] or None


def is_within(name: str, root: str) -> bool:
    """Whether `name` is the filesystem `root` or below it: `a/bc` is not within `a/b`."""
    return name == root or name.startswith(f"{root}/")


def ancestors(name: str) -> tuple[str, ...]:
    """Return the filesystems above, from the pool down: `a/b/c` gives `a`, `a/b`."""
    found, end = [], name.find("/")
    while end >= 0:
        found.append(name[:end])
        end = name.find("/", end + 1)
    return tuple(found)


def _check_version(full: str, delimiter: str, kind: str) -> None:
    """Check a name of the form `filesystem` + delimiter + `part`."""
    if (
        len(full) <= MAX_POOL_NAME
        and _PLAIN_VERSION.fullmatch(full)
        and delimiter in full
        and full.count("/") < MAX_DEPTH
    ):
        return
    _check_length(full)
    filesystem, found, part = full.partition(delimiter)
    if not found:
        raise InvalidName(full, f"The name of a {kind} has a '{delimiter}'.")
    try:
        check_filesystem(filesystem)
        check_version_name(part)
    except InvalidName as error:
        raise InvalidName(full, error.reason) from None


def _check_length(name: str) -> None:
    if not name:
        raise InvalidName(name, "The name is empty.")
    if len(name.encode()) > MAX_NAME:
        raise InvalidName(name, f"It is longer than {MAX_NAME} bytes.")


def _check_component(name: str, component: str) -> None:
    """Check what stands between two delimiters."""
    if _COMPONENT.fullmatch(component) and component not in {".", ".."}:
        return
    raise InvalidName(name, _what_is_wrong(component))


def _what_is_wrong(component: str) -> str:
    if not component:
        return "There is an empty component: nothing before, after or between its delimiters."
    if component in {".", ".."}:
        return f"'{component}' can't be a component of a name."
    if "%" in component:
        return "'%' is reserved for ZFS itself."
    bad = next(character for character in component if not _COMPONENT.match(character))
    return f"The character {bad!r} is not allowed: only A-Z a-z 0-9 - _ . : and space are."
