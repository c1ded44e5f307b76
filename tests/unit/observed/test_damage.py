"""Output that was damaged on its way, or that somebody's property values try to forge."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.observed.model import Seen, Unseen
from tests.unit.observed.recording import Recording


@pytest.mark.parametrize("name", ["alpha", "alpha-missing-roots", "vault-partial"])
def test_output_that_is_cut_within_a_line_makes_the_host_unseen(name: str) -> None:
    for step, outcome in Recording(name).outcomes.items():
        if step in {"clock", "release"}:
            continue
        for length in range(len(outcome.stdout)):
            cut = outcome.stdout[:length]
            if cut and not cut.endswith("\n"):
                recording = Recording(name)
                recording.outcomes[step] = replace(outcome, stdout=cut)
                assert recording.unseen().cause


def test_a_filesystem_row_that_is_missing_makes_the_host_unseen_where_it_would_matter() -> None:
    """Not noticed: a filesystem without children and without versions."""
    lines = Recording("alpha").outcomes["filesystems"].stdout.splitlines(keepends=True)
    unnoticed = []
    for at, line in enumerate(lines):
        recording = Recording("alpha")
        recording.put("filesystems", stdout="".join([*lines[:at], *lines[at + 1 :]]))
        if isinstance(recording.read(), Seen):
            unnoticed.append(line.partition("\t")[0])
    assert unnoticed == ["tank/grammar/clone", "tank/grammar/enc/kid"]


ALPHA = Recording("alpha")
WHOLE = ALPHA.seen()
STEPS = ("pools", "features", "filesystems", "versions", "holds")


@given(
    step=st.sampled_from(STEPS),
    at=st.integers(0, 3000),
    length=st.integers(0, 30),
    put=st.one_of(st.text(max_size=10), st.sampled_from(["\t", "\n", "\t\n", "-", "@", "#", "/"])),
)
def test_damage_never_makes_up_or_hides_a_filesystem_or_version(
    step: str, at: int, length: int, put: str
) -> None:
    """Damage within a line: whole lines can't be lost between the marks of `hosts.shell`."""
    text = ALPHA.outcomes[step].stdout
    assume(at < len(text) and "\n" not in text[at : at + length])
    recording = Recording("alpha").put(step, stdout=text[:at] + put + text[at + length :])
    observation = recording.read()
    if isinstance(observation, Unseen):
        return
    assert len(observation.pools) == len(WHOLE.pools)
    assert len(observation.filesystems) == len(WHOLE.filesystems)
    for filesystem in WHOLE.filesystems.values():
        if filesystem.versions:
            found = observation.filesystems[filesystem.name]
            assert len(found.versions) == len(filesystem.versions)


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from("\t\n-@ax1")).map("".join)))
def test_a_property_value_on_a_filesystem_changes_nothing_but_itself(value: str) -> None:
    old = "\tdisabled\t-\t-\ttank/grammar/sp ace\n"
    recording = Recording("alpha").edit("filesystems", old, old.replace("disabled", value))
    observation = recording.read()
    if isinstance(observation, Unseen):
        return
    assert list(observation.filesystems) == list(WHOLE.filesystems)
    changed = observation.filesystems["tank/grammar/sp ace"]
    assert replace(changed, disabled=True) == WHOLE.filesystems["tank/grammar/sp ace"]
    assert changed.disabled == (value == "disabled")
