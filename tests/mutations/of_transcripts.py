"""Output that is cut or out of order, and rows that ZFS would not print."""

from functools import partial

from tests.mutations.mutation import Mutation

TRANSCRIPT = partial(
    Mutation, file="reconciler/hosts/transcript.py", tests=("tests/unit/hosts/test_transcript.py",)
)
PARSE = partial(Mutation, file="reconciler/zfs/parse.py", tests=("tests/unit/zfs/test_parse.py",))
COLUMNS = partial(
    Mutation, file="reconciler/zfs/columns.py", tests=("tests/unit/zfs/test_columns.py",)
)
SHELL = partial(
    Mutation, file="reconciler/hosts/shell.py", tests=("tests/unit/hosts/test_shell.py",)
)

MUTATIONS = (
    TRANSCRIPT(
        "an output without the mark at its end counts as whole",
        (1,),
        "            open_at = None\n    return None",
        "            open_at = None\n    return found",
    ),
    TRANSCRIPT(
        "a section without its end counts as none",
        (1,),
        "return found if open_at is None else None",
        "return found",
    ),
    TRANSCRIPT(
        "a section that begins within another one is accepted",
        (1,),
        "            if open_at is not None:\n                return None\n",
        "",
    ),
    TRANSCRIPT(
        "the end of one step is taken for that of another",
        (1,),
        "if open_at is None or open_at[0] != int(end):",
        "if open_at is None:",
    ),
    TRANSCRIPT(
        "stdout and stderr may tell different stories",
        (1,),
        "[section[:3] for section in outs] == [section[:3] for section in errs]",
        "True",
    ),
    TRANSCRIPT(
        "steps may come in any order",
        (1,),
        "and all(a < b for a, b in itertools.pairwise(indices))",
        "and True",
    ),
    TRANSCRIPT(
        "a step without a condition may be missing",
        (1,),
        "and certain <= set(indices) <= set(range(len(script.steps)))",
        "and set(indices) <= set(range(len(script.steps)))",
    ),
    SHELL(
        "a script that is cut in transit runs as far as it came",
        (1,),
        '_HEAD = r"""{{\n{{\n',
        '_HEAD = r"""\n{{\n',
        tests=("tests/unit/hosts/test_shell.py::TestCutText",),
    ),
    PARSE(
        "a row that is cut counts",
        (1,),
        "if lines.pop():",
        "if lines.pop() and False:",
    ),
    PARSE(
        "a row with too few or too many columns is cut or filled up",
        (1,),
        "    if len(fields) != len(columns):\n",
        '    fields = [*fields, *["-"] * len(columns)][: len(columns)]\n    if False:\n',
    ),
    PARSE(
        "a property's value can make up a version",
        (1,),
        "if full != again:",
        "if False:",
    ),
    PARSE(
        "a property's value can make up a filesystem",
        (1,),
        "if name != again:",
        "if False:",
    ),
    PARSE(
        "what Python takes for a number is one",
        (1,),
        "if field.isdecimal() and field.isascii() and len(field) <= DIGITS:",
        "if field:",
    ),
    COLUMNS(
        "what Python takes for a column of numbers is one",
        (1,),
        "if not (digits.isascii() and digits.isdecimal() and all(fields)):",
        "if not fields:",
    ),
    COLUMNS(
        "a size may begin with zeros and differ from the same one",
        (1,),
        '        and joined.count(" 0") == fields.count("0")\n',
        "",
    ),
    COLUMNS(
        "a size that is not there may be a part of one",
        (1,),
        '        and digits.count("-") == none\n',
        "",
    ),
    COLUMNS(
        "two sizes may be one",
        (1,),
        '        and joined.count(" ") == len(fields)\n',
        "",
    ),
    COLUMNS(
        "a size may have more than 64 bits",
        (1,),
        " <= max(lengths) < parse.DIGITS\n",
        "\n",
    ),
    COLUMNS(
        "a column too many is the next row's",
        (1,),
        ' and "".join(last) == "\\n".join(columns[0]) + "\\n"',
        "",
    ),
    COLUMNS(
        "what is no name is parted as one",
        (1,),
        "    if len(parts) != 2 * len(names):\n",
        "    if not parts:\n",
    ),
    COLUMNS(
        "a row may end in another column",
        (1,),
        "if not (end and whole and ",
        "if not (end and ",
    ),
    COLUMNS(
        "names of versions in long listings are not looked at",
        (1,),
        "    check_version_name(label[1:])\n",
        "",
    ),
)
