"""`reconciler apply`."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import (
    DEFAULT_SPECS,
    AllowDestroy,
    CompareSpecs,
    Debug,
    Explain,
    Json,
    NoColor,
    Now,
    Specs,
    SshConfig,
    instant,
)


def apply(  # noqa: PLR0913 - as many as there are options
    file: Annotated[
        Path | None,
        typer.Argument(help="A saved plan: applied as it is, without asking, or refused."),
    ] = None,
    *,
    specs: Specs = DEFAULT_SPECS,
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Do not ask before anything is changed.")
    ] = False,
    allow_destroy: AllowDestroy = None,
    compare_specs: CompareSpecs = None,
    as_json: Json = False,
    explain: Explain = False,
    now: Now = None,
    ssh_config: SshConfig = None,
    debug: Debug = False,
    no_color: NoColor = False,
) -> None:
    """Do what is to be done: observe, plan, show, ask, execute. Or execute a saved plan."""
    from reconciler.cli.applying import Applying
    from reconciler.cli.logs import configure
    from reconciler.cli.output import Output
    from reconciler.errors import UsageError

    configure(debug=debug)
    if as_json and not auto_approve and file is None:
        raise UsageError("apply --json can't ask: give --auto-approve or a saved plan as well")
    if (allow_destroy or compare_specs) and file is not None:
        given = "--allow-destroy" if allow_destroy else "--compare-specs"
        raise UsageError(f"a saved plan is applied as it is: give {given} when planning")
    output = Output(no_color=no_color)
    at = instant("--now", now)
    applying = Applying(specs, ssh_config, output, at, as_json=as_json, explain=explain)
    if file is not None:
        raise Ended(applying.saved(file))
    code = applying.fresh(
        approved=auto_approve, allow_destroy=allow_destroy or (), compare=compare_specs
    )
    raise Ended(code)
