"""The specs in force: what is new in them, which hosts are known no more, what is suspended."""

from dataclasses import replace

from reconciler.controller.keys import Key
from reconciler.controller.law import Law
from reconciler.desired.model import Desired
from reconciler.hosts.addresses import HostAddress, Limits, SimulatedAddress
from reconciler.hosts.fleet import Fleet
from tests.support.worlds import desired

WEB = "web: alpha tank every 15m keep last 2 -> vault keep last 3"
DB = "db: beta tank every 1h prefix db- -> vault"


def law(*lines: str, suspended: dict[str, str] | None = None) -> Law:
    return of(desired(*lines), suspended)


def of(specs: Desired, suspended: dict[str, str] | None = None) -> Law:
    return Law.of(specs, Fleet(specs.hosts), suspended or {})


def test_at_first_everything_is_new() -> None:
    assert law(WEB, DB).new_since(None) == law(WEB, DB).keys


def test_specs_that_say_the_same_are_not_new() -> None:
    assert law(WEB, DB).new_since(law(WEB, DB)) == ()
    assert law(WEB, DB).moved_since(law(WEB, DB)) == ()


def test_new_is_what_is_said_otherwise_or_was_not_there() -> None:
    assert law(WEB, DB).new_since(law(WEB)) == (Key("db", "beta"), Key("db", "beta", "vault"))
    changed = law(WEB.replace("last 2", "last 5"), DB)
    assert {key.replication for key in changed.new_since(law(WEB, DB))} == {"web"}


def test_a_host_that_is_elsewhere_makes_its_replications_new_and_is_known_no_more() -> None:
    old = desired(WEB, DB)
    moved = HostAddress("beta", SimulatedAddress("beta.json"))
    new = replace(old, hosts={**old.hosts, "beta": moved})
    assert {key.replication for key in of(new).new_since(of(old))} == {"db"}
    assert of(new).moved_since(of(old)) == ("beta",)


def test_hosts_that_are_gone_or_have_other_roots_are_known_no_more() -> None:
    assert law(WEB).moved_since(law(WEB, DB)) == ("beta", "vault")
    assert law(WEB, DB).moved_since(law(WEB)) == ("vault",)


def test_suspending_changes_what_is_in_effect_and_nothing_that_is_said() -> None:
    before = law(WEB, DB)
    after = before.suspending({"web": "by root", "unknown": "by root"})
    assert after.effective.replications["web"].suspend
    assert not after.effective.replications["db"].suspend
    assert not after.desired.replications["web"].suspend
    assert after.generations == before.generations
    assert after.new_since(before) == ()
    assert after.suspending({}).effective == before.effective


def test_what_is_suspended_from_the_start_is_suspended() -> None:
    assert law(WEB, suspended={"web": "by root"}).effective.replications["web"].suspend


def test_the_limits_are_those_of_the_hosts() -> None:
    assert law(WEB).limits == {"alpha": Limits(), "vault": Limits()}
