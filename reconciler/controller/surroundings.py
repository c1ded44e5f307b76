"""What the controller does not have of its own: time, chance, threads, and who hears of it."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from reconciler.controller.journal import Journal
from reconciler.report.telemetry import Telemetry

Launch = Callable[[Callable[[], None]], None]
"""Runs something, and comes back when it is over, or when nobody cares to wait any longer."""


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
    workers: Callable[[], Executor | None] = no_workers
    """What runs the actions of one run."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when no further action is to be begun."""
