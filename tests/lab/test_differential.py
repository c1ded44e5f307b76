"""Random sequences on the simulator and on real ZFS: both must say the same and end up the same.

`DIFFERENTIAL=5000` compares about so many commands instead of 240. What differs can be looked into
with `python -m tests.support.differ`.
"""

import math
import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.lab.machines import Lab, Machine
from tests.support import reality, regressions
from tests.support.differ import Tally, generate, record
from tests.support.regressions import Case
from tests.support.sequences import LENGTH

COMMANDS = int(os.environ.get("DIFFERENTIAL", "240"))
SEEDS = range(1, 1 + math.ceil(COMMANDS / LENGTH))


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[Machine]:
    """Return a host; its own pool is not touched."""
    lab.heal()
    machine = lab.machines["alpha"]
    yield machine
    reality.clean(machine)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_sequence_goes_as_on_real_zfs(host: Machine, seed: int) -> None:
    found = Tally().add(record(host, f"seed-{seed}", generate(seed)))
    assert found is None, str(found)


@pytest.mark.parametrize("case", regressions.cases(), ids=lambda case: case.name)
def test_real_zfs_still_says_what_the_cases_say(host: Machine, case: Case) -> None:
    said = regressions.real(host, case.steps)
    assert not list(regressions.differing(case, said, Counter()))
