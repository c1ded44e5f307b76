"""What changed keep rules cost: said once for each key, when its hosts are first looked at by them.

That is before anything is destroyed by them: the plan of that very look is counted.
"""

import threading

from reconciler.controller.keys import Key, does, hosts_of, keys_of
from reconciler.desired.model import Desired
from reconciler.observed.model import Observed, Seen
from reconciler.planner.plan import PolicyChange
from reconciler.planner.policy import changed_rules, policy_change
from reconciler.report.figures import count_text


class PolicyNews:
    """Remembers which keys have other keep rules since something was said. Safe for threads."""

    def __init__(self) -> None:
        self._earlier: dict[Key, Desired] = {}
        """The specs that each key is to be compared with."""
        self._lock = threading.Lock()

    def adopted(self, old: Desired, new: Desired) -> None:
        """Hear that specs took the place of others."""
        changed = changed_rules(new, old)
        with self._lock:
            left = {key: self._earlier[key] for key in keys_of(new) if key in self._earlier}
            # What was not said yet is compared with what was in force before that.
            fresh = {key: old for key in keys_of(new) if key.replication in changed}
            self._earlier = fresh | left

    def of(self, key: Key, desired: Desired, observed: Observed, now: int) -> PolicyChange | None:
        """Return what a key's new rules cost, once; None while that can't be told, or nothing is.

        What hangs on a host that was not seen is not destroyed: it is counted when all are seen,
        as what is suspended is when it goes on.
        """
        earlier = self._earlier.get(key)
        if earlier is None or desired.replications[key.replication].suspend:
            return None
        whole = all(isinstance(observed.get(host), Seen) for host in hosts_of(key, desired))
        change = policy_change(
            desired, earlier, observed, now, counts=lambda planned: does(key, planned, desired)
        )
        if not whole and not change.more:
            return None
        with self._lock:
            if self._earlier.get(key) is earlier:
                del self._earlier[key]
        return change


def sentence(change: PolicyChange) -> str:
    """Say what changed rules cost.

    >>> sentence(PolicyChange("", more=3, fewer=0, filesystems=2))
    'by the new keep rules 3 more snapshots go on 2 filesystems than by those before'
    """
    if not change.more and not change.fewer:
        return "by the new keep rules as many snapshots go as by those before"
    go = "snapshot goes" if change.more == 1 else "snapshots go"
    said = [f"{change.more} more {go}"] if change.more else []
    stay = "stays" if change.fewer == 1 else "stay"
    said += [f"{count_text(change.fewer, 'other snapshot')} {stay}"] if change.fewer else []
    where = f"on {count_text(change.filesystems, 'filesystem')} than by those before"
    return f"by the new keep rules {', '.join(said)} {where}"
