"""The texts that libzfs makes of what the kernel says about a stream (`zfs_receive_one`)."""

from reconciler.simulator import change
from reconciler.simulator.destination import RECEIVE, Destination
from reconciler.simulator.errno import Errno
from reconciler.simulator.model import Machine
from reconciler.simulator.process import Refused
from reconciler.simulator.reception import Order
from reconciler.simulator.tokens import encode

NOT_READ = f"{RECEIVE}: failed to read from stream"

_ERRATUM = "https://openzfs.github.io/openzfs-docs/msg/ZFS-8000-ER."

_TEXTS = {
    Errno.ENOTSUP: "pool must be upgraded to receive this stream.",
    Errno.LARGE_BLOCK_MISMATCH: (
        "incremental send stream requires -L (--large-block), to match previous receive."
    ),
    Errno.FROM_IVSET_MISSING: f"IV set guid missing. See errata 4 at {_ERRATUM}",
    Errno.FROM_IVSET_MISMATCH: (
        "IV set guid mismatch. See the 'zfs receive' man page section\n"
        " discussing the limitations of raw encrypted send streams."
    ),
    Errno.RESUME_EXISTS: "Resuming recv on existing dataset without force",
    Errno.WRONG_PARENT: "parent is not a filesystem",
}
"""The others are what `Errno` says, or depend on where the stream goes."""


def explained(machine: Machine, errno: Errno, order: Order, where: Destination) -> Refused:
    """Return what `zfs receive` says when the kernel has refused."""
    if errno is Errno.EEXIST:
        name = where.filesystem if where.new else where.name
        return Refused(f"cannot restore to {name}: destination already exists")
    if errno in {Errno.ECKSUM, Errno.TRUNCATED}:
        return _cut(machine, errno, order, where)
    if errno is Errno.RESUME_EXISTS:
        return Refused(f"cannot resume recv {where.filesystem}: {_TEXTS[errno]}")
    return Refused(*f"{where.prefix}: {_reason(errno, order, where)}".split("\n"))


def _reason(errno: Errno, order: Order, where: Destination) -> str:
    name = where.filesystem
    found = {
        Errno.ENODEV: f"most recent snapshot of {name} does not\nmatch incremental source",
        Errno.ETXTBSY: f"destination {name} has been modified\nsince most recent snapshot",
        Errno.EACCES: _key_reason(order, where),
        Errno.EINVAL: _invalid_reason(order),
        Errno.EDQUOT: f"destination {name} space quota exceeded.",
        **_TEXTS,
    }
    if where.has_token:
        state = 'contains partially-complete state from "zfs receive -s".'
        found[Errno.EBUSY] = f"destination {name} {state}"
    return found.get(errno, errno.value)


def _key_reason(order: Order, where: Destination) -> str:
    if not order.header.raw:
        return "inherited key must be loaded"
    if where.wants_new:
        return "failed to create encryption key"
    return "encryption key does not match existing key"


def _invalid_reason(order: Order) -> str:
    if order.resumable:
        return "kernel modules must be upgraded to receive this stream."
    if "embedok" in order.header.flags and not order.header.raw:
        return "incompatible embedded data stream feature with encrypted receive."
    return "invalid backup stream"


def _cut(machine: Machine, errno: Errno, order: Order, where: Destination) -> Refused:
    """Return what is said about a stream that ended early (`recv_ecksum_set_aux`)."""
    if not order.resumable:
        return Refused(f"{where.prefix}: {errno.value}")
    found = change.find(machine, where.filesystem)
    if found is None:
        missing = f"cannot open '{where.filesystem}': dataset does not exist"
        return Refused(missing, f"{where.prefix}: invalid backup stream")
    if found.partial is None:
        return Refused(f"{where.prefix}: {errno.value}")
    return Refused(
        f"{where.prefix}: checksum mismatch or incomplete stream.",
        "Partially received snapshot is saved.",
        "A resuming stream can be generated on the sending system by running:",
        f"    zfs send -t {encode(found.partial)}",
    )
