"""Properties that are handed over, the form of streams, filesystems selected by a property."""

from functools import partial

from tests.mutations.mutation import Mutation

HANDED = "tests/unit/zfs/test_handover.py"
FORMS = "tests/unit/planner/test_encryption.py"
WHERE = "tests/unit/planner/test_where.py"
ON_HOSTS = "tests/unit/planner/test_properties.py"

HANDOVER = partial(Mutation, file="reconciler/zfs/handover.py", tests=(HANDED,))
DRIFT = partial(
    Mutation,
    file="reconciler/planner/drifting.py",
    tests=("tests/unit/planner/test_drifting.py",),
)
FORM = partial(Mutation, file="reconciler/planner/encryption.py", tests=(FORMS,))

MUTATIONS = (
    HANDOVER(
        "our own marks are handed over",
        (2,),
        "    yield from _OURS\n",
        "",
    ),
    HANDOVER(
        "mountpoints, shares and quotas are handed over",
        (4,),
        "for name in (*KEPT_OFF, *properties.exclude)",
        "for name in properties.exclude",
    ),
    HANDOVER(
        "what comes in clear stays unencrypted below an encrypted filesystem",
        (4,),
        '    if not raw:\n        yield "encryption"\n',
        "",
    ),
    HANDOVER(
        "an override of one property takes away all protection",
        (4,),
        "if n not in given}",
        "if not given}",
    ),
    Mutation(
        "an increment brings properties",
        (4,),
        "return self.properties.send and self.base is None and self.token is None",
        "return self.properties.send",
        file="reconciler/actions/send.py",
        tests=("tests/unit/actions/test_sending.py",),
    ),
    Mutation(
        "the mark that came with the properties stays",
        (2,),
        "if isinstance(verdict, Done) and current.brings_properties:",
        "if False:",
        file="reconciler/executor/transfer.py",
        tests=(f"{ON_HOSTS}::test_our_mark_on_snapshots_does_not_come_along",),
    ),
    FORM(
        "a raw replica is continued in clear",
        (4,),
        'if form is Form.DECRYPTED and there.encryption != "off" and _came_raw(pair, there):',
        "if False:",
    ),
    FORM(
        "a replica that came in clear is continued raw",
        (4,),
        "if form is Form.RAW and not _came_raw(pair, there):",
        "if False:",
    ),
    FORM(
        "what is to be decrypted is sent without its key",
        (1,),
        'if form is Form.DECRYPTED and pair.source.filesystem.keystatus != "available":',
        "if False:",
    ),
    Mutation(
        "decrypted versions go several in one stream",
        (1,),
        "            streams = singly(streams)\n",
        "            pass\n",
        file="reconciler/planner/replication.py",
        tests=(FORMS,),
    ),
    Mutation(
        "the guard lets go of what is not selected any more",
        (3, 5),
        "return found is not None and replication.selection.admits(found.properties)",
        "return True",
        file="reconciler/planner/roles.py",
        tests=(WHERE,),
    ),
    Mutation(
        "one of several conditions is enough",
        (5,),
        "return all(properties.get(one.property) == one.equals for one in self.where)",
        "return all(properties.get(one.property) == one.equals for one in self.where[:1])",
        file="reconciler/desired/selection.py",
        tests=(WHERE,),
    ),
    Mutation(
        "a host is not asked for the properties that select",
        (1, 5),
        "queries.list_filesystems(pools_of(roots), properties)",
        "queries.list_filesystems(pools_of(roots))",
        file="reconciler/observed/probe.py",
        tests=(f"{ON_HOSTS}::test_one_execution_tells_the_property_too",),
    ),
    DRIFT(
        "receivers are not asked for what specs override",
        ("drift",),
        "asked[target.host].update(name for name, _ in target.properties.override)",
        "asked[target.host].update(())",
        file="reconciler/planner/roots.py",
    ),
    DRIFT(
        "what was not asked for counts as not set",
        ("drift",),
        "if value is None and not is_user_property(name):",
        "if False:",
    ),
    DRIFT(
        "what a volume can't have is told as drifted",
        ("drift",),
        "if applies(name, there.kind) and (",
        "if (",
    ),
)
