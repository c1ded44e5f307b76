"""The kinds of spec objects as pydantic models: what may be written, and what each field means.

Descriptions become the JSON Schema and the reference page. Keys of the language that this version
has not built yet stand in `later` and are refused by name. Pydantic is used here,
in `part` and in `hook_objects`.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from reconciler.desired.hook_objects import Hook
from reconciler.desired.part import (
    Address,
    Count,
    Duration,
    Every,
    Flag,
    GridText,
    HostKey,
    Jump,
    Labels,
    Name,
    Part,
    PatternText,
    Port,
    Prefix,
    Regex,
    Share,
    StateFile,
    Timezone,
    Under,
    User,
)

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


class Ssh(Part):
    """A host reached by ssh."""

    address: Address = Field(description="Host name, IP address, or a `Host` of ssh_config.")
    user: User | None = Field(None, description="Whom to log in as; default as ssh_config says.")
    port: Port | None = Field(None, description="Default as ssh_config says.")
    jump: Jump | None = Field(None, description="Hosts to go through, separated by commas.")
    host_key: HostKey | None = Field(
        None, description="The only host key accepted. Without it known_hosts decides."
    )


class Local(Part):
    """The controller's own machine."""


class Simulated(Part):
    """A host that exists only in a file."""

    state: StateFile = Field(
        description="Where it is kept, relative to the folder of this spec file;"
        " `reconciler simulator exec FILE -- zpool create tank disk` makes one."
    )


class Connection(Part):
    """How the controller reaches the host: exactly one of these."""

    ssh: Ssh | None = Field(None, description="By ssh.")
    local: Local | None = Field(None, description="The controller's own machine: `local: {}`.")
    simulated: Simulated | None = Field(None, description="A host that exists only in a file.")


class PeerAddress(Part):
    """How other hosts reach this one."""

    address: Address = Field(description="Host name or IP address, as the other hosts see it.")
    port: Port | None = Field(None, description="Default as their ssh_config says.")
    user: User | None = Field(None, description="Default as their ssh_config says.")


class Limits(Part):
    """How much a host is asked to do at once."""

    later = frozenset({"bandwidth"})

    sends: Count = Field(2, description="Streams it sends at the same time.")
    receives: Count = Field(2, description="Streams it receives at the same time.")


class HostSpec(Part):
    """Where the host is and how commands are run on it."""

    connection: Connection = Field(description="How the controller reaches it.")
    privilege: Literal["none", "sudo", "doas"] = Field(
        "none", description="How zfs and zpool get the rights they need."
    )
    peer_address: PeerAddress | None = Field(
        None, description="How other hosts reach it, where that differs from the controller's way."
    )
    limits: Limits = Field(
        default=Limits.model_validate({}), description="How much it does at once."
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


class Snapshots(Part):
    """When snapshots are taken and what they are called: `{prefix}{YYYYMMDD}T{HHMMSS}Z`, UTC."""

    later = frozenset({"cron", "timezone", "external", "received"})

    every: Every = Field(
        description="Interval, at least 10s; slots are aligned to the epoch in UTC."
    )
    prefix: Prefix = Field(
        description="What the names begin with. Snapshots with other names are never ours."
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

    later = frozenset({"where"})

    host: Name | None = Field(None, description="The Host that has the filesystems.")
    hosts: HostSelector | None = Field(None, description="Several hosts with the same spec.")
    filesystems: list[PatternText] = Field(
        min_length=1,
        description="Patterns: `tank/www` is that filesystem alone, `tank/www/**` with all below,"
        " `*` any characters within one level. A leading `!` excludes exactly what the pattern"
        " names, and always wins.",
    )
    snapshots: Snapshots = Field(description="When and under which names.")
    keep: Keep = Field(
        default=Keep.model_validate({}),
        description="What is kept on the sender; default: everything.",
    )


_ON_THE_WAY = frozenset({"onSourceGone", "properties", "encryption"})


class Target(Part):
    """One receiver host."""

    later = _ON_THE_WAY | {"compression", "buffer", "bandwidth"}

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
    on_conflict: Literal["stop", "rollback", "setAside"] = Field(
        "stop",
        description="What is done about a receiver that stands in the way of streams: nothing,"
        " until a person has decided; it is rolled back to the common version, and what it alone"
        " has is given up; or it gets another name and is sent anew.",
    )
    max_lag: Duration | None = Field(
        None,
        description="How old the newest version that has arrived may be. What is older is reported"
        " as late; nothing else depends on it.",
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


class ReplicationSpec(Part):
    """Which filesystems go where."""

    later = _ON_THE_WAY | {"windows"}

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
    suspend: Flag = Field(default=False, description="Stop everything for this replication.")


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
