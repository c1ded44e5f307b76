from dataclasses import replace

import pytest

from reconciler.desired.model import Desired
from reconciler.desired.shrink import accepts, shrunken
from tests.support.worlds import desired

DIGEST = "sha256:" + "0123456789abcdef" * 4


def specs(*lines: str) -> Desired:
    return replace(desired(*lines), digest=DIGEST)


A, B, C, D = (f"{name}: {name}-host tank -> vault" for name in "abcd")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param([A, B, C], [A], "2 of 3 replications are gone: b, c", id="more than half"),
        pytest.param([A, B, C, D], [A, B], None, id="half"),
        pytest.param([A, B], [A], None, id="one of two"),
        pytest.param([A], [], "all replications are gone: a", id="the last one"),
        pytest.param([A, B], [C, D], "2 of 2 replications are gone: a, b", id="other names"),
        pytest.param([], [], None, id="nothing to lose"),
        pytest.param([], [A], None, id="the first one"),
    ],
)
def test_replications_that_are_gone(old: list[str], new: list[str], expected: str | None) -> None:
    found = shrunken(specs(*old), specs(*new))
    assert (found or "").startswith(f"the specs shrank: {expected}." if expected else "")
    assert (found is None) == (expected is None)


def test_labels_that_choose_no_more_than_a_few_hosts() -> None:
    old = specs("web: w1,w2,w3,w4,w5 tank -> vault")
    found = shrunken(old, specs("web: w1,w2 tank -> vault"))
    assert found is not None
    assert "3 of 5 senders are gone: web on w3, web on w4, web on w5." in found
    assert shrunken(old, specs("web: w1,w2,w3 tank -> vault")) is None


def test_targets_that_are_gone() -> None:
    old = specs("web: w1,w2 tank -> vault -> safe -> tomb")
    found = shrunken(old, specs("web: w1,w2 tank -> vault"))
    assert found is not None
    assert "4 of 6 ways to a receiver are gone: web w1 → safe, web w1 → tomb, web w2" in found


def test_many_are_named_in_part_and_counted() -> None:
    found = shrunken(specs(*(f"r{n:02}: h tank/{n}" for n in range(30))), specs(A))
    assert found is not None
    assert "r08, r09 and 20 more. Bring them back, or start" in found


def test_it_is_accepted_by_the_digits_that_it_says_itself() -> None:
    new = specs()
    found = shrunken(specs(A), new)
    assert found is not None
    digits = found.rpartition("--accept-shrunken ")[2].removesuffix(".")
    assert accepts(digits, new)
    assert accepts(DIGEST, new)
    assert accepts(DIGEST.removeprefix("sha256:"), new)


@pytest.mark.parametrize(
    "given", [None, "", "sha256:", "0123456789a", "1123456789ab", f"{DIGEST}0", "sha256:0123"]
)
def test_nothing_else_accepts_it(given: str | None) -> None:
    assert not accepts(given, specs())
