"""The one protocol behind which hosts are reached."""

import threading
from collections.abc import Callable
from typing import Protocol

from reconciler.hosts.cutting import Cut
from reconciler.hosts.script import Script, Transcript
from reconciler.zfs.types import Argv

StderrListener = Callable[[str], None]
LineListener = Callable[[str], None]
Pulse = Callable[[], None]


class Host(Protocol):
    """A machine that runs scripts. Safe for use from several threads at once."""

    @property
    def name(self) -> str:
        """The host's name in the specs."""
        ...

    def run(
        self,
        script: Script,
        *,
        timeout: float,
        on_stderr: StderrListener | None = None,
        cut: Cut | None = None,
    ) -> Transcript:
        """Run a script in one execution; `on_stderr` gets stderr text as it arrives.

        By `cut` another thread can end it.

        Raises `reconciler.errors.HostError`: the host could not be reached, did not finish within
        `timeout` seconds or before `cut` (what still runs there is stopped, unless the script has
        to finish what it began), or its output was cut. A step that fails is no error here; its
        outcome says so.
        """
        ...

    def follow(
        self,
        argv: Argv,
        on_line: LineListener,
        stop: threading.Event,
        *,
        on_pulse: Pulse | None = None,
    ) -> None:
        """Run one command that goes on for ever, until `stop` is set.

        `on_line` gets each line of its stdout, without the line end. `on_pulse` is called once the
        command has begun on the host, and from then on at least every second. Both are called in
        the caller's thread. What runs on the host ends with this call, however that ends.

        Raises `reconciler.errors.CommandEnded` when the command ended by itself, another
        `HostError` when the host could not be reached or has gone silent, which is noticed within
        a minute.
        """
        ...

    def close(self) -> None:
        """Give back connections. The host can be used again afterwards."""
        ...
