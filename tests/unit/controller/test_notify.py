"""What systemd is told, over a real socket."""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.controller.notify import Notifier


class Systemd:
    """Listens as systemd does."""

    def __init__(self, named: str) -> None:
        self.environ = {"NOTIFY_SOCKET": named}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{named[1:]}" if named.startswith("@") else named)
        self._socket.settimeout(5)

    def heard(self) -> list[str]:
        """Return the fields of the next message."""
        return self._socket.recv(4096).decode().split("\n")

    def heard_nothing(self) -> bool:
        self._socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            self._socket.recv(1)
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    abstract = f"@reconciler-test-{secrets.token_hex(8)}"
    listening = Systemd(abstract if request.param == "abstract" else str(tmp_path / "notify"))
    yield listening
    listening.close()


def test_each_state_is_a_message(systemd: Systemd) -> None:
    notifier = Notifier.of(systemd.environ)
    notifier.ready("3 hosts, 2 replications")
    assert systemd.heard() == ["READY=1", "STATUS=3 hosts, 2 replications"]
    notifier.ready()
    assert systemd.heard() == ["READY=1"]
    notifier.watchdog()
    assert systemd.heard() == ["WATCHDOG=1"]
    notifier.status("2 streams run")
    assert systemd.heard() == ["STATUS=2 streams run"]
    notifier.stopping("ends 2 streams")
    assert systemd.heard() == ["STOPPING=1", "STATUS=ends 2 streams"]


def test_a_reload_says_when_it_began(systemd: Systemd) -> None:
    before = time.monotonic_ns() // 1000
    Notifier.of(systemd.environ).reloading()
    said, when = systemd.heard()
    assert said == "RELOADING=1"
    name, _, microseconds = when.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(microseconds) <= time.monotonic_ns() // 1000


def test_a_text_can_not_say_more_than_a_text(systemd: Systemd) -> None:
    notifier = Notifier.of(systemd.environ)
    notifier.status("a\nREADY=1\r\n b\udcff")
    assert systemd.heard() == ["STATUS=a READY=1 b?"]
    notifier.status(" \n")
    assert systemd.heard_nothing()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_systemd_nothing_is_sent(environ: dict[str, str]) -> None:
    notifier = Notifier.of(environ | {"WATCHDOG_USEC": "3000000"})
    assert notifier == Notifier()
    assert notifier.watchdog_seconds is None
    notifier.ready("x")
    notifier.watchdog()


def test_a_socket_that_is_gone_is_no_reason_to_stop(tmp_path: Path) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notifier.ready()
    notifier.stopping()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_for_the_process_it_names(
    environ: dict[str, str], seconds: float | None
) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": "/run/systemd/notify", **environ})
    assert notifier.watchdog_seconds == seconds
