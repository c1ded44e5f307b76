"""The JSON Schema of spec objects, for `reconciler schema` and for editors."""

from collections.abc import Mapping
from typing import Any

from reconciler.desired.objects import raw_schema

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ALTERNATIVES: Mapping[str, Schema] = {
    "Connection": {"minProperties": 1, "maxProperties": 1},
    "Source": {"oneOf": [{"required": ["host"]}, {"required": ["hosts"]}]},
    "Hook": {
        "oneOf": [
            {"anyOf": [{"required": ["before"]}, {"required": ["after"]}]},
            {"required": ["postgresCheckpoint"]},
            {"required": ["mysqlReadLock"]},
        ]
    },
    "Snapshots": {
        "oneOf": [{"required": [key]} for key in ("every", "cron", "external", "received")],
        "dependentRequired": {"every": ["prefix"], "cron": ["prefix"], "timezone": ["cron"]},
        "dependentSchemas": {
            "external": {"maxProperties": 1},
            "received": {"maxProperties": 1},
        },
    },
    "Windows": {"anyOf": [{"required": ["allow"]}, {"required": ["deny"]}]},
    "Keep": {"dependentSchemas": {"policy": {"maxProperties": 1}}},
}
"""What `desired.alternatives` checks."""


_ONE_OR_SEVERAL = (("Source", "where"),)
"""The lists for which one item may stand."""


def json_schema() -> Schema:
    """Return one schema for an object of any kind; `kind` tells which."""
    schema = described()
    for part, name in _ONE_OR_SEVERAL:
        field = schema["$defs"][part]["properties"][name]
        several = {"type": field.pop("type"), "items": field.pop("items")}
        field["anyOf"] = [several["items"], several]
    del schema["discriminator"]  # a word of OpenAPI; `oneOf` and the constant kinds say the same
    for definition in schema["$defs"].values():
        for field in definition["properties"].values():
            field.pop("x-kind", None)
            field.get("items", {}).pop("x-kind", None)
    return {"$schema": DIALECT, "title": "An object of reconciler's specs", **schema}


def described() -> Schema:
    """Return the schema with the kind of each text (`x-kind`), as the reference page needs it."""
    schema: Schema = _tidy(raw_schema())
    for name, definition in schema["$defs"].items():
        definition.update(_ALTERNATIVES.get(name, {}))
    return schema


def _tidy(node: Any) -> Any:
    """Drop what pydantic says about itself: made-up titles, and `null` for what may be left out."""
    if isinstance(node, list):
        return [_tidy(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(value) for key, value in node.items() if not _is_noise(key, value)}
    choices = [choice for choice in tidy.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        del tidy["anyOf"]
        tidy.update(choices[0])
    return tidy


def _is_noise(key: str, value: object) -> bool:
    if key == "default":
        return value is None or isinstance(value, dict)
    return key == "title" and isinstance(value, str)
