"""`reconciler resume`."""

from reconciler.cli.ending import Ended
from reconciler.cli.options import Debug, NoColor, ReplicationName, State


def resume(
    name: ReplicationName,
    *,
    state: State = None,
    debug: Debug = False,  # noqa: ARG001 - read by cli.main
    no_color: NoColor = False,
) -> None:
    """End what `reconciler suspend` began."""
    from reconciler.cli.asking import Asking, state_dir
    from reconciler.cli.output import Output

    Output(no_color=no_color).lines(Asking(state_dir(state)).resume(name))
    raise Ended(0)
