"""`reconciler status`."""

from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import DEFAULT_SPECS, Debug, Json, NoColor, Specs, SshConfig, State


def status(  # noqa: PLR0913 - as many as there are options
    specs: Specs = DEFAULT_SPECS,
    *,
    state: State = None,
    direct: Annotated[
        bool,
        typer.Option("--direct", help="Ask the hosts themselves, though a controller runs."),
    ] = False,
    as_json: Json = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again and again, until Ctrl-C.")
    ] = False,
    ssh_config: SshConfig = None,
    debug: Debug = False,
    no_color: NoColor = False,
) -> None:
    """Say how replications and hosts are: from the controller, or from the hosts where none runs.

    Exit code: 0 all is ready, 3 something is not, 4 something waits for a person.
    """
    from reconciler.cli import logs
    from reconciler.cli.asking import state_dir
    from reconciler.cli.output import Output
    from reconciler.cli.stating import Stating

    logs.configure(debug=debug)
    stating = Stating(specs, state_dir(state), ssh_config, direct=direct)
    output = Output(no_color=no_color)
    raise Ended(
        stating.watch(output, as_json=as_json) if watch else stating.show(output, as_json=as_json)
    )
