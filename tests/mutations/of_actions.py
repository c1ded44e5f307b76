"""What is run on hosts: the guid before every change, and nothing forced, recursive or ranged."""

from functools import partial

from tests.mutations.mutation import Mutation

DESTROYING = "tests/unit/actions/test_destroy.py"
HOLDING = "tests/unit/actions/test_holding.py"
MAKING = "tests/unit/actions/test_making.py"
SENDING = "tests/unit/actions/test_sending.py"

DESTROY = partial(Mutation, file="reconciler/actions/destroy.py", tests=(DESTROYING,))
HOLD = partial(Mutation, file="reconciler/actions/hold.py", tests=(HOLDING,))
BOOKMARK = partial(Mutation, file="reconciler/actions/bookmark.py", tests=(MAKING,))
SHELL = partial(
    Mutation, file="reconciler/hosts/shell.py", tests=("tests/unit/hosts/test_shell.py",)
)
SHARED = partial(
    Mutation,
    file="reconciler/actions/shared.py",
    tests=("tests/unit/actions/test_shared.py",),
)
PROGRAMS = partial(
    Mutation, file="reconciler/zfs/programs.py", tests=("tests/unit/zfs/test_programs.py",)
)
COMMANDS = partial(
    Mutation, file="reconciler/zfs/commands.py", tests=("tests/unit/zfs/test_commands.py",)
)
LINES = partial(
    Mutation,
    file="reconciler/zfs/commands.py",
    tests=("tests/property/test_command_lines.py",),
)
NAMES = partial(Mutation, file="reconciler/zfs/names.py", tests=("tests/unit/zfs/test_names.py",))

MUTATIONS = (
    Mutation(
        "the guid check is content with any guid",
        (2,),
        'return step, Printed("check", guids_text(filesystem, versions))',
        'from reconciler.hosts.script import Succeeded\n\n    return step, Succeeded("check")',
        "reconciler/actions/base.py",
        (DESTROYING,),
    ),
    DESTROY(
        "a destroy does not wait for the guid check",
        (2,),
        "replace(self.step(), when=same),",
        "self.step(),",
    ),
    HOLD(
        "a hold does not wait for the guid check",
        (2,),
        'Step("hold", commands.hold(holds[0].tag, names), when=same),',
        'Step("hold", commands.hold(holds[0].tag, names)),',
    ),
    HOLD(
        "a release does not wait for the guid check",
        (2,),
        'Step("release", commands.release(releases[0].tag, names), when=same),',
        'Step("release", commands.release(releases[0].tag, names)),',
    ),
    BOOKMARK(
        "a bookmark does not wait for the guid check",
        (2,),
        "replace(self.step(), when=same),",
        "self.step(),",
    ),
    Mutation(
        "any partial receive is aborted",
        (2,),
        'when=Printed("check", self.token),',
        "when=None,",
        "reconciler/actions/abort.py",
        (SENDING,),
    ),
    SHELL(
        "a condition on what was printed needs only success",
        (2,),
        'return f"{succeeded} && {_equal(text, index)}"',
        "return succeeded",
    ),
    SHELL(
        "conditions are not asked",
        (2,),
        "if {' && '.join(tests)}; then",
        "if true; then",
    ),
    DESTROY(
        "what is still there counts as destroyed",
        (2,),
        "left = tuple(v for v in self.versions if after.get(v.of(self.filesystem)) == v.guid)",
        "left = ()",
    ),
    DESTROY(
        "a version that is another one now counts as destroyed",
        (2,),
        "if after.get(name := version.of(self.filesystem), version.guid) != version.guid",
        "if (name := version.of(self.filesystem)) is None",
    ),
    DESTROY(
        "a destroy takes versions with another guid along when it is tried again",
        (2,),
        "return Narrowed((replace(self, versions=left),)",
        "return Narrowed((replace(self, versions=self.versions),)",
    ),
    SHARED(
        "what the program did not destroy is destroyed without another check",
        (2,),
        "replace(same, step=name), destroy.step(), number",
        "when, destroy.step(), number",
    ),
    SHARED(
        "where programs are refused nothing is destroyed",
        (1,),
        "Unless(_PROGRAM, programs.all_destroyed(len(wanted)))",
        "Printed(_PROGRAM, programs.all_destroyed(len(wanted)))",
    ),
    SHARED(
        "cursors are destroyed unchecked, and bookmarks made unchecked",
        (2,),
        'name=f"{prefix_of(number)}{step.name}", when=check)',
        'name=f"{prefix_of(number)}{step.name}")',
    ),
    SHARED(
        "a program that got no answer is tried again",
        (1,),
        "not (outcome.ok and programs.answered(outcome.stdout))",
        "outcome.status > 1",
    ),
    DESTROY(
        "any bookmark counts as a cursor",
        (2,),
        'version.name.endswith(f"{version.guid:016x}")',
        "bool(version.name)",
        tests=("tests/unit/actions/test_shared.py",),
    ),
    PROGRAMS(
        "guids above 2^63 are given to a program as they are",
        (1,),
        "guid - 2 * _HALF if guid >= _HALF else guid",
        "guid",
    ),
    PROGRAMS(
        "a program may be given a filesystem",
        (2,),
        "        check_snapshot(name)\n",
        "        pool_of(name)\n",
    ),
    SHELL(
        "what is to be done unless something was said is done anyway",
        (2,),
        'return f"! {{ {succeeded} && {_equal(text, index)}; }}"',
        'return "true"',
    ),
    HOLD(
        "a hold on another snapshot of the name counts",
        (2,),
        "if tags and self.tag in tags and after.get(self.full) == self.version.guid:",
        "if tags and self.tag in tags:",
    ),
    HOLD(
        "holds that can't be listed count as released",
        (1,),
        "if tags is not None and self.tag not in tags:",
        "if not tags or self.tag not in tags:",
    ),
    BOOKMARK(
        "a bookmark of the name counts whatever its guid",
        (2,),
        "if made.get(self.full) == self.version.guid:",
        "if self.full in made:",
    ),
    Mutation(
        "a snapshot of the name that somebody else made counts as ours",
        (2, 3),
        "earlier = [version for version in found.values() if version.spec == self.spec]",
        "earlier = list(found.values())",
        "reconciler/actions/snapshot.py",
        (MAKING,),
    ),
    COMMANDS(
        "snapshots are destroyed with those of all descendants",
        (3,),
        'return ("zfs", "destroy", argument)',
        'return ("zfs", "destroy", "-r", argument)',
    ),
    COMMANDS(
        "what is to be destroyed may be a range",
        (3,),
        "    check_all(version_names, check_version_name)\n",
        "",
    ),
    COMMANDS(
        "the filesystem of a destroy may be an option",
        (3,),
        "    check_filesystem(filesystem)\n    check_all(version_names",
        "    check_all(version_names",
    ),
    COMMANDS(
        "what is destroyed as a bookmark may be anything",
        (3,),
        '    check_bookmark(full)\n    return ("zfs", "destroy", full)',
        '    return ("zfs", "destroy", full)',
    ),
    COMMANDS(
        "a receive is forced",
        (4,),
        'return ("zfs", "receive", "-s", "-u",',
        'return ("zfs", "receive", "-F", "-s", "-u",',
    ),
    COMMANDS(
        "a stream brings everything below along",
        (4,),
        'return ("zfs", "send", "-v", "-P", *flags.options, *along, to)',
        'return ("zfs", "send", "-R", "-v", "-P", *flags.options, *along, to)',
    ),
    LINES(
        "a receive that goes on is forced",
        (4,),
        "raw=raw) if initial else ()",
        'raw=raw) if initial else ("-F",)',
    ),
    LINES(
        "a destroy of snapshots takes clones along",
        (3,),
        'return ("zfs", "destroy", argument)',
        'return ("zfs", "destroy", "-R", argument)',
    ),
    NAMES(
        "a version's name may be a range",
        (3,),
        r're.compile(r"[A-Za-z0-9\-_.: ]+")',
        r're.compile(r"[A-Za-z0-9\-_.: %]+")',
    ),
    NAMES(
        "no names are as good as some",
        (3,),
        'raise ValueError("there are no names")',
        "pass",
    ),
    NAMES(
        "a name that begins like another one lies within it",
        (7,),
        'return name == root or name.startswith(f"{root}/")',
        "return name.startswith(root)",
    ),
)
