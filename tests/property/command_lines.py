"""What is asked of every command line of ours, read as zfs(8) itself would read it.

An option is what glibc's getopt takes for one: any word with a `-` in front, wherever it stands.
So a filesystem `tank/-r` is none, and a lone `-r` is one even behind a name.
"""

from functools import lru_cache
from getopt import gnu_getopt

from reconciler.zfs.types import Argv

OPTIONS = {
    "bookmark": "",
    "create": "o:",
    "destroy": "",
    "events": "fHv",
    "get": "Hpo:",
    "hold": "",
    "holds": "H",
    "list": "Hpd:rt:o:s:S:",
    "receive": "Asux:o:",
    "release": "",
    "rename": "",
    "rollback": "r",
    "send": "vPLcewi:I:t:",
    "snapshot": "o:",
    "version": "",
}
"""All that we ever use; any other is refused. `destroy` has none: no `-r`, `-R`, `-f` or `-d`."""

CHANGING = {"bookmark", "destroy", "hold", "receive", "release", "rename", "rollback", "snapshot"}


@lru_cache(maxsize=10_000)
def check_command_line(argv: Argv, *, rollbacks: bool = False, renames: bool = False) -> None:
    """See to it that a command goes no further than any of ours may.

    Raises AssertionError; `rollbacks` and `renames` say whether the spec asks for some.
    """
    if argv[0] not in {"zfs", "zpool"}:
        assert argv[0] == "date", argv
        return
    verb = argv[1]
    assert verb in OPTIONS, argv
    options, names = gnu_getopt(argv[2:], OPTIONS[verb])
    if verb in CHANGING:
        assert names, argv
        assert not any("%" in name for name in names), argv
    if verb == "destroy":
        (name,) = names
        assert "@" in name or "#" in name, f"{argv} destroys a filesystem"
    assert verb != "rollback" or rollbacks, argv
    assert verb != "rename" or renames, argv
    if verb == "receive":
        assert {"-s", "-u"} <= dict(options).keys() or options == [("-A", "")], argv
