"""What the options of `reconciler watch` mean; UsageError where they mean nothing."""

from pathlib import Path

from reconciler.cli.options import DEFAULT_SPECS
from reconciler.controller.http.auth import Auth
from reconciler.controller.http.listen import Listen, parse_listen
from reconciler.controller.http.tls import Tls
from reconciler.controller.sources import FolderSource, GitSource, Source
from reconciler.desired.units import InvalidDuration, parse_duration
from reconciler.errors import UsageError


def source_of(specs: Path, git: str | None) -> Source:
    """Return where the specs come from: one of the two options."""
    if git is None:
        return FolderSource(specs)
    if specs != DEFAULT_SPECS:
        raise UsageError("-f and --git: give one of the two; --git REPO@REF:FOLDER names a folder")
    return GitSource.parse(git)


def listen_of(text: str) -> Listen | None:
    """Return where to listen, None for nowhere."""
    return None if text == "none" else parse_listen(text)


def auth_of(user: str | None, password_file: Path | None, token_file: Path | None) -> Auth | None:
    """Return who may ask; None for everybody who can reach us."""
    if token_file is not None and (user is not None or password_file is not None):
        raise UsageError("--auth-token-file or --auth-user with --auth-password-file, not both")
    if token_file is not None:
        return Auth.bearer(token_file)
    if user is not None and password_file is not None:
        return Auth.basic(user, password_file)
    if user is not None or password_file is not None:
        raise UsageError("--auth-user and --auth-password-file go together")
    return None


def tls_of(certificate: Path | None, key: Path | None) -> Tls | None:
    """Return the certificate to show, None for none."""
    if certificate is not None and key is not None:
        return Tls(certificate, key)
    if certificate is not None or key is not None:
        raise UsageError("--tls-cert and --tls-key go together")
    return None


def seconds(option: str, text: str, *, least: int) -> int:
    """Return the seconds of a duration."""
    try:
        found = parse_duration(text)
    except InvalidDuration as error:
        raise UsageError(f"{option}: {error}") from error
    if found < least:
        raise UsageError(f"{option} {text}: at least {least}s")
    return found
