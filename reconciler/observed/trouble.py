"""Why a host can't be observed: the cause in one line and, where there is one, the remedy."""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple, TypeVar

from reconciler.errors import (
    AuthenticationFailed,
    CommandTimeout,
    HostBusy,
    HostError,
    HostKeyRejected,
    NoShell,
    OutputCut,
    Unreachable,
)
from reconciler.hosts.script import Outcome, Transcript
from reconciler.zfs.errors import FailureKind, classify
from reconciler.zfs.parse import ParseError

_MISSING = re.compile(
    r"cannot open '([^']+)': (?:dataset does not exist|no such pool(?: or dataset)?)"
)
_NOT_OPENED = re.compile(r"cannot open '([^']+)': .+")

_REMEDIES = {
    FailureKind.COMMAND_MISSING: "install zfsutils-linux, or give the user a way to run zfs (sudo)",
    FailureKind.SUDO_REFUSED: "allow the user zfs and zpool with NOPASSWD in sudoers, or delegate "
    "permissions with zfs allow and use no sudo",
    FailureKind.MODULE_MISSING: "load the kernel module (modprobe zfs); after an upgrade, reboot",
    FailureKind.PERMISSION_DENIED: "let the user open /dev/zfs, or run zfs with sudo",
    FailureKind.POOL_SUSPENDED: "repair the pool's devices, then zpool clear",
    FailureKind.UNSUPPORTED: "OpenZFS 2.1 or later is needed",
    FailureKind.USAGE: "OpenZFS 2.1 or later is needed",
}

HOST_REMEDIES: tuple[tuple[type[HostError], str], ...] = (
    (Unreachable, "see that the host is up, its address is right and sshd listens"),
    (HostBusy, "raise MaxSessions and MaxStartups in sshd_config, or use fewer connections"),
    (CommandTimeout, "see whether zfs hangs there (a suspended pool?), or allow more time"),
    (OutputCut, "if it stays: see what the login shell prints or does at its end"),
    (HostKeyRejected, "compare the host's key, then put the right one into known_hosts"),
    (AuthenticationFailed, "put our public key into the user's authorized_keys"),
    (NoShell, "give the user a login shell"),
)
"""What to do about a host that could not even be asked."""

T = TypeVar("T")


class Trouble(Exception):
    """Raised when an observation can't be completed."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


class Listing(NamedTuple):
    """What `zfs list` printed and which of its arguments it said do not exist."""

    text: str
    missing: frozenset[str]


def changed(what: str) -> Trouble:
    """Return the trouble of two listings of one probe that contradict each other."""
    return Trouble(f"changed while it was listed: {what}", "it will be looked at again")


def output(transcript: Transcript, step: str) -> str:
    """Return what a step printed on stdout; raise Trouble unless it succeeded."""
    outcome = _outcome(transcript, step)
    if not outcome.ok:
        raise failed(step, outcome)
    return outcome.stdout


def listing(
    transcript: Transcript, step: str, *, asked: Collection[str], shut: Collection[str]
) -> Listing:
    """Return what a listing printed; raise Trouble unless its only complaints are expected ones.

    Any of the names `asked` may be missing; those of the pools in `shut` may fail anyhow.
    """
    outcome = _outcome(transcript, step)
    if outcome.ok:
        return Listing(outcome.stdout, frozenset())
    missing = set()
    for line in filter(str.strip, outcome.stderr.split("\n")):
        found = _MISSING.fullmatch(line) or _NOT_OPENED.fullmatch(line)
        name = found[1] if found else ""
        excused = found is not None and (found.re is _MISSING or name.partition("/")[0] in shut)
        if name not in asked or not excused:
            raise failed(step, outcome)
        missing.add(name)
    if outcome.status != 1 or not missing:
        raise failed(step, outcome)
    return Listing(outcome.stdout, frozenset(missing))


def parsed(step: str, parse: Callable[[str], T], text: str) -> T:
    """Parse the output of a step; what does not parse is trouble."""
    try:
        return parse(text)
    except ParseError as error:
        raise Trouble(f"the listing of {step} can't be read: {error}") from error


def failed(step: str, outcome: Outcome) -> Trouble:
    """Return the trouble of a step that failed."""
    failure = classify(outcome.stderr, outcome.status)
    if failure.kind is FailureKind.DOES_NOT_EXIST:
        return changed(failure.message)
    return Trouble(f"listing {step}: {failure.message}", _REMEDIES.get(failure.kind, ""))


def _outcome(transcript: Transcript, step: str) -> Outcome:
    outcome = transcript.get(step)
    if outcome is None:
        raise Trouble(f"the probe's answer lacks the section {step}")
    return outcome
