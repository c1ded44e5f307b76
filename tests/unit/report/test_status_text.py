"""A controller's status in words, and the exit code that goes with it."""

from dataclasses import replace

import pytest
from hypothesis import given

from reconciler.report.lines import Line, Style, text_of
from reconciler.report.status import (
    Blockage,
    Condition,
    ConditionType,
    ControllerStatus,
    Lag,
    Phase,
    Truth,
    Way,
)
from reconciler.report.status_json import dump
from reconciler.report.status_text import status_exit, status_lines
from reconciler.report.status_words import lag_text, message_of, worst_lag
from reconciler.report.summary import ExitCode
from tests.support.statuses import (
    ARCHIVE,
    BEGINNING,
    BUSY,
    DATABASE,
    HOSTILE,
    QUIET,
    SPECS,
    WEB,
    a_condition,
    a_host,
    lag,
    not_ready,
    ready,
    renamed,
    statuses,
)
from tests.support.worlds import NOW

HOUR = 3600


def shown(status: ControllerStatus, now: int = NOW) -> str:
    return text_of(status_lines(status, now))


def test_a_quiet_controller_is_two_tables_and_a_verdict() -> None:
    assert shown(QUIET) == (
        "Controller reconciler@ctl pid 812, version 0.1.0, up 3d00h.\n"
        "Specs /srv/specs.git@main at 4e04f8d2 (7 objects), loaded 6h00m ago.\n"
        "\n"
        "Replications\n"
        "  NAME  READY  WORST LAG        NEXT DUE   MESSAGE\n"
        "  web   yes    20m00s of 1h00m  in 10m00s  all is as the specs say\n"
        "\n"
        "Hosts\n"
        "  NAME   READY  HEARING  LAST SEEN  POOLS                        MESSAGE\n"
        "  vault  yes    events   40s ago    backup ONLINE, 4.0 TiB free  seen\n"
        "  web1   yes    events   40s ago    tank ONLINE, 931 GiB free    seen\n"
        "\n"
        "The replication is ready.\n"
    )


@pytest.mark.parametrize(
    "said",
    [
        "archive   suspended  1d06h of 2d00h           -          disks are being swapped (anna",
        "database  no         nothing yet, goal 1d00h  in 40s     blocked on vault backup/db1/tank",
        "home      unknown    50m00s of 1h00m          in 5m00s   2 streams run",
        "offsite  no     polling  1d02h ago",
        "tank DEGRADED, 1.0 GiB free",
        "31.0 GiB of ~84.0 GiB (36%), 106 MiB/s, 8m33s left  # home",
        "! vault backup/db1/tank/db  diverged: 2 snapshots there",
        "# database, diverged",
        "      only on vault: @manual (guid 20015998343868)",
        "      remedy: look at the plan, then: reconciler apply --allow-destroy database",
        "! db1 → offsite  offsite: Connection timed out  # database",
        "tries again in 4m00s after 6 failures",
        "! For 25m00s the newest specs are not in force:\n  specs/web.yaml:14:5: ",
    ],
)
def test_on_a_bad_day_nothing_is_left_unsaid(said: str) -> None:
    assert said in shown(BUSY)


def test_the_last_line_sums_it_up() -> None:
    assert shown(BUSY).splitlines()[-1] == (
        "1 of 3 replications ready. The newest specs are not in force. 1 host not ready: offsite."
        " 3 over the lag goal. 2 blocked. 1 suspended."
    )


def test_before_any_specs_are_in_force_that_is_said() -> None:
    assert shown(BEGINNING) == (
        "Controller reconciler@ctl pid 812, version 0.1.0, up 3d00h.\n"
        "Specs specs: none are in force.\n"
        "! For 20s the newest specs are not in force:\n"
        "  specs: there are no spec files\n"
        "\n"
        "No replications. The controller is not ready yet. The newest specs are not in force.\n"
    )


def test_an_old_heartbeat_is_said_before_all_else() -> None:
    assert "hangs" not in shown(QUIET, NOW + 59)
    text = shown(QUIET, NOW + 7200)
    assert "was last seen at work 2h00m ago: it does not run, or hangs." in text
    assert text.index("was last seen at work") < text.index("Replications")


def test_what_waits_for_a_person_is_coloured_as_such() -> None:
    styles = {" ".join(line.head.split()[:2]): line.style for line in status_lines(BUSY, NOW)}
    assert styles["database no"] is Style.ERROR
    assert styles["archive suspended"] is Style.QUIET
    assert styles["web yes"] is Style.PLAIN
    assert styles["nas yes"] is Style.WARNING
    assert styles["! vault"] is Style.WARNING


def test_hosts_words_can_not_steer_the_terminal_or_break_the_table() -> None:
    lines = list(status_lines(renamed(BUSY, HOSTILE), NOW))
    assert all(str(line).isprintable() for line in lines)
    assert not any("\n" in str(line) for line in lines)


@given(statuses)
def test_every_status_can_be_shown(status: ControllerStatus) -> None:
    lines: list[Line] = list(status_lines(status, NOW))
    assert all(str(line).isprintable() for line in lines)


def test_many_blocked_things_are_counted() -> None:
    many = replace(WEB, blocked=tuple(Blockage("vault", f"b/{i}", "x", "m") for i in range(30)))
    text = shown(replace(QUIET, replications=(many,)))
    assert "and 10 more; --json shows all" in text


def with_replication(**changes: object) -> ControllerStatus:
    return replace(QUIET, replications=(replace(WEB, **changes),))  # type: ignore[arg-type]


BLOCKED = DATABASE.blocked
FAILED_WAY = Way("web1", "vault", Phase.RETRYING, NOW + 5, 1, "Connection reset")
NOT_READY = not_ready("ReconciliationFailed", "it failed")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(QUIET, ExitCode.DONE, id="all is ready"),
        pytest.param(replace(QUIET, replications=(ARCHIVE,)), ExitCode.DONE, id="suspended"),
        pytest.param(replace(QUIET, ready=False), ExitCode.INCOMPLETE, id="not ready yet"),
        pytest.param(
            replace(QUIET, specs=replace(SPECS, problem="x")), ExitCode.INCOMPLETE, id="specs"
        ),
        pytest.param(
            replace(QUIET, hosts=(a_host("a", conditions=NOT_READY),)),
            ExitCode.INCOMPLETE,
            id="a host is unseen",
        ),
        pytest.param(
            replace(QUIET, hosts=(a_host("a", conditions=()),)),
            ExitCode.INCOMPLETE,
            id="nothing is known of a host",
        ),
        pytest.param(with_replication(conditions=NOT_READY), ExitCode.INCOMPLETE, id="failed"),
        pytest.param(with_replication(blocked=BLOCKED), ExitCode.BLOCKED, id="a guard objected"),
        pytest.param(
            with_replication(conditions=NOT_READY, blocked=BLOCKED),
            ExitCode.BLOCKED,
            id="not ready because it is blocked",
        ),
        pytest.param(
            with_replication(conditions=NOT_READY, blocked=BLOCKED, ways=(FAILED_WAY,)),
            ExitCode.INCOMPLETE,
            id="blocked, and another way fails",
        ),
        pytest.param(BUSY, ExitCode.INCOMPLETE, id="all at once"),
    ],
)
def test_the_exit_code_says_the_gravest(status: ControllerStatus, code: ExitCode) -> None:
    assert status_exit(status) is code
    assert dump(status)["exit_code"] == code


@pytest.mark.parametrize(
    ("seconds", "max_lag", "said"),
    [
        (300, HOUR, "5m00s of 1h00m"),
        (300, None, "5m00s"),
        (None, HOUR, "nothing yet, goal 1h00m"),
        (None, None, "nothing yet"),
    ],
)
def test_lag_is_said_against_its_goal(seconds: int | None, max_lag: int | None, said: str) -> None:
    assert lag_text(lag("a", "t", "v", seconds, max_lag), NOW) == said


RECONCILING = ConditionType.RECONCILING


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        pytest.param((), "", id="nothing is known"),
        pytest.param(ready("fine"), "fine", id="ready"),
        pytest.param(
            (*ready("fine"), a_condition(RECONCILING, Truth.TRUE, "Progressing", "it sends")),
            "it sends",
            id="ready and busy",
        ),
        pytest.param(
            (*NOT_READY, a_condition(RECONCILING, Truth.TRUE, "Retrying", "it is tried again")),
            "it failed",
            id="why it is not ready is more than that it is tried again",
        ),
        pytest.param(
            (*NOT_READY, a_condition(ConditionType.STALLED, Truth.TRUE, "X", "a person is needed")),
            "it failed",
            id="why it is not ready is more than that it is stalled",
        ),
    ],
)
def test_the_message_is_what_matters_most(conditions: tuple[Condition, ...], said: str) -> None:
    assert message_of(replace(WEB, conditions=conditions)) == said


def test_the_worst_lag_is_what_is_farthest_beyond_its_goal() -> None:
    lags: list[Lag] = [
        lag("a", "t/no-goal", "v", 10 * HOUR, None),
        lag("a", "t/near", "v", HOUR - 1, HOUR),
        lag("a", "t/late", "v", 2 * HOUR, HOUR),
        lag("a", "t/never", "v", None, HOUR),
    ]
    assert worst_lag(lags, NOW) is lags[3]
    assert worst_lag(lags[:3], NOW) is lags[2]
    assert worst_lag(lags[:2], NOW) is lags[1]
    assert worst_lag(lags[:1], NOW) is lags[0]
    assert worst_lag([], NOW) is None
    assert lag_text(None, NOW) == "-"
