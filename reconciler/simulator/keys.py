"""Keys of encrypted filesystems: what they are derived from, and who has which (libzfs_crypto.c).

A simulated key is a text. `keylocation=file:///k` stands for a file with a key of its own for
each path, so the text is the path; with `prompt` it is the first line of stdin.
"""

import re
from collections.abc import Mapping

from reconciler.simulator import change
from reconciler.simulator.model import Encryption, Machine
from reconciler.simulator.process import Process, Refused
from reconciler.zfs.names import pool_of

DEFAULT_SUITE = "aes-256-gcm"

_LINE = 1 << 16
_RAW_LENGTH = 32
_HEX_LENGTH = 64
_PASSPHRASE = (8, 512)


def read_key(process: Process, place: str, keyformat: str, action: str) -> str:
    """Return the text of a key; raise Refused for none that the format allows."""
    if place != "prompt":
        if place == "none":
            raise Refused(f"{action}: Invalid keylocation.")
        return place.removeprefix("file://")
    line = process.stdin.read(_LINE).split(b"\n")[0]
    wrong = _wrong_with(line, keyformat)
    if wrong is not None:
        raise Refused(f"{action}: {wrong}")
    return line.decode(errors="surrogateescape")


def _wrong_with(key: bytes, keyformat: str) -> str | None:
    """Return what is wrong with a key (`validate_key`)."""
    name, least, most = {
        "raw": ("Raw key", _RAW_LENGTH, _RAW_LENGTH),
        "hex": ("Hex key", _HEX_LENGTH, _HEX_LENGTH),
    }.get(keyformat, ("Passphrase", *_PASSPHRASE))
    is_phrase = name == "Passphrase"
    if len(key) < least:
        return f"{name} too short ({'min' if is_phrase else 'expected'} {least})."
    if len(key) > most:
        return f"{name} too long ({'max' if is_phrase else 'expected'} {most})."
    if keyformat == "hex" and not re.fullmatch(rb"[0-9a-fA-F]+", key):
        return "Invalid hex character detected."
    return None


def check_feature(machine: Machine, name: str, action: str) -> None:
    """Raise Refused for a pool that can't have encrypted filesystems."""
    if machine.pools[pool_of(name)].features.get("encryption") == "disabled":
        raise Refused(f"{action}: Encryption feature not enabled.")


def new_encryption(
    process: Process, machine: Machine, parent: str, given: Mapping[str, str], action: str
) -> Encryption | None:
    """Return how a new filesystem is encrypted (`zfs_crypto_create`); raise Refused."""
    above = machine.datasets[parent].encryption
    suite = given.get("encryption", above.suite if above is not None else "off")
    keyformat, place = given.get("keyformat", "none"), given.get("keylocation")
    says_how = "keyformat" in given or "pbkdf2iters" in given or place not in {None, "none"}
    if suite != "off" or says_how:
        _check_encryptable(machine, parent, suite, action, wanted=says_how or "encryption" in given)
    if suite == "off":
        return None
    is_root = keyformat != "none" or place is not None
    if keyformat == "none" and (is_root or above is None):
        raise Refused(f"{action}: Keyformat required for new encryption root.")
    suite = DEFAULT_SUITE if suite == "on" else suite
    if not is_root:
        return Encryption(suite)
    place = place if place is not None else "prompt"
    key = read_key(process, place, keyformat, action)
    return Encryption(suite, key, keyformat, place, loaded=True)


def _check_encryptable(
    machine: Machine, parent: str, suite: str, action: str, *, wanted: bool
) -> None:
    if wanted:
        check_feature(machine, parent, action)
    if suite == "off":
        raise Refused(f"{action}: Encryption must be turned on to set encryption properties.")


def check_root(machine: Machine, name: str, action: str, verb: str) -> Encryption:
    """Return the encryption of a root; raise Refused for what has no key of its own."""
    check_feature(machine, name, action)
    dataset = change.find(machine, name)
    root = change.encryption_root(machine, name) if dataset is not None else None
    if dataset is None or dataset.encryption is None or root is None:
        raise Refused(f"{action}: '{name}' is not encrypted.")
    if root.name != name:
        raise Refused(
            f"{action}: Keys must be {verb} for encryption root of '{name}' ({root.name})."
        )
    return dataset.encryption
