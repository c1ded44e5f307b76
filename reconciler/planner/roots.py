"""Which parts of which hosts have to be looked at for a set of specs, and what is asked of them."""

from collections import defaultdict

from reconciler.desired.model import Desired


def roots_of(desired: Desired) -> dict[str, tuple[str, ...]]:
    """Return for each host the filesystems below which versions matter, sorted."""
    roots: dict[str, set[str]] = defaultdict(set)
    for replication in desired.replications.values():
        for sender in replication.senders:
            roots[sender].update(replication.selection.roots())
        for target in replication.targets:
            roots[target.host].update(target.roots[sender] for sender in replication.senders)
    return {host: tuple(sorted(roots[host])) for host in desired.hosts}


def properties_of(desired: Desired) -> dict[str, tuple[str, ...]]:
    """Return for each host the properties that specs say something about: `where`, `override`."""
    asked: dict[str, set[str]] = defaultdict(set)
    for replication in desired.replications.values():
        for sender in replication.senders:
            asked[sender].update(condition.property for condition in replication.selection.where)
        for target in replication.targets:
            asked[target.host].update(name for name, _ in target.properties.override)
    return {host: tuple(sorted(asked[host])) for host in desired.hosts}
