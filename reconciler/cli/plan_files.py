"""Saved plans: read whole, written whole or not at all."""

from pathlib import Path

from reconciler.controller import atomic
from reconciler.errors import PlanFileError, UsageError
from reconciler.planner.plan import Plan
from reconciler.report.plan_json import dumps, loads

_SPEC_SUFFIXES = {".yaml", ".yml"}


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; PlanFileError when it is none."""
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a saved plan: specs are given with -f")
    try:
        return loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanFileError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PlanFileError(f"{path} is not a saved plan: it is no text") from error
    except PlanFileError as error:
        raise PlanFileError(f"{path} is not a usable plan: {error}") from error


def check_name(path: Path) -> None:
    """Raise UsageError when a plan must not be written to this file."""
    if path.suffix.lower() in _SPEC_SUFFIXES:
        raise UsageError(f"--out {path}: {path.suffix} is for specs; take .json")
    if path.is_dir():
        raise UsageError(f"--out {path} is a directory")


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan for its owner's eyes only; what is there already is replaced in one step."""
    check_name(path)
    try:
        atomic.write(path, dumps(plan))
    except OSError as error:
        raise PlanFileError(f"{path} can't be written: {error.strerror}") from error
