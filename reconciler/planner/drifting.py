"""Properties of receivers that are no longer what the specs say. Nothing is done about them.

They are given once, with the first stream: what people set on a replica stays, and so does what a
spec said before.
"""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.pairs import Pair
from reconciler.planner.plan import Note, Severity
from reconciler.zfs.named_properties import applies, is_user_property
from reconciler.zfs.same_value import same_value

_NAMED = 3
"""How many receivers of one difference are named."""


class _Drift(NamedTuple):
    """One difference, which several receivers may have."""

    replication: str
    host: str
    property: str
    wanted: str
    found: str | None
    """None: it is not set."""


def drift_notes(pairs: Iterable[Pair], observed: Observed) -> Iterator[Note]:
    """Yield a note for each difference between `override` and what receivers have."""
    found: dict[_Drift, list[str]] = defaultdict(list)
    for pair in pairs:
        seen, replication = observed.get(pair.receiver_host), pair.source.replication
        if not pair.target.properties.override or replication.suspend:
            continue
        there = seen.filesystems.get(pair.receiver) if isinstance(seen, Seen) else None
        if there is None or there.inconsistent or there.placeholder or there.disabled:
            continue
        for name, wanted, value in differences(pair, there):
            drift = _Drift(replication.name, pair.receiver_host, name, wanted, value)
            found[drift].append(there.name)
    for drift, receivers in found.items():
        yield _note(drift, receivers)


def differences(pair: Pair, there: Filesystem) -> Iterator[tuple[str, str, str | None]]:
    """Yield each property that is not as it was given: its name, as the spec has it, as it is."""
    for name, wanted in pair.target.properties.override:
        value = there.properties.get(name)
        if value is None and not is_user_property(name):
            continue
        if applies(name, there.kind) and (value is None or not same_value(name, wanted, value)):
            yield name, wanted, value


def _note(drift: _Drift, receivers: list[str]) -> Note:
    more = len(receivers) - _NAMED
    named = receivers[:_NAMED]
    others = f" and {more} more" if more > 0 else ""
    is_ = "is not set" if drift.found is None else f"is {shlex.quote(drift.found)}"
    setting = shlex.quote(f"{drift.property}={drift.wanted}")
    said = (
        f"{drift.host} {', '.join(named)}{others}: {drift.property} {is_}, {drift.replication} says"
        f" {shlex.quote(drift.wanted)}; receivers get it once: zfs set"
        f" {setting} {' '.join(map(shlex.quote, named))}{' ...' if others else ''}"
    )
    return Note(Severity.WARNING, said, drift.replication)
