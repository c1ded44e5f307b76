"""When a spec set is taken for an accident."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.model import Desired
from reconciler.desired.shrink import SHOWN, shrunken
from tests.support.worlds import desired

HOSTS = ("alpha", "beta", "gamma", "delta")
NAMES = tuple(f"rep-{number}" for number in range(8))


def spec_sets() -> st.SearchStrategy[Desired]:
    """Up to eight replications with some senders and receivers each."""
    some = st.lists(st.sampled_from(HOSTS), min_size=1, max_size=4, unique=True).map(",".join)
    receivers = st.lists(st.sampled_from(["vault", "safe", "tomb"]), max_size=3, unique=True)
    ends = st.tuples(some, receivers)
    return st.dictionaries(st.sampled_from(NAMES), ends, max_size=8).map(
        lambda found: desired(
            *(
                " ".join([f"{name}: {senders} tank/{name}", *(f"-> {to}" for to in targets)])
                for name, (senders, targets) in found.items()
            )
        )
    )


@given(spec_sets())
def test_the_same_again_is_no_loss(specs: Desired) -> None:
    assert shrunken(specs, specs) is None


@given(spec_sets(), spec_sets())
def test_getting_more_is_never_suspicious(old: Desired, new: Desired) -> None:
    both = replace(new, replications={**new.replications, **old.replications})
    assert shrunken(old, both) is None


@given(spec_sets(), st.data())
def test_losing_replications_is_suspicious_by_their_number_alone(
    old: Desired, data: st.DataObject
) -> None:
    names = list(old.replications)
    kept = data.draw(st.sets(st.sampled_from(names))) if names else set()
    gone = [name for name in names if name not in kept]
    new = replace(old, replications={name: old.replications[name] for name in sorted(kept)})
    found = shrunken(old, new)
    if (names and not kept) or (len(gone) >= 2 and 2 * len(gone) > len(names)):
        assert found is not None
        assert all(name in found for name in gone)
    if len(gone) == 1 and kept and not any(_several(old, name) for name in gone):
        assert found is None


def _several(specs: Desired, name: str) -> bool:
    """Whether more than one thing goes with a replication."""
    replication = specs.replications[name]
    return len(replication.senders) > 1 or len(replication.targets) > 1


@given(spec_sets(), spec_sets())
def test_no_replications_after_some_is_always_suspicious(old: Desired, new: Desired) -> None:
    none = replace(new, replications={})
    assert (shrunken(old, none) is None) == (not old.replications)


@given(spec_sets(), spec_sets())
def test_it_says_what_is_gone_and_what_to_do_in_one_line(old: Desired, new: Desired) -> None:
    found = shrunken(old, replace(new, digest=f"sha256:{'0123456789abcdef' * 4}"))
    if found is not None:
        assert "\n" not in found
        assert "--accept-shrunken 0123456789ab." in found
        assert found.count(",") <= SHOWN + 1
