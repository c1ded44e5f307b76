"""`simulate`."""

from pathlib import Path

import pytest

from tests.support.worlds import fs, replica, seen, unseen, world
from tests.unit.cli.conftest import Pretended, Runner

AT = ("--now", "2026-11-22T23:15:00Z")


def test_specs_are_forecast_without_any_host(command: Runner, hosts: Pretended) -> None:
    hosts.observed = world(unseen("alpha"), unseen("vault"))
    ran = command("simulate", "--for", "2d", *AT)
    assert ran.code == 0
    assert ran.stderr == ""
    assert "Forecast of 2d from 2026-11-22 23:15:00 UTC." in ran.stdout
    assert "made up from the patterns: tank/www, tank/www/a" in ran.stdout
    assert "The planner was asked about" in ran.stdout
    assert hosts.executed == []


def test_hosts_are_only_looked_at(command: Runner, hosts: Pretended) -> None:
    hosts.observed = world(
        seen("alpha", fs("tank/www"), fs("tank/www/x")), seen("vault", fs("backup"))
    )
    ran = command("simulate", "--for", "2d", "--observe", *AT)
    assert ran.code == 0
    assert "It begins with what the hosts have now" in ran.stdout
    assert "2 filesystems forecast" in ran.stdout
    assert hosts.executed == []


def test_a_host_that_was_not_seen_makes_it_incomplete(command: Runner, hosts: Pretended) -> None:
    hosts.observed = world(seen("alpha", fs("tank/www")), unseen("vault"))
    ran = command("simulate", "--for", "2d", "--observe", *AT)
    assert ran.code == 3
    assert "! web alpha tank/www: vault was not seen: Connection timed out" in ran.stdout


def test_what_waits_for_a_person_is_said_and_told_by_the_exit_code(
    command: Runner, hosts: Pretended
) -> None:
    there = replica("backup/alpha/tank/www", "@x,9")
    hosts.observed = world(seen("alpha", fs("tank/www", "@~23:00,1")), seen("vault", there))
    ran = command("simulate", "--for", "2d", "--observe", *AT)
    assert ran.code == 4
    assert "0 filesystems forecast, 1 left out" in ran.stdout


@pytest.mark.usefixtures("hosts")
def test_the_document_says_what_was_supposed(command: Runner) -> None:
    ran = command("simulate", "--for", "1d", "--rate", "5GiB/d", "--size", "1TiB", "--json", *AT)
    assert ran.document["format_version"] == "1.0"
    assert ran.document["until"] == "2026-11-23T23:15:00Z"
    assert ran.document["supposed"]["size"] == 2**40
    assert ran.document["supposed"]["bytes_per_second"] == 5 * 2**30 / 86_400


@pytest.mark.usefixtures("hosts")
def test_rates_come_from_a_file(command: Runner, folder: Path) -> None:
    (folder / "rates").write_text("alpha:tank/www/** 100B/s\n")
    ran = command("simulate", "--for", "1d", "--rates", "rates", "--json", *AT)
    assert ran.document["replications"][0]["bytes_per_second"] == 400.0


@pytest.mark.usefixtures("hosts")
def test_a_picture_is_drawn(command: Runner, folder: Path) -> None:
    ran = command("simulate", "--for", "1d", "--plot", "f.svg", *AT)
    assert ran.stdout.endswith("Drawn to f.svg.\n")
    assert (folder / "f.svg").read_text().startswith("<?xml")


@pytest.mark.usefixtures("hosts")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--for", "90"), "--for: `90` has no unit", id="for"),
        pytest.param(("--for", "1d", "--rate", "5"), "--rate: '5' is no rate", id="rate"),
        pytest.param(("--for", "1d", "--size", "5"), "--size: '5' is no size", id="size"),
        pytest.param(("--for", "1d", "--bandwidth", "0"), "nothing would ever arrive", id="zero"),
        pytest.param(("--for", "1d", "--rates", "none"), "--rates none: it can't be", id="no file"),
        pytest.param(("--for", "1d", "--plot", "x.gif"), "has to end with .svg", id="plot"),
        pytest.param((), "Missing option", id="no length"),
    ],
)
def test_wrong_usage_is_told(command: Runner, options: tuple[str, ...], said: str) -> None:
    ran = command("simulate", *options)
    assert ran.code == 64
    assert said in ran.stderr
