"""From a YAML document to a spec object, or to all that is wrong with it in our own words."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from reconciler.desired.alternatives import alternatives
from reconciler.desired.diagnostics import Diagnostic, Position, shown
from reconciler.desired.document import Data, Document, Path, dotted
from reconciler.desired.messages import explained
from reconciler.desired.objects import (
    API_VERSION,
    KINDS,
    Host,
    KeepPolicy,
    Replication,
    ValidationError,
)

Kind_co = TypeVar("Kind_co", Host, Replication, KeepPolicy, covariant=True)


@dataclass(frozen=True, slots=True)
class Item(Generic[Kind_co]):
    """A spec object and the document it was read from."""

    spec: Kind_co
    document: Document

    @property
    def name(self) -> str:
        """The object's name."""
        return self.spec.metadata.name

    def at(self, *path: str | int) -> Position:
        """Return the place of a value of the object."""
        return self.document.at(path)


def interpret(document: Document) -> Item[Any] | list[Diagnostic]:
    """Read a document as the kind of object that it says it is."""
    data = document.data
    if not isinstance(data, dict):
        return [document.at().error("an object must be a mapping", "It begins with `apiVersion:`.")]
    if wrong := list(_header(document, data)):
        return wrong
    model = KINDS[str(data["kind"])]
    findings = [*_nothings(document, data, ()), *alternatives(document)]
    try:
        spec = model.model_validate(data)
    except ValidationError as error:
        findings += explained(document, model, error)
    return findings or Item(spec, document)


def identity(document: Document) -> tuple[str, str] | None:
    """Return kind and name of a document, as far as it can be told, also of a broken one."""
    match document.data:
        case {"kind": str(kind), "metadata": {"name": str(name)}} if kind in KINDS:
            return kind, name
    return None


def _header(document: Document, data: Mapping[str, Data]) -> Iterator[Diagnostic]:
    """Check what says how the rest is to be read."""
    for key, known in (("apiVersion", [API_VERSION]), ("kind", list(KINDS))):
        if key not in data:
            yield document.at().error(f"`{key}` is missing", f"Write {_either(known)}.")
        elif not isinstance(data[key], str):
            yield document.at((key,)).error(f"{key} must be text", f"Write {_either(known)}.")
        elif data[key] not in known:
            near = difflib.get_close_matches(str(data[key]), known, 1)
            advice = (
                f"Did you mean `{near[0]}`?" if near else f"This version knows {_either(known)}."
            )
            yield document.at((key,)).error(f"unknown {key} {shown(data[key])}", advice)


def _either(words: list[str]) -> str:
    return " or ".join(f"`{word}`" for word in words)


def _nothings(document: Document, data: Data, path: Path) -> Iterator[Diagnostic]:
    """Report keys and list items without a value: nothing is guessed from them."""
    if data is None:
        where = document.key(path)
        yield where.error(f"{dotted(path)} has no value", "Give it one, or remove it.")
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _nothings(document, value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _nothings(document, value, (*path, index))
