"""The one script that tells everything about a host: eight commands, however much it holds.

`observed.read` understands what it prints. The filesystems of whole pools are listed, not only
those below the roots, so that the parents of a receiver's missing root are known; it is cheap,
versions are what costs, and those are listed below the roots alone.
"""

from collections.abc import Iterable, Sequence

from reconciler.hosts.script import FieldsOf, Script, Step
from reconciler.zfs import queries
from reconciler.zfs.names import is_within, pool_of
from reconciler.zfs.piping import find_programs

CLOCK = "clock"
RELEASE = "release"
PROGRAMS = "programs"
POOLS = "pools"
FEATURES = "features"
FILESYSTEMS = "filesystems"
VERSIONS = "versions"
HOLDS = "holds"


def probe(roots: Sequence[str], properties: Sequence[str] = ()) -> Script:
    """Return the script that observes a host, with the versions of everything below the roots.

    `properties` are those of filesystems that are to be told beside what always is. Roots that do
    not exist or whose pool is not imported are no error: that is to be learned.
    Without roots there are only the clock, the release, the programs and the pools.
    """
    return Script((*_HOST, *_below(outermost(roots), properties), _CLOCK))


def outermost(roots: Iterable[str]) -> tuple[str, ...]:
    """Return the roots that are not within others, sorted: nothing is listed twice."""
    kept: list[str] = []
    for root in sorted(set(roots), key=lambda name: name.split("/")):
        if not kept or not is_within(root, kept[-1]):
            kept.append(root)
    return tuple(kept)


def pools_of(roots: Iterable[str]) -> tuple[str, ...]:
    """Return the pools that the roots are in, sorted."""
    return tuple(sorted({pool_of(root) for root in roots}))


# Last, so that it can be compared with the controller's clock when the answer comes: the listings
# before it may take minutes.
_CLOCK = Step(CLOCK, ("date", "+%s"))

_HOST = (
    Step(RELEASE, queries.version()),
    Step(PROGRAMS, find_programs()),
    Step(POOLS, queries.list_pools()),
    Step(FEATURES, queries.get_features()),
)


def _below(roots: Sequence[str], properties: Sequence[str]) -> tuple[Step, ...]:
    """Return the steps that list what the roots are about; holds only where there are some."""
    if not roots:
        return ()
    held = FieldsOf(VERSIONS, take=0, positive=queries.USERREFS)
    return (
        Step(FILESYSTEMS, queries.list_filesystems(pools_of(roots), properties)),
        Step(VERSIONS, queries.list_versions_within(roots)),
        Step(HOLDS, queries.HOLDS, more=held),
    )
