"""The last good specs in a file: what is in force when the controller starts and they are broken.

Kept are the files themselves, not what was made of them, so another version of reconciler reads
them, too. A file that can't be used is worth no more than none.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from reconciler.controller import atomic
from reconciler.desired.diagnostics import SpecError
from reconciler.desired.files import SpecFile, SpecFiles
from reconciler.desired.load import of_files
from reconciler.desired.model import Desired
from reconciler.errors import ReconcilerError
from reconciler.report.fields import Fields, Json
from reconciler.report.figures import timestamp

FORMAT = "reconciler-specs/1"


class Unusable(ReconcilerError):
    """Raised when the file does not hold specs that can be used."""


@dataclass(frozen=True, slots=True)
class Good:
    """Specs without a fault, and the files that they were made of."""

    desired: Desired
    files: SpecFiles
    source: str
    """What the source calls itself."""
    loaded_at: int
    """Epoch seconds."""


def read(path: Path, source: str) -> Good | None:
    """Return what is kept of a source, None when nothing is. Raises Unusable."""
    try:
        kept = _parsed(Fields(json.loads(path.read_bytes()), error=Unusable))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unusable(f"{path} can't be read: {error.strerror}") from error
    except SpecError as error:
        said = f"this version of reconciler refuses what it holds: {error.diagnostics[0]}"
        raise Unusable(f"{path} can't be used: {said}") from error
    except (ValueError, RecursionError, Unusable) as error:
        raise Unusable(f"{path} is not what reconciler writes: {error}") from error
    if kept.source != source:
        raise Unusable(f"{path} holds the specs of {kept.source}, not of {source}")
    return kept


def write(path: Path, good: Good) -> None:
    """Keep these specs in place of earlier ones. Raises OSError."""
    files = good.files
    listed: list[Json] = [
        {"name": file.name, "content": file.content.decode()}
        for file in files.files
        if isinstance(file, SpecFile)
    ]
    document: Json = {
        "format": FORMAT,
        "source": good.source,
        "revision": files.revision,
        "loaded_at": timestamp(good.loaded_at),
        "fingerprint": files.fingerprint,
        "folder": files.folder,
        "files": listed,
    }
    atomic.write(path, json.dumps(document, indent=2) + "\n")


def _parsed(fields: Fields) -> Good:
    if fields.text("format") != FORMAT:
        raise fields.wrong("format", FORMAT)
    files = SpecFiles(
        tuple(
            SpecFile(row.text("name"), row.text("content").encode())
            for row in fields.objects("files")
        ),
        fields.text("fingerprint"),
        fields.optional("revision", fields.text),
        fields.text("folder"),
    )
    desired = of_files(files.files, revision=files.revision, source=files.folder)
    return Good(desired, files, fields.text("source"), fields.moment("loaded_at"))
