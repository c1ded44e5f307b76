"""Numbers as zfs(8) prints and reads them: `24K`, `4.02M`, `none` (libzutil, `zfs_nicenum`)."""

import re

U64_MAX = (1 << 64) - 1
"""What `none` is for a limit of a count."""

_UNITS = "BKMGTPEZ"
_NUMBER = re.compile(r"(\d*)(\.\d*)?(.*)", re.DOTALL)
_SUFFIX = re.compile(r"([KMGTPEZ])(?:I?B)?|B?", re.IGNORECASE)


class BadNumber(ValueError):
    """Raised for a text that is no number to ZFS; the message is what it says."""


def nicenum(number: int, *, unit: str = "") -> str:
    """Return a number in at most five characters: `0`, `24K`, `1.50M`."""
    index = 0
    while number >> 10 * (index + 1) and index < 6:
        index += 1
    suffix = _UNITS[index] if index else unit
    scale = 1 << 10 * index
    if number % scale == 0:
        return f"{number // scale}{suffix}"
    texts = (f"{number / scale:.{digits}f}{suffix}" for digits in (2, 1, 0))
    found = ""
    for found in texts:
        if len(found) <= 5:
            break
    return found


def nicebytes(number: int) -> str:
    """Return a size as `nicenum` does, but `0B` and `512B`."""
    return nicenum(number, unit="B")


def parse_number(text: str) -> int:
    """Return what `10M`, `1.5G` or `4096` means; raise BadNumber (`zfs_nicestrtonum`)."""
    if not re.match(r"[0-9.]", text):
        raise BadNumber(f"bad numeric value '{text}'")
    found = _NUMBER.fullmatch(text)
    whole, fraction, suffix = found.groups() if found is not None else ("", None, text)
    unit = _SUFFIX.fullmatch(suffix)
    if unit is None:
        raise BadNumber(f"invalid numeric suffix '{suffix}'")
    shift = 10 * _UNITS.index(unit[1].upper()) if unit[1] else 0
    digits = f"{whole or 0}{fraction or ''}"
    number = int(float(digits) * 2**shift) if fraction else int(digits) << shift
    if number > U64_MAX:
        raise BadNumber("numeric value is too large")
    return number
