"""The example alerts and the dashboard ask only for metrics and labels that exist."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.report.measure import Type
from reconciler.report.measures import MEASURES
from reconciler.report.metrics_reference import PROCESS

CONTRIB = Path(__file__).parents[3] / "contrib"
ALERTS = yaml.safe_load((CONTRIB / "prometheus" / "alerts.yaml").read_text())
DASHBOARD = json.loads((CONTRIB / "grafana" / "dashboard.json").read_text())

TARGET = frozenset({"instance", "job"})
"""What Prometheus adds to every series."""


def existing() -> Mapping[str, frozenset[str]]:
    """Return the labels of every sample that a scrape gives."""
    found = dict.fromkeys(PROCESS, TARGET)
    for measure in MEASURES:
        labels = frozenset(measure.labels) | TARGET
        if measure.type is Type.HISTOGRAM:
            found[f"{measure.name}_bucket"] = labels | {"le"}
            found[f"{measure.name}_sum"] = found[f"{measure.name}_count"] = labels
        else:
            found[measure.name] = labels
    return found


EXISTING = existing()


def rules() -> Iterator[dict[str, Any]]:
    for group in ALERTS["groups"]:
        yield from group["rules"]


def panels() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        yield panel
        yield from panel.get("panels", ())


def queries() -> Iterator[tuple[str, str]]:
    """Yield where each expression is, and the expression."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def used(expression: str) -> list[str]:
    """Return the metrics that an expression is about."""
    return re.findall(r"\b(?:reconciler|process)_\w+", expression)


def selected(expression: str) -> Iterator[tuple[str, str]]:
    """Yield each metric and label that is asked to have some value."""
    for metric, matchers in re.findall(r"(\w+)\{([^}]*)\}", expression):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
            yield metric, label


def grouped(expression: str) -> set[str]:
    """Return the labels that are grouped or matched by."""
    lists = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression)
    return {label.strip() for each in lists for label in each.split(",")}


@pytest.mark.parametrize(("where", "expression"), [*queries()])
def test_every_query_is_about_what_there_is(where: str, expression: str) -> None:
    metrics = used(expression)
    assert metrics, where
    assert set(metrics) <= EXISTING.keys(), where
    for metric, label in selected(expression):
        assert label in EXISTING[metric], f"{where}: {metric} has no label {label}"
    known = set().union(*(EXISTING[metric] for metric in metrics)) | {"result"}
    assert grouped(expression) <= known, where
    assert expression.count("(") == expression.count(")")


def after(expression: str) -> frozenset[str]:
    """Return the labels that a result of an expression has."""
    by = re.search(r"\bsum by \(([^)]*)\)", expression)
    if by:
        return frozenset(label.strip() for label in by[1].split(",")) - {"le"}
    first = EXISTING[used(expression)[0]]
    without = re.search(r"\bwithout \(([^)]*)\)", expression)
    return first - frozenset(without[1].split(", ") if without else ()) - {"le"}


@pytest.mark.parametrize("rule", [*rules()], ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_about(rule: dict[str, Any]) -> None:
    said = " ".join(rule["annotations"].values())
    labels = set(re.findall(r"\$labels\.(\w+)", said))
    assert labels <= after(rule["expr"])
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert re.fullmatch(r"[0-9]+[smhdw]", rule.get("for", "0s"))


def test_legends_are_made_of_labels_that_are_there() -> None:
    for panel in panels():
        for target in panel.get("targets", ()):
            labels = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert labels <= after(target["expr"]), panel["title"]


@pytest.mark.parametrize(
    "metric",
    [
        "reconciler_latest_replicated_snapshot_timestamp_seconds",
        "reconciler_host_up",
        "reconciler_blocked",
        "reconciler_reconcile_panics_total",
        "reconciler_heartbeat_timestamp_seconds",
        "reconciler_scrape_errors_total",
        "reconciler_config_last_reload_successful",
        "reconciler_steps_total",
        "reconciler_pool_health_info",
    ],
)
def test_what_must_not_go_unnoticed_has_an_alert(metric: str) -> None:
    assert any(metric in used(rule["expr"]) for rule in rules())


def test_names_and_places_are_there_once() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, f"{panel['title']} lies over another panel"
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_the_dashboard_is_for_any_prometheus() -> None:
    sources = [p["datasource"]["uid"] for p in panels() if "datasource" in p]
    assert set(sources) == {"${datasource}"}
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "instance"}
    assert "id" not in DASHBOARD, "Grafana gives it one"
