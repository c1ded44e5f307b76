"""Memories are lent, each to one at a time, and dropped when other specs are in force."""

from contextlib import suppress

from reconciler.controller.conclusions import Conclusions
from reconciler.planner.memory import Memory


def lent(conclusions: Conclusions, *hosts: str) -> Memory:
    with conclusions.lend(hosts) as memory:
        return memory


def test_those_who_look_at_the_same_hosts_share_a_memory() -> None:
    conclusions = Conclusions()
    first = lent(conclusions, "alpha", "vault")
    assert lent(conclusions, "vault", "alpha") is first
    assert lent(conclusions, "vault") is not first


def test_two_at_a_time_have_no_memory_in_common() -> None:
    conclusions = Conclusions()
    with conclusions.lend(["alpha"]) as one, conclusions.lend(["alpha"]) as other:
        assert one is not other


def test_a_plan_that_failed_leaves_no_memory() -> None:
    conclusions = Conclusions()
    with suppress(ZeroDivisionError), conclusions.lend(["alpha"]) as first:
        raise ZeroDivisionError
    assert lent(conclusions, "alpha") is not first


def test_what_was_lent_before_other_specs_came_into_force_is_dropped() -> None:
    conclusions = Conclusions()
    kept = lent(conclusions, "vault")
    with conclusions.lend(["alpha"]) as old:
        conclusions.forget()
    assert lent(conclusions, "alpha") is not old
    assert lent(conclusions, "vault") is not kept
