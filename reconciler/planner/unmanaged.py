"""Snapshots made for a replication that the specs no longer have: they stay, and it is said.

Only where other replications still look: what nobody looks at is not known.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

from reconciler.desired.model import Desired
from reconciler.observed.model import Observed, Seen
from reconciler.planner.plan import Note, Severity


def unmanaged_notes(desired: Desired, observed: Observed) -> Iterator[Note]:
    """Yield a note for each host and replication that is gone from the specs."""
    for host, seen in sorted(observed.items()):
        if isinstance(seen, Seen):
            yield from _of(host, seen, desired)


def _of(host: str, seen: Seen, desired: Desired) -> Iterator[Note]:
    made: Counter[str] = Counter()
    places: dict[str, set[str]] = defaultdict(set)
    for name, filesystem in seen.filesystems.items():
        for version in filesystem.snapshots:
            if version.spec is not None and version.spec not in desired.replications:
                made[version.spec] += 1
                places[version.spec].add(name)
    for spec, count in sorted(made.items()):
        where = sorted(places[spec])
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        versions = f"{count} snapshot{'s' * (count > 1)}"
        yield Note(
            Severity.NOTICE,
            f"{versions} of {spec}, which is not in the specs, stay on {host} as they are:"
            f" {where[0]}{more}",
        )
