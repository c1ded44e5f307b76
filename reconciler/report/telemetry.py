"""What is counted while the controller works: the seam between it and the metrics.

The controller calls these methods; `report.metrics` turns them into Prometheus metrics. What can be
read off `report.status` is not counted here. Methods are called from several threads.
"""


class Telemetry:
    """Hears of what happens, and forgets it; who wants to count overrides methods."""

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Hear that a key was worked on: once for each `taken`.

        `result` is success, error, requeue_after or terminal. `kind` is `sender` (snapshots,
        retention there) or `pair` (replication to one receiver).
        """

    def panicked(self, kind: str) -> None:
        """Hear of a bug: work on a key ended with an exception that nobody expected.

        Besides `reconciled`.
        """

    def acted(self, verb: str, result: str, seconds: float) -> None:
        """Hear that an action ended; `result` is success, failure or skipped."""

    def sent(self, replication: str, count: int) -> None:
        """Hear that so many more bytes of streams were sent."""

    def planned(self, verb: str, count: int) -> None:
        """Hear how many things of a verb were planned."""

    def blocked(self, guard: str, count: int) -> None:
        """Hear that a guard took so many versions out of a plan."""

    def observed(self, host: str, seconds: float, *, seen: bool) -> None:
        """Hear that a host was asked."""

    def heard(self, host: str, count: int) -> None:
        """Hear that so many events came from a host."""

    def deaf(self, host: str) -> None:
        """Hear that a host's event stream broke."""

    def disagreed(self, host: str, count: int) -> None:
        """Hear that a full look at a host found so many filesystems that no event had announced."""

    def loaded(self, *, ok: bool, at: int) -> None:
        """Hear that specs were read."""

    def queued(self, kind: str) -> None:
        """Hear that a key was added to the work queue."""

    def taken(self, kind: str, waited: float) -> None:
        """Hear that a key was taken up after so many seconds in the queue."""

    def retried(self, kind: str) -> None:
        """Hear that a key will be tried again after a failure."""


class Silent(Telemetry):
    """Hears and forgets."""
