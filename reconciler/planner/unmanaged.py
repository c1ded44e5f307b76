"""Snapshots made for a replication that the specs no longer have: they stay, and it is said.

Only where other replications still look: what nobody looks at is not known.
"""

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
    for spec, made in sorted(seen.made_for.items()):
        if spec in desired.replications:
            continue
        where, count = sorted(made), sum(made.values())
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        versions = f"{count} snapshot{'s' * (count > 1)}"
        yield Note(
            Severity.NOTICE,
            f"{versions} of {spec}, which is not in the specs, stay on {host} as they are:"
            f" {where[0]}{more}",
        )
