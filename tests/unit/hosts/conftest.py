"""Running rendered scripts by the shells there are, as sshd would: text on stdin, kept open."""

import shutil
import subprocess
from collections.abc import Callable

import pytest

from reconciler.hosts.addresses import Privilege
from reconciler.hosts.locking import HostLock
from reconciler.hosts.script import Script, Step, Transcript
from reconciler.hosts.shell import read, render

NONCE = "0123456789abcdef"

SHELLS = {
    "sh": ("/bin/sh",),
    "dash": ("dash",),
    "bash": ("bash",),
    "bash-posix": ("bash", "--posix"),
    "busybox": ("busybox", "sh"),
    "ksh93": ("ksh93",),
    "mksh": ("mksh",),
}

Runner = Callable[..., Transcript]


def feed(argv: tuple[str, ...], text: str) -> tuple[str, str, int]:
    """Run a shell on a text whose stdin stays open until the shell has ended."""
    pipe = subprocess.PIPE
    shell = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    assert shell.stdin is not None
    assert shell.stdout is not None
    assert shell.stderr is not None
    with shell, shell.stdin as lifeline:
        lifeline.write(text.encode())
        lifeline.flush()
        stdout, stderr = shell.stdout.read().decode(), shell.stderr.read().decode()
        return stdout, stderr, shell.wait()


@pytest.fixture(params=list(SHELLS))
def shell_argv(request: pytest.FixtureRequest) -> tuple[str, ...]:
    argv = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    return argv


@pytest.fixture
def run(shell_argv: tuple[str, ...]) -> Runner:
    """Run steps through one of the shells and read the transcript."""

    def run(
        *steps: Step,
        privilege: Privilege = Privilege.NONE,
        mutates: bool = False,
        lock: HostLock | None = None,
    ) -> Transcript:
        script = Script(steps, mutates=mutates)
        text = render(script, nonce=NONCE, privilege=privilege, lock=lock)
        stdout, stderr, _ = feed(shell_argv, text)
        return read(NONCE, stdout, stderr, script, host="host")

    return run
