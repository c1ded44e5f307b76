"""`reconciler facts`."""

from typing import Annotated

import typer

from reconciler.cli.ending import Ended
from reconciler.cli.options import DEFAULT_SPECS, Debug, Json, NoColor, Specs, SshConfig


def facts(  # noqa: PLR0913 - as many as there are options
    host: Annotated[str, typer.Argument(help="A host's name in the specs.")],
    *,
    specs: Specs = DEFAULT_SPECS,
    as_json: Json = False,
    ssh_config: SshConfig = None,
    debug: Debug = False,
    no_color: NoColor = False,
) -> None:
    """Show what is observed of one host."""
    import json

    from reconciler.cli.logs import configure
    from reconciler.cli.output import Output
    from reconciler.cli.session import Session
    from reconciler.observed.model import Seen
    from reconciler.report import facts_json
    from reconciler.report.facts_text import facts_lines
    from reconciler.report.summary import ExitCode

    configure(debug=debug)
    with Session(specs, ssh_config) as session:
        observation = session.observe_host(host)
    output = Output(no_color=no_color)
    if as_json:
        output.text(json.dumps(facts_json.dump(observation), indent=2) + "\n")
    else:
        output.lines(facts_lines(observation))
    raise Ended(ExitCode.DONE if isinstance(observation, Seen) else ExitCode.INCOMPLETE)
