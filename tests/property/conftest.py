"""How much is tried: `HYPOTHESIS_PROFILE=long` for a night, else what fits into every run."""

import os

import pytest
from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "default", max_examples=100, deadline=None, suppress_health_check=_SLOW, print_blob=True
)
settings.register_profile("long", settings.get_profile("default"), max_examples=5000)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
settings.load_profile(_PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long profile takes its time."""
    if _PROFILE != "default":
        for item in items:
            item.add_marker(pytest.mark.timeout(0))
