"""Keys of which exactly one, or only one, may be given.

Looked at in the plain data, so that it is reported along with what is wrong with single values.
"""

from collections.abc import Iterator, Mapping

from reconciler.desired.diagnostics import Diagnostic
from reconciler.desired.document import Data, Document, Path, dotted

_CONNECTION: Path = ("spec", "connection")
_SOURCE: Path = ("spec", "source")
_SNAPSHOTS: Path = (*_SOURCE, "snapshots")
_WINDOWS: Path = ("spec", "windows")
_COMMANDS = ("before", "after")
_READY = ("postgresCheckpoint", "mysqlReadLock")

_MADE_ELSEWHERE = {
    "external": "Another tool makes these snapshots and destroys them",
    "received": "The replication that brings these snapshots says in its target what is kept",
}
"""How snapshots come about that are not made here → who decides how long they stay."""

_BESIDE_THE_HOST = frozenset({"filesystems", "snapshots", "keep", "bookmarks"})
_BESIDE_THE_SCHEDULE = frozenset({"prefix", "timezone", "ifChanged"})


def alternatives(document: Document) -> Iterator[Diagnostic]:
    """Yield a finding for each choice with too many answers, or none."""
    match document.data:
        case {"kind": "Host", "spec": {"connection": dict(connection)}}:
            yield from _one_of(document, _CONNECTION, connection, ("ssh", "local", "simulated"))
        case {"kind": "Replication", "spec": dict(spec)}:
            match spec.get("source"):
                case dict(source):
                    yield from _one_of(
                        document, _SOURCE, source, ("host", "hosts"), _BESIDE_THE_HOST
                    )
                    yield from _snapshots(document, source)
            yield from _hooks(document, spec)
            match spec.get("windows"):
                case dict(windows) if not any(windows.get(key) for key in ("allow", "deny")):
                    where = document.at(_WINDOWS)
                    yield where.error(f"{dotted(_WINDOWS)} has no window", "Write `allow: [...]`.")
            for path, keep in _keeps(spec):
                yield from _policy_alone(document, path, keep)


def _snapshots(document: Document, source: Mapping[str, Data]) -> Iterator[Diagnostic]:
    """Report what does not go together in how the snapshots of a source come about."""
    match source.get("snapshots"):
        case dict(snapshots):
            pass
        case _:
            return
    choices = ("every", "cron", "external", "received")
    yield from _one_of(document, _SNAPSHOTS, snapshots, choices, _BESIDE_THE_SCHEDULE)
    place = dotted(_SNAPSHOTS)
    others = next((key for key in _MADE_ELSEWHERE if key in snapshots), None)
    if others is not None:
        for key in sorted((_BESIDE_THE_SCHEDULE | {"hooks"}) & snapshots.keys()):
            where = document.key((*_SNAPSHOTS, key))
            yield where.error(f"{place}.{key} has no meaning with `{others}`", "Remove it.")
        if source.get("keep"):
            where = document.key((*_SOURCE, "keep"))
            advice = f"{_MADE_ELSEWHERE[others]}; remove `keep` here."
            yield where.error(f"{dotted(_SOURCE)}.keep does not go with `{others}`", advice)
        if "bookmarks" in source:
            where = document.key((*_SOURCE, "bookmarks"))
            said = f"{dotted(_SOURCE)}.bookmarks has no meaning with `{others}`"
            yield where.error(said, "No snapshot is destroyed here. Remove it.")
    elif "prefix" not in snapshots and ("every" in snapshots or "cron" in snapshots):
        yield document.at(_SNAPSHOTS).error(f"{place}.prefix is missing")
    elif "timezone" in snapshots and "cron" not in snapshots:
        where = document.key((*_SNAPSHOTS, "timezone"))
        advice = "Slots of `every` are aligned to the epoch in UTC."
        yield where.error(f"{place}.timezone has a meaning only with `cron`", advice)


def _one_of(
    document: Document,
    path: Path,
    data: Mapping[str, Data],
    choices: tuple[str, ...],
    others: frozenset[str] = frozenset(),
) -> Iterator[Diagnostic]:
    """Report several or none of some keys.

    One that is neither among them nor among the `others` may be meant to be one of them.
    """
    given = [key for key in data if key in choices]
    if len(given) > 1:
        where = document.key((*path, given[1]))
        said = f"{dotted(path)} has both `{given[0]}` and `{given[1]}`"
        yield where.error(said, "Choose one.")
    elif not given and others.issuperset(data):
        where = document.at(path)
        said = f"{dotted(path)} has none of {', '.join(f'`{choice}`' for choice in choices)}"
        yield where.error(said, "Write one of them.")


def _hooks(document: Document, spec: Mapping[str, Data]) -> Iterator[Diagnostic]:
    """Report hooks that are no commands and no ready ones, or both."""
    match spec.get("source"):
        case {"snapshots": {"hooks": list(hooks)}}:
            for number, hook in enumerate(hooks):
                if isinstance(hook, dict):
                    path = (*_SOURCE, "snapshots", "hooks", number)
                    yield from _one_hook(document, path, hook)


def _one_hook(document: Document, path: Path, hook: Mapping[str, Data]) -> Iterator[Diagnostic]:
    given = [key for key in hook if key in _COMMANDS or key in _READY]
    ready = [key for key in given if key in _READY]
    if not given:
        said = f"{dotted(path)} does nothing"
        advice = f"Write `before` or `after`, or one of {', '.join(f'`{key}`' for key in _READY)}."
        yield document.at(path).error(said, advice)
    elif ready and len(given) > 1:
        where = document.key((*path, given[1]))
        said = f"{dotted(path)} has both `{given[0]}` and `{given[1]}`"
        yield where.error(said, "Make two hooks of them.")


def _policy_alone(document: Document, path: Path, keep: Mapping[str, Data]) -> Iterator[Diagnostic]:
    """Report rules beside a policy: it would not be plain what they do to each other."""
    if "policy" in keep and len(keep) > 1:
        where = document.key((*path, "policy"))
        advice = "Put all rules into the policy, or write them all here."
        yield where.error(f"{dotted(path)}.policy stands alone", advice)


def _keeps(spec: Mapping[str, Data]) -> Iterator[tuple[Path, dict[str, Data]]]:
    """Yield the keep sections of a replication, with where they are."""
    match spec.get("source"):
        case {"keep": dict(keep)}:
            yield (*_SOURCE, "keep"), keep
    targets = spec.get("targets")
    for number, target in enumerate(targets if isinstance(targets, list) else ()):
        match target:
            case {"keep": dict(keep)}:
                yield ("spec", "targets", number, "keep"), keep
