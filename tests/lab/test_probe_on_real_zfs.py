"""The probe as one execution on a real host, and what is made of odd things it finds there."""

import shlex

import pytest

from reconciler.hosts.addresses import Privilege
from reconciler.hosts.shell import read, render
from reconciler.observed.model import Observation, Seen, Unseen
from reconciler.observed.probe import probe
from reconciler.observed.read import read_probe
from reconciler.zfs import commands
from reconciler.zfs.names import is_within
from tests.lab.machines import Lab, Machine

TOP = "tank/grammar"
WWW = f"{TOP}/www"
NOW = 1_800_000_000
NONCE = "0123456789abcdef"

# A FIFO that is open for writing too never ends: the lifeline that a rendered script wants.
_RUN = "cd /tmp && rm -f line && mkfifo line && cat >probe && sh probe <>line"


@pytest.fixture
def alpha(clean_lab: Lab) -> Machine:
    """Return a host with a placeholder, a filesystem with versions and an encrypted one."""
    machine = clean_lab.machines["alpha"]
    steps = [
        shlex.join(commands.create_placeholder(TOP)),
        f"zfs create -o mountpoint=/{WWW} {WWW}",
        f"zfs create {WWW}/kid",
        f"echo secretsecret | zfs create -o encryption=on -o keyformat=passphrase {TOP}/enc",
        f"zfs unload-key {TOP}/enc",
        shlex.join(commands.snapshot([f"{WWW}@b"], "daily")),
        shlex.join(commands.snapshot([f"{WWW}@a", f"{WWW}/kid@x"], "daily")),
        shlex.join(commands.bookmark(f"{WWW}@b", f"{WWW}#cursor")),
        shlex.join(commands.hold("sp ace", [f"{WWW}@b"])),
    ]
    machine.sh("set -e\n" + "\n".join(steps))
    return machine


def look(machine: Machine, *roots: str) -> Observation:
    script = probe(roots)
    text = render(script, nonce=NONCE, privilege=Privilege.NONE)
    done = machine.sh(_RUN, input=text.encode())
    transcript = read(NONCE, done.stdout, done.stderr, script, host=machine.name)
    return read_probe(machine.name, roots, transcript, NOW)


def seen(machine: Machine, *roots: str) -> Seen:
    observation = look(machine, *roots)
    assert isinstance(observation, Seen), observation
    return observation


def below_top(found: Seen) -> list[str]:
    return [name for name in found.filesystems if is_within(name, TOP)]


def unseen(machine: Machine, *roots: str) -> Unseen:
    observation = look(machine, *roots)
    assert isinstance(observation, Unseen), observation
    return observation


def test_everything_is_seen_although_roots_and_pools_are_missing(alpha: Machine) -> None:
    found = seen(alpha, WWW, f"{WWW}/kid", "tank/no", "nopool/x")
    assert found.listed == (WWW, "tank/no")
    assert list(found.pools) == ["tank"]
    assert below_top(found) == [TOP, f"{TOP}/enc", WWW, f"{WWW}/kid"]
    assert "tank" in found.filesystems
    assert [fs.name for fs in found.filesystems.values() if fs.placeholder] == [TOP]
    www = found.filesystems[WWW]
    assert [version.label for version in www.versions] == ["#cursor", "@b", "@a"]
    assert [version.spec for version in www.versions] == [None, "daily", "daily"]
    assert [version.holds for version in www.versions] == [(), ("sp ace",), ()]
    enc = found.filesystems[f"{TOP}/enc"]
    assert (enc.encryption != "off", enc.keystatus) == (True, "unavailable")
    assert enc.encryptionroot == enc.name
    assert seen(alpha).filesystems == {}


def test_a_property_that_would_forge_rows_makes_the_host_unseen(alpha: Machine) -> None:
    before = seen(alpha, TOP)
    forged = (
        f"x\t-\t-\t{WWW}\ntank/forged\tfilesystem\t1\t1\t1\t1\t1\toff\t-\t-\t-\toff\tno\t-\t0\tx"
    )
    alpha.sh(shlex.join(["zfs", "set", f"reconciler:spec={forged}", WWW]))
    assert "can't be read" in unseen(alpha, TOP).cause
    alpha.sh(f"zfs inherit reconciler:spec {WWW}")
    assert seen(alpha, TOP).filesystems.keys() == before.filesystems.keys()


def test_a_spec_on_a_filesystem_is_not_taken_for_its_snapshots(alpha: Machine) -> None:
    alpha.sh(f"zfs snapshot {WWW}@foreign && zfs set reconciler:spec=daily {WWW}")
    found = seen(alpha, TOP).filesystems
    assert {version.spec for version in found[WWW].versions} == {None}
    alpha.sh(f"zfs set reconciler:spec=other {WWW}; zfs set reconciler:reconcile=disabled {TOP}")
    found = seen(alpha, TOP).filesystems
    specs = {version.label: version.spec for version in found[WWW].snapshots}
    assert specs == {"@b": "daily", "@a": "daily", "@foreign": None}
    assert {name for name, fs in found.items() if fs.disabled} == set(below_top(seen(alpha, TOP)))


def test_hold_tags_with_tabs_are_read_and_with_line_ends_refused(alpha: Machine) -> None:
    alpha.sh(shlex.join(["zfs", "hold", "ta\tb", f"{WWW}@a"]))
    assert seen(alpha, WWW).filesystems[WWW].snapshots[1].holds == ("ta\tb",)
    alpha.sh(shlex.join(["zfs", "hold", "new\nline", f"{WWW}@a"]))
    assert "not a snapshot, a tag and a date" in unseen(alpha, WWW).cause
