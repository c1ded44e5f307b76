"""The systemd unit: what systemd itself says of it, and what it must not take away."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[3] / "contrib" / "systemd" / "reconciler.service"
LINES = [line for line in UNIT.read_text().splitlines() if "=" in line and line[0] not in "#;"]
SETTINGS = dict(line.split("=", 1) for line in LINES)


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(s|min)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "min": 60}[unit]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_has_nothing_against_it(tmp_path: Path) -> None:
    there = tmp_path / UNIT.name
    there.write_text(UNIT.read_text().replace("/usr/local/bin/reconciler", "/bin/true"))
    ran = subprocess.run(
        ["systemd-analyze", "verify", there], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_each_setting_is_there_once() -> None:
    names = [line.split("=", 1)[0] for line in LINES]
    assert len(names) == len(set(names))


def test_it_is_started_watched_and_ended_as_the_controller_expects() -> None:
    assert SETTINGS["Type"] == "notify"
    assert " watch " in SETTINGS["ExecStart"]
    assert SETTINGS["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert SETTINGS["Restart"] == "on-failure"
    assert SETTINGS["KillMode"] == "mixed", "streams are ended by the controller, not beside it"
    assert seconds(SETTINGS["TimeoutStopSec"]) > 30, "the controller's own grace, and some"
    assert seconds(SETTINGS["WatchdogSec"]) >= 60
    assert SETTINGS["RestartPreventExitStatus"] == "64"


def test_hardening_leaves_what_zfs_ssh_and_locks_need() -> None:
    assert "/dev/zfs rw" in SETTINGS["DeviceAllow"]
    assert "PrivateDevices" not in SETTINGS
    assert {"AF_INET", "AF_INET6", "AF_UNIX"} <= set(SETTINGS["RestrictAddressFamilies"].split())
    assert "PrivateNetwork" not in SETTINGS
    assert {"-/run/lock", "-/tmp"} <= set(SETTINGS["ReadWritePaths"].split())
    assert "PrivateTmp" not in SETTINGS, "other controllers of this machine must see its locks"
    assert SETTINGS["StateDirectory"] == "reconciler"
