"""Streams, colours, signals and logs."""

import io
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reconciler.cli.interrupts import closing_on_interrupt, stopping_on_interrupt
from reconciler.cli.logs import configure
from reconciler.cli.output import Output, painted, print_error
from reconciler.report.lines import Line, Style
from tests.unit.cli.conftest import SPECS, Terminal

ROOT = str(Path(__file__).parents[3])


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert Output().colour == coloured
    assert not Output(no_color=True).colour
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert not Output().colour


def test_of_an_action_only_the_verb_is_coloured() -> None:
    line = Line("  - destroy    tank/a", Style.DESTROY, "old")
    assert painted(line) == "\x1b[31m  - destroy\x1b[0m    tank/a\x1b[2m  # old\x1b[0m"
    assert painted(Line("title", Style.TITLE)) == "\x1b[1mtitle\x1b[0m"
    assert painted(Line("plain")) == "plain"
    assert painted(Line()) == ""


def test_hosts_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output().lines([Line("a\x1b[2Jb\rc", aside="\x07")])
    print_error("one\ntwo\x1b")
    said = capsys.readouterr()
    assert said.out == "a\\x1b[2Jb\\rc  # \\x07\n"
    assert said.err == "one\ntwo\\x1b\n"


def test_a_closed_pipe_swallows_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        Output().text("nobody reads this\n")
        Output().text("nor this\n")
        monkeypatch.undo()
    assert tmp_path.exists()


class Left(BaseException):
    """Raised in place of ending the process."""


def leave(code: int) -> None:
    assert code == 130
    raise Left


class Fleet:
    """Something that can be closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_questions_are_cut_short(number: signal.Signals) -> None:
    fleet = Fleet()
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), closing_on_interrupt(fleet):
        signal.raise_signal(number)
    assert fleet.closed.wait(30)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_is_stopped_first_and_cut_then(
    number: signal.Signals, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "_exit", leave)
    fleet, stop = Fleet(), threading.Event()
    with stopping_on_interrupt(fleet, stop):
        signal.raise_signal(number)
        assert stop.is_set()
        assert not fleet.closed.wait(0.05)
        signal.raise_signal(number)
        assert fleet.closed.wait(30)
        with pytest.raises(Left):
            signal.raise_signal(number)
    said = capfd.readouterr().err
    assert "Finishing what runs (Ctrl-C again to cut it)." in said
    assert "Cutting what runs (Ctrl-C again to leave at once)." in said
    assert said.endswith("Interrupted.\n")


@pytest.mark.parametrize(
    ("closing", "patience", "said_then"),
    [
        pytest.param("", 30, "Interrupted.\n", id="cut"),
        pytest.param(
            "local.LocalHost.close = lambda self: None;", 0.5, "\nInterrupted.\n", id="left"
        ),
    ],
)
def test_questions_are_cut_or_left_if_they_do_not_let_go(
    folder: Path, closing: str, patience: float, said_then: str
) -> None:
    program = folder / "bin" / "zfs"
    program.parent.mkdir()
    asked = folder / "asked"
    program.write_text(f"#!/bin/sh\necho > '{asked}'\nsleep 60\n")
    program.chmod(0o755)
    local = SPECS.replace("ssh: {address: alpha.invalid}", "local: {}")
    (folder / "specs" / "all.yaml").write_text(local)
    code = (
        "from reconciler.cli import interrupts, main, session; from functools import partial;"
        f"from reconciler.hosts import local; {closing}"
        f"patched = partial(interrupts.closing_on_interrupt, patience={patience});"
        "session.closing_on_interrupt = patched; main.main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, "plan"],
        cwd=folder,
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": ROOT},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 30
        while not asked.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said == said_then


def test_signals_are_left_alone_outside_the_main_thread() -> None:
    before = signal.getsignal(signal.SIGINT)
    during: list[object] = []

    def work() -> None:
        with stopping_on_interrupt(Fleet(), threading.Event()):
            during.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert during == [before]


@pytest.mark.parametrize("debug", [False, True])
def test_logs_of_libraries_go_to_stderr_only_when_debugging(
    capsys: pytest.CaptureFixture[str], *, debug: bool
) -> None:
    configure(debug=debug)
    logging.getLogger("paramiko.transport").error("broken {pipe} \x1b[2J %s", "<red>")
    logging.getLogger("other").warning("odd")
    said = capsys.readouterr().err
    assert ("broken {pipe} \\x1b[2J <red>" in said) == debug
    assert "odd" in said
    assert "\x1b" not in said


def test_tracebacks_do_not_show_values(capsys: pytest.CaptureFixture[str]) -> None:
    configure(debug=True)
    secret = "hunter" + str(2)
    try:
        raise ValueError(len(secret) // 0)
    except ZeroDivisionError:
        logging.getLogger("paramiko").exception("it broke")
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "hunter2" not in said
