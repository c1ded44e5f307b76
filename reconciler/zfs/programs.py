"""The channel program that destroys snapshots, each guid compared in the same transaction group.

zfs-program(8): it needs root, whatever `zfs allow` says. It runs while the transaction group is
synced, all writers of the pool wait meanwhile, and it is not undone when it fails halfway. So it is
short, makes no text that grows with the number of names (5,000 long ones in one text held a pool
for more than ten minutes, and no limit ended that), and is given few at a time.

It can't destroy bookmarks (no such snapshot, it says), and says EBUSY for what `zfs destroy`
unmounts before (a snapshot looked at in `.zfs`).
"""

from collections.abc import Sequence

from reconciler.zfs.names import check_snapshot, pool_of
from reconciler.zfs.types import Argv

MOST = 100
"""Snapshots for one program. 180 over 10 filesystems took 4.4 s on an emulated host (OpenZFS
2.1.11), so 100 keep the pool's writers waiting for 2 to 3 s there, and less on real machines.
They are far below the limits on instructions and memory: even 20,000 names are."""

DESTROY = """\
-- Destroys snapshots that have the guid they had when this was planned. Arguments: name, guid, ...
local argv = (...)["argv"]
local destroyed, others = 0, {}
for i = 1, #argv, 2 do
    local name, guid = argv[i], argv[i + 1]
    if not string.find(name, "@", 1, true) then
        error("not a snapshot: " .. name)
    elseif not zfs.exists(name) then
        others[name] = "missing"
    elseif "guid " .. zfs.get_prop(name, "guid") ~= guid then
        others[name] = "another guid"
    else
        local errno = zfs.check.destroy(name)
        if errno == 0 then
            errno = zfs.sync.destroy(name)
        end
        if errno == 0 then
            destroyed = destroyed + 1
        else
            others[name] = "errno " .. errno
        end
    end
end
if next(others) == nil then
    return destroyed
end
return others
"""
"""The text, for stdin. It returns how many it destroyed or, if not all, why it left the others."""

_GUID = "guid "
_HALF = 1 << 63


def destroy_snapshots(snapshots: Sequence[tuple[str, int]]) -> Argv:
    """Return the command for snapshots of one pool, each with the guid it must have.

    The text is to be its stdin. Programs know guids as signed numbers; those must not look like
    options, which getopt(3) looks for among all arguments.
    """
    if not 0 < len(snapshots) <= MOST:
        raise ValueError(f"not from 1 to {MOST} snapshots for one program: {len(snapshots)}")
    pools = {pool_of(name) for name, _ in snapshots}
    if len(pools) > 1:
        raise ValueError("a channel program is for one pool")
    for name, guid in snapshots:
        check_snapshot(name)
        if not 0 <= guid < 2 * _HALF:
            raise ValueError(f"not the guid of a snapshot: {guid}")
    arguments = (text for name, guid in snapshots for text in (name, guid_argument(guid)))
    return ("zfs", "program", "-j", *pools, "-", *arguments)


def guid_argument(guid: int) -> str:
    """Return a guid as the program compares it."""
    return f"{_GUID}{guid - 2 * _HALF if guid >= _HALF else guid}"


def all_destroyed(count: int) -> str:
    """Return what is printed when all of so many snapshots were destroyed."""
    return f'{{"return":{count}}}'


def answered(stdout: str) -> bool:
    """Tell whether the program came to its end, whatever it left."""
    return stdout.startswith('{"return":')
