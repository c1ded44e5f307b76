"""What specs say about what is kept, as pydantic models; see `objects`."""

from pydantic import Field

from reconciler.desired.part import (
    Count,
    Duration,
    GridText,
    Name,
    Part,
    Regex,
    Timezone,
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
