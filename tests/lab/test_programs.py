"""Destroys by channel program on real ZFS, and what the simulator says of the same."""

import json
import shlex
import time

import pytest

from reconciler.actions import Destroy, Done, Failed, Together
from reconciler.hosts.addresses import Privilege
from reconciler.hosts.script import Transcript
from reconciler.hosts.shell import read, render
from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.process import ChunkedInput
from reconciler.simulator.run import run
from reconciler.zfs import parse, programs, queries
from reconciler.zfs.errors import FailureKind
from reconciler.zfs.types import Version
from tests.lab.machines import Lab, Machine
from tests.support import machines

NAMES = ("tank/t/a", "tank/t/a b", "tank/t/c")
NONCE = "0123456789abcdef"
_RUN = "cd /tmp && rm -f line && mkfifo line && cat >script && {sh} script <>line"


@pytest.fixture
def alpha(clean_lab: Lab) -> Machine:
    """Return a host whose filesystems have six snapshots each."""
    machine = clean_lab.machines["alpha"]
    machine.sh("set -e\n" + "\n".join(made(NAMES)))
    return machine


def made(names: tuple[str, ...]) -> list[str]:
    lines = [f"zfs create '{name}'" for name in ("tank/t", *names)]
    return lines + [f"zfs snapshot {shlex.join(f'{n}@{v}' for n in names)}" for v in "stuvwx"]


def versions(machine: Machine, filesystem: str, names: str) -> tuple[Version, ...]:
    asked = queries.list_versions([f"{filesystem}@{name}" for name in names])
    rows = parse.parse_versions(machine.sh(shlex.join(asked)).stdout)
    return tuple(row.version for row in rows)


def perform(
    machine: Machine, together: Together, privilege: Privilege = Privilege.NONE, sh: str = "sh"
) -> Transcript:
    script = together.script()
    text = render(script, nonce=NONCE, privilege=privilege)
    done = machine.sh(_RUN.format(sh=sh), input=text.encode())
    return read(NONCE, done.stdout, done.stderr, script, host=machine.name)


def left(machine: Machine) -> set[str]:
    listed = machine.sh("zfs list -H -o name -t snapshot -r tank/t").stdout
    return set(listed.splitlines())


def txg(machine: Machine) -> int:
    return int(
        machine.sh("zpool sync tank; tail -1 /proc/spl/kstat/zfs/tank/txgs").stdout.split()[0]
    )


def test_snapshots_of_all_filesystems_go_in_one_program(alpha: Machine) -> None:
    """24 guids: about half of them are negative to the program."""
    destroys = [Destroy("alpha", name, versions(alpha, name, "stuvw")) for name in NAMES]
    together = Together.of(destroys, programs=True)
    transcript = perform(alpha, together)
    assert together.judge(transcript) == [Done()] * len(NAMES)
    assert transcript.outcomes.keys() == {"program", "after"}
    assert not together.without_programs(transcript)
    assert left(alpha) == {f"{name}@x" for name in NAMES}


def test_it_is_allowed_by_sudo_and_else_done_one_by_one(alpha: Machine) -> None:
    alpha.sh("zfs allow zfs destroy,mount tank/t")
    first = [Destroy("alpha", name, versions(alpha, name, "s")) for name in NAMES]
    together = Together.of(first, programs=True)
    as_zfs = "chmod a+rw line; su zfs -s /bin/sh"
    transcript = perform(alpha, together, Privilege.SUDO, as_zfs)
    assert together.judge(transcript) == [Done()] * len(NAMES)
    assert transcript.get("program") is not None
    assert not together.without_programs(transcript)

    second = [Destroy("alpha", name, versions(alpha, name, "t")) for name in NAMES]
    together = Together.of(second, programs=True)
    transcript = perform(alpha, together, Privilege.NONE, as_zfs)
    assert together.judge(transcript) == [Done()] * len(NAMES)
    assert together.without_programs(transcript)
    assert "must be run as root" in transcript.outcomes["program"].stderr
    assert left(alpha) == {f"{name}@{v}" for name in NAMES for v in "uvwx"}


def test_what_is_held_mounted_or_made_anew(alpha: Machine) -> None:
    """What is looked at in .zfs is busy to a program; `zfs destroy` unmounts it."""
    alpha.sh("zfs hold mine tank/t/a@s; ls /tank/t/c/.zfs/snapshot/s >/dev/null")
    destroys = [Destroy("alpha", name, versions(alpha, name, "s")) for name in NAMES]
    alpha.sh("zfs destroy 'tank/t/a b@s'; zfs snapshot 'tank/t/a b@s'")
    together = Together.of(destroys, programs=True)
    transcript = perform(alpha, together)
    held, anew, mounted = together.judge(transcript)
    assert isinstance(held, Failed)
    assert held.failure.kind is FailureKind.BUSY
    assert isinstance(anew, Failed)
    assert anew.failure.kind is FailureKind.CHANGED
    assert mounted == Done()
    assert not together.without_programs(transcript)
    assert json.loads(transcript.outcomes["program"].stdout) == {
        "return": {
            "tank/t/a@s": "errno 16",
            "tank/t/a b@s": "another guid",
            "tank/t/c@s": "errno 16",
        }
    }


def test_the_simulator_answers_as_real_zfs_does(alpha: Machine) -> None:
    """Held, cloned, made anew, never there, a bookmark's name, another pool, a filesystem."""
    cell = machines.machine()
    more = ["zfs hold mine tank/t/a@s", "zfs clone tank/t/a@t tank/t/clone"]
    alpha.sh("set -e\n" + "\n".join(more))
    for line in made(NAMES) + more:
        assert machines.shell(cell, line).status == 0
    names = [f"{name}@{v}" for name in NAMES for v in "stu"]
    asked = shlex.join(queries.list_guids(names))
    real = dict(row.split("\t") for row in alpha.sh(asked).stdout.splitlines())
    simulated = dict(
        row.split("\t") for row in machines.shell(cell, asked).stdout.decode().splitlines()
    )
    strangers = {"tank/t/c@v": 7, "tank/t/c@none": 7, "tank/t/none@x": 7}
    cases: list[tuple[dict[str, int], dict[str, int], tuple[str, ...]]] = [
        ({}, {}, ("other/a@s", "guid 7")),
        ({}, {}, ("tank/t/c", "guid 7")),
        ({}, {}, ("tank/t/none#m", "guid 7")),
        (
            {n: int(g) for n, g in real.items()} | strangers,
            {n: int(g) for n, g in simulated.items()} | strangers,
            (),
        ),
        ({f"{NAMES[2]}@w": -1 % 2**64}, {f"{NAMES[2]}@w": -1 % 2**64}, ()),
    ]
    for on_real, on_simulated, extra in cases:
        said = [real_program(alpha, on_real, extra), simulated_program(cell, on_simulated, extra)]
        assert said[0] == said[1]
    listed = "zfs list -H -o name -t snapshot -r tank/t"
    assert alpha.sh(listed).stdout == machines.shell(cell, listed).stdout.decode()


Said = tuple[int, object, list[str]]


def real_program(machine: Machine, snapshots: dict[str, int], extra: tuple[str, ...]) -> Said:
    command = f"printf %s {shlex.quote(programs.DESTROY)} | {shlex.join(_argv(snapshots, extra))}"
    done = machine.sh(command, check=False)
    return done.returncode, json.loads(done.stdout or "0"), _told(done.stderr)


def simulated_program(cell: MemoryCell, snapshots: dict[str, int], extra: tuple[str, ...]) -> Said:
    stdin = ChunkedInput(iter([programs.DESTROY.encode()]))
    done = run(cell, _argv(snapshots, extra), clock=lambda: machines.CLOCK, stdin=stdin)
    return done.status, json.loads(done.stdout or b"0"), _told(done.stderr)


def _argv(snapshots: dict[str, int], extra: tuple[str, ...]) -> tuple[str, ...]:
    if extra:
        return ("zfs", "program", "-j", "tank", "-", *extra)
    return programs.destroy_snapshots(list(snapshots.items()))


def _told(stderr: str) -> list[str]:
    """Return what is said but for where in the program's text."""
    lines = stderr.partition("stack traceback:")[0].splitlines()
    return [
        line.removeprefix('[string "channel program"]').lstrip(":0123456789 ") for line in lines
    ]


@pytest.mark.parametrize("by_program", [False, True])
def test_five_hundred_over_thirty_filesystems(alpha: Machine, *, by_program: bool) -> None:
    """Prints how long it takes: what docs/design/004-executions.md says."""
    alpha.sh("zfs create tank/many; for n in $(seq 30); do zfs create tank/many/f$n; done")
    each = [f"s{number:02}" for number in range(17)]
    filesystems = [f"tank/many/f{number + 1}" for number in range(30)]
    alpha.sh("\n".join(f"zfs snapshot {' '.join(f'{f}@{s}' for f in filesystems)}" for s in each))
    asked = queries.list_versions([f"{f}@{s}" for f in filesystems for s in each])
    rows = parse.parse_versions(alpha.sh(shlex.join(asked)).stdout)
    destroys = [
        Destroy("alpha", f, tuple(row.version for row in rows if row.filesystem == f))
        for f in filesystems
    ]
    before, began = txg(alpha), time.monotonic()
    for part in (destroys[:25], destroys[25:]):
        together = Together.of(part, programs=by_program)
        assert together.judge(perform(alpha, together)) == [Done()] * len(part)
    seconds, groups = time.monotonic() - began, txg(alpha) - before
    print(f"{'by program' if by_program else 'one by one'}: {seconds:.1f} s, {groups} txgs")
    assert alpha.sh("zfs list -H -t snapshot -r tank/many").stdout == ""
