"""Which parts the filesystems of hosts play in the specs, and which of their versions are managed.

Asked by the guards, who take nothing from the planner.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.desired.model import Desired, Replication, Target
from reconciler.observed.change import filesystem_of
from reconciler.observed.model import Observed
from reconciler.planner.marks import Ownership, PairMarks
from reconciler.zfs.names import ancestors
from reconciler.zfs.types import Version

Place = tuple[str, str]
"""Host and filesystem."""


@dataclass(frozen=True, slots=True)
class Role:
    """One part a filesystem plays: sender to, or receiver of, its counterpart."""

    replication: Replication
    marks: PairMarks
    sender: Place
    receiver: Place


class Owner(NamedTuple):
    """A replication, and which versions of a filesystem it manages in one of its parts there."""

    replication: Replication
    owns: Callable[[Version], bool]


class Roles:
    """The specs, by place.

    A part is played by whoever has a name for it. Only who owns versions depends on `where` too:
    a filesystem for which that does not hold any more keeps all that it has, on both ends.
    """

    def __init__(self, desired: Desired, observed: Observed) -> None:
        self._observed = observed
        self._senders: dict[str, list[Replication]] = defaultdict(list)
        self._receivers: dict[Place, list[tuple[Replication, Target, str]]] = defaultdict(list)
        for _, replication in sorted(desired.replications.items()):
            for sender in replication.senders:
                self._senders[sender].append(replication)
            for target in replication.targets:
                for sender, root in target.roots.items():
                    self._receivers[target.host, root].append((replication, target, sender))

    def of(self, place: Place) -> tuple[Role, ...]:
        """Return the parts a filesystem plays."""
        return (*self._sending(*place), *self._receiving(*place))

    def selecting(self, place: Place) -> Iterator[Replication]:
        """Yield the replications a filesystem is a source of, be it sent anywhere or not."""
        host, filesystem = place
        for replication in self._senders[host]:
            if replication.selects(host, filesystem):
                yield replication

    def owners(self, place: Place, roles: Sequence[Role]) -> tuple[Owner, ...]:
        """Return who manages versions of a filesystem that plays these parts."""
        selecting = [
            (r, Ownership.of(r)) for r in self.selecting(place) if self._is_admitted(r, place)
        ]
        made = (Owner(r, ours.on_sender) for r, ours in selecting)
        left = (Owner(r, ours.is_mark) for r, ours in selecting)
        roles = [role for role in roles if self._is_admitted(role.replication, role.sender)]
        received = (r.replication for r in roles if r.receiver == place)
        arrived = (Owner(r, Ownership.of(r).on_receiver) for r in received)
        cursors = (Owner(r.replication, r.marks.is_cursor) for r in roles if r.sender == place)
        return (*made, *arrived, *cursors, *left)

    def _is_admitted(self, replication: Replication, sender: Place) -> bool:
        """Tell whether `where` holds for a sender's filesystem; it does not for an unknown one."""
        if not replication.selection.where:
            return True
        found = filesystem_of(self._observed, *sender)
        return found is not None and replication.selection.admits(found.properties)

    def _sending(self, host: str, filesystem: str) -> Iterator[Role]:
        for replication in self.selecting((host, filesystem)):
            for target in replication.targets:
                marks = PairMarks.of(replication, target, host)
                there = (target.host, target.receiver_of(host, filesystem))
                yield Role(replication, marks, (host, filesystem), there)

    def _receiving(self, host: str, filesystem: str) -> Iterator[Role]:
        for root in ancestors(filesystem):
            for replication, target, sender in self._receivers[host, root]:
                name = filesystem[len(root) + 1 :]
                if replication.selects(sender, name):
                    marks = PairMarks.of(replication, target, sender)
                    yield Role(replication, marks, (sender, name), (host, filesystem))
