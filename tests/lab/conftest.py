"""The lab for tests: booted once for a session, or found where somebody left one running.

`pytest -n auto` runs the tests in as many labs at once as this machine has room for.
`RECONCILER_LAB=off` skips them, `RECONCILER_LAB=FOLDER` uses the lab that runs there (its pools are
emptied!). Where the lab cannot work its tests are skipped with the reason, except in continuous
integration (`CI=true`): there a lab that cannot be had is a failure.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.machines import Lab, start, why_not

_HERE = Path(__file__).parent
_WISH = os.environ.get("RECONCILER_LAB", "")


_LABS = 4
_MEMORY_OF_A_LAB = 5 << 30
"""Bytes; its hosts have a little over three."""


def pytest_xdist_auto_num_workers() -> int:
    """Return how many labs run at once: one for each core, as far as there is memory for them."""
    if _WISH:
        return 0
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(_LABS, os.cpu_count() or 1, memory // _MEMORY_OF_A_LAB))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests below this folder and give them time: the hosts are emulated.

    The longest one begins first: else one lab would wait for the other at the end.
    """
    items.sort(key=lambda item: item.get_closest_marker("longest") is None)
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            # Without the fixtures' time: the first test's includes building the image.
            item.add_marker(pytest.mark.timeout(600, func_only=True))


def _skip_if_there_can_be_no_lab() -> None:
    if _WISH == "off":
        pytest.skip("RECONCILER_LAB=off")
    if reason := why_not():
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Three hosts that run: alpha and beta (pool `tank`), vault (pool `backup`)."""
    _skip_if_there_can_be_no_lab()
    if _WISH:
        if "PYTEST_XDIST_WORKER" in os.environ:
            pytest.fail(f"RECONCILER_LAB={_WISH}: this lab is for one at a time: pytest -n 0")
        lab = Lab.attach(Path(_WISH))
        yield lab
        lab.hang_up()
        return
    capture = request.config.pluginmanager.getplugin("capturemanager")
    # A short path, because sockets lie in it; shown progress, because a build takes minutes.
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        with capture.global_and_fixture_disabled():
            lab = start(dir=Path(folder) / "run")
        yield lab
        lab.stop()


@pytest.fixture
def clean_lab(lab: Lab) -> Iterator[Lab]:
    """The lab with new, empty pools; afterwards all hosts are reachable again."""
    lab.renew_pools()
    yield lab
    lab.heal()


@pytest.fixture
def lab_folder() -> Iterator[Path]:
    """A folder for a lab of the test's own, with a path short enough for sockets."""
    _skip_if_there_can_be_no_lab()
    with tempfile.TemporaryDirectory(prefix="lab-") as parent:
        yield Path(parent) / "run"
