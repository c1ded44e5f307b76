"""Write cpio archives ("newc"), the format of an initramfs, without cpio and without root.

An initramfs may be several archives one after the other. The shared one holds programs, a host's
own holds its keys and settings; the kernel unpacks both into one tree.
"""

import stat
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One file, folder or device of an archive."""

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def file(path: str, data: bytes, mode: int = 0o644) -> Entry:
    """Describe a regular file."""
    return Entry(path, stat.S_IFREG | mode, data)


def folder(path: str, mode: int = 0o755) -> Entry:
    """Describe a folder; it has to come before what lies in it."""
    return Entry(path, stat.S_IFDIR | mode)


def console() -> Entry:
    """Describe /dev/console: without it the first program has no output."""
    return Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))


def archive(entries: Iterable[Entry]) -> bytes:
    """Return the archive of these entries, all owned by root."""
    numbered = enumerate(entries, start=1)
    body = b"".join(_record(entry, number) for number, entry in numbered)
    return _padded(body + _record(Entry("TRAILER!!!", 0), 0), 512)


def _record(entry: Entry, inode: int) -> bytes:
    name = entry.path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    uid = gid = time = 0
    home = (0, 0)  # the device the archive was read from
    numbers = [inode, entry.mode, uid, gid, links, time, len(entry.data)]
    numbers += [*home, *entry.device, len(name), 0]
    header = b"070701" + b"".join(b"%08X" % number for number in numbers)
    return _padded(header + name, 4) + _padded(entry.data, 4)


def _padded(data: bytes, unit: int) -> bytes:
    return data + b"\0" * (-len(data) % unit)
