"""The specs in force, and what follows from them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.controller.keys import Key, KeysAt, by_end, keys_of
from reconciler.desired.digest import generation
from reconciler.desired.model import Desired
from reconciler.hosts.addresses import Limits
from reconciler.hosts.fleet import Fleet
from reconciler.planner.roots import properties_of, roots_of


@dataclass(frozen=True, slots=True)
class Law:
    """A spec set with the hosts it names, and what people suspended of it."""

    desired: Desired
    fleet: Fleet
    roots: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, tuple[str, ...]]
    """What is asked of each host's filesystems."""
    generations: Mapping[str, str]
    keys: tuple[Key, ...]
    keys_at: KeysAt
    effective: Desired
    """The specs, with what people suspended."""
    suspended: Mapping[str, str] = field(default_factory=dict)
    """Replication → why people suspended it."""

    @classmethod
    def of(cls, desired: Desired, fleet: Fleet, suspended: Mapping[str, str]) -> "Law":
        """Return the law of a spec set."""
        keys = tuple(keys_of(desired))
        return cls(
            desired=desired,
            fleet=fleet,
            roots=roots_of(desired),
            properties=properties_of(desired),
            generations={name: generation(desired, name) for name in desired.replications},
            keys=keys,
            keys_at=by_end(keys),
            effective=_without(desired, suspended),
            suspended=dict(suspended),
        )

    @property
    def limits(self) -> dict[str, Limits]:
        """How much each host may be asked to do at once."""
        return {name: address.limits for name, address in self.desired.hosts.items()}

    def suspending(self, names: Mapping[str, str]) -> "Law":
        """Return the law with just these replications suspended."""
        return replace(self, suspended=dict(names), effective=_without(self.desired, names))

    def new_since(self, old: "Law | None") -> tuple[Key, ...]:
        """Return the keys of replications that another law does not have, or has otherwise."""
        known = old.generations if old is not None else {}
        return tuple(
            key
            for key in self.keys
            if known.get(key.replication) != self.generations[key.replication]
        )

    def moved_since(self, old: "Law") -> tuple[str, ...]:
        """Return the hosts of which nothing is known any more: gone, elsewhere, other questions."""
        return tuple(
            host
            for host, address in old.desired.hosts.items()
            if self.desired.hosts.get(host) != address
            or self.roots[host] != old.roots[host]
            or self.properties[host] != old.properties[host]
        )


def _without(desired: Desired, suspended: Mapping[str, str]) -> Desired:
    if not suspended:
        return desired
    replications = {
        name: replace(found, suspend=True) if name in suspended else found
        for name, found in desired.replications.items()
    }
    return replace(desired, replications=replications)
