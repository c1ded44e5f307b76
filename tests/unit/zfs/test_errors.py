import json
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.zfs.error_texts import TEXTS
from reconciler.zfs.errors import (
    MESSAGE_LENGTH,
    Failure,
    FailureKind,
    Reaction,
    Result,
    blame,
    classify,
)

DATA = Path(__file__).parent / "data"


class Recorded(TypedDict):
    """A failure that real ZFS 2.1.11 or 2.3.2 printed, with what is to be made of it."""

    status: int
    stderr: str
    kind: str
    reaction: str
    message: str


RECORDED: list[Recorded] = [
    json.loads(line) for line in (DATA / "failures.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["message"][:60])
def test_what_real_zfs_printed_is_classified(case: Recorded) -> None:
    failure = classify(case["stderr"], case["status"])
    assert failure == Failure(
        FailureKind(case["kind"]), Reaction(case["reaction"]), case["message"]
    )


@pytest.mark.parametrize(
    ("stderr", "status", "kind", "reaction"),
    [
        ("sudo: a password is required\n", 1, "sudo-refused", "permanent"),
        (
            "sudo: a terminal is required to read the password; either use the -S option\n",
            1,
            "sudo-refused",
            "permanent",
        ),
        (
            "Sorry, user rec is not allowed to execute '/usr/sbin/zfs list' as root on alpha.\n",
            1,
            "sudo-refused",
            "permanent",
        ),
        ("rec is not in the sudoers file.\n", 1, "sudo-refused", "permanent"),
        ("doas: Operation not permitted\n", 1, "sudo-refused", "permanent"),
        ("sudo: zfs: command not found\n", 1, "command-missing", "permanent"),
        ("sh: 3: sudo: not found\n", 127, "command-missing", "permanent"),
        ("sh: 1: zfs: not found\n", 127, "command-missing", "permanent"),
        ("bash: line 1: zpool: command not found\n", 127, "command-missing", "permanent"),
        ("zsh:1: command not found: zfs\n", 127, "command-missing", "permanent"),
        ("sh: 1: /usr/sbin/zfs: Permission denied\n", 126, "command-missing", "permanent"),
        ("", 127, "command-missing", "permanent"),
        (
            "The ZFS modules are not loaded.\nTry running 'modprobe zfs' as root to load them.\n",
            1,
            "module-missing",
            "permanent",
        ),
        (
            "zfs_version_kernel() failed: No such file or directory\n",
            255,
            "module-missing",
            "permanent",
        ),
        (
            "cannot hold: the loaded zfs module does not support this operation. A reboot may\n",
            1,
            "module-missing",
            "permanent",
        ),
        (
            "Permission denied the ZFS utilities must be run as root.\n",
            1,
            "permission-denied",
            "permanent",
        ),
        ("cannot open 'tank': pool I/O is currently suspended\n", 1, "pool-suspended", "retry"),
        ("cannot open 'tank': pool is unavailable\n", 1, "pool-unavailable", "retry"),
        ("cannot iterate filesystems: I/O error\n", 1, "io-error", "retry"),
        ("internal error: Unknown error 1234\nAborted\n", 134, "internal", "retry"),
        ("cannot destroy snapshot tank/a@x: snapshot is cloned\n", 1, "has-clones", "conflict"),
        (
            "cannot destroy snapshot t@x: it's being held. Run 'zfs holds -r t@x' to see holders.",
            1,
            "held",
            "conflict",
        ),
        ("cannot create bookmark 'tank/a#b': bookmark exists\n", 1, "already-exists", "conflict"),
        ("cannot open 'nopool': no such pool\n", 1, "does-not-exist", "conflict"),
        (
            "cannot open 'tank/a#nope': no such pool or dataset\n",
            1,
            "does-not-exist",
            "conflict",
        ),
        (
            "cannot receive incremental stream: stream has unsupported feature, flags = 4\n",
            1,
            "stream-unreadable",
            "permanent",
        ),
        ("", 255, "transport", "retry"),
        ("ssh: connect to host alpha port 22: Connection refused\n", 255, "transport", "retry"),
        ("Connection to alpha closed by remote host.\n", 255, "transport", "retry"),
        ("client_loop: send disconnect: Broken pipe\n", 255, "transport", "retry"),
        ("Host key verification failed.\n", 255, "transport", "permanent"),
        ("root@alpha: Permission denied (publickey,password).\n", 255, "transport", "permanent"),
        ("", 141, "signal", "retry"),
        ("", -9, "signal", "retry"),
        ("", -64, "signal", "retry"),
        ("something new\n", 1, "unknown", "conflict"),
        ("", 1, "unknown", "conflict"),
        ("something new\n", 255, "unknown", "conflict"),
    ],
)
def test_texts_that_were_not_recorded_are_known_too(
    stderr: str, status: int, kind: str, reaction: str
) -> None:
    failure = classify(stderr, status)
    assert (failure.kind, failure.reaction) == (kind, reaction)
    assert failure.message


def test_a_missing_command_and_a_sudo_that_asks_are_told_in_own_words() -> None:
    assert "NOPASSWD" in classify("sudo: a password is required\n", 1).message
    assert "zfs is not installed" in classify("sh: 1: zfs: not found\n", 127).message
    assert "sudo is not installed" in classify("sh: 1: sudo: not found\n", 127).message
    assert classify("", -9).message == "killed by SIGKILL"


def test_a_name_that_reads_like_an_error_is_not_taken_for_one() -> None:
    stderr = "cannot open 'tank/permission denied out of space': dataset does not exist\n"
    assert classify(stderr, 1).kind is FailureKind.DOES_NOT_EXIST


def test_what_is_done_already_counts_only_when_nothing_else_failed() -> None:
    done = "cannot hold snapshot 'tank/a@1': tag already exists on this dataset\n"
    assert classify(done * 2, 1).reaction is Reaction.DONE
    gone = "cannot hold snapshot 'tank/a@2': dataset does not exist\n"
    assert classify(done + gone, 1).kind is FailureKind.DOES_NOT_EXIST
    assert classify(gone + done, 1).reaction is Reaction.CONFLICT
    assert classify(f"{done}something new\n", 1) == Failure(
        FailureKind.UNKNOWN, Reaction.CONFLICT, f"{done}something new".replace("\n", " ")
    )


def test_a_property_that_was_refused_does_not_hide_why_the_receive_failed() -> None:
    aside = "cannot receive readonly property on dst/a: permission denied\n"
    real = "cannot receive new filesystem stream: out of space\n"
    assert classify(aside + real, 1).kind is FailureKind.NO_SPACE
    assert classify(aside, 1).kind is FailureKind.PROPERTY_REFUSED


def test_progress_and_resume_tokens_do_not_get_into_the_message() -> None:
    stderr = (
        "incremental\ttank/a@1\ttank/a@2\t100\nsize\t100\n12:00:00\t7\ttank/a@2\n"
        "warning: cannot send 'tank/a@2': permission denied\n"
    )
    assert classify(stderr, 1).message == "warning: cannot send 'tank/a@2': permission denied"
    token = "1-8eb26251c-b8-789c636064000310a500c4ec50360710e72765a526973"
    assert token not in classify(f"cannot frobnicate token {token}: no\n", 1).message


def test_long_messages_are_cut() -> None:
    message = classify("cannot do this: " + "x" * 1000, 1).message
    assert len(message) == MESSAGE_LENGTH
    assert message.endswith("…")


RECEIVE_CUT = "cannot receive new filesystem stream: checksum mismatch or incomplete stream.\n"
NOTHING_READ = "cannot receive: failed to read from stream\n"
MODIFIED = (
    "cannot receive incremental stream: destination dst/a has been modified\n"
    "since most recent snapshot\n"
)


@pytest.mark.parametrize(
    ("send", "receive", "kind"),
    [
        pytest.param(
            (1, "warning: cannot send 'tank/a@1': Broken pipe\n"),
            (1, MODIFIED),
            "destination-modified",
            id="the sender failed of the receiver",
        ),
        pytest.param((141, ""), (1, MODIFIED), "destination-modified", id="SIGPIPE"),
        pytest.param((-13, ""), (1, RECEIVE_CUT), "receive-cut", id="SIGPIPE and cut"),
        pytest.param(
            (1, "warning: cannot send 'tank/a@1': permission denied\n"),
            (1, NOTHING_READ),
            "permission-denied",
            id="the receiver got nothing of the sender",
        ),
        pytest.param(
            (255, "Connection to alpha closed by remote host.\n"),
            (1, RECEIVE_CUT),
            "transport",
            id="the sender's connection broke",
        ),
        pytest.param((0, "size\t7\n"), (1, RECEIVE_CUT), "receive-cut", id="cut in between"),
        pytest.param((0, ""), (1, NOTHING_READ), "receive-cut", id="a replay on OpenZFS 2.1"),
        pytest.param((137, ""), (1, RECEIVE_CUT), "signal", id="the sender was killed"),
        pytest.param(
            (1, "warning: cannot send 'tank/a@1': permission denied\n"),
            (0, ""),
            "permission-denied",
            id="only the sender failed",
        ),
    ],
)
def test_the_end_that_is_the_cause_is_blamed(send: Result, receive: Result, kind: str) -> None:
    assert blame(send, receive).kind == kind


def test_every_kind_can_come_of_a_text_but_those_that_zfs_says_nothing_of() -> None:
    """Another guid is found by comparing, a lock before zfs is run; hooks are not zfs at all."""
    kinds = {text.kind for text in TEXTS}
    by_status = {FailureKind.SIGNAL, FailureKind.UNKNOWN}
    others = {FailureKind.CHANGED, FailureKind.HOOK, FailureKind.LOCKED}
    assert set(FailureKind) - kinds - by_status == others


LINES = st.sampled_from(sorted({line for case in RECORDED for line in case["stderr"].split("\n")}))


@given(
    st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=6).map("\n".join),
    st.integers(-64, 255),
)
def test_any_text_and_status_has_one_line_for_a_person(stderr: str, status: int) -> None:
    failure = classify(stderr, status)
    assert failure.message
    assert len(failure.message) <= MESSAGE_LENGTH
    assert "\n" not in failure.message
    assert failure == classify(stderr, status)


RECEIVED = "cannot receive incremental stream: destination b/a has been modified\n"
GONE = """\
mbuffer: error: outputThread: error writing to <stdout> at offset 0x10000: Broken pipe
mbuffer: warning: error during output to <stdout>: Broken pipe
zstd: error 70 : Write error : cannot write block : Broken pipe
"""
CUT = "/*stdin*\\ : Read error (39) : premature end \nzstd: /*stdin*\\: unexpected end of file \n"


def test_what_a_stream_passes_never_hides_what_zfs_said() -> None:
    failure = blame((141, GONE), (1, GONE + RECEIVED))
    assert failure == blame((141, ""), (1, RECEIVED))
    incomplete = "cannot receive: failed to read from stream\n"
    said = blame((1, "cannot send 'a@1': I/O error\n"), (1, CUT + incomplete))
    assert said == classify("cannot send 'a@1': I/O error\n", 1)


def test_a_program_that_failed_of_itself_is_named() -> None:
    lost = "mbuffer: fatal: Could not allocate enough memory (68719476736 requested)"
    said = blame((1, f"{lost}\n"), (1, "cannot receive: failed to read from stream\n"))
    assert said.message == lost
