"""Working on one key: look at its hosts, plan, claim what is its own, and do it."""

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from reconciler.actions import Action, Destroy
from reconciler.controller.assess import Report, blockages, done, finding
from reconciler.controller.claims import Claims, IsFree
from reconciler.controller.conclusions import Conclusions
from reconciler.controller.flight import Flight
from reconciler.controller.keys import Key, Place, hosts_of, part_of
from reconciler.controller.lag import lags
from reconciler.controller.law import Law
from reconciler.controller.policy_news import PolicyNews, sentence
from reconciler.controller.surroundings import Surroundings
from reconciler.controller.uses import Use, use_of
from reconciler.controller.world import Since, World
from reconciler.executor.execute import execute
from reconciler.executor.ready import Slots
from reconciler.planner.plan import WINDOW
from reconciler.planner.planning import plan
from reconciler.planner.waiting import must_wait
from reconciler.report.status import Outcome

Landed = Callable[[Flight, Report], None]


class Work:
    """Does the work on keys. Safe for threads."""

    def __init__(
        self,
        around: Surroundings,
        world: World,
        law: Callable[[], Law | None],
        landed: Landed,
        *,
        dry_run: bool,
    ) -> None:
        self.dry_run = dry_run
        self.slots = Slots({})
        self.policy = PolicyNews()
        self._around = around
        self._world = world
        self._law = law
        """What is in force at the moment."""
        self._landed = landed
        self._claims = Claims()
        self._conclusions = Conclusions()
        self._flights: list[Flight] = []
        self._lock = threading.Lock()

    def adopted(self) -> None:
        """Hear that other specs are in force: what was concluded by the old ones is of no use."""
        self._conclusions.forget()

    @property
    def flights(self) -> tuple[Flight, ...]:
        """The runs that are under way."""
        with self._lock:
            return tuple(self._flights)

    def do(self, key: Key, law: Law, before: Report | None) -> Flight:
        """Work on a key; `landed` was called when this returns, or will be later.

        `before` is the key's last report.
        """
        flight = Flight(
            key=key,
            id=f"{self._around.chance.getrandbits(32):08x}",
            law=law,
            before=before,
            began=self._around.ticks(),
            around=self._around,
            freed=self._freed,
        )
        try:
            with self._claims.looking(self._around.ticks()):
                flies = self._prepare(flight)
            if flies:
                self._around.launch(partial(self._fly, flight))
                return flight
        except Exception as error:
            if flight.concluded:
                raise
            flight.error = error
            self._end(flight)
        self._land(flight)
        return flight

    def _prepare(self, flight: Flight) -> bool:
        """Look, plan and claim; False when there is nothing to be begun."""
        since = self._look(flight)
        if self._law() is not flight.law:
            # What was looked at may be what other specs ask for, and this may be suspended by now.
            flight.abandon()
            return False
        self._tell_of_policy(flight)
        part = flight.part
        for verb, count in part.summary.items():
            self._around.telemetry.planned(verb, count)
        for blocked in part.blocked:
            if blocked.guard != WINDOW:
                self._around.telemetry.blocked(blocked.guard, len(blocked.versions))
        if self.dry_run or not part.actions or self._around.stop.is_set():
            return False
        places = flight.claimed()
        if not self._claims.claim(flight.key, places, since):
            flight.abandon()
            return False
        with self._lock:
            self._flights.append(flight)
        for host, filesystems in by_host(places).items():
            self._world.expect(host, filesystems)
        return True

    def _tell_of_policy(self, flight: Flight) -> None:
        """Say what other keep rules than before cost, before anything is destroyed by them."""
        key, now = flight.key, int(self._around.clock())
        change = self.policy.of(key, flight.law.effective, flight.observed, now)
        if change is not None:
            flight.policy = f"{key}: {sentence(change)}"
            level = "warning" if change.more else "info"
            self._around.journal.said(
                level,
                flight.policy,
                replication=key.replication,
                reconcile=flight.id,
                more=change.more,
                fewer=change.fewer,
            )

    def _look(self, flight: Flight) -> Since:
        """Observe and plan; return since when things may have changed.

        Nothing is destroyed but by what was observed for this very plan.
        """
        key, desired = flight.key, flight.law.effective
        fresh = False
        while True:
            observed, since = self._world.observe(hosts_of(key, desired), fresh=fresh)
            with self._conclusions.lend(observed.keys()) as memory:
                made = plan(desired, observed, int(self._around.clock()), memory=memory)
            own = part_of(made, key, desired)
            is_free = self._claims.free_for(key, since)
            part = part_of(made, key, desired, can=partial(_is_free, is_free, key))
            if fresh or not any(isinstance(p.action, Destroy) for p in part.actions):
                flight.observed, flight.part = observed, part
                flight.left = len(own.actions) > len(part.actions)
                return since
            fresh = True

    def _fly(self, flight: Flight) -> None:
        """Execute a run, and land."""
        try:
            flight.result = execute(
                flight.part,
                flight.law.desired,
                flight.law.fleet,
                flight.event,
                self._around.stop,
                workers=self._around.workers(),
                slots=self.slots,
                must_wait=lambda planned: must_wait(
                    flight.law.desired, planned, int(self._around.clock())
                ),
            )
        except Exception as error:  # noqa: BLE001 - reported as the bug it is, others go on
            flight.error = error
        finally:
            self._end(flight)
        self._land(flight)

    def _end(self, flight: Flight) -> None:
        """Give back what a run has not, if it was begun at all."""
        if flight in self.flights:
            flight.give_back()
            with self._lock:
                self._flights.remove(flight)

    def _freed(self, key: Key, places: Mapping[Place, Use]) -> None:
        """Give back places; from now on others may see them as they are."""
        for host, filesystems in by_host(places).items():
            self._world.changed(host, filesystems)
            self._world.settled(host, filesystems)
        self._claims.free(key, places, self._around.ticks())

    # -- what came of it --------------------------------------------------------------------------

    def _land(self, flight: Flight) -> None:
        report = self._panicked(flight, flight.error) if flight.error else self._report(flight)
        self._landed(flight, report)

    def _report(self, flight: Flight) -> Report:
        try:
            return self._well(flight)
        except Exception as error:  # noqa: BLE001 - reported as the bug it is, others go on
            return self._panicked(flight, error)

    def _well(self, flight: Flight) -> Report:
        key, before = flight.key, flight.before
        found = finding(key, flight.observed, flight.part, flight.result)
        known = before.lags if before is not None else ()
        behind = lags(key, flight.law.effective, flight.observed, known) if key.receiver else ()
        return Report(
            at=int(self._around.clock()),
            generation=flight.law.generations[key.replication],
            outcome=found.outcome,
            reason=found.reason,
            message=found.message,
            seconds=self._around.ticks() - flight.began,
            done=done(flight.result),
            blocked=blockages(flight.part),
            lags=tuple(behind),
            hopeless=found.hopeless,
            left=flight.left and not self.dry_run,
        )

    def _panicked(self, flight: Flight, error: Exception) -> Report:
        key, before = flight.key, flight.before
        self._around.telemetry.panicked(key.kind)
        said = f"this is a bug in reconciler: {type(error).__name__}: {error}"
        self._around.journal.said(
            "error", said, error=error, replication=key.replication, reconcile=flight.id
        )
        return Report(
            at=int(self._around.clock()),
            generation=flight.law.generations[key.replication],
            outcome=Outcome.FAILED,
            reason="Bug",
            message=said,
            seconds=self._around.ticks() - flight.began,
            lags=before.lags if before is not None else (),
        )


def _is_free(is_free: IsFree, key: Key, action: Action) -> bool:
    return all(is_free(place, use_of(key, place, action)) for place in action.places)


def by_host(places: Iterable[Place]) -> dict[str, set[str]]:
    """Return the filesystems of some places by host."""
    found: dict[str, set[str]] = {}
    for host, filesystem in places:
        found.setdefault(host, set()).add(filesystem)
    return found
