"""The drawing of who sends to whom."""

import re
from dataclasses import replace

import pytest

from reconciler.controller.http.drawing import drawing, legend
from reconciler.controller.http.topology import COLUMNS, MOST, Mood, Topology, topology
from reconciler.report.status import ControllerStatus, Phase, Way
from tests.support.statuses import BUSY, HOSTILE, QUIET, WEB, a_host, not_ready
from tests.support.worlds import NOW

UNWELL = not_ready("HostUnreachable", "gone")


def sending(*pairs: str, bad: str = "") -> ControllerStatus:
    """Return a status in which `a>b` sends from a to b, and hosts named in `bad` are not ready."""
    ways = tuple(
        Way(sender, receiver, Phase.IDLE, None, 0, "")
        for sender, receiver in (pair.split(">") for pair in pairs)
    )
    names = sorted({name for pair in pairs for name in pair.split(">")})
    hosts = [a_host(n, **({"conditions": UNWELL} if n in bad.split() else {})) for n in names]
    web = replace(WEB, ways=ways, lags=())
    return replace(QUIET, hosts=tuple(hosts), replications=(web,))


def placed(drawn: Topology) -> dict[str, tuple[int, int]]:
    return {node.name: (node.column, node.row) for node in drawn.nodes}


def test_senders_are_on_the_left_and_a_chain_goes_on_to_the_right() -> None:
    drawn = topology(sending("a>v", "b>v", "v>w"), NOW)
    assert placed(drawn) == {"a": (0, 0), "b": (0, 1), "v": (1, 0), "w": (2, 0)}
    assert [(e.sender.name, e.receiver.name) for e in drawn.edges] == [
        ("a", "v"), ("b", "v"), ("v", "w"),
    ]  # fmt: skip
    assert (drawn.columns, drawn.rows) == (3, 2)


def test_a_circle_is_drawn_too() -> None:
    drawn = topology(sending("a>b", "b>a"), NOW)
    assert len(drawn.nodes) == 2
    assert len(drawn.edges) == 2
    assert "NaN" not in drawing(drawn)


def test_what_stays_on_one_host_is_no_line() -> None:
    assert topology(sending("a>a"), NOW).edges == ()


def test_a_long_chain_ends_in_the_last_column() -> None:
    drawn = topology(sending("a>b", "b>c", "c>d", "d>e", "e>f"), NOW)
    assert drawn.columns == COLUMNS


def test_the_many_are_one_box_with_their_number_and_what_is_unwell_is_drawn() -> None:
    drawn = topology(sending(*(f"h{i:03}>v" for i in range(100)), bad="h099 h050"), NOW)
    names = set(placed(drawn))
    assert {"h099", "h050", "v", f"{100 - MOST} more"} <= names
    assert len(names) == MOST + 2
    assert len(drawn.edges) == MOST + 1


def test_one_too_many_is_drawn_all_the_same() -> None:
    assert len(topology(sending(*(f"h{i}>v" for i in range(MOST + 1))), NOW).nodes) == MOST + 2


@pytest.mark.parametrize(
    ("pair", "mood"),
    [
        (("db1", "offsite"), Mood.BAD),
        (("db1", "vault"), Mood.BAD),
        (("nas", "vault"), Mood.BUSY),
        (("vault", "offsite"), Mood.IDLE),
        (("web1", "vault"), Mood.GOOD),
    ],
)
def test_a_line_says_how_it_is(pair: tuple[str, str], mood: Mood) -> None:
    edges = {(e.sender.name, e.receiver.name): e.mood for e in topology(BUSY, NOW).edges}
    assert edges[pair] is mood


def test_a_line_over_its_goal_is_late() -> None:
    (edge,) = topology(QUIET, NOW + 7200).edges
    assert edge.mood is Mood.LATE


def test_the_drawing_stays_within_its_frame() -> None:
    for status in (BUSY, QUIET, sending("a>b", "b>c", "c>d", "d>e", "a>e")):
        drawn = topology(status, NOW)
        svg = drawing(drawn)
        width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
        for x, y, w, h in re.findall(
            r'<rect x="([\d.]+)" y="([\d.]+)" width="(\d+)" height="(\d+)"', svg
        ):
            assert float(x) + float(w) <= width
            assert float(y) + float(h) <= height


def test_hostile_and_long_names_are_shown_in_part() -> None:
    hostile = replace(WEB, ways=(Way(HOSTILE, "vault", Phase.IDLE, None, 0, ""),))
    svg = drawing(topology(replace(QUIET, replications=(hostile,)), NOW))
    assert "&lt;script&gt;" in svg
    assert "<script" not in svg
    long = drawing(topology(sending("a-host-with-a-very-long-name>v"), NOW))
    assert ">a-host-wi…<" in long
    assert "<title>a-host-with-a-very-long-name</title>" in long


def test_the_legend_has_what_occurs() -> None:
    assert "sending" in legend(topology(BUSY, NOW))
    assert "sending" not in legend(topology(QUIET, NOW))
