import pytest

from reconciler.zfs.handover import KEPT_OFF, Properties, receive_options
from reconciler.zfs.types import FilesystemKind

FILESYSTEM, VOLUME = FilesystemKind.FILESYSTEM, FilesystemKind.VOLUME


def options(
    properties: Properties, kind: FilesystemKind = FILESYSTEM, *, raw: bool = False
) -> tuple[dict[str, str], set[str]]:
    """Return what is set and what is kept off."""
    words = receive_options(properties, kind, raw=raw)
    pairs = list(zip(words[::2], words[1::2], strict=True))
    names = [value.partition("=")[0] for _, value in pairs]
    assert len(names) == len(set(names)), "ZFS refuses a property that is named twice"
    assigned = dict(value.split("=", 1) for option, value in pairs if option == "-o")
    return assigned, {value for option, value in pairs if option == "-x"}


def test_without_a_word_in_the_spec_a_replica_is_protected_and_nothing_else() -> None:
    assert receive_options(Properties(), FILESYSTEM, raw=False) == (
        *("-x", "mountpoint", "-o", "canmount=noauto", "-o", "readonly=on"),
    )
    assert receive_options(Properties(), VOLUME, raw=True) == (
        *("-o", "readonly=on", "-o", "volmode=none"),
    )


@pytest.mark.parametrize("name", KEPT_OFF)
def test_what_would_mount_share_or_take_space_is_kept_off(name: str) -> None:
    assert name in options(Properties(send=True))[1]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("kind", FilesystemKind)
def test_our_own_marks_are_kept_off(kind: FilesystemKind, raw: bool) -> None:  # noqa: FBT001
    _, off = options(Properties(send=True), kind, raw=raw)
    assert {"reconciler:spec", "reconciler:reconcile", "reconciler:placeholder"} <= off


def test_what_comes_in_clear_is_encrypted_as_what_it_is_below_and_a_raw_stream_is_let_be() -> None:
    assert "encryption" in options(Properties(send=True))[1]
    assert "encryption" not in options(Properties(send=True), raw=True)[1]
    assert "encryption" not in options(Properties(override=(("atime", "off"),)))[1]


def test_an_override_takes_the_place_of_what_protects() -> None:
    override = (("canmount", "on"), ("mountpoint", "/srv"), ("quota", "1G"), ("readonly", "off"))
    assigned, off = options(Properties(send=True, override=override))
    assert assigned == dict(override)
    assert off.isdisjoint(assigned)


def test_what_a_kind_does_not_have_is_left_out() -> None:
    asked = Properties(True, (("atime", "off"), ("copies", "2")), ("exec", "sync"))
    assigned, off = options(asked, VOLUME)
    assert assigned == {"copies": "2", "readonly": "on", "volmode": "none"}
    assert "sync" in off
    assert off.isdisjoint({"exec", "mountpoint", "sharenfs", "quota"})


def test_excluding_what_is_set_or_kept_off_anyway_names_nothing_twice() -> None:
    _, off = options(Properties(send=True, exclude=("canmount", "mountpoint", "recordsize")))
    assert "recordsize" in off
    assert "canmount" not in off
