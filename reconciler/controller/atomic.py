"""Writing a file whole or not at all, for the files of the state directory."""

import os
import secrets
from pathlib import Path

from reconciler.controller.statedir import give_to_owner


def write(path: Path, text: str) -> None:
    """Replace a file by one with this text; after a crash it is the old one or the new one.

    Raises OSError; then the old one is still there, and nothing beside it. The file is for its
    owner alone, who is the owner of its folder where root writes.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
            give_to_owner(file.fileno(), path.parent)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
