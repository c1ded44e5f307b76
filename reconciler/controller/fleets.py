"""The fleet of the specs in force, and those before it whose streams still go on."""

from collections.abc import Callable, Mapping

from reconciler.hosts.addresses import HostAddress
from reconciler.hosts.fleet import Fleet

MakeFleet = Callable[[Mapping[str, HostAddress]], Fleet]


class Fleets:
    """Hands hosts on from one spec set to the next. Not safe for threads: its owner is one."""

    def __init__(self, make: MakeFleet) -> None:
        self._make = make
        self.current = make({})
        self._retired: list[Fleet] = []

    def move_to(self, addresses: Mapping[str, HostAddress]) -> Fleet:
        """Return a fleet of these hosts; those that stay where they were keep their connections."""
        if addresses == self.current.addresses:
            return self.current
        before, self.current = self.current, self._make(addresses)
        for name, address in addresses.items():
            if before.addresses.get(name) == address:
                self.current.adopt(before.host(name))
        self._retired.append(before)
        return self.current

    def tidy(self, used: Callable[[Fleet], bool]) -> None:
        """Close what only fleets have that nothing uses any more."""
        for fleet in [fleet for fleet in self._retired if not used(fleet)]:
            self._retired.remove(fleet)
            fleet.masters.close()
            kept = [self.current, *self._retired]
            for name, address in fleet.addresses.items():
                if not any(other.addresses.get(name) == address for other in kept):
                    fleet.host(name).close()

    def close(self) -> None:
        """Close all connections, which cuts what runs."""
        for fleet in (self.current, *self._retired):
            fleet.close()
