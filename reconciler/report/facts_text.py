"""What was observed of one host, for people."""

from collections.abc import Iterator

from reconciler.observed.model import Filesystem, Observation, Pool, Seen, Unseen
from reconciler.report.figures import bytes_text, count_text, moment_text
from reconciler.report.lines import Line, Style, section
from reconciler.zfs.names import is_within
from reconciler.zfs.types import FilesystemKind


def facts_lines(observation: Observation) -> Iterator[Line]:
    """Yield what is known of a host, or why nothing is."""
    if isinstance(observation, Unseen):
        yield Line(f"! {observation.host} was not seen: {observation.cause}", Style.ERROR)
        if observation.remedy:
            yield Line(f"  remedy: {observation.remedy}")
        return
    said = f"OpenZFS {observation.zfs_version}, observed {moment_text(observation.at)}"
    yield Line(f"{observation.host}: {said}, {_clock(observation)}")
    pools = Line("Pools", Style.TITLE)
    yield from section(pools, (_pool(pool) for pool in observation.pools.values()))
    filesystems = Line("Filesystems", Style.TITLE)
    found = observation.filesystems.values()
    yield from section(filesystems, (_filesystem(one, observation) for one in found))


def _clock(seen: Seen) -> str:
    difference = seen.clock - seen.at
    if abs(difference) <= 1:
        return "its clock is right"
    way = "ahead of" if difference > 0 else "behind"
    return f"its clock is {abs(difference)} s {way} the controller's"


def _pool(pool: Pool) -> Line:
    readonly = ", read-only" if pool.readonly else ""
    style = Style.PLAIN if pool.usable else Style.ERROR
    return Line(f"  {pool.name}  {pool.health}{readonly}  {bytes_text(pool.free)} free", style)


def _filesystem(found: Filesystem, seen: Seen) -> Line:
    parts = [f"  {found.name}", f"{bytes_text(found.referenced)} referenced"]
    if any(is_within(found.name, root) for root in seen.listed):
        parts.append(_versions(found))
    return Line("  ".join((*parts, *_remarks(found))))


def _versions(found: Filesystem) -> str:
    snapshots = found.snapshots
    newest = f", newest {snapshots[-1].label}" if snapshots else ""
    bookmarks = count_text(len(found.bookmarks), "bookmark")
    return f"{count_text(len(snapshots), 'snapshot')}{newest}, {bookmarks}"


def _remarks(found: Filesystem) -> Iterator[str]:
    """Yield what is out of the ordinary."""
    if found.kind is FilesystemKind.VOLUME:
        yield "volume"
    if found.written:
        yield f"{bytes_text(found.written)} written since"
    if found.encryption != "off":
        root = found.encryptionroot
        above = f" of {root}" if root not in {None, found.name} else ""
        yield f"encrypted, key{above} {found.keystatus}"
    if found.placeholder:
        yield "placeholder"
    if found.disabled:
        yield "switched off"
    if found.resume_token is not None:
        yield "partial receive"
    if found.origin is not None:
        yield f"clone of {found.origin}"
