"""A simulated host in this process; its `zfs` and `zpool` are executables that are counted.

An executable passes its argv and its own stdin, stdout and stderr (scm rights) to the host's
socket, and exits as it is told: a process costs 10 ms, and holds nothing of the host.
"""

import os
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Machine
from reconciler.simulator.process import BROKEN_PIPE, NoInput, Process
from reconciler.simulator.run import start
from reconciler.zfs.types import Argv

PROGRAMS = ("zfs", "zpool")

# Only what the interpreter has built in: `os` and `socket` take longer than the rest.
_SHIM = """\
#!{python} -ISE
import _socket, posix, sys
link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
link.connect({address!r})
said = chr(0).join([{program!r}, *sys.argv[1:]]).encode("utf-8", "surrogateescape")
said = len(said).to_bytes(8, "big") + said
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
sent = link.sendmsg([said], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
if sent < len(said): link.sendall(said[sent:])
status = int(link.recv(16) or b"255")
posix.kill(posix.getpid(), -status) if status < 0 else posix._exit(status)
"""


class RecordedHost:
    """One host, its executables and what was run with them."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.bin = folder / name / "bin"
        self.bin.mkdir(parents=True)
        self.cell = MemoryCell(Machine(name))
        self.processes: list[Argv] = []
        """The argv of each process since the last `forget`."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        address = str(folder / name / "socket")
        self._socket.bind(address)
        self._socket.listen(64)
        python = str(Path(sys.executable).resolve())
        for program in PROGRAMS:
            shim = self.bin / program
            shim.write_text(_SHIM.format(python=python, address=address, program=program))
            shim.chmod(0o755)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def path(self) -> str:
        """The PATH of a login on this host."""
        return f"{self.bin}:/usr/local/bin:/usr/bin:/bin"

    def forget(self) -> None:
        """Count from here."""
        self.processes = []

    def close(self) -> None:
        """Take no more commands."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link: socket.socket) -> None:
        with link:
            begun, streams, _, _ = socket.recv_fds(link, 1 << 16, 3)
            argv = _words(begun, link)
            self.processes.append(argv)
            status = self._run(argv, *streams)
            with suppress(OSError):
                link.sendall(str(status).encode())

    def _run(self, argv: Argv, stdin: int, stdout: int, stderr: int) -> int:
        """Run a command with the descriptors of the process that asked; they are closed then."""
        with open(stdin, "rb") as source, open(stdout, "wb", 0) as sink:

            def say(text: str) -> None:
                with suppress(OSError):
                    os.write(stderr, text.encode())

            reads = argv[1:2] in {("receive",), ("recv",)}
            process = Process(
                self.cell, argv, time.time, source if reads else NoInput(), on_stderr=say
            )
            chunks = start(process)
            try:
                for chunk in chunks:
                    rest = memoryview(chunk)
                    while rest:
                        rest = rest[sink.write(rest) :]
            except BrokenPipeError:
                chunks.close()
                process.status = BROKEN_PIPE
            os.close(stderr)
        return process.status


def _words(said: bytes, link: socket.socket) -> Argv:
    """Return the argv: its length, then its words with zeros between them."""
    size = 8 + int.from_bytes(said[:8], "big")
    while len(said) < size:
        said += link.recv(1 << 16)
    return tuple(said[8:].decode("utf-8", "surrogateescape").split("\0"))
