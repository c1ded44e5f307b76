"""Sections of specs about when → plain values, and what is wrong with them together."""

from collections.abc import Iterator

from reconciler.desired.diagnostics import Diagnostic
from reconciler.desired.hooks import hooks_of
from reconciler.desired.model import (
    Cron,
    Every,
    External,
    Received,
    Schedule,
    Snapshots,
    Window,
    Windows,
)
from reconciler.desired.objects import Replication as ReplicationObject
from reconciler.desired.objects import Window as WindowSection
from reconciler.desired.objects import Windows as WindowsSection
from reconciler.desired.reading import Item
from reconciler.desired.schedule import opens_at
from reconciler.desired.source_objects import Snapshots as SnapshotsSection
from reconciler.desired.units import parse_duration

_LOOKED_AT = 1767225600
"""The beginning of 2026: what is wrong with specs must not depend on the day they are read."""


def snapshots_of(section: SnapshotsSection) -> Snapshots | External | Received | None:
    """Return how the snapshots come about; None for what `alternatives` has reported.

    Where received ones come from is found when all replications are known (`chains.linked`).
    """
    if section.received:
        return Received()
    if section.external is not None:
        return External(section.external.matching)
    if section.prefix is None:
        return None
    schedule: Schedule
    if section.cron is not None:
        schedule = Cron(section.cron, section.timezone)
    elif section.every is not None:
        schedule = Every(parse_duration(section.every))
    else:
        return None
    hooks = tuple(hooks_of(section.hooks))
    return Snapshots(schedule, section.prefix, section.if_changed, hooks)


def windows_of(section: WindowsSection | None) -> Windows:
    """Return when streams may begin."""
    if section is None:
        return Windows()
    return Windows(
        tuple(_window(window, section.timezone) for window in section.allow),
        tuple(_window(window, section.timezone) for window in section.deny),
    )


def window_findings(item: Item[ReplicationObject], windows: Windows) -> Iterator[Diagnostic]:
    """Report windows that are never open: nothing would ever be sent."""
    if opens_at(windows, _LOOKED_AT) is None:
        where = item.at("spec", "windows")
        yield where.error("these windows are never open", "Nothing would ever be sent.")


def _window(section: WindowSection, timezone: str) -> Window:
    return Window(Cron(section.cron, timezone), parse_duration(section.lasts))
