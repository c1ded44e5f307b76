"""What the streams of a pair pass: what the specs ask for, shared out, by what the hosts have."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.desired.model import Desired, Replication, Target
from reconciler.hosts.addresses import Limits
from reconciler.observed.model import Observed, Seen
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.pairs import Pair
from reconciler.planner.plan import Note, Severity
from reconciler.zfs.piping import LIMITERS, MBUFFER, ZSTD, NoLimiter, Piping, piping


def piping_of(pair: Pair, there: Seen, limits: Mapping[str, Limits]) -> Piping:
    """Return what each stream of a pair passes. Raises Conflicted where a rate can't be kept."""
    here = pair.source.seen
    rate = rate_of(pair, limits)
    wanted = replace(pair.target.piping, bandwidth=rate)
    try:
        return piping(wanted, here.programs, there.programs, one_host=here.host == there.host)
    except NoLimiter:
        hosts = " and ".join(dict.fromkeys((here.host, there.host)))
        raise Conflicted(
            "limiter-missing",
            f"`bandwidth` can't be kept: there is neither {' nor '.join(LIMITERS)} on {hosts}",
            f"install mbuffer on {here.host}, or take `bandwidth` out of the specs",
        ) from None


def rate_of(pair: Pair, limits: Mapping[str, Limits]) -> int | None:
    """Return the bytes a second of one stream: the smallest of its shares.

    A bandwidth is shared out evenly among as many streams as there can be at once, so that all
    of them together keep to it, whichever run and of whichever controller's runs they are.
    """
    sender, receiver = pair.source.host, pair.receiver_host
    here, there = limits.get(sender, Limits()), limits.get(receiver, Limits())
    senders = pair.source.replication.senders
    to_target = min(there.receives, sum(limits.get(name, Limits()).sends for name in senders))
    shares = (
        (here.bandwidth, here.sends),
        (there.bandwidth, there.receives),
        (pair.target.piping.bandwidth, to_target),
    )
    return min((max(1, whole // n) for whole, n in shares if whole is not None), default=None)


def piping_notes(desired: Desired, observed: Observed) -> Iterator[Note]:
    """Yield a note for each program that is asked for and missing on a host that was seen."""
    for _, replication in sorted(desired.replications.items()):
        for target in replication.targets:
            for program, loss in _asked(target):
                for host in _lacking(replication, target, program, observed):
                    said = f"{host} has no {program}: {loss} ({replication.name} to {target.host})"
                    yield Note(Severity.WARNING, said, replication.name)


def _asked(target: Target) -> Iterator[tuple[str, str]]:
    if target.piping.compression is not None:
        yield ZSTD, "streams are not compressed"
    if target.piping.buffer is not None:
        yield MBUFFER, "streams have no buffer there"


def _lacking(
    replication: Replication, target: Target, program: str, observed: Observed
) -> Iterable[str]:
    """Return the hosts without a program that streams to a target would pass there."""
    others = [host for host in replication.senders if host != target.host]
    local = target.host in replication.senders
    hosts = {*others, target.host} if others or (local and program == MBUFFER) else set()
    for host in sorted(hosts):
        seen = observed.get(host)
        if isinstance(seen, Seen) and program not in seen.programs:
            yield host
