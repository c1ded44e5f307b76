"""Versions that were not asked for, next to those that were."""

import pytest

from reconciler.observed.checks import check_groups
from reconciler.observed.trouble import Trouble
from reconciler.zfs.versions import NONE, Versions


def check(*filesystems: str, roots: tuple[str, ...]) -> None:
    """Check a listing that has these filesystems, none of which was let pass before."""
    found: dict[str, Versions] = dict.fromkeys(filesystems, NONE)
    check_groups(found, roots, set(filesystems), lambda _, __: False)


def test_all_that_is_below_a_root_was_asked_for() -> None:
    check("tank/a", "tank/a/x", "tank/a/y", "tank/a/x/z", roots=("tank/a",))
    check("tank", "tank/a", "tank/b/c", roots=("tank",))
    check("tank/b", "tank/a", roots=("tank/a", "tank/b"))


@pytest.mark.parametrize("unasked", ["tank", "tank/b", "tank/ab", "tank/b/x", "dozer/a"])
def test_what_is_beside_a_root_was_not(unasked: str) -> None:
    for listed in (("tank/a", "tank/a/x", unasked), (unasked, "tank/a", "tank/a/x")):
        with pytest.raises(Trouble, match=f"versions of {unasked} were listed unasked"):
            check(*listed, roots=("tank/a",))
