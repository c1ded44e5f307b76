"""In which form a filesystem is sent, and whether what is at the receiver's place was sent so.

The form belongs to a pair: ZFS takes a decrypted increment on top of a raw one without a word, and
refuses raw ones from then on; the other way round it refuses only when the stream has begun.
"""

from enum import StrEnum

from reconciler.desired.model import Encryption
from reconciler.observed.model import Filesystem
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.pairs import Pair


class Form(StrEnum):
    """What is in a stream."""

    PLAIN = "plain"
    """The sender's filesystem is not encrypted."""
    RAW = "raw"
    """Encrypted blocks as they are on disk."""
    DECRYPTED = "decrypted"
    """What is encrypted on the sender, in clear.

    Goes one version at a time: the code behind `-I` has lost data of decrypted streams in all of
    OpenZFS 2.1 and the earlier releases of 2.2 and 2.3 (openzfs#12014), that behind `-i` has not.
    """


def form_of(pair: Pair) -> Form:
    """Return how a pair's filesystem is sent."""
    if pair.source.filesystem.encryption == "off":
        return Form.PLAIN
    return Form.RAW if pair.target.encryption is Encryption.RAW else Form.DECRYPTED


def check_form(pair: Pair, form: Form, there: Filesystem | None) -> None:
    """Raise Conflicted where a stream of this form can't be made, or is not what the receiver has.

    Asked before any byte moves. A first receive that was cut is no obstacle: one of another form is
    not resumed but dropped.
    """
    if form is Form.PLAIN:
        return
    if there is not None and not there.inconsistent:
        _check_same(pair, form, there)
    if form is Form.DECRYPTED and pair.source.filesystem.keystatus != "available":
        here = pair.source.filesystem
        root = here.encryptionroot or here.name
        raise Conflicted(
            "key-not-loaded",
            f"{here.name} is to be sent decrypted and its key is not loaded on {pair.source.host}",
            f"zfs load-key {root} there, or send it raw: `encryption: raw`",
            place=(pair.source.host, here.name),
        )


def _check_same(pair: Pair, form: Form, there: Filesystem) -> None:
    here, host = pair.source.filesystem, pair.receiver_host
    aside = f"zfs rename {there.name} {there.name}.aside on {host} to start afresh"
    evidence = [
        f"{pair.source.host} {here.name}: {_told(here)}",
        f"{host} {there.name}: {_told(there)}",
    ]
    if form is Form.RAW and there.encryption == "off":
        raise Conflicted(
            "encryption-mismatch",
            f"{here.name} is encrypted and {there.name} is not: a raw stream can't continue it",
            f"{aside}, or go on in clear: `encryption: decrypt`",
            evidence,
        )
    if form is Form.RAW and not _came_raw(pair, there):
        raise Conflicted(
            "encryption-mismatch",
            f"{there.name} is encrypted with the key of {there.encryptionroot}, so it came in"
            " clear: a raw stream can't continue it",
            f"{aside}, or go on in clear: `encryption: decrypt`",
            evidence,
        )
    if form is Form.DECRYPTED and there.encryption != "off" and _came_raw(pair, there):
        raise Conflicted(
            "encryption-mismatch",
            f"{there.name} came raw: after a decrypted stream no raw one could ever continue it",
            f"go on raw: `encryption: raw`; or {aside}",
            evidence,
        )


def _came_raw(pair: Pair, there: Filesystem) -> bool:
    """Tell whether an encrypted replica was received raw.

    That makes it an encryption root of its own, or, where the whole tree was seeded by one
    `zfs send -R -w`, leaves it below the replica of its root. What is received in clear is
    encrypted as what it is received below.
    """
    root = pair.source.filesystem.encryptionroot
    replica = pair.target.receiver_of(pair.source.host, root) if root is not None else None
    return there.encryptionroot in {None, there.name, replica}


def _told(filesystem: Filesystem) -> str:
    root = filesystem.encryptionroot
    below = f", encryption root {root}" if root is not None else ""
    return f"encryption {filesystem.encryption}, key {filesystem.keystatus}{below}"
