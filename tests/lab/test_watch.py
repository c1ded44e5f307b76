"""The controller left running, while things go wrong: a short version of `make soak`."""

from pathlib import Path

import pytest

from tests.lab.machines import Lab
from tests.lab.scenes import SCENES, Play, machine_is_paused, perform
from tests.lab.watching import Watching

SHORT = [scene for scene in SCENES if scene is not machine_is_paused]
"""Without the one that takes longest: a host that says nothing is given up after a minute."""


@pytest.mark.timeout(900, func_only=True)
def test_whatever_happens_it_converges_and_says_what_is_true(
    clean_lab: Lab, tmp_path: Path
) -> None:
    watching = Watching(clean_lab, tmp_path, "--resync", "1m")
    try:
        play = Play(clean_lab, watching, every="20s", slot=20)
        play.open()
        for scene in SHORT:
            print(perform(play, scene))
    finally:
        watching.kill()
