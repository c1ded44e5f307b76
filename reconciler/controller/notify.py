"""Telling systemd how we are: sd_notify(3), which is one datagram to a socket it names."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends states to the service manager; without one it does nothing."""

    address: str | None = None
    """The socket's path; an abstract one begins with @."""
    watchdog_seconds: float | None = None
    """How long the manager waits for a sign of life."""

    @classmethod
    def of(cls, environ: Mapping[str, str], *, pid: int | None = None) -> Self:
        """Return the notifier that the service manager asks for, if it asks."""
        watchdog = None
        meant = environ.get("WATCHDOG_PID")
        if environ.get("WATCHDOG_USEC", "").isdigit() and meant in {None, str(pid or os.getpid())}:
            watchdog = int(environ["WATCHDOG_USEC"]) / 1e6
        return cls(environ.get("NOTIFY_SOCKET") or None, watchdog)

    def ready(self, status: str) -> None:
        """Say that the start is over."""
        self._send("READY=1", f"STATUS={status}")

    def alive(self, status: str) -> None:
        """Say that the loop goes round, and how things are."""
        self._send("WATCHDOG=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Say that specs are read anew; `ready` is to follow."""
        usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={usec}")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        if self.address is None:
            return
        address = self.address
        if address.startswith("@"):
            address = "\0" + address[1:]
        text = "\n".join(line.replace("\n", " ") for line in lines)
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.connect(address)
            connection.sendall(text.encode())
