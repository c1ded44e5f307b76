"""A forecast against the controller: the engine itself, on simulated hosts, for some days."""

from reconciler.desired.model import Desired
from reconciler.forecast.course import Course, Span, slots
from reconciler.forecast.groups import group
from reconciler.forecast.invent import invented, names_for
from reconciler.forecast.writes import Writes
from reconciler.observed.model import Observed, Seen
from reconciler.planner.marks import Ownership
from tests.support.living import Life
from tests.support.stage import Controller, Stage
from tests.support.worlds import NOW, desired

HOUR, DAY = 3600, 86_400
LENGTH = DAY + 6 * HOUR + HOUR // 2
SLOTS = {"web": HOUR, "db": 4 * HOUR}
"""Seconds between slots."""

SPECS = desired(
    "web: alpha tank/www tank/www/a every 1h keep hourly 5 daily 1 -> vault keep hourly 8 daily 3"
    " -> north keep last 3",
    "db: beta tank/db every 4h prefix db- keep last 2 -> vault keep within 12h",
)


def lived(specs: Desired) -> Observed:
    """Return what hosts have after the controller kept them for a while."""
    stage = Stage(["alpha", "beta", "vault", "north"], NOW)
    for receiver in ("vault", "north"):
        stage.sh(receiver, "zpool create backup disk")
    for sender in ("alpha", "beta"):
        stage.sh(sender, "zpool create tank disk")
    for replication in specs.replications.values():
        for host in replication.senders:
            for name in names_for(replication):
                stage.sh(host, f"zfs create {name}")
    Life(stage, specs).live(LENGTH)
    return Controller(stage, specs).observe()


def slots_there(replication: str, host: str, filesystem: str, hosts: Observed) -> list[int]:
    """Return in which slots the versions of a filesystem were made."""
    ours, every = Ownership.of(SPECS.replications[replication]), SLOTS[replication]
    seen = hosts[host]
    assert isinstance(seen, Seen)
    versions = seen.filesystems[filesystem].snapshots
    return [version.creation // every for version in versions if ours.on_receiver(version)]


def test_both_sides_have_the_same_versions_as_after_days_with_the_controller() -> None:
    span = Span(NOW, NOW + LENGTH, (NOW + LENGTH,))
    groups, left_out = group(SPECS, invented(SPECS, NOW), NOW, lambda *_: Writes(0.0, 0))
    due = {name: slots(replication, span) for name, replication in SPECS.replications.items()}
    Course(groups, span, due, None).run()
    assert not left_out
    hosts = lived(SPECS)
    compared = 0
    for found in groups:
        name, ledger, every = found.replication.name, found.ledger, SLOTS[found.replication.name]
        for member in found.members:
            here = slots_there(name, member.host, member.filesystem, hosts)
            assert here == [at // every for at in ledger.here.versions]
            for target, copy in zip(found.replication.targets, ledger.copies, strict=True):
                receiver = target.receiver_of(member.host, member.filesystem)
                there = slots_there(name, target.host, receiver, hosts)
                assert there == [at // every for at in copy.side.versions]
                compared += len(there)
    assert compared == 2 * (9 + 3) + 4
