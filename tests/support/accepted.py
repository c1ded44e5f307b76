"""Where the simulator is allowed to differ from real ZFS, and why.

An entry says what to make of a step's form; on both hosts, before they are compared again.
"""

import re
from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple


class Accepted(NamedTuple):
    """One difference."""

    name: str
    reason: str
    without: Callable[[str], str]
    """Return a form without what may differ."""


def _sorted_complaints(form: str) -> str:
    """Return a form with neighbouring lines of stderr, and those about destroying, sorted."""
    lines: list[str] = []
    for is_complaint, group in groupby(form.split("\n"), lambda line: bool(_LISTED.match(line))):
        found = list(group)
        lines += sorted(found) if is_complaint else found
    return "\n".join(lines)


_LISTED = re.compile(r"\s*(2>|1> (would destroy|will destroy|destroy\t))")


def _replaced(pattern: str, instead: str) -> Callable[[str], str]:
    return lambda form: re.sub(pattern, instead, form)


_LISTED_ENCRYPTED = (
    r"(?m)^(\s*\S+ \S.*@.*\tsnapshot\t(?:[^\t]*\t){5})(?:0|N)(\t.*\taes-)",
    # The probe's columns do not say what is encrypted; the sequences' names do.
    r"(?m)^(\s*1> ([^\t]*enc[^\t]*@[^\t]*)\t(?:[^\t]*\t){4})(?:0|N)(\t[^\t]*\t[^\t]*\t\2)$",
)

_LISTED_VOLUME = r"(?m)^(\s*\S+ [^\t]*\tvolume\t(?:[^\t]*\t){5})(?:0|N)\t"


def _without_written_of_encrypted(form: str) -> str:
    """Return a form that does not say whether something was written since the snapshot before."""
    listed, probed = _LISTED_ENCRYPTED
    return re.sub(probed, r"\1some\3", re.sub(listed, r"\1some\2", form))


ACCEPTED: tuple[Accepted, ...] = (
    Accepted(
        "order of complaints",
        "ZFS goes through children, and through what it could not do, in the order of a hash table"
        " whose salt differs from pool to pool; the simulator in the order of names",
        _sorted_complaints,
    ),
    Accepted(
        "an example of a filesystem's snapshots",
        "the same: it is the first that ZFS comes to, the oldest one in the simulator",
        _replaced(r"(?m)(destination has snapshots) \(eg\. .*\)$", r"\1"),
    ),
    Accepted(
        "reclaimed space",
        "what the destruction of a snapshot frees counts metadata, which the simulator has not:"
        " it says 0 where only metadata changed",
        _replaced(r"(?m)(would reclaim|will reclaim|reclaim)\s(0|N)$", r"\1 some"),
    ),
    Accepted(
        "written of encrypted snapshots",
        "a raw increment writes metadata anew even where nothing was changed",
        _without_written_of_encrypted,
    ),
    Accepted(
        "written of volumes after an import",
        "the import of a pool resets the intent logs of its volumes, which counts as written to"
        " those that ever had one",
        _replaced(_LISTED_VOLUME, "\\1some\t"),
    ),
    Accepted(
        "what release -r says",
        "of several filesystems without the hold it complains of the last one it came to, in the"
        " order of a hash table",
        _replaced(
            r"(?s)^(\$ zfs release -r .*?from snapshot '[^\n]*': )"
            r"(?:no such tag on this dataset|dataset does not exist)",
            r"\1something",
        ),
    ),
    Accepted(
        "twice failed to read",
        "what reads past a stream says so again for its next record, if it was cut in the middle of"
        " one; records of simulated streams are short",
        _replaced(r"(?m)((\s*2>) cannot receive: failed to read from stream\n)\1", r"\1"),
    ),
)
