"""Who may ask: a user and password, or a token, each from a file that nobody else can read."""

import base64
import binascii
import hmac
import os
import stat
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from reconciler.errors import UsageError

_LONGEST = 4096
"""Bytes: more is no password."""

_NOT_FOR_OTHERS = stat.S_IRWXO | stat.S_IWGRP


@dataclass(frozen=True, slots=True)
class Auth:
    """What a request has to bring. The secret itself is not kept, only its digest."""

    scheme: str
    """`Basic` or `Bearer`."""
    _digest: bytes = field(repr=False)

    @classmethod
    def basic(cls, user: str, password_file: Path) -> Self:
        """Ask for a user and a password; raises UsageError for a file that won't do."""
        if not user or ":" in user:
            raise UsageError(f"{user!r} can't be a user of HTTP: it is empty or has a colon")
        secret = f"{user}:".encode() + read_secret(password_file)
        return cls("Basic", _digest(secret))

    @classmethod
    def bearer(cls, token_file: Path) -> Self:
        """Ask for a token; raises UsageError for a file that won't do."""
        return cls("Bearer", _digest(read_secret(token_file)))

    @property
    def challenge(self) -> str:
        """What `WWW-Authenticate` says."""
        charset = ', charset="UTF-8"' if self.scheme == "Basic" else ""
        return f'{self.scheme} realm="reconciler"{charset}'

    def accepts(self, authorization: str | None) -> bool:
        """Tell whether an `Authorization` header will do, in a time that says nothing."""
        scheme, _, given = (authorization or "").partition(" ")
        presented = self._presented(given.strip()) if scheme.lower() == self.scheme.lower() else b""
        return hmac.compare_digest(_digest(presented), self._digest)

    def _presented(self, given: str) -> bytes:
        raw = given.encode("latin-1", "replace")
        if self.scheme == "Bearer":
            return raw
        try:
            return base64.b64decode(raw, validate=True)
        except binascii.Error:
            return b""


def read_secret(path: Path) -> bytes:
    """Return what a file holds, without the end of its line; UsageError when it won't do."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read(_LONGEST + 1).rstrip(b"\r\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}: the file of a secret must be there") from error
    refuse_readable(path, mode)
    if not secret or len(secret) > _LONGEST or b"\n" in secret:
        raise UsageError(f"{path} must hold one line with the secret and nothing else")
    return secret


def refuse_readable(path: Path, mode: int) -> None:
    """Raise UsageError for a file that others may read, or that a group may write."""
    if stat.S_IMODE(mode) & _NOT_FOR_OTHERS:
        allowed = stat.filemode(mode)
        raise UsageError(f"{path} has mode {allowed}, others can get at it: chmod 600 {path}")


def _digest(secret: bytes) -> bytes:
    return sha256(secret).digest()
