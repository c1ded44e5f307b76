"""`reconciler reconcile`."""

from reconciler.cli.ending import Ended
from reconciler.cli.options import Debug, NoColor, ReplicationName, State


def reconcile(
    name: ReplicationName,
    *,
    state: State = None,
    debug: Debug = False,  # noqa: ARG001 - read by cli.main
    no_color: NoColor = False,
) -> None:
    """Have the controller look at a replication now, not when it is due next.

    Also what waits after a failure is tried again at once. What the specs and guards forbid stays
    forbidden.
    """
    from reconciler.cli.asking import Asking, state_dir
    from reconciler.cli.output import Output

    Output(no_color=no_color).lines(Asking(state_dir(state)).reconcile(name))
    raise Ended(0)
