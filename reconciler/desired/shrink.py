"""Whether a spec set lost so much at once that it is rather an accident than an intention.

A failed checkout, an unmounted volume or a slip in a label look like somebody who wants much less.
Nothing would be destroyed for it, but nothing would be kept up to date either, and silently.
"""

from collections.abc import Iterator

from reconciler.desired.model import Desired

FEWEST = 2
"""Losing one thing is an edit, never an accident, unless it was the last one."""

SHOWN = 10
_SHORTEST_ACCEPTED = 12


def shrunken(old: Desired, new: Desired) -> str | None:
    """Say what is gone and what to do about it; None when nothing suspicious is.

    Suspicious is a set without any replication where there were some, and one without more than
    half of the replications, of what they snapshot (replication and sender), or of the ways that
    they send (replication, sender and receiver), if that is at least two of a kind.
    """
    if old.replications and not new.replications:
        gone = _listed(frozenset(old.replications))
        return _sentence(f"all replications are gone: {gone}", new)
    for kind, before, after in _kinds(old, new):
        gone_of_kind = before - after
        if len(gone_of_kind) >= FEWEST and 2 * len(gone_of_kind) > len(before):
            count = f"{len(gone_of_kind)} of {len(before)} {kind} are gone"
            return _sentence(f"{count}: {_listed(gone_of_kind)}", new)
    return None


def accepts(accepted: str | None, new: Desired) -> bool:
    """Tell whether a person named this set by its digest, or by its first digits (at least 12)."""
    digits = (accepted or "").removeprefix("sha256:")
    enough = len(digits) >= _SHORTEST_ACCEPTED
    return enough and new.digest.removeprefix("sha256:").startswith(digits)


def _kinds(old: Desired, new: Desired) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """Yield what is counted: its name, and which ones there were and are."""
    yield "replications", frozenset(old.replications), frozenset(new.replications)
    yield "senders", frozenset(_senders(old)), frozenset(_senders(new))
    yield "ways to a receiver", frozenset(_ways(old)), frozenset(_ways(new))


def _senders(desired: Desired) -> Iterator[str]:
    for name, replication in desired.replications.items():
        yield from (f"{name} on {sender}" for sender in replication.senders)


def _ways(desired: Desired) -> Iterator[str]:
    for name, replication in desired.replications.items():
        for target in replication.targets:
            yield from (f"{name} {sender} → {target.host}" for sender in replication.senders)


def _listed(names: frozenset[str]) -> str:
    first = ", ".join(sorted(names)[:SHOWN])
    return f"{first} and {len(names) - SHOWN} more" if len(names) > SHOWN else first


def _sentence(what: str, new: Desired) -> str:
    digits = new.digest.removeprefix("sha256:")[:_SHORTEST_ACCEPTED]
    remedy = f"Bring them back, or start the controller with --accept-shrunken {digits}."
    return f"the specs shrank: {what}. {remedy}"
