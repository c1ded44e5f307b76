"""Scripts as POSIX sh text, and what such a text printed back as a transcript. Pure functions.

The text is fed on stdin of `/bin/sh`, so neither the login shell's quoting nor the limit on the
length of arguments matters. It is one compound command: a text cut in transit is a syntax error
and runs nothing. stdin stays open after it as a lifeline: when it ends before the script does (the
controller died, the connection broke, the time was up), the script's whole process group is ended.
A script that has to finish what it begins has no such line: it goes on when nobody listens.

Every step's output is framed by lines that hold a random nonce, on stdout and on stderr alike.
What stands outside of these frames (a banner, an `echo` in a .bashrc) is never read as output.

What changes something runs under the host's lock (see `hosts.locking`), or not at all.
"""

import shlex
from collections.abc import Iterator

from reconciler.hosts import locking
from reconciler.hosts.addresses import Privilege
from reconciler.hosts.locking import HostLock
from reconciler.hosts.pipeline import pipeline
from reconciler.hosts.script import (
    Condition,
    FieldsOf,
    Printed,
    Ran,
    Script,
    Step,
    Succeeded,
    Unless,
)
from reconciler.hosts.transcript import read
from reconciler.zfs.types import Argv

__all__ = ["SEARCH_PATH", "privileged", "quote", "read", "render", "render_followed"]

SEARCH_PATH = "${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin"
"""Where programs are looked for: a login without a profile lacks the sbin folders."""

# What makes zfs(8) or zpool(8) print something else.
_UNSET = (
    "ZFS_ABORT ZFS_COLOR ZPOOL_STATUS_NON_NATIVE_ASHIFT_IGNORE ZPOOL_VDEV_NAME_FOLLOW_LINKS"
    " ZPOOL_VDEV_NAME_GUID ZPOOL_VDEV_NAME_PATH"
)

_READING = {
    "zfs": {"diff", "get", "holds", "list", "send", "version"},
    "zpool": {"events", "get", "history", "list", "status", "version"},
}
"""What changes nothing. All else needs the lock."""

# The watcher reads with a builtin, so there is only one process to stop at the end. It gets KILL
# then: TERM may be ignored, an inheritance from whoever started sshd.
_HEAD = r"""{{
{{
PATH={path} LC_ALL=C TZ=UTC; export PATH LC_ALL TZ
unset {unset}
reconciler_mark() {{ printf '\n%s %s\n' {nonce} "$*"; printf '\n%s %s\n' {nonce} "$*" >&2; }}
"""

_LIFELINE = r"""{
while read -r reconciler_line; do :; done
trap '' TERM; kill -TERM 0; sleep 5; kill -KILL 0
} <&3 >/dev/null 2>&1 3<&- &
reconciler_lifeline=$!
exec 3<&-
"""

# A handler, unlike an ignored signal, is not inherited by commands.
_ON_TO_THE_END = "trap : PIPE\n"

# The lock is told of between the marks of the steps.
_UNDER_LOCK = """reconciler_told() { reconciler_mark lock "$*"; }
reconciler_act() {
"""

# Who has seen `done` may close stdin, so the watcher must be gone by then. The brace at the end
# has to be the first character that makes the text complete.
_CUT_LIFELINE = """kill -KILL "$reconciler_lifeline"; wait "$reconciler_lifeline" 2>/dev/null
"""

_TAIL = """reconciler_mark done
exit 0
} 3<&0 </dev/null
}
"""


def render(
    script: Script, *, nonce: str, privilege: Privilege, lock: HostLock | None = None
) -> str:
    """Return the script as POSIX sh text to be fed on stdin of `/bin/sh`.

    With a lock, a script that changes something is run under it.
    """
    _check(script)
    position = {step.name: index for index, step in enumerate(script.steps)}
    captured = {_needed(need) for step in script.steps for need in _needs(step) if _captures(need)}
    pieces: list[str] = [_ON_TO_THE_END] if script.finishes else []
    for step in script.steps:
        body = _body(step, position, privilege, captured=step.name in captured)
        pieces.append(_guarded(step, position, body))
    if lock is not None and script.mutates:
        pieces = [_UNDER_LOCK, *pieces, "}\n", locking.text(lock)]
    around = ("exec 3<&-\n", "") if script.finishes else (_LIFELINE, _CUT_LIFELINE)
    pieces = [around[0], *pieces, around[1]]
    return "".join([_HEAD.format(path=SEARCH_PATH, unset=_UNSET, nonce=nonce), *pieces, _TAIL])


def render_followed(argv: Argv, *, nonce: str, privilege: Privilege) -> str:
    """Return the text, to be fed on stdin of `/bin/sh`, that becomes one command under a lifeline.

    The shell gives way to the command, so that nothing but it and the watcher waits on the host.
    All that comes on stdout after the mark is the command's. There is no mark on stderr: on a
    terminal both are one.
    """
    head = _HEAD.format(path=SEARCH_PATH, unset=_UNSET, nonce=nonce)
    begin = f"printf '\\n%s begin\\n' {nonce}"
    command = quote(privileged(argv, privilege))
    return f"{head}{_LIFELINE}{begin}\nexec {command}\n}} 3<&0 </dev/null\n}}\n"


def quote(argv: Argv) -> str:
    """Return an argv as words of a POSIX shell."""
    program, *arguments = map(_word, argv)
    # The program is always in quotes: bare it might be read as `if`, `time` or an assignment.
    return " ".join([program if program.startswith("'") else f"'{program}'", *arguments])


def _word(text: str) -> str:
    if "\0" in text:
        raise ValueError(f"an argument can't hold a NUL character: {text!r}")
    return shlex.quote(text)


def privileged(argv: Argv, privilege: Privilege) -> Argv:
    """Return the argv with the prefix that zfs and zpool need to be run with their rights."""
    if privilege is Privilege.NONE or argv[0] not in {"zfs", "zpool"}:
        return argv
    return (str(privilege), "-n", *argv)


def _check(script: Script) -> None:
    """Refuse a script that can't mean anything: a mistake in our own code."""
    before: dict[str, Step] = {}
    for step in script.steps:
        if step.name in before:
            raise ValueError(f"two steps of a script are named {step.name!r}")
        for need in _needs(step):
            if _needed(need) not in before:
                raise ValueError(f"step {step.name!r} depends on {_needed(need)!r}, not before it")
            if _captures(need) and before[_needed(need)].into is not None:
                raise ValueError(f"step {step.name!r} reads the output of a stream")
        if step.stdin and (step.more is not None or step.into is not None):
            raise ValueError(f"step {step.name!r} can't read a text too")
        before[step.name] = step
        for argv in (step.argv, step.into):
            if argv is not None and not script.mutates and _changes(argv):
                raise ValueError(
                    f"step {step.name!r} changes something, its script says it doesn't"
                )


def _changes(argv: Argv) -> bool:
    return argv[0] in _READING and not _READING[argv[0]].issuperset(argv[1:2])


def _needs(step: Step) -> Iterator[Condition | FieldsOf]:
    yield from step.after
    if step.when is not None:
        yield step.when
    if step.more is not None:
        yield step.more


def _needed(need: Condition | FieldsOf) -> str:
    return need.step


def _captures(need: Condition | FieldsOf) -> bool:
    """Say whether the earlier step's output has to be kept in a shell variable."""
    return isinstance(need, Printed | Unless | FieldsOf)


def _guarded(step: Step, position: dict[str, int], body: str) -> str:
    """Put a step's lines under the condition that the steps it depends on went well."""
    tests = [_test(need, position[_needed(need)]) for need in _needs(step)]
    index = position[step.name]
    lines = f"reconciler_mark begin {index}\n{body}\n"
    lines += f'reconciler_mark end {index} "$reconciler_status" "$reconciler_first"\n'
    lines += f"reconciler_failed_{index}=$((reconciler_status | reconciler_first))\n"
    if not tests:
        return lines
    return f"reconciler_failed_{index}=\nif {' && '.join(tests)}; then\n{lines}fi\n"


def _test(need: Condition | FieldsOf, index: int) -> str:
    succeeded = f'[ "$reconciler_failed_{index}" = 0 ]'
    match need:
        case Printed(text=text):
            return f"{succeeded} && {_equal(text, index)}"
        case Unless(text=text):
            return f"! {{ {succeeded} && {_equal(text, index)}; }}"
        case Succeeded():
            return succeeded
        case Ran() | FieldsOf():
            return f'[ -n "$reconciler_failed_{index}" ]'


def _equal(text: str, index: int) -> str:
    output = f'"$reconciler_output_{index}"'
    with_and_without_newline = (_word(f"{text}\n"), _word(text))
    equal = " || ".join(f"[ {output} = {wanted} ]" for wanted in with_and_without_newline)
    return f"{{ {equal}; }}"


def _body(step: Step, position: dict[str, int], privilege: Privilege, *, captured: bool) -> str:
    """Return the lines that run a step and set `reconciler_status` and `reconciler_first`."""
    index = position[step.name]
    command = quote(privileged(step.argv, privilege))
    if step.stdin:
        command = f"printf '%s' {_word(step.stdin)} | {command}"
    fields = None
    if step.more is not None:
        fields = _select(step.more, position[step.more.step])
        rows = r"""printf '%s\n' "$reconciler_fields" | tr '\n' '\0'"""
        command = f"{rows} | xargs -0 {command}"
    if step.into is not None:
        first = pipeline([command, *map(quote, step.through)], telling=0)
        body = _stream(first, step, step.into, privilege)
    else:
        # In a subshell: an argv like `exit 1` must not end the script.
        body = _capture(command, index) if captured else f"( {command} ); reconciler_status=$?"
        body = f"{body}\nreconciler_first=0"
    if fields is None:
        return body
    return f"""\
reconciler_output_{index}= reconciler_first=0
{fields}
reconciler_status=$?
if [ "$reconciler_status" = 0 ] && [ -n "$reconciler_fields" ]; then
{body}
fi"""


def _select(more: FieldsOf, index: int) -> str:
    """Pick the arguments. Without the line `end` awk has not seen all: that is not "no rows"."""
    take, positive = more.take + 1, more.positive + 1
    rule = f"NF >= {max(take, positive)} && ${positive} ~ /^0*[1-9][0-9]*$/ {{ print ${take} }}"
    rule += ' END { exit $0 != "end" }'
    awk = f"awk -F'\\t' {_word(rule)}"
    return f"reconciler_fields=$(printf '%s\\nend\\n' \"$reconciler_output_{index}\" | {awk})"


def _capture(command: str, index: int) -> str:
    """Keep the output in a variable, with all its newlines (the x), and print it."""
    output = f"reconciler_output_{index}"
    return f"""\
{output}=$( ( {command} ); reconciler_status=$?; printf x; exit "$reconciler_status" )
reconciler_status=$?
{output}=${{{output}%x}}
printf '%s' "${output}" || reconciler_status=126"""


def _stream(first: str, step: Step, into: Argv, privilege: Privilege) -> str:
    """Join two commands by a pipe. Both statuses come back through descriptor 3."""
    # A signal of ours doesn't reach what sudo made root's; the end of a cat between the two does.
    both = all(privileged(argv, privilege) != argv for argv in (step.argv, into))
    between = "| cat 3>&- 4>&- " if both and not step.through else ""
    second = quote(privileged(into, privilege))
    return f"""\
reconciler_first=255 reconciler_status=255
{{
eval "$({{ {{ ( {first} ) 3>&- 4>&-; echo "reconciler_first=$?" >&3; }} {between}|
{{ ( {second} ) >&4 2>&1 3>&- 4>&-; echo "reconciler_status=$?" >&3; }}; }} 3>&1 )"
}} 4>&1"""
