"""`reconciler simulate`."""

from pathlib import Path
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


def simulate(  # noqa: PLR0913 - as many as there are options
    *,
    specs: Specs = DEFAULT_SPECS,
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="How far: 90d, 52w, ...")],
    rate: Annotated[
        str, typer.Option("--rate", help="Bytes written to each filesystem: 1GiB/d, 20MiB/h, 0.")
    ] = "1GiB/d",
    size: Annotated[
        str, typer.Option("--size", help="Bytes in each filesystem that is made up: 100GiB.")
    ] = "100GiB",
    rates: Annotated[
        Path | None,
        typer.Option("--rates", metavar="FILE", help="Lines of HOST:FILESYSTEM RATE [SIZE]."),
    ] = None,
    observe: Annotated[
        bool,
        typer.Option("--observe", help="Look at the hosts (only that) and begin with their state."),
    ] = False,
    bandwidth: Annotated[
        str | None,
        typer.Option("--bandwidth", metavar="RATE", help="What each receiver takes in: 50MiB/s."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw it, too: FILE.svg or FILE.png."),
    ] = None,
    as_json: Json = False,
    now: Now = None,
    ssh_config: SshConfig = None,
    debug: Debug = False,
    no_color: NoColor = False,
) -> None:
    """Forecast what specs come to: versions, bytes, lag and work, on hosts that are imagined."""
    from reconciler.cli import forecasting
    from reconciler.cli.logs import configure
    from reconciler.cli.output import Output
    from reconciler.cli.session import Session
    from reconciler.report.forecast_json import dumps
    from reconciler.report.forecast_plot import check_plot, draw
    from reconciler.report.forecast_text import forecast_lines
    from reconciler.report.lines import Line

    configure(debug=debug)
    if plot is not None:
        check_plot(plot)
    wanted = forecasting.Options(length, rate, size, rates, bandwidth).read()
    with Session(specs, ssh_config, instant("--now", now)) as session:
        made = forecasting.foretell(session, wanted, observe=observe)
    if plot is not None:
        draw(made, plot)
    output = Output(no_color=no_color)
    if as_json:
        output.text(dumps(made))
    else:
        output.lines(forecast_lines(made))
    if plot is not None and not as_json:
        output.lines([Line(f"Drawn to {plot}.")])
    raise Ended(forecasting.code_of(made))
