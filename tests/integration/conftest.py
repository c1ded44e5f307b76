"""The servers that the tests here talk to."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pair import Pair
from tests.integration.server import SSHD, Sshd, wait_until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)
            if not SSHD.exists():
                item.add_marker(pytest.mark.skip(reason=f"{SSHD} is not installed"))


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "sshd")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def second_sshd(tmp_path: Path) -> Iterator[Sshd]:
    server = Sshd(tmp_path / "second")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def pair(sshd: Sshd, second_sshd: Sshd) -> Iterator[Pair]:
    pair = Pair(sshd, second_sshd)
    with pair.fleet:
        yield pair


@pytest.fixture
def agent(sshd: Sshd) -> Iterator[Path]:
    """Give the sender a key by an agent: its own ssh does not read our configuration."""
    sock = sshd.folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
    wait_until(sock.exists)
    environment = {**os.environ, "SSH_AUTH_SOCK": str(sock)}
    subprocess.run(["ssh-add", "-q", sshd.client_key], env=environment, check=True)
    sshd.start(SSH_AUTH_SOCK=str(sock))
    yield sock
    process.terminate()
    process.wait()
