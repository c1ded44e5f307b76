"""What `validate` found, as JSON and as text."""

from collections.abc import Iterator, Sequence

from reconciler.desired.diagnostics import Diagnostic, Severity
from reconciler.desired.model import Desired
from reconciler.report.fields import Json
from reconciler.report.figures import count_text
from reconciler.report.lines import Line, Style

FORMAT_VERSION = "1.0"


def dump(diagnostics: Sequence[Diagnostic]) -> Json:
    """Return the findings as one JSON document; specs without errors are valid."""
    errors = sum(found.severity is Severity.ERROR for found in diagnostics)
    return {
        "format_version": FORMAT_VERSION,
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": len(diagnostics) - errors,
        "diagnostics": [_diagnostic(found) for found in diagnostics],
    }


def _diagnostic(found: Diagnostic) -> Json:
    return {
        "severity": str(found.severity),
        "summary": found.summary,
        "detail": found.detail,
        "file": found.file,
        "line": found.line,
        "column": found.column,
    }


def valid_lines(desired: Desired) -> Iterator[Line]:
    """Yield what valid specs hold."""
    hosts = count_text(len(desired.hosts), "host")
    replications = count_text(len(desired.replications), "replication")
    revision = f" at {desired.revision}" if desired.revision else ""
    objects = count_text(desired.objects, "object")
    yield Line(f"The specs{revision} are valid: {objects}, {hosts}, {replications}.", Style.GOOD)
    for replication in desired.replications.values():
        targets = ", ".join(target.host for target in replication.targets)
        state = "suspended" if replication.suspend else ""
        way = f"{', '.join(replication.senders)} → {targets or 'nowhere'}"
        yield Line(f"  {replication.name}  {way}", aside=state)
