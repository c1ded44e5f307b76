"""Versions kept by column: whoever looks at them sees a tuple of versions."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from reconciler.zfs.types import Version, VersionKind
from reconciler.zfs.versions import NONE, Versions, columns_of, no_holds

VERSIONS = st.lists(
    st.builds(
        Version,
        st.sampled_from(VersionKind),
        st.sampled_from(("a", "b c", "%")),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 2),
        st.sampled_from((None, 0, 1)),
        st.sampled_from((None, 0, 1)),
        st.sampled_from((None, "", "web")),
        st.sampled_from(((), ("keep",), ("a", "b"))),
    ),
    max_size=3,
).map(tuple)


def by_column(versions: tuple[Version, ...]) -> Versions:
    """Versions that nobody has looked at."""
    return Versions(columns_of(versions))


@given(VERSIONS)
def test_they_are_the_versions_they_were_made_of(versions: tuple[Version, ...]) -> None:
    kept = by_column(versions)
    assert len(kept) == len(versions)
    assert bool(kept) == bool(versions)
    assert list(kept) == list(versions)
    assert kept[:] == versions
    assert kept[1:] == versions[1:]
    assert [kept[place] for place in range(len(kept))] == list(versions)
    assert all(type(version) is Version for version in kept)
    assert all(version.kind in VersionKind for version in kept)
    assert repr(kept) == repr(versions)


@given(VERSIONS, VERSIONS)
def test_they_are_equal_when_their_versions_are(
    some: tuple[Version, ...], others: tuple[Version, ...]
) -> None:
    same = some == others
    assert (by_column(some) == by_column(others)) is same
    assert (by_column(some) == others) is same
    assert (some == by_column(others)) is same
    assert (hash(by_column(some)) == hash(others)) or not same
    assert by_column(some) != list(some)


@given(VERSIONS, VERSIONS)
def test_some_and_others_come_one_after_the_other(
    some: tuple[Version, ...], others: tuple[Version, ...]
) -> None:
    assert by_column(some) + by_column(others) == some + others


@given(VERSIONS)
def test_what_is_by_column_is_not_put_into_columns_again(versions: tuple[Version, ...]) -> None:
    kept = by_column(versions)
    assert Versions.of(kept) is kept
    assert columns_of(kept) is kept.columns


@given(VERSIONS)
def test_what_is_in_order_stays_the_same_object(versions: tuple[Version, ...]) -> None:
    rising = tuple(v._replace(createtxg=number) for number, v in enumerate(versions))
    kept = by_column(rising)
    assert kept.in_order() is kept


def test_a_copy_is_equal() -> None:
    version = Version(VersionKind.SNAPSHOT, "a", 1, 2, 3)
    kept = by_column((version,))
    assert deepcopy(kept) == kept
    assert kept[0] is kept[0]


def test_none_is_empty() -> None:
    assert Versions.of(()) is NONE
    assert not NONE
    assert no_holds(0) == ()
    assert no_holds(2) == ((), ())
