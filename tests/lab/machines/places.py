"""Where the lab keeps its things: nothing inside the source tree."""

import os
from pathlib import Path

GUEST_FILES = Path(__file__).parent / "guest"


def cache() -> Path:
    """Return the folder of built images, each under the hash of its recipe."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "reconciler-lab"


def default_run() -> Path:
    """Return the folder of the lab that is started by hand when no other is named."""
    state = os.environ.get("XDG_STATE_HOME")
    return Path(state) / "reconciler-lab" / "run" if state else cache() / "run"
