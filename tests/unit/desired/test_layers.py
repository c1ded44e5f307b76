"""The planner reads the resolved specs; it must not load what parses them."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["model", "selection", "diagnostics", "units", "overlap", "digest", "shrink"]
)
def test_pure_modules_load_no_third_party(module: str) -> None:
    code = (
        f"import sys, reconciler.desired.{module}\n"
        "print(*sorted({'yaml', 'pydantic', 'pydantic_core'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
