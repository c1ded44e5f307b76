"""Scripts of several destroys or bookmarks: what they share, and what each keeps for itself.

Destroys of snapshots share a channel program, which compares each guid in the transaction group in
which it destroys. Unless it says that it destroyed all of its snapshots, each action is done as it
is alone, with its own check right before its own command, for as far as it is not done yet: on
hosts that don't let us run programs, where one fails as a whole, and for what only `zfs destroy`
can do (it unmounts a snapshot first) or explain.

Bookmarks share one check before all of their commands: each command may wait for a transaction
group, so the last guid is compared some seconds before it counts. Made of another snapshot, a
bookmark has another guid, which the look afterwards finds. Destroyed in this way are only cursors:
their names have their guids in them, so that another one would have another name.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.actions.base import guid_check, guids_text
from reconciler.actions.bookmark import Bookmark
from reconciler.actions.destroy import Destroy
from reconciler.hosts.joining import part, prefix_of
from reconciler.hosts.script import Printed, Script, Step, Succeeded, Transcript, Unless
from reconciler.zfs import commands, programs
from reconciler.zfs.types import Version

_PROGRAM = "program"


def destroy_snapshots(destroys: Sequence[Destroy]) -> Script:
    """Return the commands for destroys of snapshots of one pool, by channel programs if possible.

    When one program does not answer, the next ones are not tried.
    """
    steps: list[Step] = []
    tried: Step | None = None
    for number, chunk in enumerate(_chunks(destroys)):
        alone = [step for n in chunk for step in _within(destroys[n], n)]
        snapshots = [pair for n in chunk for pair in _named(destroys[n])]
        if len(snapshots) > programs.MOST:
            steps += alone
            continue
        tried = Step(
            f"{_PROGRAM} {number}",
            programs.destroy_snapshots(snapshots),
            when=Succeeded(tried.name) if tried is not None else None,
            stdin=programs.DESTROY,
        )
        otherwise = Unless(tried.name, programs.all_destroyed(len(snapshots)))
        steps.append(tried)
        steps += (step if step.when else replace(step, when=otherwise) for step in alone)
    return Script((*steps, _look(destroys)), mutates=True)


def destroy_bookmarks(destroys: Sequence[Destroy]) -> Script:
    """Return the commands for destroys of cursors: check all, destroy each, look for all."""
    check, same = _check((d.filesystem, d.versions[0]) for d in destroys)
    each = (_under(same, destroy.step(), n) for n, destroy in enumerate(destroys))
    return Script((check, *each, _look(destroys)), mutates=True)


def bookmark_all(bookmarks: Sequence[Bookmark]) -> Script:
    """Return the commands for bookmarks: check all guids, bookmark each, list the bookmarks'."""
    check, same = _check((b.filesystem, b.version) for b in bookmarks)
    each = (_under(same, bookmark.step(), n) for n, bookmark in enumerate(bookmarks))
    made = Step("made", commands.list_guids(sorted({bookmark.full for bookmark in bookmarks})))
    listed = sorted({(b.filesystem, f"{b.full}\t{b.version.guid}") for b in bookmarks})
    proof = Printed("made", "\n".join(line for _, line in listed))
    return Script((check, *each, made), mutates=True, proof=(proof,))


def own(transcript: Transcript, number: int) -> Transcript:
    """Return what one of several actions sees: what it shares, and its own commands."""
    return replace(
        transcript, outcomes={**transcript.outcomes, **part(transcript, number).outcomes}
    )


def gave_no_answer(transcript: Transcript) -> bool:
    """Tell whether a channel program was tried but did not run to its end."""
    return any(
        name.startswith(_PROGRAM) and not (outcome.ok and programs.answered(outcome.stdout))
        for name, outcome in transcript.outcomes.items()
    )


def _chunks(destroys: Sequence[Destroy]) -> Iterator[list[int]]:
    """Return which destroys share a program: as many as are allowed, in the order given."""
    chunk: list[int] = []
    room = programs.MOST
    for number, destroy in enumerate(destroys):
        if chunk and len(destroy.versions) > room:
            yield chunk
            chunk, room = [], programs.MOST
        chunk.append(number)
        room -= len(destroy.versions)
    yield chunk


def _within(destroy: Destroy, number: int) -> tuple[Step, ...]:
    """Return how it is done alone, but for the look afterwards."""
    check, same = guid_check(destroy.filesystem, destroy.versions)
    prefix = prefix_of(number)
    return (
        replace(check, name=f"{prefix}{check.name}"),
        replace(
            destroy.step(), name=f"{prefix}destroy", when=replace(same, step=f"{prefix}{same.step}")
        ),
    )


def _named(destroy: Destroy) -> list[tuple[str, int]]:
    return [(version.of(destroy.filesystem), version.guid) for version in destroy.versions]


def _under(check: Printed, step: Step, number: int) -> Step:
    return replace(step, name=f"{prefix_of(number)}{step.name}", when=check)


def _look(destroys: Sequence[Destroy]) -> Step:
    names = [version.of(d.filesystem) for d in destroys for version in d.versions]
    return Step("after", commands.list_guids(names))


def _check(versions: Iterable[tuple[str, Version]]) -> tuple[Step, Printed]:
    """Return the guid check of all, each once and in the order in which `zfs list` sorts them."""
    ordered = sorted(set(versions), key=_place)
    step = Step("check", commands.list_guids([v.of(filesystem) for filesystem, v in ordered]))
    lines = (guids_text(filesystem, (version,)) for filesystem, version in ordered)
    return step, Printed("check", "\n".join(lines))


def _place(listed: tuple[str, Version]) -> tuple[str, int]:
    """Return what `zfs list` sorts by (`zfs_compare`): a bookmark's name is compared as a whole."""
    filesystem, version = listed
    if version.is_snapshot:
        return filesystem, version.createtxg
    return version.of(filesystem), 0
