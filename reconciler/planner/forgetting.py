"""What `reconciler forget` takes away: marks of a replication that no spec accounts for any more.

Cursors, holds and notes that a source is gone; never a version with data. What the specs still have
a use for stays, whatever is asked: a mark is left over only if the replication is gone, or sends to
no such target any more. So forgetting too early costs a full stream at worst, and nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.actions import Action, Destroy, MarkGone, Reason, Release
from reconciler.desired.model import Desired
from reconciler.observed.model import Filesystem, Observed, Seen
from reconciler.planner.marks import PairMarks, base_tag
from reconciler.planner.pairs import is_writable
from reconciler.planner.plan import Note, Plan, PlannedAction, Severity, Specs
from reconciler.planner.planning import host_state
from reconciler.zfs.names import is_within
from reconciler.zfs.types import Version


def forget(
    desired: Desired, observed: Observed, name: str, now: int, *, target: str | None = None
) -> Plan:
    """Return the plan that takes a replication's leftovers away, perhaps of one target alone.

    `observed` has to have the versions of whole pools: nothing tells where something was received.
    """
    forgetting = _Forgetting(desired, name, target)
    found = [p for _, seen in sorted(observed.items()) for p in forgetting.on_host(seen)]
    return Plan(
        at=now,
        specs=Specs(desired.revision, desired.digest, desired.objects),
        hosts=tuple(host_state(host, observed.get(host)) for host in sorted(desired.hosts)),
        actions=tuple(found),
        notes=tuple(forgetting.notes(found)),
    )


@dataclass(frozen=True, slots=True)
class _Forgetting:
    """Whose marks are looked for, and which of them are none of ours to take."""

    desired: Desired
    name: str
    target: str | None

    def on_host(self, seen: object) -> Iterator[PlannedAction]:
        """Yield what takes the leftovers on one host away."""
        for name, filesystem in sorted(seen.filesystems.items() if isinstance(seen, Seen) else ()):
            if isinstance(seen, Seen) and not filesystem.disabled and is_writable(seen, name):
                for action in self._of(seen.host, filesystem):
                    reason = Reason("forget", f"no spec has a use for it; {self.name} is forgotten")
                    yield PlannedAction(action, reason, self.name)

    def notes(self, found: list[PlannedAction]) -> Iterator[Note]:
        """Say it if there is nothing, and what is still in the specs."""
        of_target = f" for {self.target}" if self.target is not None else ""
        if not found:
            said = f"nothing is left over of {self.name}{of_target} on the hosts that were seen"
            yield Note(Severity.NOTICE, said)
        if self._targets():
            said = f"{self.name} is in the specs: what its targets there need stays"
            yield Note(Severity.NOTICE, said, self.name)

    def _of(self, host: str, filesystem: Filesystem) -> Iterator[Action]:
        received = self._is_left_over(host, filesystem)
        for version in filesystem.versions:
            if self._is_cursor(version):
                yield Destroy(host, filesystem.name, (version,))
            for tag in version.holds:
                if self._is_step(tag) or (received and tag == base_tag(self.name)):
                    yield Release(host, filesystem.name, version, tag)
        if received and filesystem.gone_since is not None:
            yield MarkGone(host, filesystem.name, filesystem.guid, None)

    def _is_cursor(self, version: Version) -> bool:
        pattern = rf"rec-cursor_{re.escape(self.name)}_([^_]+)_[0-9a-f]{{16}}"
        found = re.fullmatch(pattern, version.name)
        return not version.is_snapshot and found is not None and self._is_meant(found[1])

    def _is_step(self, tag: str) -> bool:
        found = re.fullmatch(rf"rec-step_{re.escape(self.name)}_([^_]+)", tag)
        return found is not None and self._is_meant(found[1])

    def _is_meant(self, part: str) -> bool:
        """Tell whether a mark's target is to be forgotten: `vault-3f5a9c`, see `PairMarks`."""
        wanted = self.target is None or part.rpartition("-")[0] == self.target
        return wanted and part not in self._targets()

    def _targets(self) -> Mapping[str, tuple[str, str]]:
        """Return the targets that the specs have: their part of marks → host and root."""
        replication = self.desired.replications.get(self.name)
        return {
            PairMarks.of(replication, target, sender).target: (target.host, root)
            for target in (replication.targets if replication is not None else ())
            for sender, root in target.roots.items()
            if replication is not None
        }

    def _is_left_over(self, host: str, filesystem: Filesystem) -> bool:
        """Tell whether a filesystem was received for the replication and no longer is."""
        if self.target not in {None, host}:
            return False
        tag = base_tag(self.name)
        roots = [root for at, root in self._targets().values() if at == host]
        held = any(tag in version.holds for version in filesystem.versions)
        return held and not any(is_within(filesystem.name, root) for root in roots)
