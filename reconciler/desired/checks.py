"""Checks of single values in specs: each returns the value or raises ValueError with a sentence."""

import base64
import binascii
import difflib
import re
import zoneinfo

from reconciler.desired.cron import normal
from reconciler.desired.diagnostics import shown
from reconciler.desired.grid import InvalidGrid, parse_grid
from reconciler.desired.selection import InvalidPattern, Pattern
from reconciler.desired.units import InvalidDuration, parse_duration
from reconciler.zfs.names import InvalidName, check_filesystem, check_version_name

NAME = "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?"
LABEL_KEY = "[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?"
LABEL_VALUE = "([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"
PREFIX = "[A-Za-z0-9_.:-]{1,40}"
ADDRESS = "[A-Za-z0-9:][A-Za-z0-9._:%-]*"
USER = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
SHARE = "([1-9][0-9]?|100)%"
SHORTEST_EVERY = 10

_JUMP = re.compile(rf"({USER}@)?([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.%]+\])(:[0-9]{{1,5}})?")
_KEY_TYPE = re.compile(r"(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")
_MACHINE_DEPENDENT_ZONES = frozenset({"localtime", "posixrules", "Factory"})


def name(text: str) -> str:
    """Check the name of an object."""
    advice = "use a-z 0-9 . -, at most 63, a letter or digit first and last"
    return _match(NAME, text, f"{shown(text)} can't be the name of an object; {advice}")


def label_key(text: str) -> str:
    """Check the name of a label."""
    advice = "use A-Z a-z 0-9 . _ / -, at most 63, a letter or digit first and last"
    return _match(LABEL_KEY, text, f"{shown(text)} can't be the name of a label; {advice}")


def label_value(text: str) -> str:
    """Check the value of a label."""
    advice = "use A-Z a-z 0-9 . _ -, at most 63, a letter or digit first and last"
    return _match(LABEL_VALUE, text, f"{shown(text)} can't be the value of a label; {advice}")


def address(text: str) -> str:
    """Check a host name or IP address; it ends up on command lines."""
    return _match(ADDRESS, text, f"{shown(text)} is neither a host name nor an IP address")


def state_file(text: str) -> str:
    """Check the path of a simulated host's state."""
    if text.strip() and "\0" not in text and not text.endswith("/"):
        return text
    raise ValueError(f"{shown(text)} is not the path of a file")


def command_text(text: str) -> str:
    """Check what becomes part of a command."""
    if text.strip() and "\0" not in text:
        return text
    raise ValueError("this is empty" if not text.strip() else "it can't hold a NUL character")


def user(text: str) -> str:
    """Check the name of a user; it ends up on command lines."""
    return _match(USER, text, f"{shown(text)} can't be the name of a user")


def jump(text: str) -> str:
    """Check a ProxyJump value."""
    if all(_JUMP.fullmatch(hop) for hop in text.split(",")):
        return text
    raise ValueError(
        f"{shown(text)} is no jump host; write `[user@]host[:port]`, several with commas"
    )


def host_key(text: str) -> str:
    """Check a public key: type and base64, and that both name the same type."""
    key_type, _, blob = text.partition(" ")
    if " " in blob:
        raise ValueError("a host key is `TYPE BASE64`; leave out the comment after it")
    try:
        inner = base64.b64decode(blob, validate=True)[4:]
    except binascii.Error:
        inner = b""
    if _KEY_TYPE.fullmatch(key_type) and inner.startswith(key_type.encode()):
        return text
    raise ValueError(
        "this is no public host key; write it as `ssh-keyscan` prints it: `ssh-ed25519 AAAA...`"
    )


def pattern(text: str) -> str:
    """Check a pattern of filesystems, with or without a leading `!`."""
    try:
        Pattern.parse(text.removeprefix("!"))
    except InvalidPattern as error:
        raise ValueError(f"{shown(text)} is no pattern of filesystems. {error.reason}") from None
    return text


def under(text: str) -> str:
    """Check the filesystem that receivers are put below; `{host}` is the only placeholder."""
    for found in _PLACEHOLDER.findall(text):
        if found != "{host}":
            advice = "the only placeholder is `{host}`"
            raise ValueError(f"{shown(found)} has no meaning in {shown(text)}; {advice}")
    try:
        check_filesystem(text.replace("{host}", "host"))
    except InvalidName as error:
        raise ValueError(f"ZFS refuses the name {shown(text)}. {error.reason}") from None
    return text


def prefix(text: str) -> str:
    """Check what names of snapshots begin with."""
    if not text:
        raise ValueError("the prefix must not be empty: it tells our snapshots from all others")
    advice = "use A-Z a-z 0-9 _ . : -, at most 40"
    _match(PREFIX, text, f"{shown(text)} can't be a prefix of snapshots; {advice}")
    try:
        check_version_name(text + "20260101T000000Z")
    except InvalidName as error:
        raise ValueError(
            f"ZFS refuses snapshots with the prefix {shown(text)}. {error.reason}"
        ) from None
    return text


def duration(value: object) -> str:
    """Check a duration; a bare number gets its own advice."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("this is not a duration; write for example `15m`, `24h` or `7d`")  # noqa: TRY004 - for pydantic
    text = str(value)
    try:
        parse_duration(text)
    except InvalidDuration as error:
        raise ValueError(str(error)) from None
    return text


def every(value: object) -> str:
    """Check a snapshot interval."""
    text = duration(value)
    if parse_duration(text) < SHORTEST_EVERY:
        raise ValueError(f"{shown(text)} is too often; the shortest interval is {SHORTEST_EVERY}s")
    return text


def cron(text: str) -> str:
    """Check a cron expression; what can never match is none."""
    return normal(text)  # what it raises is a ValueError with a sentence


def timezone(text: str) -> str:
    """Check a time zone of the IANA database; names that mean what the machine says are refused."""
    try:
        zoneinfo.ZoneInfo("" if text in _MACHINE_DEPENDENT_ZONES else text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        known = zoneinfo.available_timezones() - _MACHINE_DEPENDENT_ZONES
        near = difflib.get_close_matches(text, sorted(known), 1)
        advice = f"did you mean `{near[0]}`?" if near else "write for example `Europe/Vienna`"
        raise ValueError(f"there is no time zone {shown(text)}; {advice}") from None
    return text


def share(text: str) -> str:
    """Check a share in per cent."""
    return _match(SHARE, text, f"{shown(text)} is not a share; write `1%` to `100%`")


def grid(text: str) -> str:
    """Check a retention grid."""
    try:
        parse_grid(text)
    except InvalidGrid as error:
        raise ValueError(str(error)) from None
    return text


def bookmarks(value: object) -> str | int:
    """Check which bookmarks are kept; a number stands for that many of the last ones."""
    match value:
        case "cursor" | "all":
            return value
        case {"last": int(count), **others} if not others and count >= 1 and count is not True:
            return count
    raise ValueError("write `cursor`, `all` or `{last: N}` with a whole number from 1")


def regex(text: str) -> str:
    """Check a regular expression that snapshot names are matched with."""
    if not text:
        raise ValueError("an empty regular expression matches nothing")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{shown(text)} is no regular expression: {error}") from None
    return text


def _match(expression: str, text: str, problem: str) -> str:
    """Return the text if the whole of it matches."""
    if re.fullmatch(expression, text):
        return text
    raise ValueError(problem)
