"""Steps on a real host: a whole sequence is one shell script over one connection.

Emulated hosts are slow, and a connection for each command would make them slower still.
"""

import base64
import io
import shlex
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.zfs.types import Argv
from tests.lab.machines import Machine
from tests.support.steps import CUT, KEEP, WRITE, Outcome, Step, fill

POOLS = ("src", "dst")
"""Pools in files of the host's memory: the host's own pool is left alone."""

_TIMEOUT = 60
"""Seconds for one command."""

_PRELUDE = r"""
export LC_ALL=C TZ=UTC
cd /
write() {
    case $(zfs get -H -o value type "$1") in
    volume)
        # Devices of volumes come and go in the background.
        for attempt in 1 2 3 4 5; do
            for device in /dev/zd*; do
                [ "$(/lib/udev/zvol_id "$device" 2>/dev/null)" = "$1" ] || continue
                head -c "$3" /dev/urandom | dd of="$device" bs=64k conv=notrunc,fsync 2>/dev/null
                break 2
            done
            sleep 0.2
        done ;;
    *)
        # The property may say something else, if it came with a stream.
        while read -r device place type rest; do
            [ "$type" = zfs ] && [ "$(printf "$device")" = "$1" ] && mountpoint=$(printf "$place")
        done </proc/self/mounts
        head -c "$3" /dev/urandom >"$mountpoint/$2" ;;
    esac
    zpool sync "${1%%/*}"
}
keep() {
    eval "$1=\$(zfs get -H -o value receive_resume_token \"\$2\")"
    [ -n "$(eval "echo \$$1")" ] || eval "$1=-"
}
renew() {
    zpool destroy -f "$1" 2>/dev/null
    rm -rf "/tmp/$1.img" "/$1"
    truncate -s 512M "/tmp/$1.img"
    zpool create -f -O mountpoint="/$1" -O atime=off "$1" "/tmp/$1.img"
}
for key in 1 2; do printf 'passphrase%s' "$key" >"/tmp/k$key"; done
d=/tmp/steps
rm -rf $d; mkdir $d
"""

_EPILOGUE = """
tar -C $d -cf - . | base64
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A step, and what is asked after it."""

    step: Step
    questions: tuple[Argv, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host made of a step, and what it said when asked."""

    outcome: Outcome
    answers: tuple[Outcome, ...] = ()


def run(machine: Machine, sequence: Sequence[Asked]) -> list[Answer]:
    """Run a sequence on new pools and return what was said."""
    steps = "\n".join(_script(number, asked) for number, asked in enumerate(sequence))
    renew = "\n".join(f"renew {pool}" for pool in POOLS)
    script = f"{_PRELUDE}{renew}\n{steps}{_EPILOGUE}"
    said = machine.sh("sh -s", input=script.encode(), timeout=60 + 10 * len(sequence)).stdout
    files = _files(said)
    return [_answer(number, asked, files) for number, asked in enumerate(sequence)]


def clean(machine: Machine) -> None:
    """Remove the pools."""
    for pool in POOLS:
        machine.sh(f"zpool destroy -f {pool}; rm -f /tmp/{pool}.img", check=False)


def _script(number: int, asked: Asked) -> str:
    lines = [_step(f"$d/{number}", asked.step)]
    # What programs and mounts wrote is counted once it is on disk.
    if asked.questions:
        lines.append("zpool sync")
    elif asked.step[0][:2] in {("zfs", "list"), ("zfs", "get")}:
        lines.insert(0, "zpool sync")
    for question, argv in enumerate(asked.questions):
        lines.append(_one(f"$d/{number}.q{question}", argv))
    return "\n".join(lines)


def _step(place: str, step: Step) -> str:
    if step[0][0] in {KEEP, WRITE}:
        return f"{shlex.join(step[0])} >{place}.1.out 2>{place}.1.err"
    commands = [argv for argv in step if argv[0] != CUT]
    if len(commands) == 1:
        return _one(place, commands[0])
    send, receive = commands
    share = next((float(argv[1]) for argv in step if argv[0] == CUT), None)
    between, measured = "", ""
    if share is not None:
        measured = f"size=$({_words(send)} 2>/dev/null </dev/null | wc -c)\n"
        between = f"head -c $((size * {round(share * 1000)} / 1000)) | "
    return (
        f"{measured}"
        f"{{ {_words(send)} 2>{place}.1.err </dev/null; echo $? >{place}.1.rc; }} | {between}"
        f"{{ {_words(receive)} >{place}.2.out 2>{place}.2.err; echo $? >{place}.2.rc; }}"
    )


def _one(place: str, argv: Argv) -> str:
    return f"{_words(argv)} >{place}.1.out 2>{place}.1.err </dev/null; echo $? >{place}.1.rc"


def _words(argv: Argv) -> str:
    words = [fill(word, lambda name: f"${{{name}}}") for word in argv]
    quoted = [f'"{word}"' if word.startswith("${") else shlex.quote(word) for word in words]
    return f"timeout {_TIMEOUT} {' '.join(quoted)}"


def _answer(number: int, asked: Asked, files: dict[str, str]) -> Answer:
    answers = tuple(
        _outcome(f"{number}.q{question}", 1, files) for question in range(len(asked.questions))
    )
    commands = sum(argv[0] != CUT for argv in asked.step)
    outcome = _outcome(str(number), commands, files)
    if asked.step[0][0] in {KEEP, WRITE}:
        outcome = replace(outcome, statuses=())
    return Answer(outcome, answers)


def _outcome(place: str, commands: int, files: dict[str, str]) -> Outcome:
    return Outcome(
        stdout=files.get(f"{place}.{commands}.out", ""),
        stderrs=tuple(files.get(f"{place}.{n + 1}.err", "") for n in range(commands)),
        statuses=tuple(int(files.get(f"{place}.{n + 1}.rc", "0")) for n in range(commands)),
    )


def _files(archive: str) -> dict[str, str]:
    data = io.BytesIO(base64.b64decode(archive))
    with tarfile.open(fileobj=data) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        return {
            member.name.removeprefix("./"): _content(tar, member).decode(errors="replace")
            for member in members
        }


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    found = tar.extractfile(member)
    return found.read() if found is not None else b""
