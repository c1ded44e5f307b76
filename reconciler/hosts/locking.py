"""A lock on a host: of several controllers only one at a time changes something there.

Each controller has a file of its own in a folder that every account of the host can write in.
What changes something holds a shared flock(2) on its controller's file while it runs, then looks
whether anybody holds another controller's file, and gives way if so. Each takes its own lock
before it looks at the others', so two that come at the same moment may both give way, but never
both go on. The lock ends with the last process that inherited it; a file that nobody holds is no
lock, and is removed by whoever comes next: by one of several that come at once, to whom it is held
for as long as another one looks.

These folders are open to all: nobody but root and its owner can replace a file there, but others
could prepare one. So a file is only ever made new, never opened through a link, and one that is
not ours is not written to. Someone with an account on the host can block us, and is named then.
"""

import getpass
import os
import secrets
import shlex
import socket
import sys
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Self

from reconciler.errors import HostLocked

FOLDERS = ("/run/lock", "/tmp")  # noqa: S108 - used as the docstring of this module says
"""Where lock files may be. The first one that can be used is; others' are looked for in all."""

PREFIX = "reconciler-lock."

LOCKED_STATUS = 75
"""How a locked command ends that was not run: EX_TEMPFAIL of sysexits(3)."""

_WHO_LENGTH = 300
_LOOKS = 50
"""How often a file is tried that somebody has for himself alone, who looks at it as we do: not for
long, and then it is gone. What can be shared, and is there still, is held by who acts."""
_TOLD = "reconciler-lock:"


@dataclass(frozen=True, slots=True)
class HostLock:
    """What a controller locks hosts with."""

    identity: str
    """Letters and digits. Who has the same one does not exclude the other."""
    who: str
    """For people: who it is, in one line."""
    host: str = ""
    """The host's name in the specs: one machine may be entered under two names and accounts."""
    folders: tuple[str, ...] = FOLDERS

    def __post_init__(self) -> None:
        if not (self.identity.isalnum() and self.identity.isascii()):
            raise ValueError(f"an identity has letters and digits only: {self.identity!r}")

    def at(self, host: str) -> Self:
        """Return the lock for one host."""
        return replace(self, host=host)

    @property
    def phase(self) -> float:
        """A number from 0 to 1 of its own: who give way together come back one by one."""
        return int(sha256(self.identity.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF

    @property
    def prefix(self) -> str:
        """How the names of all files of this controller begin."""
        return f"{PREFIX}{self.identity}."

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.prefix}{sha256(self.host.encode()).hexdigest()[:8]}"


@cache
def lock_of_this_process() -> HostLock:
    """Return a lock with an identity that is new for each process."""
    return HostLock(secrets.token_hex(16), describe_process())


def describe_process() -> str:
    """Return who this process is, for people on other machines; no options, no secrets."""
    return f"{who_i_am()}, process {os.getpid()}, `{shlex.join(_command())}`"


def who_i_am() -> str:
    """Return `user@host` for this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # A uid without an entry in passwd(5).
        user = str(os.geteuid())
    return f"{user}@{socket.gethostname()}"


def _command() -> list[str]:
    return [Path(sys.argv[0]).name, *(word for word in sys.argv[1:2] if not word.startswith("-"))]


# The functions reconciler_act, which does what is to be done, and reconciler_told, which gets
# `held`, `none WHY` or `busy WHO` before that, are defined before this text. A redirection of a
# compound command is inherited by what runs in it, in ksh too, and its failure ends no shell.
_TEXT = r"""
reconciler_hold() {{
reconciler_lock=none reconciler_who='no folder for locks can be written in'
if ! command -v flock >/dev/null 2>&1; then
reconciler_who='there is no program flock'
return 0
fi
for reconciler_folder in {folders}; do
if [ -d "$reconciler_folder" ] && [ -w "$reconciler_folder" ] &&
{{ [ -k "$reconciler_folder" ] || [ -O "$reconciler_folder" ]; }}; then
reconciler_file=$reconciler_folder/{name}
reconciler_hold_file
return 0
fi
done
}}
reconciler_hold_file() {{
reconciler_lock=again reconciler_tries=0
while [ "$reconciler_lock" = again ] && [ "$reconciler_tries" -lt 50 ]; do
reconciler_tries=$((reconciler_tries + 1))
( umask 022; set -C; : >"$reconciler_file" ) 2>/dev/null
if [ -L "$reconciler_file" ] || {{ [ -e "$reconciler_file" ] &&
! {{ [ -f "$reconciler_file" ] && [ -O "$reconciler_file" ]; }}; }}; then
reconciler_lock=busy reconciler_who="somebody else who has made $reconciler_file"
elif [ -e "$reconciler_file" ]; then
{{ reconciler_with_file; }} 9<"$reconciler_file"
fi
done
if [ "$reconciler_lock" = again ] && [ -e "$reconciler_file" ]; then
reconciler_lock=busy reconciler_who="somebody who holds $reconciler_file"
elif [ "$reconciler_lock" = again ]; then
reconciler_lock=none reconciler_who="$reconciler_file can't be made"
fi
}}
reconciler_with_file() {{
flock -s -n 9 || return 0
reconciler_open=/dev/fd
[ -e /dev/fd/9 ] || reconciler_open=/proc/self/fd
if [ -e "$reconciler_open/9" ] && ! [ "$reconciler_file" -ef "$reconciler_open/9" ]; then
return 0
fi
printf '%s\n' {who} 2>/dev/null >"$reconciler_file"
reconciler_lock=held
for reconciler_other in {others}; do
case $reconciler_other in
*/{prefix}*) ;;
*) reconciler_look ;;
esac
done
if [ "$reconciler_lock" = held ]; then
reconciler_told held
reconciler_act
fi
}}
reconciler_look() {{
if [ -L "$reconciler_other" ] || ! [ -f "$reconciler_other" ]; then
return 0
fi
reconciler_seen=
{{
reconciler_seen=1 reconciler_free= reconciler_held=0 reconciler_looks=0
while [ -e "$reconciler_other" ] && [ "$reconciler_held" -lt 2 ] &&
[ "$reconciler_looks" -lt {looks} ]; do
reconciler_looks=$((reconciler_looks + 1))
flock -x -n 7 && reconciler_free=1 && break
flock -s -n 7 && reconciler_held=$((reconciler_held + 1)) && flock -u 7
done
if [ -n "$reconciler_free" ]; then
if [ "$reconciler_other" -ef "$reconciler_open/7" ]; then
rm -f "$reconciler_other"
elif [ -e "$reconciler_open/7" ] && [ -e "$reconciler_other" ]; then
reconciler_lock=busy reconciler_who="somebody whose $reconciler_other is new"
fi
elif [ -e "$reconciler_other" ]; then
reconciler_lock=busy reconciler_who=$(dd bs=300 count=1 2>/dev/null <&7 | tr '\n' ' ')
reconciler_who="${{reconciler_who:-somebody }}($reconciler_other)"
fi
}} 2>/dev/null 7<"$reconciler_other"
if [ -z "$reconciler_seen" ] && [ -e "$reconciler_other" ]; then
reconciler_lock=busy reconciler_who="somebody whose $reconciler_other can't be read"
fi
}}
reconciler_hold
case $reconciler_lock in
none) reconciler_told none "$reconciler_who"; reconciler_act ;;
busy) reconciler_told busy "$reconciler_who" ;;
esac
"""


def text(lock: HostLock) -> str:
    """Return sh text that calls the function `reconciler_act` under the lock.

    It calls `reconciler_told` first, with `held`; with `none` and why there is no lock; or with
    `busy` and who has it, and then nothing more.
    """
    return _TEXT.format(
        folders=" ".join(map(shlex.quote, lock.folders)),
        others=" ".join(f"{shlex.quote(folder)}/{PREFIX}*" for folder in lock.folders),
        name=lock.name,
        prefix=lock.prefix,
        looks=_LOOKS,
        who=shlex.quote(" ".join(lock.who.split())[:_WHO_LENGTH]),
    )


def around(command: str, lock: HostLock) -> str:
    """Return sh text that runs a command under the lock and ends as it does.

    The shell does not give way to the command: sudo closes what it inherits, but not what its
    parent has open. What there is to tell of the lock comes on stderr.
    """
    return f"""\
reconciler_status={LOCKED_STATUS}
reconciler_told() {{ [ "$1" = held ] || echo "{_TOLD} $*" >&2; }}
reconciler_act() {{
{command}
reconciler_status=$?
}}
{text(lock)}exit "$reconciler_status"
"""


def locked(host: str, who: str) -> HostLocked:
    """Return the error for a host on which another controller is at work."""
    return HostLocked(
        host,
        f"another controller is at work there: {who.strip()}. Nothing was done; it will be tried"
        " again",
    )


def told(host: str, output: str) -> HostLocked | str:
    """Return what the output of a command that ran `around` says of the lock, without its result.

    An error when it was not run, else why there was no lock, empty when there was one.
    """
    for line in output.splitlines():
        if line.startswith(f"{_TOLD} busy "):
            return locked(host, line.removeprefix(f"{_TOLD} busy "))
        if line.startswith(f"{_TOLD} none "):
            return line.removeprefix(f"{_TOLD} none ")
    return ""
