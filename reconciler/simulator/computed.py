"""Values of properties that nobody sets: what ZFS says about an item of itself.

Each function takes the view and the item and returns a number, a text, or None for what does not
exist there (printed as `-`). Sizes are bytes.
"""

from collections.abc import Callable, Sequence

from reconciler.simulator import change
from reconciler.simulator.inheritance import own
from reconciler.simulator.items import Item, Kind
from reconciler.simulator.model import Dataset, Encryption
from reconciler.simulator.numbers import U64_MAX, BadNumber, parse_number
from reconciler.simulator.view import View, alone
from reconciler.zfs.names import ancestors, parent_of, pool_of

Raw = int | str | None
Compute = Callable[[View, Item], Raw]

COMPRESSED = 100
"""Hundredths: nothing is compressed."""

PBKDF2_ITERATIONS = 350_000
ZPL_VERSION = "5"


# -- identity --------------------------------------------------------------------------------------


def name(_: View, item: Item) -> Raw:
    """Return the full name."""
    return item.name


def kind(_: View, item: Item) -> Raw:
    """Return the property `type`."""
    return item.kind.value


def guid(_: View, item: Item) -> Raw:
    """Return the guid."""
    return (item.snapshot or item.bookmark or item.dataset).guid


def createtxg(_: View, item: Item) -> Raw:
    """Return the txg in which it came into this pool."""
    return (item.snapshot or item.bookmark or item.dataset).createtxg


def creation(_: View, item: Item) -> Raw:
    """Return the time, seconds since the epoch; of a received snapshot that of its original."""
    return (item.snapshot or item.bookmark or item.dataset).creation


def objsetid(_: View, item: Item) -> Raw:
    """Return a number of the data; ZFS promises nothing about it."""
    return item.snapshot.object if item.snapshot is not None else item.dataset.guid % (1 << 16)


def ivsetguid(_: View, item: Item) -> Raw:
    """Return the identity of an encrypted snapshot's raw form."""
    version = item.snapshot or item.bookmark
    return version.ivset or None if version is not None else None


def version(_: View, item: Item) -> Raw:
    """Return the version of the file system's form; volumes have none."""
    return None if _is_volume(item.dataset) else ZPL_VERSION


def file_system_is(value: str) -> Compute:
    """Return what gives a constant for file systems and None for volumes."""
    return lambda _, item: None if _is_volume(item.dataset) else value


# -- sizes -----------------------------------------------------------------------------------------


def used(view: View, item: Item) -> int:
    """Return the space it takes; of a snapshot what only it holds on to."""
    if item.snapshot is None:
        found = view.used.get(item.name)
        return found if found is not None else change.referenced(item.dataset.files)
    snapshots, index = item.dataset.snapshots, item.position
    before = snapshots[index - 1].files if index else {}
    after = snapshots[index + 1] if index + 1 < len(snapshots) else item.dataset
    return alone(item.snapshot.files, before, after.files)


def available(view: View, item: Item) -> Raw:
    """Return what may still be written: free space of the pool, or what quotas leave of it."""
    machine, dataset = view.machine, item.dataset
    pool = machine.pools[pool_of(dataset.name)]
    left = [pool.size - view.used[pool.name]]
    for above in (*ancestors(dataset.name), dataset.name):
        quota = _size_set(machine.datasets.get(above), "quota")
        if quota:
            left.append(quota - view.used[above])
    refquota = _size_set(dataset, "refquota")
    if refquota:
        left.append(refquota - change.referenced(dataset.files))
    return max(0, min(left))


def _size_set(dataset: Dataset | None, name: str) -> int:
    setting = own(dataset, name) if dataset is not None else None
    try:
        return parse_number(setting.value) if setting is not None else 0
    except BadNumber:
        return 0


def referenced(_: View, item: Item) -> int:
    """Return the size of the content."""
    if item.bookmark is not None:
        return item.bookmark.referenced
    return change.referenced((item.snapshot or item.dataset).files)


def logicalreferenced(view: View, item: Item) -> Raw:
    """Return what programs count: without half of the metadata of an empty filesystem."""
    return max(0, referenced(view, item) - change.EMPTY_SIZE // 2)


def written(view: View, item: Item) -> Raw:
    """Return what was written since the snapshot before."""
    content = item.snapshot or item.dataset
    snapshots = item.dataset.snapshots
    index = item.position if item.snapshot is not None else len(snapshots)
    if index:
        return change.written(content.files, snapshots[index - 1].createtxg)
    number = item.dataset.origin
    origin = change.by_object(view.machine, number) if number is not None else None
    if origin is not None:
        return change.written(content.files, origin[1].createtxg)
    return change.referenced(content.files)


def usedbydataset(view: View, item: Item) -> int:
    """Return what would be freed with the filesystem, all its snapshots being gone before."""
    origin = item.dataset.origin
    found = change.by_object(view.machine, origin) if origin is not None else None
    if found is None:
        return change.referenced(item.dataset.files)
    return change.EMPTY_SIZE + alone(item.dataset.files, found[1].files)


def usedbysnapshots(view: View, item: Item) -> int:
    """Return what would be freed with all snapshots."""
    dataset = item.dataset
    found = change.by_object(view.machine, dataset.origin) if dataset.origin is not None else None
    kept = {block.id for block in dataset.files.values()}
    kept |= {block.id for block in found[1].files.values()} if found is not None else set()
    different = {id(snapshot.files): snapshot.files for snapshot in dataset.snapshots}.values()
    blocks = {block.id: block.size for files in different for block in files.values()}
    return sum(size for block, size in blocks.items() if block not in kept)


def usedbychildren(view: View, item: Item) -> Raw:
    """Return what children take, the data of a partial receive too."""
    others = usedbydataset(view, item) + usedbysnapshots(view, item)
    return max(0, used(view, item) - others)


def nothing(_view: View, _item: Item) -> Raw:
    """Return 0: what is not simulated and takes no space."""
    return 0


def ratio(_: View, item: Item) -> Raw:
    """Return the compression ratio in hundredths; bookmarks have none."""
    return None if item.bookmark is not None else COMPRESSED


# -- relations -------------------------------------------------------------------------------------


def origin(view: View, item: Item) -> Raw:
    """Return the snapshot that a clone was made of."""
    number = item.dataset.origin
    return view.origins.get(number) if number is not None else None


def clones(view: View, item: Item) -> Raw:
    """Return the clones of a snapshot, separated by commas."""
    return ",".join(_clones(view, item)) or None


def numclones(view: View, item: Item) -> Raw:
    """Return how many clones a snapshot has."""
    return len(_clones(view, item))


def _clones(view: View, item: Item) -> Sequence[str]:
    return view.clones.get(item.snapshot.object, ()) if item.snapshot is not None else ()


def userrefs(_: View, item: Item) -> Raw:
    """Return how many holds a snapshot has."""
    return len(item.snapshot.holds) if item.snapshot is not None else None


def defer_destroy(_: View, item: Item) -> Raw:
    """Return whether a snapshot goes with its last hold or clone."""
    return "on" if item.snapshot is not None and item.snapshot.deferred else "off"


def mounted(_: View, item: Item) -> Raw:
    """Return whether a filesystem is mounted."""
    return "yes" if item.dataset.mounted else "no"


def inconsistent(_: View, item: Item) -> Raw:
    """Return whether a first receive is under way or was cut, as 0 or 1."""
    return int(item.snapshot is None and item.dataset.inconsistent)


def receive_resume_token(_: View, item: Item) -> Raw:
    """Return the token of a resumable receive, one that still runs included."""
    partial = item.dataset.partial
    if partial is None or not partial.resumable:
        return None
    from reconciler.simulator.tokens import encode

    return encode(partial)


def snapshots_changed(_: View, item: Item) -> Raw:
    """Return when snapshots came or went, as far as the ones that are there tell."""
    return max((snapshot.creation for snapshot in item.dataset.snapshots), default=None)


def snapshot_count(view: View, item: Item) -> Raw:
    """Return the number of snapshots here and below where ZFS counts them."""
    if not _is_counted(view, item, "snapshot_limit"):
        return U64_MAX
    return sum(len(found.snapshots) for found in (item.dataset, *view.below(item.name, None)))


def filesystem_count(view: View, item: Item) -> Raw:
    """Return the number of filesystems below where ZFS counts them."""
    counted = _is_counted(view, item, "filesystem_limit")
    return len(view.below(item.name, None)) if counted else U64_MAX


def _is_counted(view: View, item: Item, limit: str) -> bool:
    return item.name in view.limited[limit]


def volsize(_: View, item: Item) -> Raw:
    """Return the size of a volume."""
    return item.dataset.volsize if _is_volume(item.dataset) else None


# -- encryption ------------------------------------------------------------------------------------


def encryption(_: View, item: Item) -> Raw:
    """Return the cipher."""
    found = item.dataset.encryption
    return found.suite if found is not None else "off"


def encryptionroot(view: View, item: Item) -> Raw:
    """Return the filesystem whose key this one uses."""
    root = _root(view, item)
    return root.name if root is not None else None


def keystatus(view: View, item: Item) -> Raw:
    """Return whether the key is loaded."""
    root = _root(view, item)
    if root is None or root.encryption is None:
        return None
    return "available" if root.encryption.loaded else "unavailable"


def keyformat(view: View, item: Item) -> Raw:
    """Return what the key is derived from."""
    found = _root_encryption(view, item)
    return found.keyformat if found is not None else "none"


def keylocation(_: View, item: Item) -> Raw:
    """Return where `zfs load-key` looks; only encryption roots have it."""
    found = item.dataset.encryption
    return found.keylocation if found is not None and found.key is not None else "none"


def pbkdf2iters(view: View, item: Item) -> Raw:
    """Return the iterations that derive a key from a passphrase."""
    found = _root_encryption(view, item)
    is_phrase = found is not None and found.keyformat == "passphrase"
    return PBKDF2_ITERATIONS if is_phrase else 0


def _root(view: View, item: Item) -> Dataset | None:
    filesystem = item.dataset.name
    if filesystem not in view.machine.datasets:
        filesystem = parent_of(filesystem) or filesystem
    return change.encryption_root(view.machine, filesystem)


def _root_encryption(view: View, item: Item) -> Encryption | None:
    root = _root(view, item)
    return root.encryption if root is not None else None


def _is_volume(dataset: Dataset) -> bool:
    return dataset.kind.value == Kind.VOLUME.value
