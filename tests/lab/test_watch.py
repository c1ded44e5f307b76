"""The controller left running, while things go wrong: a short version of `make soak`."""

from pathlib import Path

import pytest

from tests.lab.machines import Lab
from tests.lab.scenes import (
    Play,
    controller_is_killed,
    controller_is_stopped,
    perform,
    specs_are_broken,
    sshd_is_away,
    things_are_destroyed_and_renamed,
)
from tests.lab.watching import Watching

SHORT = (
    specs_are_broken,
    sshd_is_away,
    things_are_destroyed_and_renamed,
    controller_is_killed,
    controller_is_stopped,
)


@pytest.mark.longest
@pytest.mark.timeout(1800, func_only=True)
def test_whatever_happens_it_converges_and_says_what_is_true(
    clean_lab: Lab, tmp_path: Path
) -> None:
    watching = Watching(clean_lab, tmp_path, "--resync", "1m")
    try:
        play = Play(
            clean_lab,
            watching,
            every="20s",
            slot=20,
            filesystems={"tank/data/a"},
            senders=("alpha",),
        )
        play.open()
        for scene in SHORT:
            print(perform(play, scene))
    finally:
        watching.kill()
