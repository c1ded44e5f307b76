"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.errors import UsageError

DEFAULT_SPECS = Path("specs")

Specs = Annotated[
    Path,
    typer.Option(
        "-f", "--specs", metavar="PATH", help="Specs: a file, or a directory with all below it."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of text.")]
SshConfig = Annotated[
    Path | None,
    typer.Option(
        "--ssh-config",
        envvar="RECONCILER_SSH_CONFIG",
        metavar="FILE",
        help="An ssh_config to read in place of the user's and the system's.",
    ),
]
Now = Annotated[
    str | None,
    typer.Option(
        "--now",
        metavar="TIME",
        help="Take it to be this instant (RFC 3339); where hosts are changed, only simulated ones.",
    ),
]
Debug = Annotated[
    bool,
    typer.Option("--debug", envvar="RECONCILER_DEBUG", help="Log in detail on stderr."),
]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours; as NO_COLOR.")]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Every action on its own line, and why versions are kept."),
]
AllowDestroy = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-destroy",
        metavar="NAME",
        help="Lift the destroy budget of this replication, this once; repeatable.",
    ),
]
CompareSpecs = Annotated[
    str | None,
    typer.Option(
        "--compare-specs",
        metavar="OTHER",
        help="Say how many more versions go than by the keep rules of other specs: a file, a"
        " directory, or a branch, tag or commit of the repository that the specs are in.",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="The controller's state directory. Default: $STATE_DIRECTORY, /var/lib/reconciler for"
        " root, $XDG_STATE_HOME/reconciler, ~/.local/state/reconciler.",
    ),
]
ReplicationName = Annotated[
    str, typer.Argument(metavar="NAME", help="A replication of the controller's specs.")
]


def instant(option: str, text: str | None) -> int | None:
    """Return the seconds since the epoch that an option says; raise UsageError."""
    from reconciler.report.figures import parse_timestamp

    try:
        return None if text is None else parse_timestamp(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text}: write it like 2026-11-22T23:15:00Z") from error
