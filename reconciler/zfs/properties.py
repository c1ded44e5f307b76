"""The user properties of this project (zfsprops(7), "User Properties").

Filesystems and snapshots carry them, bookmarks can't. They are inherited: a snapshot shows the
value that its filesystem has, a filesystem that of its parent. So a value counts as somebody's
own only where it can't be inherited: see `PLACEHOLDER`, and `observed.read` for `SPEC`.
"""

SPEC = "reconciler:spec"
"""On a snapshot: the name of the spec it was made for."""

PLACEHOLDER = "reconciler:placeholder"
"""On a filesystem that exists only as a parent. The value is the filesystem's own name, so that
what children inherit says nothing about them, and a renamed placeholder is none any more."""

RECONCILE = "reconciler:reconcile"
"""On a filesystem, own or inherited: `disabled` means hands off."""

DISABLED = "disabled"
"""The value of `RECONCILE` that counts."""
