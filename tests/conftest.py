"""How much hypothesis tries: `HYPOTHESIS_PROFILE=long` for a night, else what fits into every run.

In continuous integration the same examples are tried every time: a run there is about the change,
not about luck. `make property` by hand looks for new ones. `make mutations` wants to know whether
anything fails, not the simplest thing that does.
"""

import os
import signal
import threading

import pytest
from hypothesis import HealthCheck, Phase, settings

# What a shell runs in the background begins with SIGINT ignored, and so does all that it starts.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")

settings.register_profile(
    "default",
    max_examples=100,
    deadline=None,
    suppress_health_check=_SLOW,
    print_blob=True,
    derandomize=os.environ.get("CI") == "true",
)
settings.register_profile(
    "long", settings.get_profile("default"), max_examples=5000, derandomize=False
)
settings.register_profile(
    "mutations", settings.get_profile("default"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(_PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Properties are as slow as the machine is busy; the long profile takes its time."""
    for item in items:
        if _PROFILE == "long":
            item.add_marker(pytest.mark.timeout(0))
        elif "property" in item.path.parts:
            item.add_marker(pytest.mark.timeout(300))
