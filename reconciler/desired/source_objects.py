"""What specs say about sources, as pydantic models; see `objects`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from reconciler.desired.hook_objects import Hook
from reconciler.desired.keep_objects import Keep
from reconciler.desired.part import (
    Bookmarks,
    CronText,
    Every,
    Flag,
    Labels,
    Name,
    Part,
    PatternText,
    Prefix,
    Regex,
    Timezone,
)
from reconciler.desired.property_objects import Where, listed


class HostSelector(Part):
    """Hosts chosen by their labels."""

    match_labels: Labels = Field(
        min_length=1, description="Labels that a host must have, all of them."
    )


class External(Part):
    """Snapshots that another tool makes."""

    matching: Regex = Field(
        description="Which ones are sent, and kept or destroyed on receivers by the targets' rules:"
        " searched for in the names, so begin with `^` what a name has to begin with."
    )


class Snapshots(Part):
    """When snapshots are taken and what they are called: `{prefix}{YYYYMMDD}T{HHMMSS}Z`, UTC.

    Exactly one of `every`, `cron`, `external` and `received`.
    """

    every: Every | None = Field(
        None, description="Interval, at least 10s; slots are aligned to the epoch in UTC."
    )
    cron: CronText | None = Field(
        None,
        description="Five fields: minute, hour, day of the month, month, day of the week. A slot"
        " lasts from one instant that matches to the next.",
    )
    timezone: Timezone = Field("UTC", description="The zone whose clocks `cron` is about.")
    external: External | None = Field(
        None, description="Another tool makes the snapshots and destroys them on the sender."
    )
    received: Literal[True] | None = Field(
        None,
        description="The filesystems are receivers of other replications, whose snapshots are sent"
        " on as they arrive. How long they stay here is what the `keep` of those targets says.",
    )
    prefix: Prefix | None = Field(
        None,
        description="What the names begin with; needed with `every` and `cron`. Snapshots with"
        " other names are never ours.",
    )
    if_changed: Flag = Field(
        default=False,
        description="Skip filesystems with nothing written since their last managed snapshot.",
    )
    hooks: list[Hook] = Field(
        default_factory=list,
        description="Run on the host around the snapshots of each pool: `before` in this order,"
        " `after` in the opposite one.",
    )


class Source(Part):
    """What is snapshotted and sent. Exactly one of `host` and `hosts`."""

    host: Name | None = Field(None, description="The Host that has the filesystems.")
    hosts: HostSelector | None = Field(None, description="Several hosts with the same spec.")
    filesystems: list[PatternText] = Field(
        min_length=1,
        description="Patterns: `tank/www` is that filesystem alone, `tank/www/**` with all below,"
        " `*` any characters within one level. A leading `!` excludes exactly what the pattern"
        " names, and always wins.",
    )
    where: Annotated[list[Where], BeforeValidator(listed)] = Field(
        default=[],
        description="What must be true of a filesystem beside its name: one condition, or a list"
        " of which all must hold.",
    )
    snapshots: Snapshots = Field(description="When and under which names.")
    keep: Keep = Field(
        default=Keep.model_validate({}),
        description="What is kept on the sender; default: everything.",
    )
    bookmarks: Bookmarks = Field(
        "cursor",
        description="What is left of snapshots that are destroyed here: nothing but the cursors,"
        " from which the next streams start (`cursor`), a bookmark of each (`all`), or of the"
        " newest N of them (`{last: N}`). A receiver that has lost its newest snapshots can go on"
        " from a bookmark.",
    )
