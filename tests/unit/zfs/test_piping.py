"""What streams pass: by what is asked for and what programs the two ends have."""

import subprocess

import pytest

from reconciler.zfs.piping import (
    PLAIN,
    PROGRAMS,
    End,
    NoLimiter,
    Piping,
    Wanted,
    find_programs,
    parse_programs,
    piping,
)

ALL = frozenset(PROGRAMS)
MIB = 1 << 20


def lines(found: Piping) -> tuple[list[str], list[str]]:
    """Return the command lines at the sender and at the receiver."""
    sender, receiver = ([" ".join(argv) for argv in found.programs(end)] for end in End)
    return sender, receiver


@pytest.mark.parametrize(
    ("wanted", "programs", "sender", "receiver"),
    [
        pytest.param(Wanted(), (ALL, ALL), [], [], id="nothing asked for"),
        pytest.param(
            Wanted(compression=9), (ALL, ALL), ["zstd -q -c -9"], ["zstd -q -d -c"], id="zstd"
        ),
        pytest.param(Wanted(compression=3), (ALL, {"pv"}), [], [], id="one end has no zstd"),
        pytest.param(
            Wanted(buffer=8 * MIB),
            (ALL, ALL),
            ["mbuffer -q -s 128k -m 8388608"],
            ["mbuffer -q -s 128k -m 8388608"],
            id="a buffer at both ends",
        ),
        pytest.param(
            Wanted(buffer=8 * MIB),
            ({"zstd"}, ALL),
            [],
            ["mbuffer -q -s 128k -m 8388608"],
            id="a buffer where there is one to be had",
        ),
        pytest.param(
            Wanted(bandwidth=1000),
            (ALL, ALL),
            ["mbuffer -q -s 128k -m 4194304 -R 1000"],
            [],
            id="mbuffer keeps the rate, if nothing is buffered for it",
        ),
        pytest.param(
            Wanted(bandwidth=1000), ({"pv"}, ALL), ["pv -q -L 1000"], [], id="pv does without it"
        ),
        pytest.param(
            Wanted(bandwidth=1000),
            ({"zstd"}, ALL),
            [],
            ["mbuffer -q -s 128k -m 4194304 -r 1000"],
            id="the receiver takes it in slowly",
        ),
        pytest.param(
            Wanted(bandwidth=1000), (set(), {"pv"}), [], ["pv -q -L 1000"], id="with pv, too"
        ),
        pytest.param(
            Wanted(compression=3, buffer=8 * MIB, bandwidth=1000),
            (ALL, ALL),
            ["zstd -q -c -3", "mbuffer -q -s 128k -m 8388608 -R 1000"],
            ["mbuffer -q -s 128k -m 8388608", "zstd -q -d -c"],
            id="all of it: what is limited is what goes over the wire",
        ),
        pytest.param(
            Wanted(compression=3, buffer=8 * MIB, bandwidth=1000),
            ({"pv", "zstd"}, ALL),
            ["zstd -q -c -3", "pv -q -L 1000"],
            ["mbuffer -q -s 128k -m 8388608", "zstd -q -d -c"],
            id="each by what its end has",
        ),
    ],
)
def test_between_two_hosts(
    wanted: Wanted,
    programs: tuple[frozenset[str], frozenset[str]],
    sender: list[str],
    receiver: list[str],
) -> None:
    found = piping(wanted, *programs, one_host=False)
    assert lines(found) == (sender, receiver)


def test_on_one_host_there_is_nothing_to_compress_for_and_one_buffer() -> None:
    wanted = Wanted(compression=3, buffer=8 * MIB, bandwidth=1000)
    found = piping(wanted, ALL, ALL, one_host=True)
    assert lines(found) == (["mbuffer -q -s 128k -m 8388608 -R 1000"], [])


def test_a_rate_that_nothing_keeps_is_never_passed_over() -> None:
    with pytest.raises(NoLimiter):
        piping(Wanted(bandwidth=1000), {"zstd"}, set(), one_host=False)
    with pytest.raises(NoLimiter):
        piping(Wanted(bandwidth=1000), {"zstd"}, ALL, one_host=True)


def test_what_is_asked_for_and_nowhere_to_be_had_leaves_a_plain_stream() -> None:
    assert piping(Wanted(compression=3, buffer=MIB), set(), set(), one_host=False) == PLAIN


def test_the_question_for_programs_is_answered_by_a_real_shell() -> None:
    whole = subprocess.run(find_programs(), capture_output=True, text=True, check=True)
    assert parse_programs(whole.stdout) <= ALL
    none = subprocess.run(
        find_programs(),
        env={"PATH": "/nowhere"},
        capture_output=True,
        check=False,
        executable="/bin/sh",
    )
    assert (none.returncode, none.stdout, none.stderr) == (0, b"", b"")


def test_only_known_programs_are_taken_out_of_an_answer() -> None:
    assert parse_programs("zstd\nsomething else\npv\n") == {"zstd", "pv"}
