"""What the controller does not have of its own: time, chance, threads, and who hears of it."""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from reconciler.controller.journal import Journal
from reconciler.report.telemetry import Telemetry

Launch = Callable[[Callable[[], None]], None]
"""Runs something, and comes back when it is over, or when nobody cares to wait any longer."""


Each = Callable[[Callable[[str], None], Sequence[str]], None]
"""Calls something for each of several names, at the same time or not, and waits for all."""


def in_turn(call: Callable[[str], None], names: Sequence[str]) -> None:
    """Call something for one name after the other."""
    for name in names:
        call(name)


def to_the_end(run: Callable[[], None]) -> None:
    """Run something to its end."""
    run()


def no_workers() -> Executor | None:
    """Leave it to the executor to have threads."""
    return None


@dataclass(frozen=True)
class Surroundings:
    """What the engine is given."""

    clock: Callable[[], float]
    """Epoch seconds."""
    ticks: Callable[[], float]
    """Seconds that only go forward; no two calls give the same."""
    chance: random.Random
    telemetry: Telemetry
    journal: Journal
    launch: Launch = to_the_end
    each: Each = in_turn
    """How hosts are asked."""
    workers: Callable[[], Executor | None] = no_workers
    """What runs the actions of one run."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when no further action is to be begun."""
