"""The usage texts of zfs(8) and zpool(8): first what is wrong, then how it is done, status 2."""

from reconciler.simulator.process import Refused

USAGE_STATUS = 2

_SYNOPSES = {
    "snapshot": "snapshot [-r] [-o property=value] ... <filesystem|volume>@<snap> ...",
    "bookmark": "bookmark <snapshot|bookmark> <newbookmark>",
    "hold": "hold [-r] <tag> <snapshot> ...",
    "holds": "holds [-rH] <snapshot> ...",
    "release": "release [-r] <tag> <snapshot> ...",
    "list": (
        "list [-Hp] [-r|-d max] [-o property[,...]] [-s property]...\n"
        "\t    [-S property]... [-t type[,...]] [filesystem|volume|snapshot] ..."
    ),
    "get": (
        'get [-rHp] [-d max] [-o "all" | field[,...]]\n'
        "\t    [-t type[,...]] [-s source[,...]]\n"
        '\t    <"all" | property[,...]> [filesystem|volume|snapshot|bookmark] ...'
    ),
    "destroy": (
        "destroy [-fnpRrv] <filesystem|volume>\n"
        "\tdestroy [-dnpRrv] <filesystem|volume>@<snap>[%<snap>][,...]\n"
        "\tdestroy <filesystem|volume>#<bookmark>"
    ),
    "create": (
        "create [-Pnpuv] [-o property=value] ... <filesystem>\n"
        "\tcreate [-Pnpsv] [-b blocksize] [-o property=value] ... -V <size> <volume>"
    ),
    "receive": (
        "receive [-vMnsFhu] [-o <property>=<value>] ... [-x <property>] ...\n"
        "\t    <filesystem|volume|snapshot>\n"
        "\treceive [-vMnsFhu] [-o <property>=<value>] ... [-x <property>] ... \n"
        "\t    [-d | -e] <filesystem>\n"
        "\treceive -A <filesystem|volume>"
    ),
    "send": (
        "send [-DnPpRVvLecwhb] [-[i|I] snapshot] <snapshot>\n"
        "\tsend [-DnVvPLecw] [-i snapshot|bookmark] <filesystem|volume|snapshot>\n"
        "\tsend [-DnPpVvLec] [-i bookmark|snapshot] --redact <bookmark> <snapshot>\n"
        "\tsend [-nVvPe] -t <receive_resume_token>\n"
        "\tsend [-PnVv] --saved filesystem"
    ),
    "rename": (
        "rename [-f] <filesystem|volume|snapshot> <filesystem|volume|snapshot>\n"
        "\trename -p [-f] <filesystem|volume> <filesystem|volume>\n"
        "\trename -u [-f] <filesystem> <filesystem>\n"
        "\trename -r <snapshot> <snapshot>"
    ),
    "program": (
        "program [-jn] [-t <instruction limit>] [-m <memory limit (b)>]\n"
        "\t    <pool> <program file> [lua args...]"
    ),
    "rollback": "rollback [-rRf] <snapshot>",
    "clone": "clone [-p] [-o property=value] ... <snapshot> <filesystem|volume>",
    "promote": "promote <clone-filesystem>",
    "set": "set <property=value> ... <filesystem|volume|snapshot> ...",
    "inherit": "inherit [-rS] <property> <filesystem|volume|snapshot> ...",
    "load-key": "load-key [-rn] [-L <keylocation>] <-a | filesystem|volume>",
    "unload-key": "unload-key [-r] <-a | filesystem|volume>",
    "change-key": (
        "change-key [-l] [-o keyformat=<value>]\n"
        "\t    [-o keylocation=<value>] [-o pbkdf2iters=<value>]\n"
        "\t    <filesystem|volume>\n"
        "\tchange-key -i [-l] <filesystem|volume>"
    ),
    "mount": "mount\n\tmount [-flvO] [-o opts] <-a | filesystem>",
    "unmount": "unmount [-fu] <-a | filesystem|mountpoint>",
}

_HINTS = (
    "",
    "For the property list, run: zfs set|get",
    "",
    "For the delegated permission list, run: zfs allow|unallow",
)


def usage(command: str, *complaints: str) -> Refused:
    """Return the refusal of a command that was called wrongly: raise it."""
    synopsis = _SYNOPSES.get(command, command)
    return Refused(*complaints, "usage:", f"\t{synopsis}", *_HINTS, status=USAGE_STATUS)
