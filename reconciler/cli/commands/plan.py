"""`reconciler plan`."""

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
from reconciler.errors import UsageError


def plan(  # noqa: PLR0913 - as many as there are options
    *,
    specs: Specs = DEFAULT_SPECS,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan for show and apply.")
    ] = None,
    as_json: Json = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 2 when there are changes.")
    ] = False,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="ADDRESS",
            help="Only this replication, host, HOST:FILESYSTEM (with *) or action; repeatable.",
        ),
    ] = None,
    allow_destroy: AllowDestroy = None,
    compare_specs: CompareSpecs = None,
    explain: Explain = False,
    now: Now = None,
    ssh_config: SshConfig = None,
    debug: Debug = False,
    no_color: NoColor = False,
) -> None:
    """Observe the hosts and show what is to be done."""
    from reconciler.cli.logs import configure
    from reconciler.cli.output import Output
    from reconciler.cli.plan_files import check_name, write_plan
    from reconciler.cli.session import Session
    from reconciler.report.lines import Line
    from reconciler.report.plan_json import dumps
    from reconciler.report.plan_text import plan_lines
    from reconciler.report.summary import of_plan

    configure(debug=debug)
    if out is not None:
        check_name(out)
    with Session(specs, ssh_config, instant("--now", now)) as session:
        if out is not None and now is not None and not session.all_simulated:
            raise UsageError("--now and --out: a plan for another time can't be applied")
        made = session.plan(
            targets=target or (),
            explain=explain,
            allow_destroy=allow_destroy or (),
            compare=compare_specs,
        )
    output = Output(no_color=no_color)
    if out is not None:
        write_plan(out, made)
    if as_json:
        output.text(dumps(made))
    else:
        output.lines(plan_lines(made, explain=explain))
    if out is not None and not as_json:
        output.lines([Line(f"Saved to {out}: `reconciler apply {out}` does exactly this.")])
    raise Ended(of_plan(made, detailed=detailed_exitcode).code)
