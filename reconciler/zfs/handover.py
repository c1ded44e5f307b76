"""Which properties a filesystem gets when it is first received: its protection, and what specs say.

The options are those of zfs-receive(8). They belong to the first stream alone, so that they never
meet something that a person has set on a replica.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.zfs.named_properties import applies
from reconciler.zfs.properties import PLACEHOLDER, RECONCILE, SPEC
from reconciler.zfs.types import FilesystemKind


@dataclass(frozen=True, slots=True)
class Properties:
    """What specs say about the properties of receivers."""

    send: bool = False
    """Whether those that were set on the sender's filesystem go along."""
    override: tuple[tuple[str, str], ...] = ()
    """Names and values, sorted: what is set on the receiver whatever comes."""
    exclude: tuple[str, ...] = ()
    """Sorted: what is left out of what goes along."""

    def __bool__(self) -> bool:
        return self.send or bool(self.override)


NOTHING = Properties()

_PROTECTS = {
    FilesystemKind.FILESYSTEM: {"canmount": "noauto", "readonly": "on"},
    FilesystemKind.VOLUME: {"readonly": "on", "volmode": "none"},
}
"""What is set: a replica is not writable; it is mounted only by hand, or has no device node that
udev would open while the next stream arrives."""

KEPT_OFF = (
    *("mountpoint", "sharenfs", "sharesmb"),
    *("quota", "refquota", "reservation", "refreservation", "filesystem_limit", "snapshot_limit"),
)
"""What is never taken over unless a spec gives it a value: what would turn up in the file tree or
on the network, and what would reserve or limit the receiver's space."""

_OURS = (SPEC, RECONCILE, PLACEHOLDER)
"""What would tell the receiver's controllers something that is true of the sender's filesystem."""


def receive_options(properties: Properties, kind: FilesystemKind, *, raw: bool) -> tuple[str, ...]:
    """Return the options of the first `zfs receive` of a filesystem or volume.

    What does not exist for its kind is left out: ZFS refuses it after `-o`. `-x mountpoint` stands
    there for streams without properties too; that costs nothing. `-x encryption` lets what comes
    unencrypted with its properties be encrypted as what is above it; a raw stream must go without.
    """
    given = {name: value for name, value in properties.override if applies(name, kind)}
    protects = {n: v for n, v in _PROTECTS[kind].items() if n not in given}
    off = [name for name in _kept_off(properties, kind, raw=raw) if name not in protects | given]
    left_out = [part for name in dict.fromkeys(off) for part in ("-x", name)]
    assigned = {**protects, **given}.items()
    return (*left_out, *(part for name, value in assigned for part in ("-o", f"{name}={value}")))


def _kept_off(properties: Properties, kind: FilesystemKind, *, raw: bool) -> Iterator[str]:
    if not properties.send:
        yield from ("mountpoint",) if kind is FilesystemKind.FILESYSTEM else ()
        return
    yield from (name for name in (*KEPT_OFF, *properties.exclude) if applies(name, kind))
    yield from _OURS
    if not raw:
        yield "encryption"
