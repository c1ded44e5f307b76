"""Reading what a rendered script printed: sections between marks, statuses, the live stderr."""

import codecs
import itertools
import re
from collections.abc import Callable
from typing import NamedTuple

from reconciler.errors import OutputCut
from reconciler.hosts.locking import locked
from reconciler.hosts.script import Outcome, Script, Step, Transcript

ENCODING, DECODING_ERRORS = "utf-8", "backslashreplace"
"""How output becomes text: whatever a host prints can be printed again."""

_SIGNALS = 64


class _Section(NamedTuple):
    step: int
    status: int
    first_status: int
    text: str


def read(nonce: str, stdout: str, stderr: str, script: Script, *, host: str) -> Transcript:
    """Return the outcomes in the output of a rendered script.

    Between a begin and an end mark the output is preserved to the character. Raises `OutputCut`
    when the mark at the end is missing on stdout or stderr or when marks are out of order, and
    `HostLocked` when the host was locked by another controller.
    """
    lock, who = _lock(nonce, stdout)
    if lock == "busy":
        raise locked(host, who)
    outs = _sections(nonce, stdout)
    errs = _sections(nonce, stderr)
    if outs is None or errs is None:
        raise OutputCut(host, f"the script's output is cut{_last_words(nonce, stdout, stderr)}")
    if not _fits(script, outs, errs):
        raise OutputCut(host, "the script's output is out of order")
    return Transcript(
        {
            script.steps[out.step].name: _outcome(script.steps[out.step], out, err)
            for out, err in zip(outs, errs, strict=True)
        },
        unlocked=who if lock == "none" else "",
    )


def started(nonce: str, stdout: str) -> bool:
    """Say whether a rendered script got as far as its first mark."""
    return f"\n{nonce} " in stdout


def last_line(text: str) -> str:
    """Return the last line that says something, for use in a message."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def exit_status(shell_status: int) -> int:
    """Return -N for a status by which a shell reports the end by signal N, else the status.

    Shells say 128+N, ksh93 says 256+N. A program that itself exits with 129 to 192 can't be told
    from one that a signal ended.
    """
    for base in (128, 256):
        if base < shell_status <= base + _SIGNALS:
            return base - shell_status
    return shell_status


class EndMark:
    """Notices the mark at the end in a stream that comes in chunks.

    With it on stdout and stderr all is said. Waiting for the streams' ends would take longer:
    sshd is slow to tell, and a daemon that a step started may keep them open for ever.
    """

    def __init__(self, nonce: str) -> None:
        self._mark = f"\n{nonce} done\n".encode()
        self._tail = b""

    def ends_with(self, chunk: bytes) -> bool:
        """Take the next chunk and say whether the mark is the last thing in it."""
        self._tail = (self._tail + chunk)[-len(self._mark) :]
        return self._tail == self._mark


class LiveStderr:
    """Turns chunks of a rendered script's stderr into text without marks, as they arrive.

    Each call of the listener gets what the steps printed since the last one. A line that is all
    empty waits for what comes after it. The listener must not raise.
    """

    def __init__(self, nonce: str, listener: Callable[[str], None]) -> None:
        self._nonce = nonce
        self._listener = listener
        self._decoder = codecs.getincrementaldecoder(ENCODING)(DECODING_ERRORS)
        self._in_section = False
        self._held = ""

    def feed(self, data: bytes) -> None:
        """Take the next chunk."""
        lines = (self._held + self._decoder.decode(data)).splitlines(keepends=True)
        self._held = lines.pop() if lines and self._may_be_of_a_mark(lines[-1]) else ""
        if heard := "".join(self._heard(lines)):
            self._listener(heard)

    def _may_be_of_a_mark(self, line: str) -> bool:
        if line.endswith("\n"):
            return line == "\n"
        return line.startswith(self._nonce) or self._nonce.startswith(line)

    def _heard(self, lines: list[str]) -> list[str]:
        heard: list[str] = []
        for line in lines:
            if line.startswith(self._nonce):
                if self._in_section and heard:
                    heard[-1] = heard[-1].removesuffix("\n")
                self._in_section = line.startswith(f"{self._nonce} begin")
            elif self._in_section:
                heard.append(line)
        return heard


def _lock(nonce: str, text: str) -> tuple[str, str]:
    """Return what is said of the lock: held, none or busy, and of the latter why or by whom."""
    mark = re.search(rf"\n{re.escape(nonce)} lock (held|none|busy)(?: (.*))?\n", text)
    return (mark[1], mark[2] or "") if mark else ("", "")


def _sections(nonce: str, text: str) -> list[_Section] | None:
    """Return the sections up to the done mark; None when it is missing or a mark is misplaced."""
    found: list[_Section] = []
    mark = re.compile(rf"\n{re.escape(nonce)} (?:begin (\d+)|end (\d+) (\d+) (\d+)|(done))\n")
    open_at: tuple[int, int] | None = None
    for match in mark.finditer(text):
        begin, end, status, first, done = match.groups()
        if done:
            return found if open_at is None else None
        if begin:
            if open_at is not None:
                return None
            open_at = int(begin), match.end()
        else:
            if open_at is None or open_at[0] != int(end):
                return None
            section = text[open_at[1] : match.start()]
            found.append(_Section(int(end), int(status), int(first), section))
            open_at = None
    return None


def _fits(script: Script, outs: list[_Section], errs: list[_Section]) -> bool:
    """Say whether both streams tell the same story, and one that the script can have."""
    indices = [section.step for section in outs]
    certain = {i for i, step in enumerate(script.steps) if step.unconditional}
    return (
        [section[:3] for section in outs] == [section[:3] for section in errs]
        and all(a < b for a, b in itertools.pairwise(indices))
        and certain <= set(indices) <= set(range(len(script.steps)))
    )


def _outcome(step: Step, out: _Section, err: _Section) -> Outcome:
    first = exit_status(out.first_status) if step.into is not None else 0
    return Outcome(exit_status(out.status), out.text, err.text, first)


def _last_words(nonce: str, stdout: str, stderr: str) -> str:
    said = "" if started(nonce, stdout) else last_line(stderr) or last_line(stdout)
    return f"; all it said: {said}" if said else ""
