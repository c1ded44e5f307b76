"""Commands joined by pipes: all run, and what one of them failed of is never lost."""

import shutil
import subprocess

import pytest

from reconciler.hosts.pipeline import pipeline


@pytest.fixture(params=["sh", "dash", "bash", "busybox sh", "ksh93", "mksh", "zsh"])
def shell(request: pytest.FixtureRequest) -> list[str]:
    argv: list[str] = request.param.split()
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    return argv


def run(
    shell: list[str], commands: list[str], telling: int, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    text = pipeline(commands, telling)
    return subprocess.run([*shell, "-c", text], input=stdin, capture_output=True, check=False)


def test_bytes_go_through_all_of_them_from_stdin_to_stdout(shell: list[str]) -> None:
    data = bytes(range(256)) * 5000
    done = run(shell, ["cat", "cat; echo told >&2", "cat"], 0, data)
    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"told\n")


@pytest.mark.parametrize(
    ("statuses", "telling", "told"),
    [
        ((0, 0, 0), 0, 0),
        ((3, 0, 0), 2, 3),
        ((0, 4, 0), 0, 4),
        ((0, 0, 5), 0, 5),
        ((3, 4, 5), 0, 3),
        ((3, 4, 5), 1, 4),
        ((3, 4, 5), 2, 5),
        ((3, 4, 0), 2, 3),
        ((141, 9, 0), 0, 9),
        ((141, 141, 0), 0, 141),
        ((0, 0, 141), 2, 141),
    ],
)
def test_it_ends_like_the_telling_one_else_like_the_first_that_failed(
    shell: list[str], statuses: tuple[int, ...], telling: int, told: int
) -> None:
    done = run(shell, [f"cat; exit {status}" for status in statuses], telling)
    assert done.returncode == told


def test_one_that_is_killed_has_failed(shell: list[str]) -> None:
    done = run(shell, ["cat", 'sh -c "kill -9 \\$\\$"', "cat"], 0)
    # ksh93 says 256 + 9, of which eight bits are left; sometimes it goes with what was killed, and
    # then nobody tells.
    assert done.returncode in {128 + 9, 9, 255}


def test_one_alone_is_as_it_was() -> None:
    assert pipeline(["'zfs' send a@1"], 0) == "'zfs' send a@1"
