"""The one protocol behind which hosts are reached."""

from collections.abc import Callable
from typing import Protocol

from reconciler.hosts.script import Script, Transcript

StderrListener = Callable[[str], None]


class Host(Protocol):
    """A machine that runs scripts. Safe for use from several threads at once."""

    @property
    def name(self) -> str:
        """The host's name in the specs."""
        ...

    def run(
        self, script: Script, *, timeout: float, on_stderr: StderrListener | None = None
    ) -> Transcript:
        """Run a script in one execution; `on_stderr` gets stderr text as it arrives.

        Raises `reconciler.errors.HostError`: the host could not be reached, did not finish within
        `timeout` seconds (what still runs there is stopped), or its output was cut. A step that
        fails is no error here; its outcome says so.
        """
        ...

    def close(self) -> None:
        """Give back connections. The host can be used again afterwards."""
        ...
