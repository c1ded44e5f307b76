"""`reconciler forget`."""

from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import (
    DEFAULT_SPECS,
    Debug,
    Json,
    NoColor,
    Now,
    Specs,
    SshConfig,
    instant,
)


def forget(  # noqa: PLR0913 - as many as there are options
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A replication, be it in the specs or not.")
    ],
    *,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="HOST", help="Only what was for this host's receivers."),
    ] = None,
    specs: Specs = DEFAULT_SPECS,
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Do not ask before anything is changed.")
    ] = False,
    as_json: Json = False,
    now: Now = None,
    ssh_config: SshConfig = None,
    debug: Debug = False,
    no_color: NoColor = False,
) -> None:
    """Take away the cursors and holds of a replication or target that is no longer in the specs.

    Shows what it would do, asks, and does it. Never destroys a version with data, nor takes what
    the specs still need. Afterwards a target that comes back may have to be sent in full.
    """
    from reconciler.cli.applying import Applying
    from reconciler.cli.logs import configure
    from reconciler.cli.output import Output
    from reconciler.errors import UsageError

    configure(debug=debug)
    if as_json and not auto_approve:
        raise UsageError("forget --json can't ask: give --auto-approve as well")
    output = Output(no_color=no_color)
    at = instant("--now", now)
    applying = Applying(specs, ssh_config, output, at, as_json=as_json, explain=True)
    code = applying.made(lambda session: session.forgetting(name, target), approved=auto_approve)
    raise Ended(code)
