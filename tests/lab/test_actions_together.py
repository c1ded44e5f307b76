"""Many actions in one execution on real ZFS: what it prints is read as it is on simulated hosts."""

import shlex

import pytest

from reconciler.actions import Bookmark, Destroy, Done, Failed, Hold, Release, Together, Verdict
from reconciler.hosts.addresses import Privilege
from reconciler.hosts.shell import read, render
from reconciler.zfs import parse, queries
from reconciler.zfs.errors import FailureKind
from reconciler.zfs.types import Version
from tests.lab.machines import Lab, Machine

# How names sort that share a beginning differs between words and bytes.
NAMES = (
    "tank/t/a/b",
    "tank/t/a",
    "tank/t/a b",
    "tank/t/a-b",
    "tank/t/B",
    "tank/t/a:b",
    "tank/t/a.b",
)
NONCE = "0123456789abcdef"
_RUN = "cd /tmp && rm -f line && mkfifo line && cat >script && sh script <>line"


@pytest.fixture
def alpha(clean_lab: Lab) -> Machine:
    """Return a host whose filesystems have two snapshots each."""
    machine = clean_lab.machines["alpha"]
    names = sorted(NAMES)
    lines = [f"zfs create '{name}'" for name in ("tank/t", *names)]
    lines += [f"zfs snapshot {' '.join(shlex.quote(f'{n}@{v}') for n in names)}" for v in "st"]
    machine.sh("set -e\n" + "\n".join(lines))
    return machine


def versions(machine: Machine, version: str) -> dict[str, Version]:
    asked = queries.list_versions([f"{name}@{version}" for name in NAMES])
    rows = parse.parse_versions(machine.sh(shlex.join(asked)).stdout)
    return {row.filesystem: row.version for row in rows}


def perform(machine: Machine, together: Together) -> list[Verdict | None]:
    script = together.script()
    text = render(script, nonce=NONCE, privilege=Privilege.NONE)
    done = machine.sh(_RUN, input=text.encode())
    return together.judge(read(NONCE, done.stdout, done.stderr, script, host=machine.name))


def held(machine: Machine) -> set[str]:
    names = [f"{name}@{version}" for name in NAMES for version in "st"]
    asked = machine.sh(shlex.join(("zfs", "holds", "-H", *names)), check=False)  # some are gone
    rows = asked.stdout.splitlines()
    return {row.split("\t")[0] for row in rows}


def test_holds_bookmarks_releases_and_destroys_of_many_in_one_execution(alpha: Machine) -> None:
    old, new = versions(alpha, "s"), versions(alpha, "t")
    holds = Together.of([Hold("alpha", name, old[name], "tag") for name in NAMES])
    assert sum(step.argv[1] == "hold" for step in holds.script().steps) == 1
    assert perform(alpha, holds) == [Done()] * len(NAMES)
    assert held(alpha) == {f"{name}@s" for name in NAMES}

    after = Together.of(
        [
            *(Bookmark("alpha", name, new[name], "c_", "vault") for name in NAMES),
            *(Release("alpha", name, old[name], "tag") for name in NAMES),
            *(Destroy("alpha", name, (old[name],)) for name in NAMES),
        ]
    )
    assert perform(alpha, after) == [Done()] * len(after.actions)
    left = alpha.sh("zfs list -H -o name -t snapshot,bookmark -r tank/t").stdout.splitlines()
    cursors = {f"{name}#c_{new[name].guid:016x}" for name in NAMES}
    assert set(left) == cursors | {f"{name}@t" for name in NAMES}
    assert held(alpha) == set()


def test_one_that_was_replaced_is_left_alone_by_a_command_for_many(alpha: Machine) -> None:
    old = versions(alpha, "s")
    stranger = old[NAMES[0]]._replace(guid=1)
    holds = [Hold("alpha", name, old[name], "tag") for name in NAMES[1:]]
    together = Together.of([Hold("alpha", NAMES[0], stranger, "tag"), *holds])
    verdicts = perform(alpha, together)
    assert all(isinstance(verdict, Failed) for verdict in verdicts)
    assert isinstance(verdicts[0], Failed)
    assert verdicts[0].failure.kind is FailureKind.CHANGED
    assert all(map(together.shares, range(len(NAMES))))
    assert held(alpha) == set()
