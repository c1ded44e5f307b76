"""What is known of the hosts: each observation is kept as long as nothing is heard of a change.

An observation is as good as new while its host's event stream has been open and silent since
before it was made. Else it serves only those who ask in the same moment. Whoever wants to destroy
something asks anew in any case. However many ask, a host is looked at once at a time.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.controller.queue import backoff
from reconciler.controller.surroundings import Each, in_turn
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.report.telemetry import Telemetry
from reconciler.zfs.versions import columns_of

MOMENT = 2.0
"""Seconds for which an observation serves others who ask, though nobody listens on the host."""

LATENESS = 15.0
"""Seconds that an event may take to come."""

Ask = Callable[[str], Observation]

Since = Mapping[str, float]
"""Host → when it was asked."""


@dataclass(frozen=True, slots=True)
class Look:
    """One observation."""

    observation: Observation
    began: float
    """When the host was asked: what happened since may be missing in the answer."""
    ended: float


@dataclass(slots=True)
class _Host:
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the host is asked."""
    look: Look | None = None
    heard: bool = False
    """Whether its event stream is open."""
    changed_at: float = float("-inf")
    """When a change was last heard of, or the stream opened or broke."""
    announced: set[str] | None = field(default_factory=set)
    """Filesystems that changed since the last look; None: anything may have."""
    expected: Counter[str] = field(default_factory=Counter)
    """Filesystems that we ourselves are about to change."""
    suspects: set[str] = field(default_factory=set)
    """Filesystems that changed though no event has said so, yet: events take a moment."""
    unseen: int = 0
    """Looks in a row that failed."""
    rest_until: float = float("-inf")
    """Till then a host that could not be asked is not asked again."""

    def doubt(self, now: float) -> None:
        """Take nothing that is known for granted any more, nor what was to be announced."""
        self.changed_at, self.announced = now, None
        self.rest_until = float("-inf")
        self.suspects.clear()


class World:
    """The hosts' last observations. Safe for threads."""

    def __init__(  # noqa: PLR0913 - what it does not have of its own
        self,
        ask: Ask,
        clock: Callable[[], float],
        chance: random.Random,
        telemetry: Telemetry,
        *,
        max_age: float,
        each: Each = in_turn,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._chance = chance
        self._telemetry = telemetry
        self._each = each
        self._max_age = max_age
        """Seconds after which a host is looked at again, whatever was heard."""
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def observe(self, hosts: Iterable[str], *, fresh: bool = False) -> tuple[Observed, Since]:
        """Return what is known of hosts, and since when something of each may be missing.

        `fresh`: ask every host that answered last time, whatever is known of it.
        """
        asked_at = self._clock()
        looks: dict[str, Look] = {}

        def look(name: str) -> None:
            looks[name] = self._look(name, asked_at, fresh=fresh)

        self._each(look, sorted(hosts))
        since = {name: look.began for name, look in looks.items()}
        return {name: look.observation for name, look in looks.items()}, since

    def last(self, host: str) -> Look | None:
        """Return the last observation of a host, good or not."""
        with self._lock:
            return self._host(host).look

    def is_heard(self, host: str) -> bool:
        """Tell whether a host's event stream is open."""
        with self._lock:
            return self._host(host).heard

    def changed(self, host: str, filesystems: Iterable[str] | None) -> None:
        """Note that something changed on a host; None: anything may have."""
        with self._lock:
            known = self._host(host)
            known.changed_at = self._clock()
            if filesystems is None:
                known.announced = None
                known.suspects.clear()
                return
            told = set(filesystems)
            known.suspects -= told
            if known.announced is not None:
                known.announced |= told

    def expect(self, host: str, filesystems: Iterable[str]) -> None:
        """Note that we are about to change filesystems; `changed` is to follow, then `settled`."""
        with self._lock:
            self._host(host).expected.update(filesystems)

    def settled(self, host: str, filesystems: Iterable[str]) -> None:
        """Note that we are through with filesystems, and have said that they changed."""
        with self._lock:
            known = self._host(host)
            known.expected.subtract(filesystems)
            known.expected = +known.expected

    def hears(self, host: str, *, is_open: bool) -> None:
        """Note that a host's event stream was opened or broke."""
        with self._lock:
            known = self._host(host)
            known.heard = is_open
            known.doubt(self._clock())

    def doubt(self, host: str) -> None:
        """Have a host asked anew, whatever is known of it and though it could not be asked."""
        with self._lock:
            self._host(host).doubt(self._clock())

    def forget(self, hosts: Iterable[str]) -> None:
        """Drop what was seen of hosts that the specs do not have any more, or have otherwise.

        Whether their event streams are open is told by those who listen, as ever.
        """
        with self._lock:
            for host in hosts:
                known = self._hosts.pop(host, None)
                if known is not None and (known.heard or known.expected):
                    self._hosts[host] = _Host(known.lock, None, known.heard)
                    self._hosts[host].expected = known.expected

    def _host(self, name: str) -> _Host:
        return self._hosts.setdefault(name, _Host())

    def _look(self, name: str, asked_at: float, *, fresh: bool) -> Look:
        with self._lock:
            host = self._host(name)
            good = self._good(host, asked_at, fresh=fresh)
        if good is not None:
            return good
        with host.lock:
            with self._lock:
                good = self._good(host, asked_at, fresh=fresh)
                if good is not None:
                    return good
                before, heard = host.look, host.heard
                self._count_suspects(name, host)
                announced, host.announced = host.announced, set()
            look = self._ask_now(name)
            with self._lock:
                self._learn(host, look)
                if heard and before is not None and announced is not None:
                    self._suspect(host, before.observation, look.observation, announced)
            return look

    def _good(self, host: _Host, asked_at: float, *, fresh: bool) -> Look | None:
        """Return the look that answers, if there is one."""
        look = host.look
        if look is None:
            return None
        if look.began >= asked_at:
            return look
        if not isinstance(look.observation, Seen):
            return look if asked_at < host.rest_until else None
        if fresh or host.changed_at >= look.began:
            return None
        age = asked_at - look.began
        return look if age < (self._max_age if host.heard else MOMENT) else None

    def _ask_now(self, name: str) -> Look:
        began = self._clock()
        observation = self._ask(name)
        ended = self._clock()
        self._telemetry.observed(name, ended - began, seen=isinstance(observation, Seen))
        return Look(observation, began, ended)

    def _learn(self, host: _Host, look: Look) -> None:
        host.look = look
        if isinstance(look.observation, Seen):
            host.unseen, host.rest_until = 0, float("-inf")
        else:
            host.unseen += 1
            host.rest_until = look.ended + backoff(host.unseen, self._chance)

    def _suspect(
        self, host: _Host, before: Observation, after: Observation, announced: set[str]
    ) -> None:
        """Note what changed though no event has said so."""
        if host.announced is None or not isinstance(before, Seen) or not isinstance(after, Seen):
            return
        explained = announced | host.announced | host.expected.keys()
        host.suspects |= changes(before, after) - explained

    def _count_suspects(self, name: str, host: _Host) -> None:
        """Count changes that no event has announced by now."""
        last = host.look
        if host.suspects and last is not None and self._clock() - last.ended > LATENESS:
            self._telemetry.disagreed(name, len(host.suspects))
            host.suspects.clear()


def changes(before: Seen, after: Seen) -> frozenset[str]:
    """Return the filesystems whose versions, holds aside, differ between two observations."""
    names = before.filesystems.keys() | after.filesystems.keys()
    return frozenset(name for name in names if _versions(before, name) != _versions(after, name))


def _versions(seen: Seen, name: str) -> tuple[int, frozenset[tuple[str, int]]] | None:
    filesystem = seen.filesystems.get(name)
    if filesystem is None:
        return None
    columns = columns_of(filesystem.versions)
    return filesystem.guid, frozenset(zip(columns.labels, columns.guids, strict=True))
