"""What pydantic finds wrong with a spec, said in our own words and at the right place."""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from reconciler.desired.diagnostics import Diagnostic, shown
from reconciler.desired.document import Document, Path, dotted
from reconciler.desired.objects import Part, SpecObject, ValidationError

_SHAPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def explained(
    document: Document, model: type[SpecObject], error: ValidationError
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each finding but missing values, which `reading` has reported."""
    meant: set[Path] = set()
    for found in sorted(error.errors(include_url=False), key=lambda one: one["type"]):
        path = document.real(tuple(found["loc"]))
        if found["type"] == "extra_forbidden":
            part = _part_at(model, path[:-1])
            meant.update((*path[:-1], key) for key in _near(part, path))
            yield _unknown_key(document, part, path)
        elif found["type"] == "missing":
            if path not in meant:
                yield document.at(path[:-1]).error(f"{dotted(path)} is missing")
        elif path[-1] == "[key]":
            yield document.key(path[:-1]).error(*_wrong_value(path[:-1], found))
        elif found["input"] is not None:
            yield document.at(path).error(*_wrong_value(path, found))


def _wrong_value(path: Path, found: Mapping[str, Any]) -> tuple[str, str]:
    """Return summary and detail for a value that can't be accepted."""
    name, value, context = dotted(path), found["input"], found.get("ctx", {})
    detail = ""
    match found["type"]:
        case "value_error":
            reason, _, detail = str(context["error"]).partition(". ")
            return f"{name}: {reason if detail else reason.removesuffix('.')}", detail
        case "greater_than_equal":
            wanted = f"at least {context['ge']}"
        case "less_than_equal":
            wanted = f"at most {context['le']}"
        case "too_short":
            return f"{name} must not be empty", ""
        case "literal_error":
            wanted = context["expected"].replace("'", "`").replace("True", "true")
        case shape:
            wanted = _SHAPES.get(shape, found["msg"])
            if shape == "string_type" and not isinstance(value, list | dict):
                detail = "Put it in quotes."
    return f"{name} must be {wanted}, not {_kind(value)}", detail


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
    known = _keys(part)
    near = _near(part, path)
    if key in part.later or (key in _later_anywhere() and not near):
        return document.key(path).error(f"{shown(key)} is not supported in this version")
    place = f" in {dotted(path[:-1])}" if path[:-1] else ""
    advice = (
        f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known) or 'nothing'}."
    )
    return document.key(path).error(f"unknown key {shown(key)}{place}", advice)


def _keys(part: type[Part]) -> list[str]:
    return [field.alias or name for name, field in part.model_fields.items()]


def _near(part: type[Part], path: Path) -> list[str]:
    """Return the key that an unknown one may have been meant to be."""
    return difflib.get_close_matches(str(path[-1]), _keys(part), 1)


@cache
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
