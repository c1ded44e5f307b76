"""What specs may say of properties is what ZFS takes; the simulator's table is from zfs_prop.c."""

import pytest

from reconciler.simulator.items import Kind
from reconciler.simulator.native import Access, table
from reconciler.zfs.named_properties import (
    ALIASES,
    CHOICES,
    ENCRYPTION,
    FIXED,
    SETTABLE,
    TOLD,
    applies,
    check_property,
    is_user_property,
)
from reconciler.zfs.names import InvalidName
from reconciler.zfs.types import FilesystemKind

KINDS = {Kind.FILESYSTEM: FilesystemKind.FILESYSTEM, Kind.VOLUME: FilesystemKind.VOLUME}
NATIVE = table("2.1.11")
NOT_ON_LINUX = {"mlslabel"}


def test_what_can_be_changed_later_is_what_zfs_lets_one_change() -> None:
    found = {
        row.name: frozenset(KINDS[kind] for kind in row.kinds if kind in KINDS)
        for row in NATIVE.values()
        if row.access in {Access.OWN, Access.INHERITED}
        and row.name not in ENCRYPTION | FIXED | NOT_ON_LINUX
    }
    assert found == SETTABLE


def test_choices_are_the_words_that_zfs_takes() -> None:
    assert {name: NATIVE[name].values for name in CHOICES} == CHOICES


def test_short_names_stand_for_what_zfs_says() -> None:
    assert {name: NATIVE[name].name for name in ALIASES} == ALIASES


@pytest.mark.parametrize("name", ["com.example:x", "a:b", ":", "a:b-c_d.e", "x:" + "y" * 253])
def test_a_user_property_has_a_colon(name: str) -> None:
    assert is_user_property(name)
    assert applies(name, FilesystemKind.VOLUME)


@pytest.mark.parametrize("name", ["x", "A:b", "-a:b", "a:b c", "a:b,c", "a:b=c", "x:" + "y" * 254])
def test_other_names_are_no_user_properties(name: str) -> None:
    assert not is_user_property(name)
    with pytest.raises(InvalidName):
        check_property(name)


def test_what_every_release_lists_can_be_asked_for() -> None:
    assert NATIVE.keys() >= TOLD
    for name in (*SETTABLE, *TOLD, "com.example:x"):
        check_property(name)
    with pytest.raises(InvalidName):
        check_property("direct")  # since 2.3: `zfs list` of 2.1 would list nothing at all
