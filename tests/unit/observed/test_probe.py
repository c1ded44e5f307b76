import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.hosts.script import FieldsOf
from reconciler.observed.probe import outermost, pools_of, probe
from reconciler.zfs.names import InvalidName, is_within

ROOTS = st.lists(
    st.lists(st.sampled_from(["a", "a b", "ab", "a-b"]), min_size=1, max_size=4).map("/".join)
)


def test_eight_commands_tell_everything_however_many_roots_there_are() -> None:
    one = probe(["tank/www"])
    many = probe([f"tank/{number}" for number in range(1000)])
    names = ["release", "programs", "pools", "features"]
    names += ["filesystems", "versions", "holds", "clock"]
    assert [step.name for step in one.steps] == names
    assert [step.name for step in many.steps] == names
    assert sum(step.argv[0] in {"zfs", "zpool"} for step in many.steps) == 6


def test_without_roots_only_the_host_itself_is_asked_about() -> None:
    names = [step.name for step in probe([]).steps]
    assert names == ["release", "programs", "pools", "features", "clock"]


def test_filesystems_are_listed_by_pool_and_versions_by_root() -> None:
    steps = {step.name: step for step in probe(["tank/b", "tank/a", "dst/x", "tank/a/c"]).steps}
    assert steps["filesystems"].argv[-3:] == (steps["filesystems"].argv[-3], "dst", "tank")
    assert steps["versions"].argv[-3:] == ("dst/x", "tank/a", "tank/b")


def test_holds_are_asked_only_of_snapshots_that_have_some() -> None:
    holds = probe(["tank/www"]).steps[-2]
    assert holds.argv == ("zfs", "holds", "-H")
    assert holds.more == FieldsOf("versions", take=0, positive=4)


def test_a_root_that_is_no_name_is_refused() -> None:
    with pytest.raises(InvalidName):
        probe(["tank/www", "-r"])


@given(ROOTS)
def test_every_root_is_listed_exactly_once(roots: list[str]) -> None:
    kept = outermost(roots)
    assert all(sum(is_within(root, outer) for outer in kept) == 1 for root in roots)
    assert set(kept) <= set(roots)
    assert list(kept) == sorted(kept, key=lambda name: name.split("/"))
    assert pools_of(kept) == pools_of(roots)
