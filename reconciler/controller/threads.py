"""How the daemon does several things at once."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

ASKED_AT_ONCE = 16
"""Hosts that one key has asked at the same time."""

PATIENCE = 60.0
"""Seconds after which a key is given back while its streams go on."""


def wait_while(condition: Callable[[], bool], deadline: float) -> None:
    """Wait as long as something is so, but not beyond an instant of the monotonic clock."""
    while condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def launch(run: Callable[[], None], *, patience: float = PATIENCE) -> None:
    """Run something in a thread of its own; come back when it is over, or after a while."""
    thread = threading.Thread(target=run, name="flight", daemon=True)
    thread.start()
    thread.join(patience)


def at_once(call: Callable[[str], None], names: Sequence[str]) -> None:
    """Call something for several names at the same time, and wait for all."""
    if len(names) < 2:
        for name in names:
            call(name)
        return
    with ThreadPoolExecutor(min(len(names), ASKED_AT_ONCE), "ask") as pool:
        for done in [pool.submit(call, name) for name in names]:
            done.result()
