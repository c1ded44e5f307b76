"""`reconciler import`."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import Debug


def import_zrepl(  # noqa: PLR0913 - as many as there are options
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The zrepl.yml of one machine.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write files there, none of which may exist."),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="NAME", help="The machine's name, as ssh reaches it.")
    ] = "",
    pool: Annotated[
        list[str] | None,
        typer.Option("--pool", metavar="NAME", help="A pool of the machine; repeat for all."),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option("--timezone", metavar="ZONE", help="The machine's time zone, for cron."),
    ] = "",
    debug: Debug = False,  # noqa: ARG001 - read by cli.main
) -> None:
    """Translate a zrepl.yml to specs, with remarks on stderr; changes nothing else."""
    from reconciler.cli.importing import one_file, report, write_new
    from reconciler.cli.output import Output
    from reconciler.importing.zrepl_specs import Known, import_zrepl, text, texts

    known = Known(host, tuple(pool or ()), timezone)
    imported = import_zrepl(one_file(file), known)
    if out is None:
        Output().text(text(imported, str(file)))
    else:
        write_new(out, texts(imported, str(file)))
    report(imported.remarks, text(imported, str(file)))
    raise Ended(0)
