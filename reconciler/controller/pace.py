"""When to look at the specs: soon after somebody changed something, and now and then anyway."""

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Says when the next look is due. It has no clock: instants are given, in seconds."""

    quiet: float
    """How long nothing must have changed before it is looked at."""
    poll: float
    """The longest time between two looks."""
    unsettled: bool = False
    """Whether the last look has to be confirmed by another one soon."""
    looked: float | None = None
    poked: float | None = None

    def poke(self, now: float) -> None:
        """Hear that something changed."""
        self.poked = now

    def look(self, now: float) -> None:
        """Hear that a look begins; what changes from here on asks for another one."""
        self.looked = now
        self.poked = None

    def next_at(self, now: float) -> float:
        """Return when to look; an instant that has passed means: now.

        Changes without end don't put it off for ever, nor does a clock that was set back.
        """
        if self.looked is None or now < self.looked:
            return now
        soon = self.poked if self.poked is not None else self.looked if self.unsettled else None
        latest = self.looked + self.poll
        return latest if soon is None else min(soon + self.quiet, latest)
