"""How a stream gets from sender to receiver: the one step that joins `zfs send` and `zfs receive`.

Pure functions. The bytes never pass through Python: the two commands are joined by a pipe on one
host, by an `ssh` that the sender runs, or by two `ssh` that the controller runs. These are OpenSSH
processes (see `hosts.openssh`), and they end with the script they are part of.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from reconciler.hosts.addresses import (
    HostAddress,
    LocalAddress,
    PeerAddress,
    Privilege,
    SimulatedAddress,
    SshAddress,
    SshOptions,
)
from reconciler.hosts.locking import HostLock, around
from reconciler.hosts.openssh import entering, without_remarks
from reconciler.hosts.pipeline import pipeline
from reconciler.hosts.script import Outcome, Script, Step
from reconciler.hosts.shell import SEARCH_PATH, privileged, quote
from reconciler.zfs.piping import PLAIN, End, Piping
from reconciler.zfs.types import Argv

STREAM = "stream"
"""The name of the step."""

LOOK = "look"
"""The name of the step that looks at what has arrived, where that is a step of its own."""

MOST_LOOKED_AT = 4096
"""Bytes of a look that goes along with a stream: a login shell takes all of it as one word."""

_TOLD = "reconciler-look:"
_LOOKED = re.compile(rf"\n{_TOLD} begin\n(.*)\n{_TOLD} end (\d+)\n", re.DOTALL)

_NONE: Mapping[SshAddress, Path] = MappingProxyType({})

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ./:@,+=-")


def local_pipe(send: Argv, receive: Argv, piping: Piping = PLAIN) -> Step:
    """Return the step for a sender and a receiver on one host, to be run there."""
    return Step(STREAM, send, into=receive, through=piping.programs(End.SENDER))


def look_after(look: Argv) -> Step:
    """Return the step that looks at what has arrived, behind a stream that ends where it runs."""
    return Step(LOOK, look, there=True)


def direct(  # noqa: PLR0913 - both commands, and how
    receiver: HostAddress,
    send: Argv,
    receive: Argv,
    lock: HostLock | None = None,
    look: Argv | None = None,
    *,
    piping: Piping = PLAIN,
) -> Step:
    """Return the step that pushes a stream to the receiver, to be run on the sender.

    The receiver is locked while it receives; sending changes nothing. `look` is what tells on the
    receiver what has arrived; see `parted`.
    """
    command = remote_command(
        receive,
        receiver.privilege,
        lock and lock.at(receiver.name),
        look,
        before=piping.programs(End.RECEIVER),
    )
    into = (*_towards(receiver), command)
    return Step(STREAM, send, into=into, through=piping.programs(End.SENDER))


def relay(  # noqa: PLR0913 - both ends, both commands, and how
    sender: HostAddress,
    receiver: HostAddress,
    send: Argv,
    receive: Argv,
    options: SshOptions,
    *,
    lock: HostLock | None = None,
    look: Argv | None = None,
    piping: Piping = PLAIN,
    masters: Mapping[SshAddress, Path] = _NONE,
) -> Step:
    """Return the step that leads a stream through the controller, to be run there.

    The controller itself may be one of the two ends; a script in which it receives changes
    something there. Any other receiver is locked by the step, and looks as `direct` has it.
    `masters` are the sockets of connections that it may share; see `hosts.masters`.
    """
    outwards, inwards = piping.programs(End.SENDER), piping.programs(End.RECEIVER)
    # The programs of an end run where it is; those of an end that is here, between the two.
    here = tuple(
        argv
        for host, programs in ((sender, outwards), (receiver, inwards))
        if isinstance(host.address, LocalAddress)
        for argv in programs
    )
    enter = partial(_at, options=options, masters=masters)
    first = enter(sender, remote=partial(remote_command, send, after=outwards), argv=send)
    there = partial(
        remote_command, receive, lock=lock and lock.at(receiver.name), look=look, before=inwards
    )
    return Step(STREAM, first, into=enter(receiver, remote=there, argv=receive), through=here)


def parted(outcome: Outcome) -> tuple[Outcome, Outcome | None]:
    """Return what came of a stream, and of the look behind it if that went along and came back.

    What ssh said of a shared connection that it could not use is left out: it has used another one.
    """
    outcome = replace(
        outcome,
        stdout=without_remarks(outcome.stdout),
        stderr=without_remarks(outcome.stderr),
    )
    found = _LOOKED.search(outcome.stdout)
    if found is None:
        return outcome, None
    lines = found[1].splitlines(keepends=True)
    rows = "".join(line for line in lines if "\t" in line)
    errors = "".join(line for line in lines if "\t" not in line)
    said = outcome.stdout[: found.start()] + outcome.stdout[found.end() :]
    return replace(outcome, stdout=said), Outcome(int(found[2]), rows, errors)


def can_reach(receiver: HostAddress) -> Script:
    """Return a script for the sender whose only step succeeds when `direct` will find its way."""
    return Script((Step("reach", (*_towards(receiver), "true")),))


def remote_command(  # noqa: PLR0913 - what runs, and with what around it
    argv: Argv,
    privilege: Privilege,
    lock: HostLock | None = None,
    look: Argv | None = None,
    *,
    before: Sequence[Argv] = (),
    after: Sequence[Argv] = (),
) -> str:
    """Return the argv as the command of an ssh: sh, bash, fish and csh as login shells agree on it.

    What comes in passes the programs `before`, what goes out those `after`; see `pipeline`.
    With a lock it runs under that one, or ends as `locking.told` reads. With a look it is run
    after the command, and told as `parted` reads.
    What a shell might not take literally is written in octal between single quotes, where not
    even csh's `!` or fish's backslash mean anything.
    """
    text = f"PATH={SEARCH_PATH} LC_ALL=C TZ=UTC; export PATH LC_ALL TZ; "
    parts = [*before, privileged(argv, privilege), *after]
    command = pipeline(list(map(quote, parts)), telling=len(before))
    if look is not None:
        command = _looking(command, quote(privileged(look, privilege)))
    alone = look is None and len(parts) == 1
    text += around(command, lock) if lock is not None else f"exec {command}" if alone else command
    escaped = "".join(c if c in _PLAIN else _octal(c) for c in text)
    return f"""exec /bin/sh -c 'eval "$(printf "{escaped}")"'"""


def _looking(command: str, look: str) -> str:
    """Return sh text that runs a command, tells what a look says after it, and ends like it."""
    return f"""\
{command}
reconciler_came=$?
printf '\\n%s begin\\n' {_TOLD}
{look} 2>&1
printf '\\n%s end %s\\n' {_TOLD} "$?"
( exit "$reconciler_came" )"""


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode())


def _at(
    host: HostAddress,
    *,
    options: SshOptions,
    masters: Mapping[SshAddress, Path],
    remote: Callable[[Privilege], str],
    argv: Argv,
) -> Argv:
    """Return the argv as the controller runs it on a host, or what it runs to enter that."""
    match host.address:
        case LocalAddress():
            return privileged(argv, host.privilege)
        case SimulatedAddress():
            raise ValueError(f"{host.name} is simulated: its streams need no processes")
        case SshAddress() as address:
            return (*entering(address, options, masters.get(address)), remote(host.privilege))


def _towards(receiver: HostAddress) -> Argv:
    """Return the ssh by which a sender enters the receiver, with the sender's own ssh_config."""
    peer = _peer(receiver)
    key = receiver.address.host_key if isinstance(receiver.address, SshAddress) else None
    address = SshAddress(peer.address, user=peer.user, port=peer.port, host_key=key)
    return entering(address, SshOptions())


def _peer(receiver: HostAddress) -> PeerAddress:
    """Return how other hosts reach the receiver; what its peer address leaves open is as for us."""
    ssh = receiver.address
    peer = receiver.peer_address
    if isinstance(ssh, SshAddress):
        if peer is None:
            return PeerAddress(ssh.address, port=ssh.port, user=ssh.user)
        return PeerAddress(peer.address, port=peer.port, user=peer.user or ssh.user)
    if peer is None:
        raise ValueError(f"{receiver.name} is the controller's own machine and has no peer address")
    return peer
