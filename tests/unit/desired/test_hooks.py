"""Hooks in specs: commands as written, and ready ones."""

from reconciler.desired.model import Hook, Snapshots
from tests.unit.desired.conftest import Desire

HOOKED = """\
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata: {{name: web}}
spec:
  source:
    host: alpha
    filesystems: [tank/www/**]
    snapshots: {{every: 15m, prefix: rec-, hooks: {hooks}}}
  targets: [{{host: vault, under: "backup/{{host}}"}}]
"""


def hooks(desire: Desire, text: str) -> tuple[Hook, ...]:
    snapshots = desire(HOOKED.format(hooks=text)).replications["web"].snapshots
    assert isinstance(snapshots, Snapshots)
    return snapshots.hooks


def test_a_command_is_taken_as_it_is_written(desire: Desire) -> None:
    asked = "[{before: 'a; b', after: c, timeout: 90s, onFailure: continue, name: app}, {after: d}]"

    assert hooks(desire, asked) == (
        Hook("app", "a; b", "c", 90, abort=False),
        Hook("2", "", "d", 60, abort=True),
    )


def test_a_checkpoint_is_asked_for_by_whom_it_is_asked_to(desire: Desire) -> None:
    (plain, other) = hooks(
        desire,
        "[{postgresCheckpoint: {}}, {postgresCheckpoint: {connection: dbname=x, runAs: pg}}]",
    )

    assert "-d dbname=postgres -c CHECKPOINT" in plain.before
    assert "su" not in plain.before
    assert "su pg -c" in other.before
    assert "sudo -n -u pg psql" in other.before
    assert (plain.name, plain.after) == ("1 (PostgreSQL checkpoint)", "")


def test_a_read_lock_is_given_back_after_the_snapshots_and_by_itself(desire: Desire) -> None:
    (lock,) = hooks(desire, "[{mysqlReadLock: {defaultsFile: /etc/my backup.cnf}, timeout: 20s}]")

    assert "--defaults-file='/etc/my backup.cnf'" in lock.before
    assert "sleep 40" in lock.before
    assert lock.after
