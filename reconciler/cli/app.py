"""The commands, put together."""

import typer

from reconciler.cli.commands import (
    apply,
    facts,
    forget,
    import_zrepl,
    plan,
    reconcile,
    resume,
    schema,
    show,
    simulate,
    simulator,
    status,
    suspend,
    validate,
    version,
    watch,
)
from reconciler.cli.ending import Ended

EPILOG = (
    "Exit codes: 0 done, 1 error, 2 changes (plan --detailed-exitcode), 3 incomplete (a host was"
    " not seen or an action failed), 4 blocked or in conflict, 11 locked by another"
    " controller, 64 wrong usage, 130 interrupted."
)

app = typer.Typer(
    name="reconciler",
    help="Declarative ZFS snapshots, replication and retention over SSH.",
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def without_command(context: typer.Context) -> None:
    """Show the help when there is no command."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise Ended(0)


simulator_app = typer.Typer(
    help="Hosts that exist only in a file, to see what specs would do.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
simulator_app.command("exec")(simulator.execute)
simulator_app.command("shims")(simulator.shims)

import_app = typer.Typer(
    help="Specs from what another tool was told.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
import_app.command("zrepl")(import_zrepl.import_zrepl)


@import_app.callback()
def from_another_tool() -> None:
    """Keep the name of the tool a part of the command, also while there is only one."""


app.command("validate")(validate.validate)
app.command("plan")(plan.plan)
app.command("show")(show.show)
app.command("apply")(apply.apply)
app.command("watch")(watch.watch)
app.command("status")(status.status)
app.command("suspend")(suspend.suspend)
app.command("resume")(resume.resume)
app.command("reconcile")(reconcile.reconcile)
app.command("forget")(forget.forget)
app.command("facts")(facts.facts)
app.command("simulate")(simulate.simulate)
app.command("schema")(schema.schema)
app.add_typer(import_app, name="import")
app.add_typer(simulator_app, name="simulator")
app.command("version")(version.version)
