"""When the controller is killed, nothing it started on other hosts runs on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.server import Sshd, alive, wait_until

CONTROLLER = """
import sys
from pathlib import Path
from reconciler.hosts.addresses import HostAddress, SshAddress, SshOptions
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.script import Script, Step
from reconciler.hosts.streams import relay

way, config, pids, *ports = sys.argv[1:]
sender, receiver = (
    HostAddress(f"web{port}", SshAddress("127.0.0.1", port=int(port))) for port in ports
)
send = ("sh", "-c", f"echo $$ >>{pids}; exec cat /dev/zero")
receive = ("sh", "-c", f"echo $$ >>{pids}; exec cat >/dev/null")
options = SshOptions(Path(config))
with Fleet({"sender": sender}, options) as fleet:
    if way == "relay":
        script = Script((relay(sender, receiver, send, receive, options),))
        fleet.controller().run(script, timeout=600)
    else:
        idle = ("sh", "-c", f"echo $$ >>{pids}; sleep 1000; exit 0")
        fleet.host("sender").run(Script((Step("idle", idle, into=idle),)), timeout=600)
"""


@pytest.mark.parametrize("way", ["script", "relay"])
def test_a_killed_controller_leaves_no_process_behind(
    sshd: Sshd, second_sshd: Sshd, tmp_path: Path, way: str
) -> None:
    second_sshd.allow(sshd)
    sshd.learn(second_sshd)
    pids = tmp_path / "pids"
    ports = (str(sshd.port), str(second_sshd.port))
    argv = [sys.executable, "-c", CONTROLLER, way, str(sshd.folder / "ssh_config"), str(pids)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    controller = subprocess.Popen([*argv, *ports], env=environment)
    try:
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        assert all(alive(int(pid)) for pid in pids.read_text().split())
    finally:
        controller.kill()
        controller.wait()
    wait_until(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))
