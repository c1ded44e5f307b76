"""`reconciler validate`."""

from reconciler.cli.ending import Ended
from reconciler.cli.options import DEFAULT_SPECS, Debug, Json, NoColor, Specs


def validate(
    *,
    specs: Specs = DEFAULT_SPECS,
    as_json: Json = False,
    debug: Debug = False,  # noqa: ARG001 - read by cli.main
    no_color: NoColor = False,
) -> None:
    """Read and resolve the specs; no network."""
    import json

    from reconciler.cli.output import Output
    from reconciler.desired.diagnostics import SpecError
    from reconciler.desired.load import load
    from reconciler.report.summary import ExitCode
    from reconciler.report.validation import dump, valid_lines

    output = Output(no_color=no_color)
    try:
        desired = load(specs)
    except SpecError as error:
        if not as_json:
            raise
        output.text(json.dumps(dump(error.diagnostics), indent=2) + "\n")
        raise Ended(ExitCode.ERROR) from error
    if as_json:
        output.text(json.dumps(dump(()), indent=2) + "\n")
    else:
        output.lines(valid_lines(desired))
    raise Ended(ExitCode.DONE)
