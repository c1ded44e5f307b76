"""Which host keys are to be accepted: the pinned one, or those in known_hosts files (sshd(8)).

Written anew because paramiko's reader knows neither patterns nor `@revoked`. Certificate
authorities are not followed: a host with a certificate is verified by its plain key.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class HostKey(NamedTuple):
    """A public key as it is written in files."""

    kind: str
    blob: str
    """The base64 text."""

    @property
    def fingerprint(self) -> str:
        """The text by which people compare keys: `SHA256:...`."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class Place(NamedTuple):
    """Where a key was read."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about the keys of one host."""

    keys: dict[HostKey, Place] = field(default_factory=dict)
    revoked: dict[HostKey, Place] = field(default_factory=dict)


class _Entry(NamedTuple):
    marker: str
    hosts: str
    key: HostKey
    place: Place


def parse_key(text: str) -> HostKey:
    """Read `ssh-ed25519 AAAA... comment`. Raises ValueError when it is not a public key."""
    kind, blob, *_ = [*text.split(), "", ""]
    try:
        data = base64.b64decode(blob, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not a public key: {text!r}") from error
    # The data begin with the length and the name of the kind once more.
    if data[4 : 4 + len(kind)].decode("ascii", "replace") != kind or not kind:
        raise ValueError(f"not a public key: {text!r}")
    return HostKey(kind, blob)


def look_up(files: Iterable[Path], names: Iterable[str]) -> Known:
    """Return what the files say about a host; of its names the first with a key counts."""
    entries = [entry for file in files for entry in _entries(file)]
    names = tuple(names)
    revoked = {
        entry.key: entry.place
        for entry in entries
        if entry.marker == "@revoked" and any(matches(entry.hosts, name) for name in names)
    }
    for name in names:
        plain = [e for e in entries if not e.marker and matches(e.hosts, name)]
        if plain:
            return Known({entry.key: entry.place for entry in reversed(plain)}, revoked)
    return Known({}, revoked)


def matches(hosts: str, name: str) -> bool:
    """Say whether the first field of a line, hashed or a list of patterns, means the name."""
    if hosts.startswith("|1|"):
        return _matches_hash(hosts, name)
    patterns = hosts.lower().split(",")
    refused = any(p.startswith("!") and _like(p[1:], name.lower()) for p in patterns)
    return not refused and any(_like(p, name.lower()) for p in patterns)


def _matches_hash(hosts: str, name: str) -> bool:
    _, _, salt, digest = [*hosts.split("|"), "", ""][:4]
    try:
        wanted = base64.b64decode(digest, validate=True)
        found = hmac.new(base64.b64decode(salt, validate=True), name.encode(), hashlib.sha1)
    except binascii.Error:
        return False
    return hmac.compare_digest(wanted, found.digest())


def _like(pattern: str, name: str) -> bool:
    """Match `*` and `?`, and nothing else: the brackets of `[host]:port` are themselves."""
    wild = {"*": ".*", "?": "."}
    return bool(re.fullmatch("".join(wild.get(c) or re.escape(c) for c in pattern), name))


def _entries(file: Path) -> Iterator[_Entry]:
    """Read the lines of a file that hold a key; what can't be read holds none."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines, 1):
        fields = line.split(maxsplit=2)
        marker = ""
        if fields and fields[0].startswith("@"):
            marker, *fields = line.split(maxsplit=3)
        hosts, *key = fields or [""]
        if not hosts or hosts.startswith("#"):
            continue
        try:
            yield _Entry(marker, hosts, parse_key(" ".join(key)), Place(file, number))
        except ValueError:
            continue
