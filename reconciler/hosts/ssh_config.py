"""What ssh_config says about a host, by asking OpenSSH itself (`ssh -G`).

So Include, Match, tokens and defaults mean here exactly what they mean to the `ssh` processes of
a stream. Nothing is connected to.
"""

import os
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import Unreachable
from reconciler.hosts.addresses import SshAddress, SshOptions
from reconciler.zfs.types import Argv

_PLACE = re.compile(
    r"(?:ssh://)?(?:(?P<user>.*)@)?(?P<name>\[[^]]*\]|[^:]*|.*:.*:.*?)(?::(?P<port>\d+))?/?"
)


@dataclass(frozen=True, slots=True)
class SshSettings:
    """Everything that is needed to connect to one host."""

    asked: str
    """The name that was looked up, before HostName."""
    hostname: str
    port: int
    user: str
    identity_files: tuple[Path, ...] = ()
    """The private keys that exist, in the order they are tried."""
    use_agent: bool = True
    known_hosts: tuple[Path, ...] = ()
    """The user's files and then the global ones, whether they exist or not."""
    host_key_alias: str | None = None
    jump: str | None = None
    proxy_command: str | None = None

    @property
    def host_key_names(self) -> tuple[str, ...]:
        """The names under which known_hosts may hold the key: the first with an entry counts."""
        if self.host_key_alias is not None:
            return (self.host_key_alias,)
        name = self.hostname.lower()
        return (name,) if self.port == 22 else (f"[{name}]:{self.port}", name)


def destination(address: SshAddress, options: SshOptions) -> Argv:
    """Return the arguments by which ssh finds and enters a host, all but the host itself."""
    arguments: list[str] = []
    if options.config_file is not None:
        arguments += ["-F", str(options.config_file)]
    if address.jump is not None:
        arguments += ["-J", address.jump]
    if address.port is not None:
        arguments += ["-p", str(address.port)]
    if address.user is not None:
        arguments += ["-l", address.user]
    return tuple(arguments)


def look_up(host: str, address: SshAddress, options: SshOptions) -> SshSettings:
    """Return the settings that OpenSSH would use. Raises `Unreachable` when it refuses to say."""
    argv = ["ssh", "-T", "-G", *destination(address, options), "--", address.address]
    try:
        answer = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30
        )
    except subprocess.CalledProcessError as error:
        said = "; ".join(str(error.stderr).strip().splitlines())
        raise Unreachable(host, f"ssh finds its configuration unusable: {said}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreachable(host, f"ssh can't be run on the controller: {error}") from error
    return parse(address.address, answer.stdout)


def parse(asked: str, answer: str) -> SshSettings:
    """Read what `ssh -G` prints: lines of a keyword and its value, some keywords several times."""
    values: defaultdict[str, list[str]] = defaultdict(list)
    for line in answer.splitlines():
        keyword, _, value = line.partition(" ")
        values[keyword].append(value.strip())

    def one(keyword: str) -> str | None:
        value = next(iter(values[keyword]), "none")
        return None if value == "none" else value

    hostname, port, user = one("hostname") or asked, one("port") or "22", one("user") or ""
    tokens = {
        "%h": hostname,
        "%p": port,
        "%r": user,
        "%n": asked,
        "%d": str(Path.home()),
        "%%": "%",
    }
    identities = [Path(_expand(name, tokens)) for name in values["identityfile"]]
    lists = f"{one('userknownhostsfile') or ''} {one('globalknownhostsfile') or ''}"
    return SshSettings(
        asked=asked,
        hostname=hostname,
        port=int(port),
        user=user,
        identity_files=tuple(path for path in identities if path.is_file()),
        use_agent=one("identitiesonly") != "yes" and values["identityagent"] != ["none"],
        known_hosts=tuple(Path(_expand(name, tokens)) for name in lists.split()),
        host_key_alias=one("hostkeyalias"),
        jump=one("proxyjump"),
        proxy_command=_expand(one("proxycommand") or "", tokens) or None,
    )


def last_hop(jump: str) -> SshAddress:
    """Return the last host of a ProxyJump value; the ones before it are how that is reached."""
    before, _, last = jump.rpartition(",")
    place = _PLACE.fullmatch(last)
    if place is None:
        raise ValueError(f"not a jump host: {last!r}")
    user, name, port = place.group("user", "name", "port")
    return SshAddress(name.strip("[]"), user, int(port) if port else None, before or None)


def _expand(text: str, tokens: dict[str, str]) -> str:
    """Replace the tokens of ssh_config(5) that `ssh -G` leaves as they are."""
    known = re.sub("%.", lambda token: tokens.get(token[0], token[0]), os.path.expandvars(text))
    return str(Path(known).expanduser()) if known.startswith("~") else known
