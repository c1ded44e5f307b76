"""What is asked of every command line of ours, read as zfs(8) itself would read it.

An option is what glibc's getopt takes for one: any word with a `-` in front, wherever it stands.
So a filesystem `tank/-r` is none, and a lone `-r` is one even behind a name.
"""

from functools import lru_cache
from getopt import gnu_getopt

from reconciler.zfs.piping import find_programs
from reconciler.zfs.types import Argv

OPTIONS = {
    "bookmark": "",
    "create": "o:",
    "destroy": "",
    "events": "fHv",
    "get": "Hpo:",
    "hold": "",
    "holds": "H",
    "inherit": "",
    "list": "Hpd:rt:o:s:S:",
    "program": "j",
    "receive": "Asux:o:",
    "release": "",
    "rename": "",
    "rollback": "r",
    "send": "vPLcewpi:I:t:",
    "set": "",
    "snapshot": "o:",
    "version": "",
}
"""All that we ever use; any other is refused. `destroy` has none: no `-r`, `-R`, `-f` or `-d`."""

CHANGING = {
    *("bookmark", "destroy", "hold", "inherit", "program", "receive", "release", "rename"),
    *("rollback", "set", "snapshot"),
}


@lru_cache(maxsize=10_000)
def check_command_line(
    argv: Argv, *, rollbacks: bool = False, renames: bool = False, departs: str = ""
) -> None:
    """See to it that a command goes no further than any of ours may.

    Raises AssertionError; `rollbacks` and `renames` say whether the spec asks for some, `departs`
    which filesystem may be destroyed because its source is gone.
    """
    if argv[0] not in {"zfs", "zpool"}:
        assert argv[0] == "date" or argv == find_programs(), argv
        return
    verb = argv[1]
    assert verb in OPTIONS, argv
    options, names = gnu_getopt(argv[2:], OPTIONS[verb])
    if verb in CHANGING:
        assert names, argv
        assert not any("%" in name for name in names), argv
    if verb == "destroy":
        (name,) = names
        assert "@" in name or "#" in name or name == departs, f"{argv} destroys a filesystem"
    if verb == "program":
        _check_program(names)
    if verb in {"inherit", "set"}:
        assert names[0].startswith("reconciler:"), argv
        assert len(names) == 2, argv
    assert verb != "rollback" or rollbacks, argv
    assert verb != "rename" or renames, argv
    if verb == "receive":
        assert {"-s", "-u"} <= dict(options).keys() or options == [("-A", "")], argv


def _check_program(names: list[str]) -> None:
    """See to it that a channel program is given snapshots of one pool, each with its guid."""
    pool, text, *arguments = names
    assert text == "-", names
    for name, guid in zip(arguments[::2], arguments[1::2], strict=True):
        assert name.partition("@")[0].split("/")[0] == pool, names
        assert "@" in name, names
        assert guid.startswith("guid "), names
