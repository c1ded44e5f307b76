"""`reconciler simulator`: zfs and zpool command lines on a host that exists only in a file."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import instant

State = Annotated[Path, typer.Argument(metavar="STATE", help="The simulated host's state file.")]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="The time that it is (RFC 3339); default: now."),
]


def execute(
    state: State,
    argv: Annotated[
        list[str], typer.Argument(metavar="-- ARGV...", help="A zfs or zpool command line.")
    ],
    *,
    at: At = None,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="VERSION", help="Behave as this OpenZFS from now on."),
    ] = None,
) -> None:
    """Run one zfs or zpool command line; the first one is `zpool create NAME disk`.

    `date +%s` is the host's clock, `clock SECONDS` sets it that much ahead, and
    `write FILESYSTEM FILE BYTES` stands for a program that writes a file.
    """
    from reconciler.cli.simulating import execute_on

    raise Ended(execute_on(state, tuple(argv), at=instant("--at", at), release=release))


def shims(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them.")],
    state: State,
    *,
    at: At = None,
) -> None:
    """Write executables `zfs` and `zpool` that run on a simulated host."""
    from reconciler.cli.simulating import write_shims

    instant("--at", at)
    write_shims(folder, state, at)
