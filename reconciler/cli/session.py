"""What commands that ask hosts have in common: specs, a fleet, observations, a plan."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from loguru import logger

from reconciler.cli.interrupts import closing_on_interrupt
from reconciler.desired.earlier import other_specs
from reconciler.desired.load import load
from reconciler.desired.model import Desired
from reconciler.errors import UsageError
from reconciler.executor import observe as observing
from reconciler.hosts import fleet as fleets
from reconciler.hosts.addresses import SimulatedAddress, SshOptions
from reconciler.observed.model import Observation, Observed, Seen
from reconciler.planner.forgetting import forget
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.planner.policy import policy_change
from reconciler.planner.restrict import restrict
from reconciler.planner.roots import properties_of, roots_of
from reconciler.report.figures import count_text


class Session:
    """Specs and the hosts they name."""

    def __init__(self, specs: Path, ssh_config: Path | None, now: int | None = None) -> None:
        self.specs = specs
        self.desired: Desired = load(specs)
        self.now = now
        """The instant to plan for, None for the present one."""
        bound = logger.bind(digest=self.desired.digest, revision=self.desired.revision)
        bound.debug("specs loaded")
        if ssh_config is not None and not ssh_config.is_file():
            raise UsageError(f"--ssh-config {ssh_config}: there is no such file")
        self.clock: Callable[[], float] = time.time
        if now is not None and self.all_simulated:
            self.clock = partial(float, now)
        self.fleet = fleets.Fleet(self.desired.hosts, SshOptions(ssh_config), clock=self.clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.fleet.close()

    def observe(self) -> Observed:
        """Ask all hosts; on a terminal it is said that this may take a moment."""
        count = count_text(len(self.desired.hosts), "host")
        with _said_meanwhile(f"Observing {count} ..."), closing_on_interrupt(self.fleet):
            observed = observing.observe(self.desired, self.fleet, self.clock)
        for observation in observed.values():
            _log(observation)
        return observed

    def forgetting(self, name: str, target: str | None) -> Plan:
        """Look at whole pools and return the plan that takes a replication's leftovers away."""
        count = count_text(len(self.desired.hosts), "host")
        with _said_meanwhile(f"Observing {count} ..."), closing_on_interrupt(self.fleet):
            observed = observing.observe_whole(self.desired, self.fleet, self.clock)
        for observation in observed.values():
            _log(observation)
        return forget(self.desired, observed, name, self.now or int(time.time()), target=target)

    def observe_host(self, name: str) -> Observation:
        """Ask one host of the specs."""
        if name not in self.desired.hosts:
            known = ", ".join(self.desired.hosts) or "none"
            raise UsageError(f"the specs have no host {name}; they have: {known}")
        roots, asked = roots_of(self.desired)[name], properties_of(self.desired)[name]
        with _said_meanwhile(f"Observing {name} ..."), closing_on_interrupt(self.fleet):
            observation = observing.observe_host(name, roots, self.fleet, self.clock, asked)
        _log(observation)
        return observation

    @property
    def all_simulated(self) -> bool:
        """Whether there is no real host in the specs: then time may be what one likes."""
        addresses = [host.address for host in self.desired.hosts.values()]
        return all(isinstance(address, SimulatedAddress) for address in addresses)

    def plan(
        self,
        at: int | None = None,
        *,
        targets: Sequence[str] = (),
        explain: bool = False,
        allow_destroy: Sequence[str] = (),
        compare: str | None = None,
    ) -> Plan:
        """Observe and plan, for the session's instant unless another one is given.

        `compare` names specs to compare the keep rules with (see `desired.earlier`). Raises
        UsageError when `allow_destroy` names a replication that the specs do not have.
        """
        other = None if compare is None else other_specs(self.specs, compare)
        for name in allow_destroy:
            if name not in self.desired.replications:
                known = ", ".join(self.desired.replications) or "none"
                raise UsageError(f"--allow-destroy {name}: the specs have these: {known}")
        observed = self.observe()
        at = at or self.now or int(time.time())
        whole = plan(self.desired, observed, at, explain=explain, allow_destroy=allow_destroy)
        if other is not None:
            change = policy_change(self.desired, other, observed, at)
            whole = replace(whole, policy_change=change)
        made = restrict(whole, targets, self.desired.replications)
        logger.bind(**made.summary).debug("planned")
        return made


def _log(observation: Observation) -> None:
    bound = logger.bind(host=observation.host)
    if isinstance(observation, Seen):
        bound.bind(filesystems=len(observation.filesystems)).debug("observed")
    else:
        bound.bind(cause=observation.cause).debug("not seen")


@contextmanager
def _said_meanwhile(text: str) -> Iterator[None]:
    """Show a text on stderr while something runs, if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    print(text, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
