"""`reconciler suspend`."""

from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import Debug, NoColor, ReplicationName, State


def suspend(
    name: ReplicationName,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: shown wherever the status is.")
    ] = "",
    state: State = None,
    debug: Debug = False,  # noqa: ARG001 - read by cli.main
    no_color: NoColor = False,
) -> None:
    """Have the controller begin nothing more for a replication.

    Snapshots, sends and destroys of it all stop; what runs goes on to its end. It outlasts
    restarts of the controller, and ends with `reconciler resume NAME`.
    """
    from reconciler.cli.asking import Asking, state_dir
    from reconciler.cli.output import Output

    Output(no_color=no_color).lines(Asking(state_dir(state)).suspend(name, reason))
    raise Ended(0)
