"""The kinds of spec objects as pydantic models: what may be written, and what each field means.

Descriptions become the JSON Schema and the reference page. Keys of the language that this version
has not built yet stand in `later` and are refused by name. Pydantic is used here,
in `part`, `host_objects`, `hook_objects` and `property_objects`.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from reconciler.desired.hook_objects import Hook
from reconciler.desired.host_objects import HostSpec
from reconciler.desired.part import (
    Bookmarks,
    Buffer,
    Compression,
    Count,
    CronText,
    Duration,
    Every,
    Flag,
    GridText,
    Labels,
    Name,
    Part,
    PatternText,
    Prefix,
    Rate,
    Regex,
    Share,
    Timezone,
    Under,
)
from reconciler.desired.property_objects import Properties, Where, listed

__all__ = ["API_VERSION", "KINDS", "Part", "SpecObject", "ValidationError", "raw_schema"]

API_VERSION = "reconciler/v1alpha1"


class Metadata(Part):
    """What an object is called."""

    later = frozenset({"labels"})

    name: Name = Field(description="Unique among the objects of its kind.")


class HostMetadata(Part):
    """What a host is called."""

    name: Name = Field(description="Unique among the hosts; stands for `{host}` in targets.")
    labels: Labels = Field(
        default_factory=dict, description="What replications select hosts by (`matchLabels`)."
    )


class KeepRules(Part):
    """Rules that vote to keep a version: it is kept when any of them keeps it."""

    last: Count | None = Field(None, description="Keep this many of the newest.")
    hourly: Count | None = Field(
        None, description="Keep the newest of each of the most recent hours that have one."
    )
    daily: Count | None = Field(None, description="The same with days.")
    weekly: Count | None = Field(None, description="The same with ISO weeks.")
    monthly: Count | None = Field(None, description="The same with months.")
    yearly: Count | None = Field(None, description="The same with years.")
    within: Duration | None = Field(
        None, description="Keep all not older than this, counted back from the newest version."
    )
    matching: Regex | None = Field(None, description="Keep every version whose whole name matches.")
    grid: GridText | None = Field(
        None, description="Keep what zrepl's `grid` keeps, and the newest version."
    )
    timezone: Timezone = Field("UTC", description="Calendar periods begin and end in it.")


class Keep(KeepRules):
    """Keep rules, or the policy that has them. Without rules everything is kept."""

    policy: Name | None = Field(None, description="Take this KeepPolicy's rules; stands alone.")


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


class OnSourceGone(Part):
    """What is done about a receiver whose source is gone; `keep` in place of it: nothing."""

    destroy_after: Duration = Field(
        description="For so long it stays, counted from when its source was first seen gone. Then"
        " its managed versions are destroyed, and the filesystem if nothing else is in or below it."
        " Each time it needs `reconciler apply --allow-destroy NAME`, unless `maxDestroy` has"
        " `share: 100%`."
    )


def _kept(value: object) -> object:
    return None if value == "keep" else value


class Target(Part):
    """One receiver host."""

    host: Name = Field(description="The Host that receives.")
    under: Under = Field(
        description="The filesystem below which receivers are put, by their full names: with"
        " `backup/{host}` the sender web1's tank/www goes to backup/web1/tank/www. `{host}` is the"
        " sender's name."
    )
    keep: Keep = Field(
        default=Keep.model_validate({}),
        description="What is kept on the receiver; default: everything.",
    )
    initial: Literal["all", "newest", "refuse"] = Field(
        "all",
        description="What the first replication of a filesystem sends: everything the receiver"
        " would keep, the newest version only, or nothing: it is refused.",
    )
    path: Literal["auto", "direct", "relay"] = Field(
        "auto",
        description="The way of the data: the sender pipes into ssh to the receiver (`direct`),"
        " through two ssh processes on the controller (`relay`), or whichever works (`auto`).",
    )
    compression: Compression = Field(
        "none",
        description="`zstd`, or `zstd-1` to `zstd-19`: streams are compressed on the way, where"
        " both hosts have zstd. What is compressed on disk or encrypted hardly gets smaller.",
    )
    buffer: Buffer | None = Field(
        None,
        description="Memory for an mbuffer at each end, where a host has that program: `128M`.",
    )
    bandwidth: Rate | None = Field(
        None,
        description="What all streams of this replication to this target together may take."
        " Each has an even share of it, by the `limits` of the hosts. It needs mbuffer or pv on the"
        " sender or the receiver: without one nothing is sent.",
    )
    on_conflict: Literal["stop", "rollback", "setAside"] = Field(
        "stop",
        description="What is done about a receiver that stands in the way of streams: nothing,"
        " until a person has decided; it is rolled back to the common version, and what it alone"
        " has is given up; or it gets another name and is sent anew.",
    )
    on_source_gone: Annotated[
        OnSourceGone | None,
        BeforeValidator(_kept, json_schema_input_type=Literal["keep"] | OnSourceGone),
    ] = Field(
        None,
        description="What is done about a receiver whose source is gone: `keep` (default), or"
        " `{destroyAfter: 90d}`. One that was not seen, or is no longer selected, is not gone.",
    )
    max_lag: Duration | None = Field(
        None,
        description="How old the newest version that has arrived may be. What is older is reported"
        " as late; nothing else depends on it.",
    )
    properties: Properties | None = Field(
        None, description="Instead of the replication's `properties`."
    )
    encryption: Literal["raw", "decrypt"] | None = Field(
        None, description="Instead of the replication's `encryption`."
    )


class MaxDestroy(Part):
    """How many snapshots of one filesystem one run may destroy; more needs a person."""

    versions: Count | None = Field(
        None, description="At most this many; default: any number that `share` allows."
    )
    share: Share = Field(
        "50%",
        description="At most this share of those that are there and arrive; 10 may go in any case.",
    )


class Window(Part):
    """A time that begins at each instant of a cron expression."""

    cron: CronText = Field(description="When it begins: five fields, as in `snapshots`.")
    lasts: Duration = Field(alias="for", description="How long it lasts, in real time.")


class Windows(Part):
    """When streams may begin."""

    allow: list[Window] = Field(
        default=[], description="Streams begin only in these; default: always."
    )
    deny: list[Window] = Field(default=[], description="No stream begins in these: they win.")
    timezone: Timezone = Field("UTC", description="The zone whose clocks `cron` is about.")


class ReplicationSpec(Part):
    """Which filesystems go where."""

    source: Source = Field(description="What is snapshotted and sent.")
    targets: list[Target] = Field(
        description="The receivers. `[]` takes snapshots and sends nothing."
    )
    max_destroy: MaxDestroy = Field(
        default=MaxDestroy.model_validate({}),
        description="The destroy budget: how many snapshots of one filesystem, on either side, one"
        " run may destroy. What is over it is blocked as a whole and needs"
        " `reconciler apply --allow-destroy NAME`.",
    )
    properties: Properties = Field(
        default=Properties.model_validate({}),
        description="Which properties receivers get, once, when they are first received.",
    )
    encryption: Literal["raw", "decrypt"] = Field(
        "raw",
        description="How encrypted filesystems are sent: as they are on disk (`raw`), which needs"
        " no key, or in clear (`decrypt`), which needs the key loaded on the sender. What is"
        " received below an encrypted filesystem is encrypted as that one.",
    )
    suspend: Flag = Field(default=False, description="Stop everything for this replication.")
    windows: Windows | None = Field(
        None,
        description="Streams begin only when these are open; those that are under way go on."
        " Snapshots are taken all the same.",
    )


class Object(Part):
    """What all kinds have in common."""

    api_version: Literal["reconciler/v1alpha1"] = Field(description="The version of the language.")


class Host(Object):
    """A machine with ZFS pools."""

    kind: Literal["Host"] = Field(description="`Host`.")
    metadata: HostMetadata = Field(description="Name and labels.")
    spec: HostSpec = Field(description="Where it is and how commands are run on it.")


class Replication(Object):
    """Filesystems of one or more hosts: their snapshots, retention and receivers."""

    kind: Literal["Replication"] = Field(description="`Replication`.")
    metadata: Metadata = Field(description="The name.")
    spec: ReplicationSpec = Field(description="What goes where.")


class KeepPolicy(Object):
    """Keep rules under a name, for use in several places: `keep: {policy: NAME}`."""

    kind: Literal["KeepPolicy"] = Field(description="`KeepPolicy`.")
    metadata: Metadata = Field(description="The name.")
    spec: KeepRules = Field(description="The rules.")


SpecObject = Host | Replication | KeepPolicy

KINDS: dict[str, type[SpecObject]] = {
    "Host": Host,
    "Replication": Replication,
    "KeepPolicy": KeepPolicy,
}


def raw_schema() -> dict[str, object]:
    """Return pydantic's JSON Schema of any object, as it is."""
    kinds: TypeAdapter[SpecObject] = TypeAdapter(Annotated[SpecObject, Field(discriminator="kind")])
    return kinds.json_schema(by_alias=True)
