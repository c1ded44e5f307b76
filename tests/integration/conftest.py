"""The servers that the tests here talk to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.server import SSHD, Sshd


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
