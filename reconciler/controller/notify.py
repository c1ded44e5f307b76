"""Telling systemd how it goes: sd_notify(3), a datagram to the socket that it names.

Without systemd nothing is sent. A message that can't be sent is no reason to stop: systemd would
have to be gone for that.
"""

import contextlib
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from os import getpid
from typing import Self


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends what state the service is in."""

    address: str | None = None
    """The socket; a leading zero byte means an abstract one. None: nobody asked to be told."""
    watchdog_seconds: float | None = None
    """How often `watchdog` must be called at least, None when nobody waits for it."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Return what the environment asks for: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID."""
        named = environ.get("NOTIFY_SOCKET", "")
        if not named.startswith(("/", "@")):
            return cls()
        address = f"\0{named[1:]}" if named.startswith("@") else named
        return cls(address, _watchdog_seconds(environ))

    def ready(self, status: str = "") -> None:
        """Say that the start, or a reload, is done."""
        self._send("READY=1", *_status(status))

    def reloading(self) -> None:
        """Say that specs are being read anew; `ready` says that it is done."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str = "") -> None:
        """Say that the end was asked for."""
        self._send("STOPPING=1", *_status(status))

    def status(self, text: str) -> None:
        """Say what `systemctl status` shows."""
        self._send(*_status(text))

    def watchdog(self) -> None:
        """Say that the loop goes round."""
        self._send("WATCHDOG=1")

    def _send(self, *fields: str) -> None:
        if self.address is None or not fields:
            return
        with contextlib.suppress(OSError), _datagrams() as out:
            out.sendto("\n".join(fields).encode("utf-8", "replace"), self.address)


def _datagrams() -> socket.socket:
    out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    out.settimeout(1)
    return out


def _status(text: str) -> tuple[str, ...]:
    """Return the field for a text: one line, as a newline would begin another field."""
    return (f"STATUS={' '.join(text.split())}",) if text.strip() else ()


def _watchdog_seconds(environ: Mapping[str, str]) -> float | None:
    """Return the time after which systemd takes us for dead, if it is us whom it watches."""
    limit, whom = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if whom and whom != str(getpid()):
        return None
    return int(limit) / 1e6 if limit.isascii() and limit.isdigit() and int(limit) else None
