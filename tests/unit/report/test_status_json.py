"""The status document: exact, and refused when it is not what it claims to be."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from reconciler.errors import ReconcilerError, StatusFileError
from reconciler.report.status import ControllerStatus
from reconciler.report.status_json import compact, dump, dumps, load, loads
from tests.support.statuses import BUSY, HOSTILE, QUIET, renamed, statuses
from tests.support.worlds import NOW


@given(statuses)
def test_a_status_is_restored_exactly(status: ControllerStatus) -> None:
    text = dumps(status)
    assert loads(text) == status
    assert dumps(loads(text)) == text
    assert loads(compact(status)) == status


@pytest.mark.parametrize("status", [QUIET, BUSY, renamed(BUSY, HOSTILE)])
def test_the_examples_are_restored_exactly(status: ControllerStatus) -> None:
    assert loads(dumps(status)) == status


def test_instants_are_rfc_3339_in_utc() -> None:
    document = dump(QUIET)
    assert document["at"] == "2026-11-22T23:15:00Z"
    assert document["heartbeat"] == "2026-11-22T23:14:59Z"


def test_lag_and_lateness_are_computed_for_the_instant_of_the_status() -> None:
    document: dict[str, Any] = dump(BUSY)
    database = next(found for found in document["replications"] if found["name"] == "database")
    first, *_, last = database["lags"]
    assert (first["lag_seconds"], first["late"]) == (3 * 3600 + 12 * 60, True)
    assert (last["replicated"], last["lag_seconds"], last["late"]) == (None, None, True)
    later = replace(BUSY, at=NOW + 60)
    assert json.loads(dumps(later))["replications"][1]["lags"][0]["lag_seconds"] == 11580


def test_unknown_fields_are_ignored() -> None:
    document: dict[str, Any] = json.loads(dumps(BUSY))
    document["later"] = document["specs"]["later"] = document["hosts"][0]["later"] = {"a": 1}
    document["format_version"] = "1.7"
    assert load(document) == BUSY


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0"])
def test_a_new_major_version_is_refused(version: str) -> None:
    document = json.loads(dumps(QUIET)) | {"format_version": version}
    with pytest.raises(StatusFileError, match=rf"format version {version}, .* reads 1\.0"):
        load(document)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"at": 1}', "[" * 100_000])
def test_what_is_no_status_is_refused(text: str) -> None:
    with pytest.raises(StatusFileError):
        loads(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"at": "yesterday"}, r"^at should be a time like"),
        ({"at": True}, r"^at should be a whole number"),
        ({"ready": "yes"}, r"^ready should be true or false"),
        ({"specs": []}, r"^specs is no object"),
        ({"hosts": [{"name": 1}]}, r"^hosts\[0\]\.name should be a text"),
        ({"workers": None}, r"^workers should be a whole number"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], said: str) -> None:
    with pytest.raises(StatusFileError, match=said) as caught:
        load(json.loads(dumps(QUIET)) | change)
    assert isinstance(caught.value, ReconcilerError)


def test_counts_and_seconds_of_past_runs_are_numbers() -> None:
    document: dict[str, Any] = json.loads(dumps(QUIET))
    document["replications"][0]["history"][0]["seconds"] = "3"
    with pytest.raises(StatusFileError, match=r"replications\[0\].history\[0\].seconds should be"):
        load(document)
