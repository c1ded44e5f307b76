"""A forecast as a picture: versions and bytes of each side over time. The home of matplotlib.

It comes with `pip install 'reconciler[plot]'` and is asked for only here, when something is drawn.
"""

from datetime import UTC, datetime
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from reconciler.errors import ReconcilerError, UsageError
from reconciler.forecast.model import Forecast
from reconciler.report.figures import bytes_text, moment_text

_LIBRARY = "matplotlib"
_ENDINGS = {".svg": "svg", ".png": "png"}


def check_plot(file: Path) -> None:
    """See to it that a picture can be drawn to a file; raise UsageError or ReconcilerError."""
    if file.suffix.lower() not in _ENDINGS:
        raise UsageError(f"--plot {file}: the name has to end with .svg or .png")
    if not file.parent.is_dir():
        raise UsageError(f"--plot {file}: there is no directory {file.parent}")
    if find_spec(_LIBRARY) is None:
        raise ReconcilerError(
            f"--plot {file} needs {_LIBRARY}, which is not installed:"
            " pip install 'reconciler[plot]'"
        )


def draw(forecast: Forecast, file: Path) -> None:
    """Write the picture; raise ReconcilerError where the file can't be written."""
    picture = drawn(forecast, _ENDINGS[file.suffix.lower()])
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise ReconcilerError(f"--plot {file}: it can't be written: {error.strerror}") from error


def drawn(forecast: Forecast, kind: str) -> bytes:
    """Return the picture as `svg` or `png`: the same forecast gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    versions, sizes = figure.subplots(2, sharex=True)
    for replication in forecast.replications:
        for side in replication.sides:
            name = f"{replication.name}: {side.name} {side.under}".rstrip()
            at = [datetime.fromtimestamp(moment.at, UTC) for moment in side.curve]
            versions.plot(at, [moment.versions for moment in side.curve], label=name)
            sizes.plot(at, [moment.bytes for moment in side.curve], label=name)
    versions.set_title(f"Forecast from {moment_text(forecast.start)}")
    versions.set_ylabel("versions")
    sizes.set_ylabel("bytes held")
    sizes.yaxis.set_major_formatter(lambda size, _: bytes_text(max(0.0, size)))
    for part in (versions, sizes):
        part.set_ylim(bottom=0)
        part.grid(visible=True, alpha=0.3)
    if forecast.replications:
        versions.legend(fontsize="small")
    picture = BytesIO()
    with rc_context({"svg.hashsalt": "reconciler", "svg.fonttype": "path"}):
        figure.savefig(picture, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return picture.getvalue()
