"""Many hosts are observed at once, with few threads and connections."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.executor.observe import AT_ONCE
from reconciler.hosts.ssh import idle
from reconciler.hosts.ssh.idle import Idle
from reconciler.observed.model import Seen
from tests.bench.crowd import FILESYSTEMS, VERSIONS, Crowd

pytestmark = pytest.mark.timeout(300)

HOSTS, MOST_IDLE = 60, 10


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    crowd = Crowd(tmp_path, HOSTS)
    yield crowd
    crowd.close()


def test_each_host_is_seen_for_itself_and_few_connections_stay_open(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.hosts.ssh.line.IDLE", Idle(MOST_IDLE))

    found = crowd.look()

    for number, name in enumerate(crowd.names):
        seen = found.observed[name]
        assert isinstance(seen, Seen), seen
        assert seen.pools["tank"].guid == number + 1
        versions = [len(fs.versions) for fs in seen.filesystems.values() if fs.versions]
        assert versions == [VERSIONS] * FILESYSTEMS
    assert found.left == MOST_IDLE
    assert found.used.connections <= AT_ONCE + MOST_IDLE


def test_the_bound_for_a_thousand_hosts_is_far_below_their_number() -> None:
    assert AT_ONCE + idle.MOST_IDLE < 100
