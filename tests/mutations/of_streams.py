"""What streams pass: no program hides a failure, no limit is passed over, none hangs for ever."""

from functools import partial

from tests.mutations.mutation import Mutation

PIPELINE = partial(
    Mutation,
    file="reconciler/hosts/pipeline.py",
    tests=("tests/unit/hosts/test_pipeline.py",),
)
PIPING = partial(
    Mutation,
    file="reconciler/zfs/piping.py",
    tests=("tests/unit/zfs/test_piping.py", "tests/unit/planner/test_pipes.py"),
)
PIPES = partial(
    Mutation, file="reconciler/planner/pipes.py", tests=("tests/unit/planner/test_pipes.py",)
)
STALLING = partial(
    Mutation,
    file="reconciler/executor/stalling.py",
    tests=("tests/unit/executor/test_stalling.py",),
)

PROGRESS = partial(
    Mutation,
    file="reconciler/executor/progress.py",
    tests=("tests/unit/executor/test_transfer.py",),
)

MASTERS = partial(
    Mutation, file="reconciler/hosts/masters.py", tests=("tests/unit/hosts/test_masters.py",)
)
OPENSSH = partial(
    Mutation, file="reconciler/hosts/openssh.py", tests=("tests/unit/hosts/test_openssh.py",)
)

MUTATIONS = (
    PROGRESS(
        "what ZFS thinks of a stream counts as a sign of life",
        (2,),
        "self._on_progress(Progress(0, self._estimate))",
        "self._on_bytes(0)",
    ),
    PROGRESS(
        "what ZFS thinks of a stream is not passed on",
        (2,),
        "self._on_progress(Progress(sent, self._estimate))",
        "self._on_progress(Progress(sent, None))",
    ),
    PIPELINE(
        "a pipe ends like its last program",
        (2,),
        "    names = [f",
        "    telling = last\n    names = [f",
    ),
    PIPELINE(
        "a broken pipe hides what another program failed of",
        (2,),
        '141|269) [ "$reconciler_ended" != 0 ] || reconciler_ended=141 ;;\n',
        "",
    ),
    PIPING(
        "a stream is compressed though the receiver has no zstd",
        (2,),
        "ZSTD in sender and ZSTD in receiver",
        "ZSTD in sender",
    ),
    PIPING(
        "a bandwidth that nothing keeps is passed over",
        (2,),
        "    raise NoLimiter\n",
        '    return "", End.SENDER\n',
    ),
    PIPES(
        "each of several streams has the whole bandwidth",
        (2,),
        "max(1, whole // n) for whole, n in shares",
        "max(1, whole) for whole, n in shares",
    ),
    PIPES(
        "only the target's bandwidth counts",
        (2,),
        "        (here.bandwidth, here.sends),\n        (there.bandwidth, there.receives),\n",
        "",
    ),
    STALLING(
        "a receiver that works without bytes is cut",
        (2,),
        "found is not None and self._seen is not None and found != self._seen",
        "False",
    ),
    STALLING(
        "the same number of bytes told again is a sign of life",
        (2,),
        "if count != self._bytes:",
        "if count:",
    ),
    STALLING(
        "the next snapshot of a stream is no sign of life until it is larger than the last",
        (2,),
        "if count != self._bytes:",
        "if count > self._bytes:",
    ),
    STALLING(
        "a receiver that can't be asked keeps a stream alive",
        (2,),
        "if found is not None and self._seen is not None and",
        "if",
    ),
    MASTERS(
        "streams of unknown size share connections",
        ("executions",),
        "return estimated_bytes is not None and estimated_bytes <= LARGEST",
        "return (estimated_bytes or 0) <= LARGEST",
    ),
    MASTERS(
        "a shared connection that has ended is lent again",
        ("executions",),
        "if loan is None or loan.master.is_over():",
        "if loan is None:",
    ),
    MASTERS(
        "a shared connection is ended under a stream that takes it just then",
        ("executions",),
        "            if loan.streams:\n                return\n",
        "",
    ),
    MASTERS(
        "more streams share a connection than sshd has sessions",
        ("executions",),
        "if loan.streams >= MOST_STREAMS:",
        "if False:",
    ),
    MASTERS(
        "a stream shares a connection that nobody made",
        ("executions",),
        "if loan is not None and self._can_be_used(loan)",
        "if loan is not None",
    ),
    OPENSSH(
        "a shared connection goes on when its master is told to end",
        ("executions",),
        '"ControlPersist=no"',
        '"ControlPersist=yes"',
    ),
    OPENSSH(
        "the master of shared connections does not know of pinned keys",
        (10,),
        'f"ControlPath={socket}", *_where(address, options))',
        'f"ControlPath={socket}", *destination(address, options), "--", address.address)',
    ),
    OPENSSH(
        "a path that is no socket's fails the stream",
        ("executions",),
        "len(str(path)) <= LONGEST_PATH and ",
        "",
    ),
    Mutation(
        "what ssh says of a connection it does without is the stream's failure",
        ("executions",),
        "        stdout=without_remarks(outcome.stdout),\n"
        "        stderr=without_remarks(outcome.stderr),\n",
        "",
        file="reconciler/hosts/streams.py",
        tests=("tests/unit/executor/test_transfer.py",),
    ),
    Mutation(
        "a script that was cut waits for whoever holds what it wrote to",
        ("executions",),
        "        timer.start()\n",
        "",
        file="reconciler/hosts/local.py",
        tests=("tests/unit/hosts/test_local.py",),
    ),
)
