"""One listener for each host of the specs in force."""

from collections.abc import Callable
from functools import partial

from reconciler.controller.hearing import HostHearing
from reconciler.controller.journal import Journal
from reconciler.controller.law import Law
from reconciler.controller.listening import Changes
from reconciler.hosts.host import Host
from reconciler.report.telemetry import Telemetry
from reconciler.zfs.names import pool_of


class Ears:
    """Listens to hosts. Not safe for threads: its owner is one."""

    def __init__(
        self,
        on_change: Callable[[str, Changes], None],
        on_state: Callable[[str, bool], None],
        telemetry: Telemetry,
        journal: Journal,
    ) -> None:
        self._on_change = on_change
        self._on_state = on_state
        self._telemetry = telemetry
        self._journal = journal
        self._ears: dict[str, tuple[Host, tuple[str, ...], HostHearing]] = {}

    def listen_to(self, law: Law) -> None:
        """Listen to these hosts and no others; what stays as it was goes on."""
        wanted = {
            name: (law.fleet.host(name), tuple(sorted({pool_of(root) for root in roots})))
            for name, roots in law.roots.items()
        }
        for name in [name for name, ear in self._ears.items() if wanted.get(name) != ear[:2]]:
            self._ears.pop(name)[2].close()
            self._on_state(name, False)
        for name, (host, pools) in wanted.items():
            if name not in self._ears:
                hearing = HostHearing(
                    host,
                    pools,
                    self._on_change,
                    self._on_state,
                    self._telemetry,
                    note=partial(self._noted, name),
                )
                self._ears[name] = (host, pools, hearing)
                hearing.start()

    def close(self) -> None:
        """Stop listening."""
        for _, _, hearing in self._ears.values():
            hearing.close()

    def _noted(self, host: str, note: str) -> None:
        self._journal.said("info", note, host=host)
