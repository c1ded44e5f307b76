"""What specs say about targets, as pydantic models; see `objects`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from reconciler.desired.keep_objects import Keep
from reconciler.desired.part import (
    Buffer,
    Compression,
    Duration,
    Name,
    Part,
    Rate,
    Under,
)
from reconciler.desired.property_objects import Properties


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
