"""Who runs a stream: a process of this machine, so that a dead one's streams can be cleaned up."""

import itertools
import os
from functools import cache
from pathlib import Path

_numbers = itertools.count(1)


def new_owner() -> str:
    """Return the name of one more running command of this process."""
    return f"{os.getpid()}:{_start_of(os.getpid())}:{next(_numbers)}"


def is_alive(owner: str) -> bool:
    """Tell whether the process that runs a command still lives; of other forms none does."""
    pid, _, rest = owner.partition(":")
    if not pid.isdecimal():
        return False
    started = rest.partition(":")[0]
    if int(pid) == os.getpid():
        return started == _start_of(os.getpid())
    return started == _start_time(int(pid))


@cache
def _start_of(pid: int) -> str:
    return _start_time(pid)


def _start_time(pid: int) -> str:
    """Return when a process was started (proc(5), field 22): pids are used again."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
