"""Hooks of specs → `Hook`: commands as they are written, and ready ones for databases.

The ready ones are texts for sh(1) that use nothing but the database's own client.
"""

import shlex
from collections.abc import Iterable, Iterator

from reconciler.desired.hook_objects import Hook as HookSection
from reconciler.desired.model import Hook
from reconciler.desired.units import parse_duration


def hooks_of(sections: Iterable[HookSection]) -> Iterator[Hook]:
    """Yield the hooks, in the order they are written in."""
    for number, section in enumerate(sections, start=1):
        before, after = section.before or "", section.after or ""
        name = f"{number}"
        if section.postgres_checkpoint is not None:
            name = f"{number} (PostgreSQL checkpoint)"
            asked = section.postgres_checkpoint
            before = checkpoint(asked.connection, asked.run_as)
        elif section.mysql_read_lock is not None:
            name = f"{number} (MySQL read lock)"
            timeout = parse_duration(section.timeout)
            before, after = read_lock(section.mysql_read_lock.defaults_file, timeout)
        yield Hook(
            name=section.name or name,
            before=before,
            after=after,
            timeout=parse_duration(section.timeout),
            abort=section.on_failure == "abort",
        )


def checkpoint(connection: str, run_as: str | None) -> str:
    """Return what makes PostgreSQL write its dirty pages, so that recovery has little to do."""
    psql = f"psql -X -w -q -v ON_ERROR_STOP=1 -d {shlex.quote(connection)} -c CHECKPOINT"
    if run_as is None:
        return f"exec {psql}"
    user = shlex.quote(run_as)
    # su needs no password from root; everybody else needs a rule of sudo's.
    return f"""\
cd /
if [ "$(id -u)" = 0 ]; then exec su {user} -c {shlex.quote(psql)}; fi
exec sudo -n -u {user} {psql}"""


def read_lock(defaults_file: str | None, seconds: int) -> tuple[str, str]:
    """Return what takes MySQL's or MariaDB's global read lock, and what gives it back.

    A client that is kept waiting holds the lock. It is given back when its input ends: by what
    comes after the snapshots, and after twice the timeout whatever happens. That it was there all
    the time is known by its being there at the end.
    """
    client = "" if defaults_file is None else f" --defaults-file={shlex.quote(defaults_file)}"
    folder = (
        '"${TMPDIR:-/tmp}/reconciler-lock-$(id -u)-$RECONCILER_REPLICATION-$RECONCILER_SNAPSHOT"'
    )
    take = f"""\
set -u
folder={folder}
client=$(command -v mariadb || command -v mysql) || {{
echo 'there is neither a program mariadb nor mysql'; exit 127; }}
umask 077
mkdir "$folder" && mkfifo "$folder/in" || exit 1
sleep {2 * seconds} >"$folder/in" 2>/dev/null &
echo $! >"$folder/holder"
{{
{{
echo 'SET SESSION lock_wait_timeout = {seconds};'
echo 'FLUSH TABLES WITH READ LOCK;'
echo "SELECT 'the lock is held';"
cat "$folder/in"
}} 2>/dev/null | "$client"{client} --batch --skip-column-names --unbuffered \\
--skip-reconnect
echo "the client ended with status $?"
}} >"$folder/out" 2>&1 &
until grep -q '^the lock is held' "$folder/out" 2>/dev/null; do
if grep -q '^the client ended' "$folder/out" 2>/dev/null; then
cat "$folder/out"
exit 1
fi
sleep 0.1
done"""
    give_back = f"""\
set -u
folder={folder}
if ! [ -O "$folder/holder" ]; then exit 0; fi
status=0
if grep -q '^the lock is held' "$folder/out" 2>/dev/null; then
if ! grep -q '^the client ended' "$folder/out"; then
echo "SELECT 'the lock was kept';" >"$folder/in"
kill "$(cat "$folder/holder")" 2>/dev/null
until grep -q '^the client ended' "$folder/out"; do sleep 0.1; done
fi
if ! grep -q '^the lock was kept' "$folder/out"; then
status=1
cat "$folder/out"
echo 'the lock was lost before it was given back'
fi
else
kill "$(cat "$folder/holder")" 2>/dev/null
fi
rm -rf "$folder"
exit $status"""
    return take, give_back
