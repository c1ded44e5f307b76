"""Asking all hosts: one that can't be asked is unseen, and the others are seen all the same."""

from collections.abc import Mapping
from contextlib import suppress

from reconciler.desired.model import Desired
from reconciler.errors import HostError, Unreachable
from reconciler.executor.observe import Readings, observe
from reconciler.hosts.script import Outcome, Script
from reconciler.observed.model import Seen, Unseen
from tests.support.worlds import desired
from tests.unit.executor.conftest import FakeFleet
from tests.unit.observed.recording import NOW, Recording

SPECS: Desired = desired("web: alpha tank/grammar/** -> vault")


def answer(host: str, _script: Script) -> Mapping[str, Outcome] | HostError:
    return Recording("alpha").outcomes if host == "alpha" else Unreachable(host, "timed out")


def test_a_host_that_can_not_be_asked_is_unseen_and_the_others_are_seen() -> None:
    observed = observe(SPECS, FakeFleet(answer), lambda: NOW + 0.5)  # type: ignore[arg-type]

    assert observed["alpha"] == Recording("alpha").seen()
    vault = observed["vault"]
    assert isinstance(vault, Unseen)
    assert vault.cause == "timed out"
    assert "sshd listens" in vault.remedy


def test_each_host_is_asked_once_about_all_that_matters_there() -> None:
    fleet = FakeFleet(answer)

    observed = observe(SPECS, fleet, lambda: NOW)  # type: ignore[arg-type]

    assert sorted(host for host, _ in fleet.ran) == ["alpha", "vault"]
    alpha = observed["alpha"]
    assert isinstance(alpha, Seen)
    assert alpha.listed == ("tank/grammar",)


def test_what_was_read_of_a_host_is_lent_again_and_to_one_at_a_time() -> None:
    readings = Readings()
    with readings.lend("alpha") as first, readings.lend("alpha") as second:
        assert first is not second
    with readings.lend("alpha") as again, readings.lend("vault") as other:
        assert again in {first, second}
        assert other not in {first, second}
    readings.forget(["alpha", "gone"])
    with readings.lend("alpha") as anew:
        assert anew is not again


def test_what_was_read_is_forgotten_where_reading_failed() -> None:
    readings = Readings()
    with suppress(ZeroDivisionError), readings.lend("alpha") as first:
        raise ZeroDivisionError
    with readings.lend("alpha") as second:
        assert second is not first
