"""The kinds of spec objects as pydantic models: what may be written, and what each field means.

Descriptions become the JSON Schema and the reference page. Keys of the language that this version
has not built yet stand in `later` and are refused by name. Pydantic is used here,
in `part` and in the modules named after what they are about (`host_objects`, `target_objects` ...).
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from reconciler.desired.host_objects import HostSpec
from reconciler.desired.keep_objects import KeepRules
from reconciler.desired.part import (
    Count,
    CronText,
    Duration,
    Flag,
    Labels,
    Name,
    Part,
    Share,
    Timezone,
)
from reconciler.desired.property_objects import Properties
from reconciler.desired.source_objects import Source
from reconciler.desired.target_objects import Target

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
