"""What was concluded of hosts by the plans that were made of them, for the next ones."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from reconciler.planner.memory import Memory


class Conclusions:
    """A memory for each set of hosts that is looked at together. Safe for threads.

    Keys with the same hosts share one, for their plans are the same. It is lent to one at a time.
    """

    def __init__(self) -> None:
        self._of: dict[frozenset[str], Memory] = {}

    @contextmanager
    def lend(self, hosts: Collection[str]) -> Iterator[Memory]:
        """Lend what is known of some hosts, or nothing if somebody else has it."""
        of, known = self._of, frozenset(hosts)
        memory = of.pop(known, None) or Memory()
        yield memory
        of[known] = memory

    def forget(self) -> None:
        """Drop all that is known; what is lent is dropped, too, when it is given back."""
        self._of = {}
