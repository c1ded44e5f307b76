"""What specs say about properties of filesystems, as pydantic models; see `objects`."""

from typing import Annotated

from pydantic import AfterValidator, Field

from reconciler.desired import property_checks
from reconciler.desired.part import Flag, Part, schema

Selecting = Annotated[str, AfterValidator(property_checks.selecting), schema("property")]
Setting = Annotated[str, AfterValidator(property_checks.setting)]
LeftOut = Annotated[str, AfterValidator(property_checks.setting), schema("property")]
Value = Annotated[str, AfterValidator(property_checks.value), schema("text")]
Assigned = Annotated[str, AfterValidator(property_checks.value)]


class Where(Part):
    """A property that filesystems are selected by."""

    property: Selecting = Field(
        description="A user property (`com.example:backup`) or one of ZFS's own that can be set,"
        " `type` or `encryption`."
    )
    equals: Value = Field(
        description="The value it must have, whether it is the filesystem's own, received,"
        " inherited or the default; exactly as `zfs get -p` prints it."
    )


class Properties(Part):
    """Properties of receivers. What can't exist for a volume, or for a filesystem, is left out."""

    send: Flag = Field(
        default=False,
        description="Hand over the properties that were set on the sender's filesystem, or received"
        " there. Never handed over: `canmount`, `readonly`, `volmode`, `mountpoint`, `sharenfs`,"
        " `sharesmb`, quotas, reservations, limits and those of reconciler.",
    )
    override: dict[Setting, Assigned] = Field(
        default_factory=dict,
        description="Properties that are set on the receiver, whatever is handed over. This alone"
        " can change what is never handed over, and `canmount`, `readonly` and `volmode`.",
    )
    exclude: list[LeftOut] = Field(
        default=[], description="Properties that are not handed over; needs `send: true`."
    )


def listed(given: object) -> object:
    """Return one mapping as a list of it."""
    return [given] if isinstance(given, dict) else given
