"""`make soak`: a controller for so many minutes on three hosts, while everything goes wrong."""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

from tests.lab.machines import start
from tests.lab.scenes import SCENES, Play, perform
from tests.lab.watching import Watching


def main() -> None:
    """Run the scenes one after the other until the time is over, each at least once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--every", default="1m")
    parser.add_argument("--slot", type=int, default=60, help="what --every is, in seconds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        lab = start(dir=Path(folder) / "run")
        watching = Watching(lab, Path(folder), "--resync", "2m")
        try:
            play = Play(lab, watching, arguments.every, arguments.slot)
            play.open()
            until = time.monotonic() + 60 * arguments.minutes
            for number, scene in enumerate(itertools.cycle(SCENES)):
                if number >= len(SCENES) and time.monotonic() > until:
                    break
                print(perform(play, scene), flush=True)
            print(f"CPU of the controller since its last start: {watching.cpu_seconds:.1f} s")
        finally:
            watching.kill()
            lab.stop()


if __name__ == "__main__":
    main()
