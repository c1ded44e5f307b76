"""The user properties of this project (zfsprops(7), "User Properties").

Filesystems and snapshots carry them, bookmarks can't. They are inherited: a snapshot shows the
value that its filesystem has, a filesystem that of its parent. So a value counts as somebody's
own only where it can't be inherited: see `PLACEHOLDER`, and `observed.read` for `SPEC`.
"""

from datetime import UTC, datetime

SPEC = "reconciler:spec"
"""On a snapshot: the name of the spec it was made for."""

PLACEHOLDER = "reconciler:placeholder"
"""On a filesystem that exists only as a parent. The value is the filesystem's own name, so that
what children inherit says nothing about them, and a renamed placeholder is none any more."""

RECONCILE = "reconciler:reconcile"
"""On a filesystem, own or inherited: `disabled` means hands off."""

GONE_SINCE = "reconciler:gone-since"
"""On a receiver whose source is gone: since when that is known, and the filesystem's own name, so
that what children inherit says nothing about them: `2026-11-26T12:00:00Z backup/alpha/tank/www`.
It lies where the data lies, so that no controller's crash or move makes it forgotten."""

DISABLED = "disabled"
"""The value of `RECONCILE` that counts."""

_STAMP = "%Y-%m-%dT%H:%M:%SZ"


def gone_value(at: int, name: str) -> str:
    """Return the value of `GONE_SINCE` for a filesystem.

    >>> gone_value(1795694400, "backup/a b")
    '2026-11-26T12:00:00Z backup/a b'
    """
    return f"{datetime.fromtimestamp(at, UTC).strftime(_STAMP)} {name}"


def gone_since(value: str | None, name: str) -> int | None:
    """Return the instant that a value says for this very filesystem, else None.

    >>> gone_since("2026-11-26T12:00:00Z backup/a b", "backup/a b")
    1795694400
    >>> gone_since("2026-11-26T12:00:00Z backup/a b", "backup/a b/child")
    """
    stamp, _, whose = (value or "").partition(" ")
    if whose != name:
        return None
    try:
        at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp())
