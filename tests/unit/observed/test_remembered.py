"""What is read with a memory of the last time is what is read without."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.observed.model import Filesystem, Observation, Seen
from reconciler.observed.remembered import Remembered
from reconciler.zfs import pieces
from tests.unit.observed.recording import Recording

NAMES = ("alpha", "alpha-missing-roots", "vault-partial")
STEPS = ("filesystems", "versions", "holds")
WWW = "tank/grammar/www"

FIELDS = ("-", "0", "7", "on", "disabled", "tank/grammar/www@a", "tank/grammar/www", "x", "")
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.sampled_from(["drop", "again", "swap", "put", "put", "cut", "back"]),
        st.integers(0, 20),
        st.integers(0, 20),
        st.sampled_from(FIELDS),
    ),
    min_size=1,
    max_size=6,
)
"""What becomes of a step's rows from one time to the next."""


@pytest.fixture(params=[1, 200, 12_000], autouse=True, scope="module")
def size(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cut listings into pieces of different sizes."""
    before = pieces.SIZE
    pieces.SIZE = request.param
    yield
    pieces.SIZE = before


def changed(text: str, how: str, place: int, other: int, field: str) -> str:
    """Return a listing with something else in it."""
    rows = text.splitlines(keepends=True)
    if not rows:
        return text
    at, to = place % len(rows), other % len(rows)
    match how:
        case "drop":
            del rows[at]
        case "again":
            rows.insert(to, rows[at])
        case "swap":
            rows[at], rows[to] = rows[to], rows[at]
        case "put":
            fields = rows[at].split("\t")
            fields[other % (len(fields) - 1)] = field
            rows[at] = "\t".join(fields)
        case "cut":
            rows[-1] = rows[-1].removesuffix("\n")
    return "".join(rows)


@given(st.sampled_from(NAMES), CHANGES)
@example("alpha", [("versions", "put", 3, 5, "7"), ("versions", "back", 0, 0, "")])
@example("alpha", [("holds", "put", 0, 1, "x"), ("versions", "again", 2, 8, "")])
@example("alpha", [("versions", "again", n, n, "") for n in range(6)])
@example("alpha", [("versions", "drop", 8, 0, ""), ("filesystems", "drop", 7, 0, "")])
def test_an_observation_is_the_same_whatever_is_remembered(
    name: str, changes: list[tuple[str, str, int, int, str]]
) -> None:
    remembered, recording = Remembered(), Recording(name)
    assert_same(recording, remembered)
    for step, how, place, other, field in changes:
        whole = Recording(name).outcomes[step].stdout
        outcome = recording.outcomes[step]
        now = whole if how == "back" else changed(outcome.stdout, how, place, other, field)
        recording.outcomes[step] = replace(outcome, stdout=now)
        assert_same(recording, remembered)


def assert_same(recording: Recording, remembered: Remembered) -> None:
    """Read twice, the second time when nothing has changed, and compare to what it should be."""
    expected = recording.read()
    for _ in range(2):
        found = recording.read(remembered)
        assert found == expected
        assert order(found) == order(expected)


def order(observation: Observation) -> list[str]:
    return list(observation.filesystems) if isinstance(observation, Seen) else []


def seen(recording: Recording, remembered: Remembered) -> Seen:
    observation = recording.read(remembered)
    assert isinstance(observation, Seen), observation
    return observation


def same(before: Seen, after: Seen) -> set[str]:
    """Return the filesystems that are the very objects they were."""
    known: dict[str, Filesystem | None] = {**before.filesystems}
    return {name for name, found in after.filesystems.items() if known.get(name) is found}


def test_where_nothing_has_changed_all_is_the_very_same() -> None:
    remembered, recording = Remembered(), Recording("alpha")
    before, after = seen(recording, remembered), seen(recording, remembered)
    assert after.filesystems is before.filesystems


@pytest.mark.parametrize(
    ("step", "old", "new"),
    [
        ("versions", "\t161\t1795434783\t", "\t161\t1000000000\t"),
        ("filesystems", f"{WWW}\tfilesystem\t", f"{WWW}\tvolume\t"),
        ("holds", "rec-step_x", "rec-step_y"),
    ],
)
def test_only_what_has_changed_is_another_object(step: str, old: str, new: str) -> None:
    remembered, recording = Remembered(), Recording("alpha")
    before = seen(recording, remembered)
    after = seen(recording.edit(step, old, new), remembered)
    assert before.filesystems.keys() - same(before, after) == {WWW}


def test_a_pool_that_is_in_trouble_by_now_has_no_filesystems_whatever_its_listings_say() -> None:
    remembered, recording = Remembered(), Recording("alpha-missing-roots")
    seen(recording, remembered)
    recording.edit("pools", "ONLINE", "SUSPENDED")
    assert_same(recording, remembered)


def test_where_something_else_is_asked_for_all_is_read_anew() -> None:
    remembered, recording = Remembered(), Recording("alpha")
    seen(recording, remembered)
    recording.roots = [WWW]
    assert_same(recording, remembered)
