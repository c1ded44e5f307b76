"""What streams pass, in plans: shown, saved and read back."""

from dataclasses import replace

import pytest

from reconciler.errors import PlanFileError
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.report.fields import Fields
from reconciler.report.piping_json import piping_object, read_piping
from reconciler.report.plan_json import dumps, loads
from reconciler.report.plan_text import plan_lines
from reconciler.zfs.piping import PROGRAMS, End, Piping, Wanted
from tests.support.worlds import NOW, desired, fs, seen, world

PIPED = Piping(7, 1 << 27, (End.SENDER,), 1 << 20, "pv", End.RECEIVER)


def planned(wanted: Wanted) -> Plan:
    specs = desired("web: alpha tank/www keep last 9 -> vault keep last 9")
    web = specs.replications["web"]
    web = replace(web, targets=(replace(web.targets[0], piping=wanted),))
    hosts = (seen("alpha", fs("tank/www", "@~23:00,1")), seen("vault", fs("backup")))
    found = world(*(replace(host, programs=frozenset(PROGRAMS)) for host in hosts))
    return plan(replace(specs, replications={"web": web}), found, NOW)


def test_a_plan_shows_it() -> None:
    text = "\n".join(map(str, plan_lines(planned(Wanted(3, 1 << 27, 1 << 20)), explain=False)))
    assert "full, zstd-3, buffer 128 MiB, at most 512 KiB/s" in text


def test_a_plan_without_it_has_no_word_of_it() -> None:
    assert '"piping"' not in dumps(planned(Wanted()))


def test_a_saved_plan_has_it() -> None:
    whole = planned(Wanted(3, 1 << 27, 1 << 20))
    assert loads(dumps(whole)) == whole


def test_it_is_read_back_exactly() -> None:
    assert read_piping(Fields(piping_object(PIPED))) == PIPED


@pytest.mark.parametrize(("name", "value"), [("limited_at", "moon"), ("buffer_at_sender", "yes")])
def test_what_is_wrong_in_it_is_named(name: str, value: str) -> None:
    with pytest.raises(PlanFileError, match=name):
        read_piping(Fields(piping_object(PIPED) | {name: value}))
