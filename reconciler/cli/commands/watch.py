"""`reconciler watch`."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import DEFAULT_SPECS, Debug, Specs, SshConfig, State

DEFAULT_LISTEN = "127.0.0.1:9811"


def watch(  # noqa: PLR0913 - as many as there are options
    specs: Specs = DEFAULT_SPECS,
    *,
    git: Annotated[
        str | None,
        typer.Option(
            "--git",
            metavar="REPO[@REF][:FOLDER]",
            help="Specs from a branch of a local git repository, in place of -f. Commits count; a"
            " work tree, clean or not, does not.",
        ),
    ] = None,
    state: State = None,
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            metavar="ADDRESS:PORT",
            help="Where the status page, /metrics and the API are; `none` for nowhere.",
        ),
    ] = DEFAULT_LISTEN,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="A certificate, in PEM.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key, in PEM.")
    ] = None,
    auth_user: Annotated[
        str | None, typer.Option("--auth-user", metavar="NAME", help="Ask for this user.")
    ] = None,
    auth_password_file: Annotated[
        Path | None,
        typer.Option("--auth-password-file", metavar="FILE", help="Holds that user's password."),
    ] = None,
    auth_token_file: Annotated[
        Path | None,
        typer.Option("--auth-token-file", metavar="FILE", help="Holds a bearer token to ask for."),
    ] = None,
    resync: Annotated[
        str,
        typer.Option(
            "--resync",
            metavar="DURATION",
            help="Look at everything this often, whatever the hosts say of changes.",
        ),
    ] = "10m",
    grace: Annotated[
        str,
        typer.Option(
            "--grace",
            metavar="DURATION",
            help="How long ending may take: short actions end, streams are cut resumably.",
        ),
    ] = "30s",
    accept_shrunken: Annotated[
        str | None,
        typer.Option(
            "--accept-shrunken",
            metavar="DIGEST",
            help="Put the spec set of this digest into force though most of the last one is gone.",
        ),
    ] = None,
    per_filesystem: Annotated[
        bool,
        typer.Option(
            "--metrics-per-filesystem/--no-metrics-per-filesystem",
            help="Metrics with a series for each filesystem.",
        ),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do all but change hosts: plans are only counted.")
    ] = False,
    ssh_config: SshConfig = None,
    debug: Debug = False,
) -> None:
    """Keep the hosts as the specs say, until SIGTERM.

    Specs are taken up when they change, hosts are looked at when something happens on them; SIGHUP
    looks at all of it now. Logs go to stderr: for people on a terminal, else JSON lines.
    """
    from reconciler.cli import logs
    from reconciler.cli.asking import state_dir
    from reconciler.cli.watch_options import auth_of, listen_of, seconds, source_of, tls_of
    from reconciler.cli.watching import Watching

    logs.configure(debug=debug, service=True)
    Watching(
        source=source_of(specs, git),
        state=state_dir(state),
        listen=listen_of(listen),
        auth=auth_of(auth_user, auth_password_file, auth_token_file),
        tls=tls_of(tls_cert, tls_key),
        ssh_config=ssh_config,
        resync=seconds("--resync", resync, least=10),
        grace=seconds("--grace", grace, least=2),
        accept=accept_shrunken,
        dry_run=dry_run,
        per_filesystem=per_filesystem,
    ).run()
    raise Ended(0)
