"""The plan's document: exact, refused when it is not what it claims to be."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given

from reconciler.errors import PlanFileError
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.report.plan_json import dump, dumps, load, loads, plan_id
from reconciler.report.plan_text import plan_lines
from tests.support.worlds import NOW, desired, fs, seen, world
from tests.unit.report.plans import plans

Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    specs = desired("web: alpha tank/www every 15m -> vault")
    observed = world(seen("alpha", fs("tank/www", "@~23:00,1")), seen("vault", fs("backup/alpha")))
    return copy.deepcopy(dump(plan(specs, observed, NOW)))


def signed(document: Document) -> Document:
    """Return the document with the id that its content asks for."""
    return document | {"plan_id": plan_id(document)}


@given(plans)
def test_a_plan_is_restored_exactly(whole: Plan) -> None:
    text = dumps(whole)
    assert loads(text) == whole
    assert dumps(loads(text)) == text


@given(plans)
def test_every_plan_can_be_shown(whole: Plan) -> None:
    for explain in (False, True):
        assert all(str(line).isprintable() for line in plan_lines(whole, explain=explain))


def test_the_document_has_the_fields_of_the_contract(document: Document) -> None:
    assert document["format_version"] == "1.0"
    assert document["at"] == "2026-11-22T23:15:00Z"
    assert document.keys() >= {
        "reconciler_version", "plan_id", "complete", "applyable", "specs", "hosts", "actions",
        "kept", "conflicts", "blocked", "diagnostics", "summary", "next_due",
    }  # fmt: skip
    snapshot, send = (
        next(a for a in document["actions"] if a["action"] == verb) for verb in ("snapshot", "send")
    )
    assert snapshot["filesystems"] == ["tank/www"]
    assert send["receiver"] == {"host": "vault", "filesystem": "backup/alpha/tank/www"}
    assert send["mode"] == "full"
    assert send["from"] is None
    assert send["to"]["guid"] == "1"
    assert send["reason"].keys() == {"code", "message"}


def test_guids_are_texts_and_promised_ones_say_so(document: Document) -> None:
    guids = [v["guid"] for a in document["actions"] for v in a.get("versions", [])]
    assert "1" in guids
    assert any(guid.startswith("planned:") for guid in guids)


def test_unknown_fields_and_a_newer_minor_version_are_ignored(document: Document) -> None:
    plain = load(document)
    document["format_version"] = "1.7"
    document["news"] = {"of": "tomorrow"}
    document["actions"][0]["colour"] = "red"
    assert load(signed(document)) == plain


def test_a_newer_major_version_is_refused(document: Document) -> None:
    document["format_version"] = "2.0"
    with pytest.raises(PlanFileError, match=r"format version 2\.0, this reconciler reads 1\.0"):
        load(signed(document))


def test_an_edited_plan_is_refused(document: Document) -> None:
    document["actions"][0]["host"] = "beta"
    with pytest.raises(PlanFileError, match="edited or damaged"):
        load(document)


def test_a_plan_is_refused_wherever_it_was_edited(document: Document) -> None:
    for field in document.keys() - {"format_version", "plan_id"}:
        with pytest.raises(PlanFileError, match="edited or damaged"):
            load(document | {field: "something else"})


def test_an_action_of_a_newer_reconciler_is_refused(document: Document) -> None:
    document["actions"][0]["action"] = "promote"
    with pytest.raises(PlanFileError, match="'promote': a newer reconciler"):
        load(signed(document))


def test_a_plan_that_was_cut_is_refused(document: Document) -> None:
    text = json.dumps(document)
    with pytest.raises(PlanFileError, match="not JSON, or was cut"):
        loads(text[: len(text) // 2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("apiVersion: reconciler/v1\nkind: Host\n", "give them with -f", id="spec"),
        pytest.param('{"apiVersion": "reconciler/v1"}', "give them with -f", id="JSON spec"),
        pytest.param("[]", "not a saved plan", id="list"),
        pytest.param("{}", "not a saved plan", id="empty"),
        pytest.param('{"format_version": "1.0", "host": "a"}', "not a saved plan", id="facts"),
        pytest.param("", "not JSON", id="nothing"),
        pytest.param("[" * 100_000, "not JSON", id="deep"),
        pytest.param('{"type": "version"}\n{"type": "plan"}\n', "not JSON", id="events"),
    ],
)
def test_what_is_no_plan_is_called_what_it_is(text: str, said: str) -> None:
    with pytest.raises(PlanFileError, match=said):
        loads(text)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        pytest.param("at", "soon", "at should be a time", id="time"),
        pytest.param("at", "2026-11-22T23:15:00", "at should be a time", id="no zone"),
        pytest.param("targets", [1], "targets should be a list of texts", id="texts"),
        pytest.param("hosts", {}, "hosts should be a list", id="list"),
        pytest.param("hosts", ["alpha"], r"hosts\[0\] is no object", id="object"),
        pytest.param(
            "specs", {"revision": None, "digest": "x", "objects": True},
            "specs.objects should be a whole number", id="number",
        ),
        pytest.param(
            "diagnostics", [{"severity": "bad"}],
            r"diagnostics\[0\].severity should be one of error, warning", id="word",
        ),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_kind_is_named(
    document: Document, field: str, value: object, said: str
) -> None:
    document[field] = value
    with pytest.raises(PlanFileError, match=said):
        load(signed(document))


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        pytest.param([], "at least one version", id="none"),
        pytest.param(
            [{"kind": "snapshot", "name": "a", "guid": "x"}], "guid should be a guid", id="guid"
        ),
    ],
)  # fmt: skip
def test_an_action_without_proper_versions_is_refused(
    document: Document, versions: object, said: str
) -> None:
    send = next(a for a in document["actions"] if a["action"] == "send")
    send["versions"] = versions
    with pytest.raises(PlanFileError, match=said):
        load(signed(document))
