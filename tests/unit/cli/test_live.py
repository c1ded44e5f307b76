"""The live display keeps its figures, however long names are and however narrow a terminal is."""

import io
import re
import sys
from dataclasses import replace

import pytest

from reconciler.cli.live import LiveView, clipped
from reconciler.executor.events import Progressed, Started
from tests.unit.executor.test_transfer import SEND

LONG = replace(
    SEND,
    filesystem="tank/data/customers/a very long name/of a filesystem",
    receiver_filesystem="backup/alpha/tank/data/customers/a very long name/of a filesystem",
    estimated_bytes=40 << 20,
)


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_bytes_share_and_time_left_are_shown_at_every_width(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    view = LiveView(3, colour=False)
    moments = iter(range(100, 200, 5))
    monkeypatch.setattr("reconciler.cli.live.time.time", lambda: next(moments))
    with view:
        view.event(Started(LONG.id, LONG))
        view.event(Progressed(LONG.id, LONG, 10 << 20))
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    [*_, last] = [line for line in re.split(r"[\r\n]", shown) if "→ vault" in line and "10" in line]
    assert "10.0 MiB" in last
    assert "(25%)" in last
    assert "2.0 MiB/s" in last
    assert "15s" in last
    assert len(last.rstrip()) <= columns


def test_a_long_name_keeps_both_ends() -> None:
    assert clipped("short", 10) == "short"
    cut = clipped("alpha tank/data/customers → vault", 16)
    assert len(cut) == 16
    assert cut.startswith("alpha t")
    assert cut.endswith("→ vault")
