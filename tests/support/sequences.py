"""Random sequences of commands, chosen while they run on a simulated machine.

The same seed makes the same sequence as long as the simulator does the same. About two thirds of
the commands are meant to succeed; the others name what is not there, or come at the wrong time.
"""

import random
from collections.abc import Callable, Iterator, Mapping

from reconciler.simulator.cell import MemoryCell
from reconciler.simulator.model import Machine
from reconciler.zfs import commands, queries
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.names import filesystem_of, pool_of
from reconciler.zfs.types import Argv, FilesystemKind
from tests.support.chance import FILES, SHORT, SIZES, TAGS, USER_PROPERTIES, Chance
from tests.support.random_streams import abort, keep, resume, transfer
from tests.support.reality import POOLS
from tests.support.steps import WRITE, Simulated, Step

LENGTH = 40
"""Commands of a sequence, setup not counted."""

KEY = ("-o", "encryption=on", "-o", "keyformat=passphrase", "-o", "pbkdf2iters=100000")


def new_machine() -> Simulated:
    """Return a simulated machine with two empty pools."""
    simulated = Simulated(MemoryCell(Machine(seed="differential")))
    for argv in pool_commands():
        made = simulated.ask(*argv)
        assert made.statuses == (0,), made
    return simulated


def pool_commands() -> Iterator[Argv]:
    """Yield the commands that make the pools on a simulated machine."""
    for pool in POOLS:
        options = ("-O", f"mountpoint=/{pool}", "-O", "atime=off")
        yield ("zpool", "create", *options, pool, f"/tmp/{pool}.img:512M")


def sequence(seed: int, length: int = LENGTH) -> Iterator[tuple[Step, Simulated]]:
    """Yield the steps of a sequence; each is to be run on the machine before the next is asked."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    simulated = new_machine()
    for step in _setup(chance):
        yield step, simulated
    for _ in range(length):
        yield _next(chance, simulated), simulated


def _setup(chance: random.Random) -> Iterator[Step]:
    """Yield what makes the first filesystems."""
    yield (("zfs", "create", "src/a"),)
    yield (("zfs", "create", "src/a/b"),)
    yield (("zfs", "create", "src/sp ace"),)
    yield (("write", "src/a", "f", "300000"),)
    if chance.random() < 0.5:
        thin = ("-s",) if chance.random() < 0.5 else ()
        yield (("zfs", "create", *thin, "-V", "8M", "src/vol"),)
    if chance.random() < 0.4:
        yield (("zfs", "create", *KEY, "-o", "keylocation=file:///tmp/k1", "src/enc"),)
        yield (("write", "src/enc", "f", "200000"),)
        yield (("zfs", "snapshot", "src/enc@1"),)
    yield (commands.create_placeholder("dst/in"),)
    if chance.random() < 0.3:
        yield (("zfs", "create", "dst/plain"),)
    if chance.random() < 0.6:
        yield from _history("src/a", "dst/in/a")


def _history(source: str, target: str) -> Iterator[Step]:
    """Yield what makes a replica that is one snapshot behind."""
    yield (commands.snapshot([f"{source}@1"], "daily"),)
    first = commands.send(f"{source}@1", base=None, intermediates=False, flags=StreamFlags())
    yield (first, commands.receive(target, kind=FilesystemKind.FILESYSTEM, initial=True))
    yield ((WRITE, source, "g", "300000"),)
    yield (commands.snapshot([f"{source}@2"], "daily"),)


def _next(generator: random.Random, simulated: Simulated) -> Step:
    chance = Chance(generator, simulated.cell.read(), POOLS, simulated.tokens)
    if any(not pool.imported for pool in chance.machine.pools.values()) and chance.maybe(0.6):
        return export(chance) or ()
    if chance.partial() and chance.maybe(0.25):
        step = chance.of([keep, keep, resume, resume, abort])(chance)
        if step is not None:
            return step
    while True:
        (kind,) = generator.choices(list(KINDS), list(KINDS.values()))
        step = kind(chance)
        if step is not None:
            return step


# -- what changes ----------------------------------------------------------------------------------


def write(chance: Chance) -> Step | None:
    """Write to something that can be written to."""
    machine = chance.machine
    candidates = []
    for dataset in chance.datasets():
        trial = Simulated(MemoryCell(machine))
        if trial.ask(WRITE, dataset.name, "f", "1").statuses == (0,) and "/" in dataset.name:
            candidates.append(dataset)
    if not candidates:
        return None
    dataset = chance.of(candidates)
    file = "data" if dataset.kind is FilesystemKind.VOLUME else chance.of(FILES)
    return ((WRITE, dataset.name, file, str(chance.of(SIZES))),)


def snapshot(chance: Chance) -> Step:
    """Take snapshots, as we do or as people do."""
    if chance.maybe(0.3):
        names = [d.name for d in chance.some(chance.below(), 3)]
        pool = names[0].partition("/")[0]
        short = chance.new_short(names[0])
        ours = [f"{name}@{short}" for name in names if name.partition("/")[0] == pool]
        return (commands.snapshot(ours, "daily"),)
    options = ["-r"] if chance.maybe(0.25) else []
    if chance.maybe(0.25):
        options += ["-o", chance.setting() if not chance.errs() else chance.of(["a=b", "x:y"])]
    filesystems = [chance.filesystem() for _ in range(chance.of([1, 1, 1, 2, 3]))]
    names = [f"{name}@{chance.new_short(name)}" for name in filesystems]
    if chance.maybe(0.04):
        names[0] = chance.of([filesystem_of(names[0]), f"{names[0]}/x", f"{names[0]}%"])
    return (("zfs", "snapshot", *options, *names),)


def bookmark(chance: Chance) -> Step:
    """Make a bookmark."""
    source = chance.version()
    target = filesystem_of(source) if not chance.errs() else chance.filesystem()
    name = chance.of(["c1", "c2", "cur sor", "rec-cursor_a_b"])
    if chance.maybe(0.2):
        return (("zfs", "bookmark", source, f"#{name}"),)
    return (("zfs", "bookmark", source, f"{target}#{name}"),)


def hold(chance: Chance) -> Step:
    """Hold snapshots."""
    options = ["-r"] if chance.maybe(0.2) else []
    names = [chance.snapshot() for _ in range(chance.of([1, 1, 2, 3]))]
    return (("zfs", "hold", *options, chance.of(TAGS), *names),)


def release(chance: Chance) -> Step | None:
    """Release snapshots, mostly those that are held."""
    held = [
        (f"{dataset.name}@{snapshot.name}", tag)
        for dataset in chance.datasets()
        for snapshot in dataset.snapshots
        for tag in snapshot.holds
    ]
    options = ["-r"] if chance.maybe(0.2) else []
    if held and not chance.errs():
        name, tag = chance.of(held)
        more = [chance.snapshot()] if chance.maybe(0.2) else []
        return (("zfs", "release", *options, tag, name, *more),)
    return (("zfs", "release", *options, chance.of(TAGS), chance.snapshot()),)


def destroy_snapshots(chance: Chance) -> Step:
    """Destroy one snapshot or several."""
    full = chance.snapshot()
    filesystem = filesystem_of(full)
    siblings = [*chance.siblings(full), "no"]
    if chance.maybe(0.3):
        return (commands.destroy_snapshots(filesystem, chance.some(siblings, 4)),)
    parts = [full.partition("@")[2]]
    for _ in range(chance.of([0, 0, 1, 2])):
        first, last = chance.of(siblings), chance.of(siblings)
        parts.append(chance.of([first, f"{first}%{last}", f"%{last}", f"{first}%"]))
    chance.random.shuffle(parts)
    options = [option for option in ("-d", "-r", "-n", "-v", "-p") if chance.maybe(0.15)]
    options += ["-R"] if chance.maybe(0.05) else []
    return (("zfs", "destroy", *options, f"{filesystem}@{','.join(parts)}"),)


def destroy_other(chance: Chance) -> Step:
    """Destroy a bookmark or a filesystem."""
    if chance.maybe(0.65):
        return (("zfs", "destroy", chance.bookmark()),)
    options = [chance.of(["-r", "-r", "-r", "-R"])] if chance.maybe(0.4) else []
    options += ["-n", "-v"] if chance.maybe(0.1) else []
    return (("zfs", "destroy", *options, _unimportant(chance)),)


def _unimportant(chance: Chance) -> str:
    """Return a filesystem's name, seldom that of one that much depends on."""
    names = [d.name for d in chance.below() if d.name.count("/") > 1 or d.origin is not None]
    return chance.of(names) if names and chance.maybe(0.6) else chance.filesystem()


def rename(chance: Chance) -> Step:
    """Rename a snapshot or a filesystem."""
    if chance.maybe(0.6):
        full = chance.snapshot()
        short = chance.new_short(filesystem_of(full))
        options = ["-r"] if chance.maybe(0.3) else []
        target = f"@{short}" if chance.maybe(0.2) else f"{filesystem_of(full)}@{short}"
        return (("zfs", "rename", *options, full, target),)
    name = chance.of(chance.below()).name if not chance.errs() else chance.filesystem()
    pool = name.partition("/")[0]
    target = chance.new_filesystem()
    if not chance.errs():
        target = _in_pool(pool, target)
    return (("zfs", "rename", *(["-p"] if chance.maybe(0.1) else []), name, target),)


def _in_pool(pool: str, name: str) -> str:
    return f"{pool}/{name.partition('/')[2] or 'n1'}"


def rollback(chance: Chance) -> Step:
    """Roll a filesystem back, mostly to its last snapshot."""
    last = [f"{d.name}@{d.snapshots[-1].name}" for d in chance.datasets() if d.snapshots]
    full = chance.of(last) if last and chance.maybe(0.4) else chance.snapshot()
    return (("zfs", "rollback", *(["-r"] if chance.maybe(0.5) else []), full),)


def clone(chance: Chance) -> Step | None:
    """Make a clone, mostly in the same pool."""
    full = chance.snapshot()
    source = chance.machine.datasets.get(filesystem_of(full))
    if "/" not in full or (source is not None and source.encryption is not None):
        # A promoted clone of a pool's own filesystem makes circles that nobody has; whose key a
        # clone uses is not modelled.
        return None
    target = chance.new_filesystem()
    if not chance.errs():
        target = _in_pool(pool_of(full), target)
    options = ["-o", chance.setting()] if chance.maybe(0.2) else []
    return (("zfs", "clone", *options, full, target),)


def promote(chance: Chance) -> Step:
    """Promote a clone."""
    clones = [d.name for d in chance.datasets() if d.origin is not None]
    name = chance.of(clones) if clones and not chance.errs() else chance.filesystem()
    return (("zfs", "promote", name),)


def create(chance: Chance) -> Step:
    """Create a filesystem or a volume."""
    name = chance.new_filesystem()
    match chance.random.randrange(6):
        case 0:
            return (commands.create_placeholder(name),)
        case 1:
            return (("zfs", "create", "-s", "-V", "4M", name),)
        case 2:
            return (("zfs", "create", "-p", f"{name}/x/y"),)
        case 3:
            return (("zfs", "create", "-o", chance.setting(), name),)
        case _:
            return (("zfs", "create", name),)


def set_property(chance: Chance) -> Step:
    """Set or inherit properties."""
    places = [chance.snapshot() if chance.maybe(0.3) else chance.filesystem()]
    if chance.maybe(0.2):
        places.append(chance.filesystem())
    if chance.maybe(0.4):
        options = [option for option in ("-r", "-S") if chance.maybe(0.2)]
        name = chance.of([*USER_PROPERTIES, "readonly", "mountpoint"])
        return (("zfs", "inherit", *options, name, *places),)
    native = ["readonly=on", "readonly=off", "canmount=noauto", "canmount=on", "mountpoint=none"]
    settings = [chance.setting() if chance.maybe(0.75) else chance.of(native)]
    return (("zfs", "set", *settings, *places),)


def key(chance: Chance) -> Step | None:
    """Load or unload a key."""
    roots = [d.name for d in chance.datasets() if d.encryption is not None]
    if not roots:
        return None
    name = chance.of(roots) if not chance.errs() else chance.filesystem()
    if chance.maybe(0.35):
        return (("zfs", "unload-key", name),)
    location = chance.of(["file:///tmp/k1", "file:///tmp/k1", "file:///tmp/k2"])
    return (("zfs", "load-key", "-L", location, name),)


def mount(chance: Chance) -> Step:
    """Mount or unmount a filesystem."""
    return (("zfs", chance.of(["mount", "unmount"]), chance.filesystem()),)


# -- what asks -------------------------------------------------------------------------------------


def export(chance: Chance) -> Step | None:
    """Export a pool, or bring the exported one back."""
    away = [name for name in POOLS if not chance.machine.pools[name].imported]
    if away:
        return (("zpool", "import", "-d", "/tmp", away[0]),)
    return (("zpool", "export", chance.of(POOLS)),)


def query(chance: Chance) -> Step:
    """Ask as we do."""
    names = [chance.version() for _ in range(chance.of([1, 2, 4]))]
    snapshots = [chance.snapshot() for _ in range(chance.of([1, 2]))]
    roots = [chance.filesystem() for _ in range(chance.of([1, 1, 2]))]
    asked = chance.of(
        [
            queries.list_filesystems(roots),
            queries.list_versions_within(roots),
            queries.list_versions(names),
            queries.list_guids(names),
            queries.list_holds(snapshots),
            queries.list_filesystem(roots[0]),
            queries.get_resume_token(roots[0]),
            ("zpool", "list", "-H", "-p", "-o", "name,health,readonly", *POOLS),
            (*queries.get_features(), *POOLS),
        ]
    )
    return (asked,)


def look(chance: Chance) -> Step:
    """Ask as people do."""
    properties = chance.of(["x:one,x:two", "readonly", "origin,mounted", "guid,type,canmount"])
    name = chance.of([chance.filesystem(), chance.snapshot(), chance.bookmark()])
    match chance.random.randrange(5):
        case 0:
            return (("zfs", "get", "-Hp", "-o", "name,property,value,source", properties, name),)
        case 1:
            types = chance.of(["snapshot", "bookmark", "all", "filesystem", "volume,snapshot"])
            depth = chance.of([("-r",), ("-d", "1"), ()])
            columns = ("-o", "name,type,guid")
            return (("zfs", "list", "-Hp", *depth, "-t", types, *columns, chance.filesystem()),)
        case 2:
            return (("zfs", "holds", "-H", *(["-r"] if chance.maybe(0.3) else []), name),)
        case 3:
            return (("zfs", "list", "-H", "-o", "name,origin,x:one", name),)
        case _:
            fields = "property,value,source"
            return (("zfs", "get", "-Hp", "-r", "-o", f"name,{fields}", properties, name),)


KINDS: Mapping[Callable[[Chance], Step | None], float] = {
    write: 9,
    snapshot: 14,
    bookmark: 7,
    hold: 6,
    release: 4,
    destroy_snapshots: 9,
    destroy_other: 3,
    rename: 4,
    rollback: 3,
    clone: 2,
    promote: 1.5,
    create: 3,
    set_property: 5,
    key: 2.5,
    mount: 1,
    export: 0.7,
    query: 6,
    look: 4,
    transfer: 28,
    resume: 5,
    abort: 2.5,
    keep: 2,
}
"""How often each kind of step is tried."""

__all__ = ["LENGTH", "SHORT", "new_machine", "sequence"]
