"""Filesystems made up from patterns."""

import pytest

from reconciler.forecast.invent import invented, names_for
from reconciler.observed.model import Seen
from tests.support.worlds import NOW, desired


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        pytest.param("tank/www", ["tank/www"], id="a name"),
        pytest.param(
            "tank/www/**", ["tank/www", "tank/www/a", "tank/www/b", "tank/www/c"], id="a subtree"
        ),
        pytest.param("tank/vm-*", ["tank/vm-a", "tank/vm-b", "tank/vm-c"], id="a wildcard"),
        pytest.param("tank/**/db", ["tank/db"], id="levels in between"),
        pytest.param("tank/x/** !tank/x !tank/x/b", ["tank/x/a", "tank/x/c"], id="excludes"),
        pytest.param("tank/a/** tank/a", ["tank/a", "tank/a/a", "tank/a/b", "tank/a/c"], id="both"),
    ],
)
def test_names_fit_the_patterns(patterns: str, names: list[str]) -> None:
    found = names_for(desired(f"web: alpha {patterns} -> vault").replications["web"])
    assert list(found) == names


def test_hosts_have_pools_and_parents_for_all_that_is_named() -> None:
    world = invented(desired("web: alpha tank/www -> vault backup/{host}"), NOW)
    alpha, vault = world["alpha"], world["vault"]
    assert isinstance(alpha, Seen)
    assert isinstance(vault, Seen)
    assert list(alpha.filesystems) == ["tank", "tank/www"]
    assert list(vault.filesystems) == list(vault.pools) == ["backup"]
