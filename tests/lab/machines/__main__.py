"""The lab by hand: `python -m tests.lab.machines up|ssh|status|down|build`."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from . import builder, hostneeds, places, record
from .access import Access
from .commands import say
from .errors import LabError
from .lab import HOSTS, MEMORY, Lab, start


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    given = _parser().parse_args(arguments)
    try:
        return _COMMANDS[given.command](given)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.machines", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the hosts' image, or find it in the cache")
    up = commands.add_parser("up", help="boot hosts and leave them running")
    up.add_argument("--hosts", default=",".join(HOSTS), help="names, with commas (%(default)s)")
    up.add_argument("--memory", type=int, default=MEMORY, help="MiB for each host (%(default)s)")
    status = commands.add_parser("status", help="say what runs and how to reach it")
    down = commands.add_parser("down", help="stop the hosts and remove their disks")
    ssh = commands.add_parser("ssh", help="log in, or run a command, on a host")
    for command in (up, status, down, ssh):
        command.add_argument("--dir", type=Path, default=places.default_run())
    ssh.add_argument("host")
    ssh.add_argument("words", nargs=argparse.REMAINDER, metavar="command")
    return parser


def _build(_: argparse.Namespace) -> int:
    say(f"image: {builder.find_or_build().folder}")
    return 0


def _up(given: argparse.Namespace) -> int:
    if reason := hostneeds.why_not():
        raise LabError(reason)
    folder = given.dir.resolve()
    state = record.read(folder)
    if state and len(state.running()) == len(state.hosts):
        say(f"a lab runs in {folder} already")
    else:
        hosts = given.hosts.split(",")
        start(hosts, folder, memory=given.memory, dies_with_us=False).hang_up()
    return _status(given)


def _status(given: argparse.Namespace) -> int:
    folder = given.dir.resolve()
    state = record.read(folder)
    if state is None:
        print(f"no lab in {folder}")
        return 1
    running = state.running()
    for host in state.hosts.values():
        word = f"pid {state.processes[host.name].pid}" if host.name in running else "not running"
        print(f"{host.name}: {word}, pool {host.pool}, port {host.port}")
    config = shlex.quote(str(Access(folder).ssh_config))
    print(f"reach them with: ssh -F {config} {' | '.join(state.hosts)}")
    return 0 if len(running) == len(state.hosts) else 1


def _down(given: argparse.Namespace) -> int:
    folder = given.dir.resolve()
    state = record.read(folder)
    if state is None:
        print(f"no lab in {folder}")
        return 0
    Lab(state, dies_with_us=False).stop()
    say(f"stopped {', '.join(state.hosts)}")
    return 0


def _ssh(given: argparse.Namespace) -> int:
    config = Lab.attach(given.dir).ssh_config
    argv = ["ssh", "-F", str(config), given.host, *given.words]
    os.execvp("ssh", argv)  # noqa: S606 - this process becomes ssh


_COMMANDS = {"build": _build, "up": _up, "status": _status, "down": _down, "ssh": _ssh}

if __name__ == "__main__":
    sys.exit(main())
