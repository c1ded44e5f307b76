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
from reconciler.hosts.script import Printed, Script, Step, Transcript, Unless
from reconciler.zfs import commands, programs
from reconciler.zfs.types import Version

_PROGRAM = "program"


def divided(destroys: Sequence[Destroy]) -> Iterator[range]:
    """Return which destroys of snapshots share a program and a look, by their numbers.

    As many as a program may be given, in the order given; one that has more is by itself.
    """
    begin, room = 0, programs.MOST
    for number, destroy in enumerate(destroys):
        if number > begin and len(destroy.versions) > room:
            yield range(begin, number)
            begin, room = number, programs.MOST
        room -= len(destroy.versions)
    yield range(begin, len(destroys))


def destroy_snapshots(destroys: Sequence[Destroy]) -> Script:
    """Return the commands for destroys of snapshots of one pool, by a channel program if possible.

    What is too much for one is done as ever.
    """
    wanted = [(version.of(d.filesystem), version.guid) for d in destroys for version in d.versions]
    if len(wanted) > programs.MOST:
        (destroy,) = destroys
        return destroy.script()
    program = Step(_PROGRAM, programs.destroy_snapshots(wanted), stdin=programs.DESTROY)
    otherwise = Unless(_PROGRAM, programs.all_destroyed(len(wanted)))
    each = (step for n, d in enumerate(destroys) for step in _alone(d, n, otherwise))
    return Script((program, *each, _look(destroys)), mutates=True)


def destroy_bookmarks(destroys: Sequence[Destroy]) -> Script:
    """Return the commands for destroys of cursors: check all, destroy each, look for all."""
    check, same = _check((d.filesystem, d.versions[0]) for d in destroys)
    each = (_under(same, destroy.step(), n) for n, destroy in enumerate(destroys))
    return Script((check, *each, _look(destroys)), mutates=True)


def bookmark_all(bookmarks: Sequence[Bookmark]) -> Script:
    """Return the commands for bookmarks: check all guids, bookmark each, list the bookmarks'."""
    check, same = _check((b.filesystem, b.version) for b in bookmarks)
    each = (_under(same, bookmark.step(), n) for n, bookmark in enumerate(bookmarks))
    made, all_made = _check((b.filesystem, b.made) for b in bookmarks)
    look = replace(made, name="made")
    return Script((check, *each, look), mutates=True, proof=(replace(all_made, step="made"),))


def own(transcript: Transcript, number: int) -> Transcript:
    """Return what one of several actions sees: what it shares, and its own commands."""
    return replace(
        transcript, outcomes={**transcript.outcomes, **part(transcript, number).outcomes}
    )


def gave_no_answer(transcript: Transcript) -> bool:
    """Tell whether a channel program was tried but did not run to its end."""
    outcome = transcript.get(_PROGRAM)
    return outcome is not None and not (outcome.ok and programs.answered(outcome.stdout))


def _alone(destroy: Destroy, number: int, when: Unless) -> tuple[Step, Step]:
    """Return how it is done alone, under its number, but for the look afterwards."""
    check, same = guid_check(destroy.filesystem, destroy.versions)
    name = f"{prefix_of(number)}{check.name}"
    return replace(check, name=name, when=when), _under(
        replace(same, step=name), destroy.step(), number
    )


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
