"""The lab is what it claims: real ZFS, reachable hosts, and nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.machines import CommandError, Lab, LabError, apt, start

ROOT = Path(__file__).parents[2]


def test_every_host_has_its_pool_its_hostid_and_openzfs_2_1_11(lab: Lab) -> None:
    said = {
        name: machine.sh("hostid; zpool list -H -o name,health; zfs version").stdout.split("\n")
        for name, machine in lab.machines.items()
    }
    assert {name: lines[1] for name, lines in said.items()} == {
        "alpha": "tank\tONLINE",
        "beta": "tank\tONLINE",
        "vault": "backup\tONLINE",
    }
    assert len({lines[0] for lines in said.values()}) == 3
    for lines in said.values():
        assert lines[2].startswith("zfs-2.1.11-")
        assert lines[3].startswith("zfs-kmod-2.1.11-")


def test_the_hosts_clocks_agree_with_ours(lab: Lab) -> None:
    offsets = {name: machine.clock_offset() for name, machine in lab.machines.items()}
    assert all(abs(offset) < 2 for offset in offsets.values()), offsets


@pytest.mark.parametrize("user", ["root", "zfs"])
def test_a_sender_streams_straight_to_a_receiver(clean_lab: Lab, user: str) -> None:
    alpha, vault = clean_lab.machines["alpha"], clean_lab.machines["vault"]
    alpha.sh("zfs create tank/data && echo hello > /tank/data/file && zfs snapshot tank/data@one")
    peer = f"ssh -o BatchMode=yes -p {vault.port} {user}@{vault.peer_address}"
    prefix = "sudo -n " if user == "zfs" else ""
    alpha.sh(f"zfs send tank/data@one | {peer} '{prefix}zfs receive backup/data'")
    guids = [
        machine.sh(f"zfs get -H -o value guid {machine.pool}/data@one").stdout
        for machine in (alpha, vault)
    ]
    assert guids[0] == guids[1]
    assert vault.sh("cat /backup/data/file").stdout == "hello\n"


def test_the_unprivileged_user_may_look_and_has_sudo_for_zfs_only(clean_lab: Lab) -> None:
    alpha = clean_lab.machines["alpha"]
    as_zfs = ["ssh", "-F", str(clean_lab.ssh_config), "-l", "zfs", alpha.name]
    said = {
        command: subprocess.run([*as_zfs, command], capture_output=True, check=False).returncode
        for command in (
            "zfs list tank",
            "zfs create tank/a",
            "sudo -n zfs create tank/a",
            "sudo -n id",
        )
    }
    assert said == {
        "zfs list tank": 0,
        "zfs create tank/a": 1,
        "sudo -n zfs create tank/a": 0,
        "sudo -n id": 1,
    }


def test_a_clean_lab_is_empty_whatever_was_held_cloned_or_busy(clean_lab: Lab) -> None:
    alpha = clean_lab.machines["alpha"]
    alpha.sh(
        "zfs create -o mountpoint=/elsewhere 'tank/a b' && zfs snapshot -r tank@x"
        " && zfs hold -r keep tank@x && zfs bookmark tank@x tank#x"
        " && zfs clone 'tank/a b@x' tank/clone && zfs set lab:note=1 tank"
        " && cd /elsewhere && { sleep 1000 >/dev/null 2>&1 & }"
    )
    clean_lab.renew_pools()
    assert alpha.sh("zfs list -H -t all -o name").stdout == "tank\n"
    assert alpha.sh("zfs get -H -o value lab:note tank").stdout == "-\n"


def test_a_host_without_its_cable_is_silent_and_comes_back(clean_lab: Lab) -> None:
    beta = clean_lab.machines["beta"]
    clean_lab.disconnect("beta")
    with pytest.raises(subprocess.TimeoutExpired):
        beta.sh("true", timeout=3)
    assert not _says_it_is_ssh(beta.port)
    clean_lab.reconnect("beta")
    assert beta.sh("hostname").stdout == "beta\n"


def test_a_host_without_power_refuses_and_comes_back_with_its_pool(clean_lab: Lab) -> None:
    beta = clean_lab.machines["beta"]
    beta.sh("zfs create tank/kept && zpool sync tank")
    clean_lab.power_off("beta")
    with pytest.raises(CommandError, match="Connection refused"):
        beta.sh("true")
    clean_lab.power_on("beta")
    assert beta.sh("zfs list -H -o name -r tank").stdout == "tank\ntank/kept\n"


def test_a_command_that_fails_says_what_and_where(lab: Lab) -> None:
    with pytest.raises(CommandError, match=r"vault: zfs list nowhere: exit 1: cannot open"):
        lab.machines["vault"].sh("zfs list nowhere")


def test_down_leaves_no_process_and_no_file(lab_folder: Path) -> None:
    _by_hand("up", "--dir", str(lab_folder), "--hosts", "solo")
    pid = _pid(lab_folder)
    assert _by_hand("ssh", "--dir", str(lab_folder), "solo", "hostname").stdout == "solo\n"
    _by_hand("down", "--dir", str(lab_folder))
    assert not _runs(pid)
    assert not lab_folder.exists()


def test_a_stale_lab_is_replaced_by_the_next_one(lab_folder: Path) -> None:
    _by_hand("up", "--dir", str(lab_folder), "--hosts", "solo")
    os.kill(_pid(lab_folder), signal.SIGKILL)
    _until(lambda: not _runs(_pid(lab_folder)))
    assert "stale" in _by_hand("up", "--dir", str(lab_folder), "--hosts", "other").stdout
    assert [path.name for path in lab_folder.iterdir() if path.is_dir()] == ["other"]
    _by_hand("down", "--dir", str(lab_folder))


def test_hosts_die_with_the_program_that_started_them(lab_folder: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from tests.lab.machines import start;"
        "start(['solo'], Path(sys.argv[1])); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(lab_folder)], cwd=ROOT) as starter:
        _until((lab_folder / "solo" / "console.log").exists)
        pid = _pid(lab_folder)
        starter.kill()
    _until(lambda: not _runs(pid))


def test_a_host_that_cannot_boot_is_tried_three_times_and_explained(
    lab_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LabError, match=r"attempt 3 to boot failed(.|\n)*panic"):
        start(["solo"], lab_folder, memory=48)
    assert capsys.readouterr().out.count("trying again") == 2
    assert not lab_folder.exists()


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        pytest.param(
            "sources.list",
            "# a comment\ndeb [signed-by=/k.gpg] mirror://m/debian bookworm main non-free\n"
            "deb mirror://m/debian trixie main\ndeb-src mirror://m/debian bookworm main\n",
            [apt.Source("mirror://m/debian", ("bookworm",), ("Signed-By: /k.gpg",))],
            id="one-line",
        ),
        pytest.param(
            "sources.list.d/debian.sources",
            "Types: deb deb-src\nURIs: mirror://m/debian\n# why\nSuites: bookworm bookworm-updates"
            " bookworm-proposed-updates\nComponents: main\nSigned-By:\n KEY\n .\n\n"
            "Types: deb\nURIs: mirror://m/tool\nSuites: stable\nComponents: main\n",
            [
                apt.Source(
                    "mirror://m/debian",
                    ("bookworm", "bookworm-updates"),
                    ("Signed-By:\n KEY\n .",),
                )
            ],
            id="deb822",
        ),
    ],
)
def test_the_guests_sources_are_the_machines_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    text: str,
    expected: list[apt.Source],
) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / file).write_text(text)
    monkeypatch.setattr(apt, "MACHINE_SOURCES", tmp_path)
    assert apt.machine_sources("bookworm") == expected


def _by_hand(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.lab.machines", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)


def _pid(folder: Path) -> int:
    (process,) = json.loads((folder / "lab.json").read_text())["processes"].values()
    return int(process["pid"])


def _runs(pid: int) -> bool:
    try:
        return b"qemu" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def _until(holds: Callable[[], bool], timeout: float = 30) -> None:
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _says_it_is_ssh(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
        try:
            return connection.recv(4) == b"SSH-"
        except TimeoutError:
            return False
