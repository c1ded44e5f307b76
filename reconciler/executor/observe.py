"""Look at all hosts, each in one execution, all at the same time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from reconciler.desired.model import Desired
from reconciler.errors import HostError
from reconciler.hosts.addresses import at_once
from reconciler.hosts.fleet import Fleet
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.observed.probe import probe
from reconciler.observed.read import probe_failed, read_probe
from reconciler.observed.remembered import Remembered
from reconciler.planner.roots import properties_of, roots_of

Clock = Callable[[], float]

PROBE_TIMEOUT = 900.0
"""Seconds: listing a million versions takes minutes, and a pool under load longer."""

AT_ONCE = 32
"""Hosts that are asked at the same time."""


def observe(desired: Desired, fleet: Fleet, clock: Clock) -> Observed:
    """Return what every host says; a host that can't be asked is Unseen with the cause."""
    roots, asked = roots_of(desired), properties_of(desired)
    return _each(desired, lambda host: observe_host(host, roots[host], fleet, clock, asked[host]))


def observe_whole(desired: Desired, fleet: Fleet, clock: Clock) -> Observed:
    """Return what every host says of all its imported pools: two executions for each of them."""

    def whole(host: str) -> Observation:
        first = observe_host(host, (), fleet, clock)
        pools = tuple(first.pools) if isinstance(first, Seen) else ()
        return observe_host(host, pools, fleet, clock) if pools else first

    return _each(desired, whole)


def _each(desired: Desired, look: Callable[[str], Observation]) -> Observed:
    hosts = sorted(desired.hosts)
    count = at_once(desired.hosts.values(), min(AT_ONCE, max(1, len(hosts))))
    with ThreadPoolExecutor(max_workers=count) as pool:
        return dict(zip(hosts, pool.map(look, hosts), strict=True))


def observe_host(  # noqa: PLR0913 - what is asked, and by what means
    name: str,
    roots: Sequence[str],
    fleet: Fleet,
    clock: Clock,
    properties: Sequence[str] = (),
    *,
    remembered: Remembered | None = None,
) -> Observation:
    """Return what one host says of the filesystems below the roots, with some properties.

    `remembered` is what was read of it last time.
    """
    try:
        transcript = fleet.host(name).run(probe(roots, properties), timeout=PROBE_TIMEOUT)
    except HostError as error:
        return probe_failed(name, error)
    return read_probe(name, roots, transcript, int(clock()), properties, remembered=remembered)


class Readings:
    """What was read of each host last time. Safe for threads: it is lent to one at a time."""

    def __init__(self) -> None:
        self._of: dict[str, Remembered] = {}

    @contextmanager
    def lend(self, host: str) -> Iterator[Remembered]:
        """Lend what was read of a host, or nothing if somebody else has it."""
        remembered = self._of.pop(host, None) or Remembered()
        yield remembered
        self._of[host] = remembered

    def forget(self, hosts: Iterable[str]) -> None:
        """Drop what was read of hosts."""
        for host in hosts:
            self._of.pop(host, None)
