"""From a YAML document to a spec object, or to all that is wrong with it in our own words."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from reconciler.desired.diagnostics import Diagnostic, Position, shown
from reconciler.desired.objects import (
    API_VERSION,
    KINDS,
    Host,
    KeepPolicy,
    Part,
    Replication,
    SpecObject,
    ValidationError,
)
from reconciler.desired.yamlfile import Data, Document, Path

Kind = TypeVar("Kind", Host, Replication, KeepPolicy, covariant=True)

_SHAPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


@dataclass(frozen=True, slots=True)
class Item(Generic[Kind]):
    """A spec object and the document it was read from."""

    spec: Kind
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
    findings = [*_nothings(document, data, ()), *_exclusive(document, data)]
    try:
        spec = model.model_validate(data)
    except ValidationError as error:
        findings += _explained(document, model, error)
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
        elif data[key] not in known:
            near = difflib.get_close_matches(str(data[key]), known, 1)
            advice = f"Did you mean `{near[0]}`?" if near else f"This version knows {_either(known)}."
            yield document.at((key,)).error(f"unknown {key} {shown(data[key])}", advice)


def _either(words: list[str]) -> str:
    return " or ".join(f"`{word}`" for word in words)


def _nothings(document: Document, data: Data, path: Path) -> Iterator[Diagnostic]:
    """Report keys and list items without a value: nothing is guessed from them."""
    if data is None:
        where = document.key(path)
        yield where.error(f"{_dotted(path)} has no value", "Give it one, or remove it.")
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _nothings(document, value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _nothings(document, value, (*path, index))


def _exclusive(document: Document, data: Data) -> Iterator[Diagnostic]:
    """Report alternatives of which there are too many, or none."""
    match data:
        case {"kind": "Host", "spec": {"connection": dict(connection)}}:
            path: Path = ("spec", "connection")
            yield from _exactly_one(document, path, connection, ("ssh", "local"), set())
        case {"kind": "Replication", "spec": dict(spec)}:
            match spec.get("source"):
                case dict(source):
                    others = {"filesystems", "snapshots", "keep"}
                    path = ("spec", "source")
                    yield from _exactly_one(document, path, source, ("host", "hosts"), others)
            for path, keep in _keeps(spec):
                if "policy" in keep and len(keep) > 1:
                    where = document.key((*path, "policy"))
                    advice = "Put all rules into the policy, or write them all here."
                    yield where.error(f"{_dotted(path)}.policy stands alone", advice)


def _keeps(spec: dict[str, Data]) -> Iterator[tuple[Path, dict[str, Data]]]:
    """Yield the keep sections of a replication, with where they are."""
    match spec.get("source"):
        case {"keep": dict(keep)}:
            yield ("spec", "source", "keep"), keep
    match spec.get("targets"):
        case list(targets):
            for index, target in enumerate(targets):
                match target:
                    case {"keep": dict(keep)}:
                        yield ("spec", "targets", index, "keep"), keep


def _exactly_one(
    document: Document,
    path: Path,
    data: dict[str, Data],
    choices: tuple[str, str],
    others: set[str],
) -> Iterator[Diagnostic]:
    """Report unless exactly one of two keys is there; an unknown key may be meant to be it."""
    given = [key for key in data if key in choices]
    first, second = choices
    if len(given) > 1:
        where = document.key((*path, given[1]))
        yield where.error(f"{_dotted(path)} has both `{first}` and `{second}`", "Choose one.")
    elif not given and others.issuperset(data):
        advice = f"Write `{first}` or `{second}`."
        yield document.at(path).error(f"{_dotted(path)} names no host", advice) if (
            first == "host"
        ) else document.at(path).error(f"{_dotted(path)} is empty", advice)


def _explained(
    document: Document, model: type[SpecObject], error: ValidationError
) -> Iterator[Diagnostic]:
    """Say in our words what pydantic found, except about missing values (see `_nothings`)."""
    for found in error.errors(include_url=False):
        path: Path = tuple(found["loc"])
        if found["type"] == "extra_forbidden":
            yield _unknown_key(document, _part_at(model, path[:-1]), path)
        elif found["type"] == "missing":
            yield document.at(path[:-1]).error(f"{_dotted(path)} is missing")
        elif found["input"] is not None:
            where = document.key(path[:-1]) if path[-1] == "[key]" else document.at(path)
            yield where.error(*_wrong_value(path, found))


def _wrong_value(path: Path, found: Mapping[str, Any]) -> tuple[str, str]:
    """Return summary and detail for a value that can't be accepted."""
    name = _dotted(path)
    value, context = found["input"], found.get("ctx", {})
    match found["type"]:
        case "value_error":
            summary, _, detail = f"{name}: {context['error']}".partition(". ")
            return summary, detail
        case "greater_than_equal":
            return f"{name} must be at least {context['ge']}, not {value}", ""
        case "less_than_equal":
            return f"{name} must be at most {context['le']}, not {value}", ""
        case "too_short":
            return f"{name} must not be empty", ""
        case "literal_error":
            return f"{name} must be {context['expected'].replace(chr(39), '`')}, not {_kind(value)}", ""
        case shape if shape in _SHAPES:
            advice = f'Put it in quotes: "{value}".' if shape == "string_type" else ""
            scalar = not isinstance(value, list | dict)
            return f"{name} must be {_SHAPES[shape]}, not {_kind(value)}", advice * scalar
    return f"{name}: {found['msg']}", ""


def _kind(value: object) -> str:
    """Describe a value by what YAML made of it."""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number {str(value)[:40]}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return f"the text {shown(value)}"


def _unknown_key(document: Document, part: type[Part], path: Path) -> Diagnostic:
    """Say that a key is not supported yet, or what it may have been meant to be."""
    key = str(path[-1])
    known = [field.alias or name for name, field in part.model_fields.items()]
    near = difflib.get_close_matches(key, known, 1)
    if key in part.later or (key in _later_anywhere() and not near):
        return document.key(path).error(f"{shown(key)} is not supported in this version")
    place = f" in {_dotted(path[:-1])}" if path[:-1] else ""
    advice = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known) or 'nothing'}."
    return document.key(path).error(f"unknown key {shown(key)}{place}", advice)


def _later_anywhere() -> frozenset[str]:
    """Return the keys that the language has somewhere and this version nowhere."""
    return frozenset().union(*(part.later for part in Part.__subclasses__()))


def _part_at(part: type[Part], path: Path) -> type[Part]:
    """Return the model of the mapping at a path."""
    for step in path:
        if isinstance(step, str):
            fields = {field.alias: field for field in part.model_fields.values()}
            part = next(_parts_in(fields[step].annotation))
    return part


def _parts_in(annotation: Any) -> Iterator[type[Part]]:
    """Yield the models that a field's type speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts_in(argument)


def _dotted(path: Path) -> str:
    """Return a path as people write it: `spec.targets[0].keep`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step != "[key]":
            text += f".{step}" if text else step
    return text
