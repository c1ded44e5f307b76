import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from reconciler.desired.objects import KINDS
from reconciler.desired.reference import EXAMPLE, page
from reconciler.desired.schema import DIALECT, Schema, json_schema

Node = dict[str, object] | list[object]


def walk(node: Node) -> Iterator[Node]:
    yield node
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from walk(inner)


def test_it_is_one_schema_for_all_kinds_told_apart_by_kind() -> None:
    schema = json_schema()
    assert schema["$schema"] == DIALECT
    kinds = [choice["$ref"].rpartition("/")[2] for choice in schema["oneOf"]]
    assert kinds == list(KINDS)
    for kind in kinds:
        assert schema["$defs"][kind]["properties"]["kind"]["const"] == kind
        assert schema["$defs"][kind]["properties"]["apiVersion"]["const"]
    assert json.loads(json.dumps(schema)) == schema


def test_every_field_is_described_and_every_mapping_closed() -> None:
    for model in json_schema()["$defs"].values():
        assert model["additionalProperties"] is False
        assert model["description"]
        for name, field in model["properties"].items():
            assert field["description"].endswith("."), name
            assert re.fullmatch("[a-z][A-Za-z]*", name)


def test_nothing_is_said_about_null_or_about_how_it_was_made() -> None:
    for node in walk(json_schema()):
        if isinstance(node, dict):
            assert node.get("type") != "null"
            assert "x-kind" not in node
            assert node.get("default", "") is not None


@pytest.mark.parametrize("document", list(yaml.safe_load_all(EXAMPLE)), ids=lambda d: d["kind"])
def test_the_example_fits_the_schema(document: dict[str, object]) -> None:
    schema = json_schema()
    assert not list(misfits(schema, schema["$defs"][document["kind"]], document))


def test_the_example_uses_every_field_but_the_alternatives() -> None:
    schema = json_schema()["$defs"]
    used = {key for document in yaml.safe_load_all(EXAMPLE) for key in keys(document)}
    known = {name for model in schema.values() for name in model["properties"]}
    rare = {
        "hostKey",
        "jump",
        "simulated",
        "state",
        "weekly",
        "yearly",
        "suspend",
        "received",
        "bookmarks",
    }
    assert known - used == rare


def keys(node: Node) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            yield from keys(inner)


def misfits(schema: Schema, model: Schema, value: Any) -> Iterator[str]:
    """The words of JSON Schema that ours uses, as far as the example needs them."""
    if "$ref" in model:
        yield from misfits(schema, schema["$defs"][model["$ref"].rpartition("/")[2]], value)
    for name in model.get("required", []):
        if name not in value:
            yield f"{name} is missing"
    if "properties" in model:
        for key, inner in value.items():
            yield from misfits(schema, model["properties"][key], inner)
    for inner in value if "items" in model else []:
        yield from misfits(schema, model["items"], inner)
    if "pattern" in model and not re.search(model["pattern"], value):
        yield f"{value} does not match {model['pattern']}"
    if value not in model.get("enum", [value]):
        yield f"{value} is none of {model['enum']}"


def test_the_reference_page_has_every_field() -> None:
    text = page()
    for model in json_schema()["$defs"].values():
        for name in model["properties"]:
            assert re.search(rf"\| `([\w.\[\]]+\.)?{name}` \|", text), name
