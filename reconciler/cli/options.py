"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

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
Debug = Annotated[
    bool,
    typer.Option("--debug", envvar="RECONCILER_DEBUG", help="Log in detail on stderr."),
]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours; as NO_COLOR.")]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Every action on its own line, and why versions are kept."),
]
