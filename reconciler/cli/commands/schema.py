"""`reconciler schema`."""

from reconciler.cli.ending import Ended


def schema() -> None:
    """Print the JSON Schema of the specs, for editors."""
    import json

    from reconciler.cli.output import Output
    from reconciler.desired.schema import json_schema

    Output().text(json.dumps(json_schema(), indent=2) + "\n")
    raise Ended(0)
