"""`reconciler version`."""

from reconciler.cli.ending import Ended


def version() -> None:
    """Print the version."""
    from reconciler import __version__
    from reconciler.cli.output import Output

    Output().text(f"reconciler {__version__}\n")
    raise Ended(0)
