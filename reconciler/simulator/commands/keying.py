"""`zfs load-key`, `zfs unload-key` and `zfs change-key` (zfs-load-key(8))."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from reconciler.simulator import change
from reconciler.simulator.assignments import ENCRYPTION, checked, parsed
from reconciler.simulator.checks import check_pool
from reconciler.simulator.items import Kind, Kinds, open_item
from reconciler.simulator.keys import check_feature, check_root, read_key
from reconciler.simulator.model import Dataset, Encryption, Machine
from reconciler.simulator.process import Commands, Options, Process, Refused, text
from reconciler.simulator.usage import usage
from reconciler.zfs.names import parent_of, pool_of

FILESYSTEMS: Kinds = frozenset({Kind.FILESYSTEM, Kind.VOLUME})

FAILED = 255
"""The status for a key that could not be loaded, unloaded or changed."""

LOAD, UNLOAD, CHANGE = "Key load error", "Key unload error", "Key change error"


# -- load and unload -------------------------------------------------------------------------------


def load_key(process: Process) -> Iterable[bytes]:
    """Load the keys of encryption roots."""
    options = process.options("anrL:", usage=lambda said: usage("load-key", said))
    _check_usage(options, "load-key")
    place = options.last("L")
    if _is_recursive(options) and place not in {None, "prompt"}:
        raise usage("load-key", "alternate keylocation may only be 'prompt' with -r or -a")
    verify_only = options.has("n")

    def act(name: str) -> None:
        load(process, name, place, verify_only=verify_only)

    done = "verified" if verify_only else "loaded"
    names = _names(process, options, loaded=False)
    return _each(process, names, act, done if verify_only or _is_recursive(options) else None)


def unload_key(process: Process) -> Iterable[bytes]:
    """Unload the keys of encryption roots; nothing that needs them may be mounted."""
    options = process.options("ar", usage=lambda said: usage("unload-key", said))
    _check_usage(options, "unload-key")

    def act(name: str) -> None:
        process.cell.change(partial(unloaded, name))

    names = _names(process, options, loaded=True)
    return _each(process, names, act, "unloaded" if _is_recursive(options) else None)


def _is_recursive(options: Options) -> bool:
    return options.has("a") or options.has("r")


def _check_usage(options: Options, command: str) -> None:
    if not options.has("a") and not options.operands:
        raise usage(command, "Missing dataset argument or -a option")
    if options.has("a") and options.operands:
        raise usage(command, "Cannot specify dataset with -a option")


def _names(process: Process, options: Options, *, loaded: bool) -> Sequence[str]:
    """Return what to work on, sorted: with `-r` and `-a` roots whose keys are as `loaded`."""
    machine = process.cell.read()
    opened: list[Dataset] = []
    for operand in options.operands:
        try:
            opened.append(open_item(machine, operand, FILESYSTEMS).dataset)
        except Refused as refused:
            process.fail(*refused.lines)
    if not _is_recursive(options):
        return sorted({dataset.name for dataset in opened})
    tops = [dataset.name for dataset in opened] or [
        name for name, pool in machine.pools.items() if options.has("a") and pool.imported
    ]
    roots = {found.name: found for top in tops for found in change.within(machine, top)}
    return [name for name in sorted(roots) if _is_root(roots[name], loaded=loaded)]


def _is_root(dataset: Dataset, *, loaded: bool) -> bool:
    found = dataset.encryption
    return found is not None and found.key is not None and found.loaded is loaded


def _each(
    process: Process, names: Sequence[str], act: Callable[[str], None], done: str | None
) -> Iterable[bytes]:
    """Work on each; with `done` say in the end of how many that came true."""
    failed = 0
    for name in names:
        try:
            act(name)
        except Refused as refused:
            failed += 1
            process.fail(*refused.lines, status=FAILED)
    if done is None or (not names and done != "verified"):
        return ()
    return text([f"{len(names) - failed} / {len(names)} key(s) successfully {done}"])


def load(process: Process, name: str, place: str | None, *, verify_only: bool) -> None:
    """Load the key of a root from its keylocation, or from another place; raise Refused."""
    encryption = check_root(process.cell.read(), name, LOAD, "loaded")
    if encryption.loaded and not verify_only:
        raise Refused(f"{LOAD}: Key already loaded for '{name}'.")
    key = read_key(process, place or encryption.keylocation, encryption.keyformat, LOAD)
    process.cell.change(partial(_loaded, name, key, verify_only=verify_only))


def _loaded(name: str, key: str, machine: Machine, *, verify_only: bool) -> Machine:
    encryption = check_root(machine, name, LOAD, "loaded")
    if encryption.key != key:
        raise Refused(f"{LOAD}: Incorrect key provided for '{name}'.")
    if verify_only:
        return machine
    if encryption.loaded:
        raise Refused(f"{LOAD}: Key already loaded for '{name}'.")
    return _with(machine, name, replace(encryption, loaded=True))


def unloaded(name: str, machine: Machine) -> Machine:
    """Return the machine without the key of a root; raise Refused."""
    encryption = check_root(machine, name, UNLOAD, "unloaded")
    if not encryption.loaded:
        raise Refused(f"{UNLOAD}: Key already unloaded for '{name}'.")
    for dataset in change.within(machine, name):
        root = change.encryption_root(machine, dataset.name)
        if dataset.mounted and root is not None and root.name == name:
            raise Refused(f"{UNLOAD}: '{name}' is busy.")
    return _with(machine, name, replace(encryption, loaded=False))


def _with(machine: Machine, name: str, encryption: Encryption) -> Machine:
    return change.with_dataset(machine, replace(machine.datasets[name], encryption=encryption))


# -- change ----------------------------------------------------------------------------------------


def change_key(process: Process) -> Iterable[bytes]:
    """Give a filesystem another key, or let it use its parent's (`-i`)."""
    options = process.options("lio:", usage=lambda said: usage("change-key", said))
    given = parsed(options.all("o"))
    inherit = options.has("i")
    if inherit and given:
        raise usage("change-key", "Properties not allowed for inheriting")
    if len(options.operands) != 1:
        too_many = bool(options.operands)
        raise usage(
            "change-key", f"{'Too many arguments' if too_many else 'Missing dataset argument'}"
        )
    (name,) = options.operands
    try:
        item = open_item(process.cell.read(), name, FILESYSTEMS)
    except Refused as refused:
        raise usage("change-key", *refused.lines) from None
    try:
        if options.has("l") and not change.has_key(process.cell.read(), name):
            load(process, name, None, verify_only=False)
        if inherit:
            process.cell.change(partial(_inherited, name))
        else:
            _change(process, item.dataset, given)
    except Refused as refused:
        raise Refused(*refused.lines, status=FAILED) from None
    return ()


def _encrypted(machine: Machine, name: str) -> tuple[Dataset, Encryption]:
    """Return a filesystem whose key may be changed; raise Refused."""
    check_feature(machine, name, CHANGE)
    dataset = change.find(machine, name)
    if dataset is None or dataset.encryption is None:
        raise Refused(f"{CHANGE}: Dataset not encrypted.")
    if dataset.origin is not None:
        raise Refused(f"{CHANGE}: Keys cannot be changed on clones.")
    return dataset, dataset.encryption


def _change(process: Process, dataset: Dataset, given: dict[str, str]) -> None:
    machine = process.cell.read()
    name = dataset.name
    _, encryption = _encrypted(machine, name)
    if not set(given) <= ENCRYPTION - {"encryption"}:
        only = "Only keyformat, keylocation and pbkdf2iters may be set with this command."
        raise Refused(f"{CHANGE}: {only}")
    settings = checked(machine, name, given, Kind(dataset.kind.value), CHANGE)
    is_root = encryption.key is not None
    keyformat = settings.get("keyformat", encryption.keyformat if is_root else "none")
    if keyformat == "none":
        raise Refused(f"{CHANGE}: Keyformat required for new encryption root.")
    place = settings.get("keylocation", encryption.keylocation if is_root else "prompt")
    key = read_key(process, place, keyformat, CHANGE)
    new = Encryption(encryption.suite, key, keyformat, place, loaded=True)
    process.cell.change(partial(_changed, name, new))


def _changed(name: str, new: Encryption, machine: Machine) -> Machine:
    _encrypted(machine, name)
    _check_loaded(machine, name)
    check_pool(machine, pool_of(name), CHANGE)
    machine, _ = change.next_txg(machine, pool_of(name))
    return _with(machine, name, new)


def _check_loaded(machine: Machine, name: str) -> None:
    if not change.has_key(machine, name):
        raise Refused(f"{CHANGE}: Key must be loaded.")


def _inherited(name: str, machine: Machine) -> Machine:
    _, encryption = _encrypted(machine, name)
    if encryption.key is None:
        raise Refused(f"{CHANGE}: Key inheritting can only be performed on encryption roots.")
    parent = parent_of(name)
    if parent is None:
        raise Refused(f"{CHANGE}: Root dataset cannot inherit key.")
    if machine.datasets[parent].encryption is None:
        raise Refused(f"{CHANGE}: Parent must be encrypted.")
    if not change.has_key(machine, parent):
        raise Refused(f"{CHANGE}: Parent key must be loaded.")
    _check_loaded(machine, name)
    check_pool(machine, pool_of(name), CHANGE)
    machine, _ = change.next_txg(machine, pool_of(name))
    return _with(machine, name, Encryption(encryption.suite))


COMMANDS: Commands = {
    ("zfs", "change-key"): change_key,
    ("zfs", "load-key"): load_key,
    ("zfs", "unload-key"): unload_key,
}
