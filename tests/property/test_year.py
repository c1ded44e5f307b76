"""A month on ten simulated hosts, with faults: a short version of `make year`."""

from tests.support.year import Year


def test_a_month_with_faults_violates_nothing_and_ends_well() -> None:
    year = Year(hosts=10, filesystems=20, days=30, trouble=0.05, seed=1)
    year.live()
    assert year.stage.checked > 300
    assert year.told["faults"] > 5
    assert year.stage.violations == []
    assert year.unsettled() == []
    assert year.failing() == []
    assert year.stage.violations == []
