"""The channel program: what it is given, and what it is never given."""

import pytest

from reconciler.zfs import programs


def test_names_and_guids_are_arguments_and_never_options() -> None:
    """Above 2^63 a guid is negative to Lua, and getopt(3) takes what begins with - anywhere."""
    snapshots = [("tank/a@s", 5), ("tank/b c@s", 2**63), ("tank@x", 2**64 - 1)]
    argv = programs.destroy_snapshots(snapshots)
    assert argv[:5] == ("zfs", "program", "-j", "tank", "-")
    assert argv[5:] == (
        *("tank/a@s", "guid 5"),
        *("tank/b c@s", "guid -9223372036854775808"),
        *("tank@x", "guid -1"),
    )


@pytest.mark.parametrize(
    "snapshots",
    [
        pytest.param([], id="nothing"),
        pytest.param([("tank/a@s", 1)] * (programs.MOST + 1), id="too many"),
        pytest.param([("tank/a@s", 1), ("other/a@s", 2)], id="two pools"),
        pytest.param([("tank/a", 1)], id="a filesystem"),
        pytest.param([("tank/a#s", 1)], id="a bookmark"),
        pytest.param([("-n@s", 1)], id="an option"),
        pytest.param([("tank/a@s%t", 1)], id="a range"),
        pytest.param([("tank/a@s", -1)], id="a promised one"),
        pytest.param([("tank/a@s", 2**64)], id="not a guid"),
    ],
)
def test_what_is_not_for_it_is_refused(snapshots: list[tuple[str, int]]) -> None:
    with pytest.raises(ValueError, match=r"."):
        programs.destroy_snapshots(snapshots)


def test_its_answers_are_known() -> None:
    assert programs.all_destroyed(25) == '{"return":25}'
    assert programs.answered('{"return":{"tank/a@s":"errno 16"}}')
    assert not programs.answered("")
    assert not programs.answered("Channel program fully executed with no return value.\n")
