"""Two controllers that change one host at the same time, or one state directory."""

from functools import partial

from tests.mutations.mutation import Mutation

LOCKING = partial(
    Mutation, file="reconciler/hosts/locking.py", tests=("tests/unit/hosts/test_locking.py",)
)
STATE = partial(
    Mutation,
    file="reconciler/controller/statedir.py",
    tests=("tests/unit/controller/test_statedir.py",),
)
REQUESTS = partial(
    Mutation,
    file="reconciler/controller/requests.py",
    tests=("tests/unit/controller/test_requests.py",),
)

MUTATIONS = (
    LOCKING(
        "nobody looks whether another controller is at work",
        ("locks",),
        "*) reconciler_look ;;",
        "*) ;;",
    ),
    LOCKING(
        "others are looked at without a lock of one's own",
        ("locks",),
        "flock -s -n 9 || return 0",
        "true",
    ),
    LOCKING(
        "a lock on a file that is gone counts",
        ("locks",),
        '! [ "$reconciler_file" -ef "$reconciler_open/9" ]',
        "false",
    ),
    LOCKING(
        "a file that was made anew is taken for the old one",
        ("locks",),
        'if [ "$reconciler_other" -ef "$reconciler_open/7" ]; then',
        "if true; then",
    ),
    LOCKING(
        "looking does not see those who are at work",
        ("locks",),
        "flock -x -n 7 &&",
        "flock -s -n 7 &&",
    ),
    LOCKING(
        "who only looks at a file holds others up",
        ("locks",),
        "_LOOKS = 50",
        "_LOOKS = 1",
    ),
    LOCKING(
        "a lock is no longer one after some looks at it",
        ("locks",),
        'elif [ -e "$reconciler_other" ]; then\nreconciler_lock=busy',
        "elif false; then\nreconciler_lock=busy",
    ),
    LOCKING(
        "what is locked is done all the same",
        ("locks",),
        'busy) reconciler_told busy "$reconciler_who" ;;',
        'busy) reconciler_told busy "$reconciler_who"; reconciler_act ;;',
    ),
    LOCKING(
        "a file is made through a link that somebody has laid",
        ("locks",),
        'if [ -L "$reconciler_file" ] || {{',
        "if {{",
    ),
    Mutation(
        "what changes something takes no lock",
        ("locks",),
        "if lock is not None and script.mutates:",
        "if lock is not None and not script.mutates:",
        file="reconciler/hosts/shell.py",
        tests=("tests/unit/hosts/test_locking.py",),
    ),
    Mutation(
        "a script may say that it changes nothing when it does",
        ("locks",),
        "if argv is not None and not script.mutates and _changes(argv):",
        "if False:",
        file="reconciler/hosts/shell.py",
        tests=("tests/unit/hosts/test_shell.py",),
    ),
    Mutation(
        "a receiver is not locked while it receives",
        ("locks",),
        "        receiver.privilege,\n        lock and lock.at(receiver.name),\n",
        "        receiver.privilege,\n        None,\n",
        file="reconciler/hosts/streams.py",
        tests=("tests/unit/executor/test_transfer.py",),
    ),
    STATE(
        "two controllers use one state directory",
        ("locks",),
        "raise LockHeld(self._held_by(_read_soon(file)))",
        "pass",
    ),
    STATE(
        "a stale file is a lock",
        ("locks",),
        "if _try_lock(file, fcntl.LOCK_SH):\n                    return None",
        "_try_lock(file, fcntl.LOCK_SH)",
    ),
    REQUESTS(
        "what people asked counts as nothing when it can't be read",
        ("requests",),
        'return Unreadable(f"{path} can\'t be read: {error.strerror}")',
        "return Requests()",
    ),
)
