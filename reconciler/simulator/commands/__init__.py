"""The commands, one module for each family of them."""

from reconciler.simulator.commands import (
    cloning,
    creating,
    destroying,
    keying,
    listing,
    machine,
    marks,
    mounts,
    pools,
    programs,
    properties,
    receiving,
    renaming,
    rollback,
    sending,
    snapshot,
)
from reconciler.simulator.process import Commands

TABLE: Commands = {
    **cloning.COMMANDS,
    **creating.COMMANDS,
    **destroying.COMMANDS,
    **keying.COMMANDS,
    **listing.COMMANDS,
    **machine.COMMANDS,
    **marks.COMMANDS,
    **mounts.COMMANDS,
    **pools.COMMANDS,
    **programs.COMMANDS,
    **properties.COMMANDS,
    **receiving.COMMANDS,
    **renaming.COMMANDS,
    **rollback.COMMANDS,
    **sending.COMMANDS,
    **snapshot.COMMANDS,
}
