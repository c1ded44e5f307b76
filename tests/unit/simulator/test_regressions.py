"""Sequences about which the simulator and real ZFS once differed, against what real ZFS said."""

from collections import Counter

import pytest

from tests.support import regressions
from tests.support.accepted import ACCEPTED
from tests.support.regressions import Case

CASES = regressions.cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_simulator_says_what_real_zfs_said(case: Case) -> None:
    assert not list(regressions.differing(case, regressions.simulated(case.steps), Counter()))


def test_each_accepted_difference_has_a_case_that_shows_it() -> None:
    hits: Counter[str] = Counter()
    for case in CASES:
        list(regressions.differing(case, regressions.simulated(case.steps), hits))
    assert set(hits) == {accepted.name for accepted in ACCEPTED}


def test_a_case_that_is_written_reads_back() -> None:
    for case in CASES:
        again = regressions.read(case.name, regressions.write(case.why, case.forms))
        assert again == case
