"""What a failed command says about what to do: retry, wait, plan again, or call a person.

ZFS has no error codes for scripts, only texts, and packages change texts without changing
versions. So a text decides only how to react; whether something was done is decided by looking
at the host again. The known texts are data, in `zfs.error_texts`.
"""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from reconciler.zfs.error_texts import ADVICE, ASIDE, NOISE, TEXTS, Text
from reconciler.zfs.failures import FailureKind, Reaction

__all__ = ["Failure", "FailureKind", "Reaction", "Result", "blame", "classify"]

Result = tuple[int, str]
"""The exit status (-N for signal N) and the stderr of a command."""

MESSAGE_LENGTH = 300

_USAGE_STATUS = 2
_COMMAND_STATUS = frozenset({126, 127})
_SSH_STATUS = 255
_SIGNAL_BASE = 128

_QUOTED = re.compile(r"(?<!\w)'[^']*'")
_TOKEN = re.compile(r"\b1-[0-9a-f]+-[0-9a-f]+-[0-9a-f]{16,}")
_BEGINS = re.compile(r"^(cannot|could not|warning|Warning|WARNING|Error|internal error)\b")
_ASIDE = re.compile("|".join(ASIDE))
_NOISE = re.compile("|".join(NOISE))
_ADVICE = re.compile("|".join(ADVICE))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command failed."""

    kind: FailureKind
    reaction: Reaction
    message: str
    """One line for a person."""


def classify(stderr: str, status: int) -> Failure:
    """Return what a command that ended with `status` failed of, by what it said on stderr."""
    lines = _telling_lines(stderr)
    for text in TEXTS:
        for number, line in enumerate(lines):
            if _pattern(text.pattern).search(_QUOTED.sub("'*'", line)):
                return _as_text_says(text, lines, number)
    return _by_status(status, lines)


def blame(send: Result, receive: Result) -> Failure:
    """Return the failure of a stream from what both ends said.

    The receiver's word counts: a sender whose receiver is gone dies of SIGPIPE. But a receiver
    whose stream was cut tells only the consequence, so then the sender is asked first.
    """
    (send_status, send_stderr), (receive_status, receive_stderr) = send, receive
    sender = classify(send_stderr, send_status)
    receiver = classify(receive_stderr, receive_status)
    if receive_status == 0 or (receiver.kind is FailureKind.RECEIVE_CUT and _is_cause(send)):
        return sender
    return receiver


def _is_cause(send: Result) -> bool:
    """Tell whether the sender failed of itself, not of a pipe that nobody reads any more."""
    status, stderr = send
    broken_pipe = status in {-signal.SIGPIPE, _SIGNAL_BASE + signal.SIGPIPE}
    return status != 0 and not broken_pipe and "Broken pipe" not in stderr


def _telling_lines(stderr: str) -> list[str]:
    """Return the lines that may say why, without progress and usage texts."""
    lines = []
    for line in stderr.split("\n"):
        if line.startswith(("usage:", "Usage:")):
            break
        if not _NOISE.search(line):
            lines.append(line.rstrip())
    return [line for line in lines if not _ASIDE.search(line)] or lines


def _as_text_says(text: Text, lines: Sequence[str], number: int) -> Failure:
    """Return the failure of a row, unless it means success and other lines object."""
    if text.reaction is Reaction.DONE and not all(map(_means_done, lines)):
        return _unknown(lines)
    message = text.say or _message(_sentence(lines, number))
    return Failure(text.kind, text.reaction, message)


def _means_done(line: str) -> bool:
    plain = _QUOTED.sub("'*'", line)
    return any(
        _pattern(text.pattern).search(plain) for text in TEXTS if text.reaction is Reaction.DONE
    )


def _by_status(status: int, lines: Sequence[str]) -> Failure:
    """Return what the exit status alone tells."""
    said = _message(lines)
    if status in _COMMAND_STATUS:
        message = said or "the command is not there or can't be run"
        return Failure(FailureKind.COMMAND_MISSING, Reaction.PERMANENT, message)
    if status == _SSH_STATUS and not lines:
        return Failure(FailureKind.TRANSPORT, Reaction.RETRY, "the connection broke")
    if status < 0 or (status > _SIGNAL_BASE and status != _SSH_STATUS):
        number = -status if status < 0 else status - _SIGNAL_BASE
        return Failure(FailureKind.SIGNAL, Reaction.RETRY, said or _killed(number))
    if status == _USAGE_STATUS:
        return Failure(FailureKind.USAGE, Reaction.PERMANENT, said or "wrong usage of the command")
    return _unknown(lines) if lines else _silent(status)


def _killed(number: int) -> str:
    try:
        return f"killed by {signal.Signals(number).name}"
    except ValueError:
        return f"killed by signal {number}"


def _silent(status: int) -> Failure:
    message = f"it ended with status {status} and did not say why"
    return Failure(FailureKind.UNKNOWN, Reaction.CONFLICT, message)


def _unknown(lines: Sequence[str]) -> Failure:
    """Return the failure for a text that nobody knows: look at the host, then decide."""
    message = _message(lines) or "it said nothing but how to use force"
    return Failure(FailureKind.UNKNOWN, Reaction.CONFLICT, message)


def _sentence(lines: Sequence[str], number: int) -> list[str]:
    """Return a line with those that continue it: ZFS breaks some of its sentences."""
    end = number + 1
    while end < len(lines) and not _BEGINS.match(lines[end]):
        end += 1
    return list(lines[number:end])


def _message(lines: Sequence[str]) -> str:
    """Return lines as one, without resume tokens and without advice to use force."""
    text = " ".join(" ".join(lines).split())
    text = _ADVICE.sub("", _TOKEN.sub("(resume token)", text)).strip()
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 1] + "…"


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
