"""What zrepl has left on filesystems that are replicated by us now.

Its snapshots and bookmarks serve as the start of a stream like any others, by guid: so a receiver
of zrepl's goes on incrementally. Its holds and bookmarks are never taken away by us; a note says
who does that. Names: zrepl 0.7, `endpoint_zfs_abstraction*.go`.
"""

import re
from collections.abc import Iterable, Iterator

from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.pairs import Pair, Source
from reconciler.planner.plan import Note, Severity
from reconciler.zfs.types import Version, VersionKind

_BOOKMARK = re.compile(
    r"zrepl_CURSOR_G_[0-9a-f]{16}_J_.+"
    r"|zrepl_CURSORTENTATIVE__G_[0-9a-f]{16}_J_.+"
    r"|zrepl_replication_cursor"
)
_A_BOOKMARK = VersionKind.BOOKMARK
_HOLD = re.compile(r"(?:zrepl_STEP_J_|zrepl_last_received_J_).+")


def marks_of(filesystem: Filesystem) -> Iterator[str]:
    """Yield zrepl's bookmarks (with a `#`) and hold tags on a filesystem, each once."""
    # Of many versions few are held or bookmarks: the others are passed over quickly.
    marked = [
        v
        for v in filesystem.versions
        if v.holds or (v.kind is _A_BOOKMARK and v.name.startswith("zrepl_"))
    ]
    yield from dict.fromkeys(mark for version in marked for mark in _marks(version))


def _marks(version: Version) -> Iterator[str]:
    if not version.is_snapshot and _BOOKMARK.fullmatch(version.name):
        yield version.label
    yield from (tag for tag in version.holds if _HOLD.fullmatch(tag))


def zrepl_notes(
    sources: Iterable[Source], pairs: Iterable[Pair], observed: Observed
) -> Iterator[Note]:
    """Yield a note for each replication and host with something of zrepl's."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for replication, host, filesystem in _places(sources, pairs, observed):
        mark = next(marks_of(filesystem), None)
        if mark is not None:
            found.setdefault((replication, host), {}).setdefault(filesystem.name, mark)
    for (replication, host), marked in sorted(found.items()):
        first, mark = next(iter(marked.items()))
        more = f" and {len(marked) - 1} more" if len(marked) > 1 else ""
        yield Note(
            Severity.NOTICE,
            f"{host} {first}{more}: zrepl left holds or bookmarks ({mark}); they stay. When all has"
            " been sent once, `zrepl zfs-abstraction release-all` there removes them",
            replication,
        )


def _places(
    sources: Iterable[Source], pairs: Iterable[Pair], observed: Observed
) -> Iterator[tuple[str, str, Filesystem]]:
    """Yield replication, host and filesystem of every sender's and receiver's filesystem."""
    for source in sources:
        yield source.replication.name, source.host, source.filesystem
    for pair in pairs:
        seen = observed.get(pair.receiver_host)
        there = seen.filesystems.get(pair.receiver) if isinstance(seen, Seen) else None
        if there is not None:
            yield pair.source.replication.name, pair.receiver_host, there
