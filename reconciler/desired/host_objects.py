"""What is said of a host, as pydantic models; see `objects`."""

from typing import Literal

from pydantic import Field

from reconciler.desired.part import (
    Address,
    Count,
    HostKey,
    Jump,
    Part,
    Port,
    Rate,
    StateFile,
    User,
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

    sends: Count = Field(2, description="Streams it sends at the same time.")
    receives: Count = Field(2, description="Streams it receives at the same time.")
    bandwidth: Rate | None = Field(
        None,
        description="What all streams together may take in each direction. Each has an even share:"
        " of what is sent one in `sends`, of what is received one in `receives`.",
    )


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
