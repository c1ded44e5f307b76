"""Idle connections: how many stay open, and which."""

from reconciler.hosts.ssh.idle import Idle


class Holder:
    """Holds a connection."""

    def __init__(self) -> None:
        self.is_open = True

    def retire(self) -> None:
        self.is_open = False


def used(idle: Idle, *holders: Holder) -> None:
    """Use a connection after the other."""
    for holder in holders:
        holder.is_open = True
        idle.take(holder)
        idle.put(holder)


def test_the_longest_idle_connection_is_closed_when_there_are_too_many() -> None:
    idle, (first, second, third) = Idle(2), [Holder() for _ in range(3)]

    used(idle, first, second, first, third)

    assert [holder.is_open for holder in (first, second, third)] == [True, False, True]


def test_what_is_used_is_not_idle() -> None:
    idle, (first, second) = Idle(1), [Holder() for _ in range(2)]

    used(idle, first)
    idle.take(first)
    used(idle, second)

    assert first.is_open
    assert second.is_open
