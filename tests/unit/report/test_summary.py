"""The table of exit codes, and that texts say the same."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import compress, product

import pytest

from reconciler.actions import CreateFilesystem, Reason
from reconciler.executor.events import RunResult
from reconciler.planner.plan import (
    Blocked,
    Conflict,
    HostState,
    Note,
    Plan,
    PlannedAction,
    Severity,
    Specs,
)
from reconciler.report.summary import ExitCode, of_plan, of_run
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from reconciler.zfs.types import Version, VersionKind

Part = Mapping[str, object]

EMPTY = Plan(at=0, specs=Specs(None, "", 0), hosts=(HostState("alpha", seen=True),))
ACTION = PlannedAction(CreateFilesystem("alpha", "tank/a"), Reason("", ""), "web")
ERROR: Part = {"notes": (Note(Severity.ERROR, "selects nothing"),)}
BETA = HostState("beta", seen=False, cause="down")
UNSEEN: Part = {"hosts": (HostState("alpha", seen=True), BETA)}
CONFLICT: Part = {"conflicts": (Conflict("web", "alpha", "tank/a", "diverged", "it diverged"),)}
VERSION = Version(VersionKind.SNAPSHOT, "a", 1, 1, 1)
BLOCKED: Part = {"blocked": (Blocked("id", "alpha", "tank/a", (VERSION,), "clock", "no"),)}
CHANGES: Part = {"actions": (ACTION,)}

KINDS = (ERROR, UNSEEN, CONFLICT, BLOCKED, CHANGES)
COMBINATIONS = [list(compress(KINDS, mask)) for mask in product([0, 1], repeat=len(KINDS))]

NOTHING_RAN = RunResult((), (), (), interrupted=False)
ALL_DONE = RunResult((ACTION,), (), (), interrupted=False)
FAILED = RunResult(
    (), ((ACTION, Failure(FailureKind.BUSY, Reaction.BUSY, "busy")),), (), interrupted=False
)
SKIPPED = RunResult((), (), (ACTION,), interrupted=False)
INTERRUPTED = RunResult((ACTION,), (), (), interrupted=True)


def made(*parts: Part) -> Plan:
    return replace(EMPTY, **{name: value for part in parts for name, value in part.items()})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "code", "detailed"),
    [
        pytest.param([], 0, 0, id="nothing"),
        pytest.param([CHANGES], 0, 2, id="changes"),
        pytest.param([CONFLICT], 4, 4, id="conflict"),
        pytest.param([BLOCKED], 4, 4, id="blocked"),
        pytest.param([CONFLICT, CHANGES], 4, 4, id="conflict over changes"),
        pytest.param([UNSEEN], 3, 3, id="unseen"),
        pytest.param([UNSEEN, CONFLICT, CHANGES], 3, 3, id="unseen over conflict"),
        pytest.param([ERROR], 1, 1, id="error"),
        pytest.param([ERROR, UNSEEN, BLOCKED, CHANGES], 1, 1, id="error over all"),
    ],
)
def test_the_exit_code_of_a_plan(parts: list[Part], code: int, detailed: int) -> None:
    assert of_plan(made(*parts)).code == code
    assert of_plan(made(*parts), detailed=True).code == detailed


@pytest.mark.parametrize(
    ("parts", "result", "code"),
    [
        pytest.param([CHANGES], ALL_DONE, 0, id="done"),
        pytest.param([CHANGES], FAILED, 3, id="failed"),
        pytest.param([CHANGES], SKIPPED, 3, id="skipped"),
        pytest.param([CHANGES, CONFLICT], ALL_DONE, 4, id="conflict"),
        pytest.param([CHANGES, BLOCKED], ALL_DONE, 4, id="blocked"),
        pytest.param([CHANGES, BLOCKED], FAILED, 3, id="failed over blocked"),
        pytest.param([CHANGES, UNSEEN], ALL_DONE, 3, id="unseen"),
        pytest.param([CHANGES, ERROR], ALL_DONE, 1, id="error"),
        pytest.param([CHANGES, ERROR], FAILED, 1, id="error over failed"),
        pytest.param([CHANGES, ERROR], INTERRUPTED, 130, id="interrupted over all"),
    ],
)
def test_the_exit_code_of_a_run(parts: list[Part], result: RunResult, code: int) -> None:
    assert of_run(made(*parts), result).code == code


@pytest.mark.parametrize("parts", COMBINATIONS)
def test_all_is_well_is_said_only_when_it_is(parts: list[Part]) -> None:
    summary = of_plan(made(*parts), detailed=True)
    all_well = "Nothing to do. The hosts match the specs." in summary.text
    assert all_well == (summary.code is ExitCode.DONE) == (parts == [])


def test_trouble_is_in_the_closing_text() -> None:
    text = of_plan(made(ERROR, UNSEEN, CONFLICT, BLOCKED, CHANGES)).text
    for said in ("1 to create", "1 error", "not seen: beta", "1 conflict", "1 version kept"):
        assert said in text


def test_a_restricted_plan_never_claims_that_all_is_well() -> None:
    assert of_plan(made({"targets": ("beta",)})).text.startswith("Nothing to do for beta;")


def test_a_run_says_what_was_not_done() -> None:
    assert of_run(made(CHANGES), FAILED).text == "Done: nothing. 1 action failed."
    assert of_run(made(CHANGES), SKIPPED).text == "Done: nothing. 1 action not begun."
    assert of_run(made(CHANGES), INTERRUPTED).text == "Interrupted. Done: 1 created."
    assert of_run(EMPTY, NOTHING_RAN).code == 0
