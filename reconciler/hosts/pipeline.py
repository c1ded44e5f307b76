"""Several commands joined by pipes as sh text that ends as badly as the worst of them.

POSIX sh tells of a pipeline only how its last command ended. Pure functions.
"""

from collections.abc import Sequence


def pipeline(commands: Sequence[str], telling: int) -> str:
    """Return sh text that runs commands joined by pipes, and ends like them.

    Its status is that of the command number `telling` (zfs's own, which says most), or, where that
    ended well, of the first one that did not. One that nobody reads any more ends of that (141,
    which is 269 to ksh93): it counts only where nothing else failed. The statuses come back through
    descriptor 3; what the last command prints goes by 4 past the shell that reads them.
    """
    if len(commands) == 1:
        return commands[0]
    last = len(commands) - 1
    names = [f"reconciler_ended_{number}" for number in range(len(commands))]
    parts = [
        f"{{ ( {command} ) {'>&4 ' if n == last else ''}3>&- 4>&-; echo {names[n]}=$? >&3; }}"
        for n, command in enumerate(commands)
    ]
    order = [names[telling], *(name for name in names if name != names[telling])]
    judged = " ".join(f'"${name}"' for name in order)
    between = " |\n"
    return f"""\
{" ".join(f"{name}=255" for name in names)}
{{
eval "$({{ {between.join(parts)}; }} 3>&1 )"
}} 4>&1
reconciler_ended=0
for reconciler_one in {judged}; do
case $reconciler_one in
0) ;;
141|269) [ "$reconciler_ended" != 0 ] || reconciler_ended=141 ;;
*) reconciler_ended=$reconciler_one; break ;;
esac
done
( exit "$reconciler_ended" )"""
