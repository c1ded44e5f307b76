"""`reconciler show`."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import Debug, Explain, Json, NoColor

_NOT_SAVED = "Why versions stay was not saved with it: `reconciler plan --explain --out FILE` does."


def show(
    file: Annotated[Path, typer.Argument(help="A plan saved with plan --out.")],
    *,
    as_json: Json = False,
    explain: Explain = False,
    debug: Debug = False,  # noqa: ARG001 - read by cli.main
    no_color: NoColor = False,
) -> None:
    """Show a saved plan, without asking any host."""
    from reconciler.cli.output import Output
    from reconciler.cli.plan_files import read_plan
    from reconciler.report.lines import Line, Style
    from reconciler.report.plan_json import dumps
    from reconciler.report.plan_text import plan_lines

    saved = read_plan(file)
    output = Output(no_color=no_color)
    if as_json:
        output.text(dumps(saved))
    else:
        output.lines(plan_lines(saved, explain=explain))
        if explain and not saved.kept:
            output.lines([Line(_NOT_SAVED, Style.QUIET)])
    raise Ended(0)
