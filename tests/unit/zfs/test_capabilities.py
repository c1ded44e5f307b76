import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.zfs.capabilities import (
    FEATURES,
    StreamFlags,
    VersionError,
    ZfsVersion,
    parse_zfs_version,
    stream_flags,
)

ALL_ON = dict.fromkeys(FEATURES, "enabled")
FEATURE_STATES = st.fixed_dictionaries(
    {feature: st.sampled_from(["disabled", "enabled", "active"]) for feature in FEATURES}
)


@pytest.mark.parametrize(
    ("text", "userland", "kernel"),
    [
        ("zfs-2.1.11-1+deb12u1\nzfs-kmod-2.1.11-1+deb12u1\n", (2, 1, 11), (2, 1, 11)),
        ("zfs-2.3.2-2~bpo12+2\nzfs-kmod-2.1.11-1\n", (2, 3, 2), (2, 1, 11)),
        ("zfs-2.2.99-123_gabcdef\nzfs-kmod-2.2.99-123_gabcdef\n", (2, 2, 99), (2, 2, 99)),
        ("zfs-2.1.4-FreeBSD_g52bad4f23\nzfs-kmod-v2022\n", (2, 1, 4), None),
    ],
)
def test_the_releases_of_commands_and_module_are_read(
    text: str, userland: tuple[int, ...], kernel: tuple[int, ...] | None
) -> None:
    versions = parse_zfs_version(text)
    assert versions.userland == userland
    assert versions.kernel == kernel


@pytest.mark.parametrize("text", ["", "zfs-kmod-2.1.11\n", "usage: zfs command args\n"])
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(VersionError):
        parse_zfs_version(text)


def test_releases_are_ordered_by_number_and_print_as_such() -> None:
    assert ZfsVersion(2, 1, 11) > ZfsVersion(2, 1, 9)
    assert ZfsVersion(2, 2, 0) > ZfsVersion(2, 1, 11)
    assert str(ZfsVersion(2, 1, 11)) == "2.1.11"


def test_between_two_modern_pools_everything_stays_as_it_is_on_disk() -> None:
    flags = stream_flags(ALL_ON, ALL_ON, encrypted=False, receiver_encrypted=False)
    assert flags.options == ("-L", "-c", "-e")


def test_an_encrypted_filesystem_is_sent_raw_and_nothing_else() -> None:
    flags = stream_flags(ALL_ON, ALL_ON, encrypted=True, receiver_encrypted=False)
    assert flags.options == ("-w",)


def test_embedded_blocks_are_never_sent_into_an_encrypted_filesystem() -> None:
    flags = stream_flags(ALL_ON, ALL_ON, encrypted=False, receiver_encrypted=True)
    assert flags.options == ("-L", "-c")


@pytest.mark.parametrize(
    ("feature", "lost"),
    [("large_blocks", "-L"), ("lz4_compress", "-c"), ("embedded_data", "-e")],
)
@pytest.mark.parametrize("state", [{}, "disabled"])
def test_what_the_receiving_pool_can_not_hold_is_not_sent(
    feature: str, lost: str, state: str | dict[str, str]
) -> None:
    receiver = {name: "enabled" for name in FEATURES if name != feature}
    if isinstance(state, str):
        receiver[feature] = state
    flags = stream_flags(ALL_ON, receiver, encrypted=False, receiver_encrypted=False)
    assert flags.options == tuple(option for option in ("-L", "-c", "-e") if option != lost)


def test_zstd_blocks_are_sent_compressed_only_to_a_pool_that_knows_zstd() -> None:
    sender = {**ALL_ON, "zstd_compress": "active"}
    receiver = {**ALL_ON, "zstd_compress": "disabled"}
    assert not stream_flags(sender, receiver, encrypted=False, receiver_encrypted=False).compressed
    assert stream_flags(sender, ALL_ON, encrypted=False, receiver_encrypted=False).compressed
    assert stream_flags(ALL_ON, receiver, encrypted=False, receiver_encrypted=False).compressed


@given(sender=FEATURE_STATES, receiver=FEATURE_STATES, inside_encrypted=st.booleans())
def test_large_blocks_stay_on_when_features_are_enabled_later(
    sender: dict[str, str], receiver: dict[str, str], *, inside_encrypted: bool
) -> None:
    def flags(one: dict[str, str], other: dict[str, str]) -> StreamFlags:
        return stream_flags(one, other, encrypted=False, receiver_encrypted=inside_encrypted)

    if flags(sender, receiver).large_blocks:
        assert flags(sender, ALL_ON).large_blocks
        assert flags(ALL_ON, receiver).large_blocks
