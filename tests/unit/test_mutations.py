"""The list of mutations fits the code: what is to be broken is there, and so are the tests."""

import re
from collections import Counter

import pytest

from tests.mutations.mutation import Mutation
from tests.mutations.mutations import MUTATIONS
from tests.mutations.tree import ROOT

EACH = pytest.mark.parametrize("mutation", MUTATIONS, ids=[m.name for m in MUTATIONS])
INVARIANTS = set(range(1, 11))
ALSO = {
    *("forecast", "on-conflict", "locks", "requests", "pages", "executions", "schedule", "window"),
    *("room", "drift"),
}
"""What keeps controllers apart, what people asked, what is shown, when: no invariants or guards."""


@EACH
def test_what_is_broken_stands_once_in_its_file_and_stays_python(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text()
    broken = mutation.applied(text)
    assert broken != text
    compile(broken, mutation.file, "exec")


@EACH
def test_the_tests_that_are_to_notice_exist(mutation: Mutation) -> None:
    assert mutation.tests
    for test in mutation.tests:
        path, *names = test.split("::")
        text = (ROOT / path).read_text()
        for name in names:
            assert re.search(rf"^ *(def|class) {re.escape(name)}\b", text, re.MULTILINE), test


def test_names_tell_mutations_apart() -> None:
    assert set(Counter(m.name for m in MUTATIONS).values()) == {1}


def test_every_invariant_and_every_guard_is_broken() -> None:
    files = ("guards.py", "objections.py")
    text = "".join((ROOT / "reconciler/planner" / file).read_text() for file in files)
    guards = set(re.findall(r'Objection\("([a-z-]+)"', text))
    about = {thing for mutation in MUTATIONS for thing in mutation.protects}

    assert len(guards) > 10
    assert about == INVARIANTS | guards | ALSO


def test_a_text_that_stands_twice_or_not_at_all_is_not_broken() -> None:
    mutation = Mutation("a", (1,), "x = 1", "x = 2", "a.py", ("t.py",))

    assert mutation.applied("x = 1\n") == "x = 2\n"
    for text in ("", "x = 1\nx = 1\n"):
        with pytest.raises(ValueError, match="not once"):
            mutation.applied(text)
