"""The page for people: made whole on the server, so that it says everything without script.

The script only fetches it again and puts it in place of what is there. So there is one piece of
code that says how a status looks, and the page with script can't differ from the one without.
"""

from collections.abc import Iterator

from reconciler.controller.http import sections
from reconciler.controller.http.assets import SCRIPT, STYLE
from reconciler.controller.http.drawing import drawing, legend
from reconciler.controller.http.markup import Markup, element, raw
from reconciler.controller.http.tables import CLASSES, card
from reconciler.controller.http.topology import topology
from reconciler.report.figures import duration_text
from reconciler.report.lines import Style
from reconciler.report.status import ControllerStatus
from reconciler.report.status_summary import is_ready, of_status
from reconciler.report.status_words import (
    STALE_AFTER,
    ago_text,
    due_text,
    problem_text,
    remains_text,
    stale_text,
)
from reconciler.report.summary import ExitCode

RELOAD = 15
"""Seconds after which a browser without script loads the page anew."""

_VERDICTS = {ExitCode.DONE: Style.GOOD, ExitCode.BLOCKED: Style.WARNING}


def page(status: ControllerStatus, now: int, *, stale_after: float = STALE_AFTER) -> str:
    """Return the whole document."""
    stale = now - status.heartbeat > stale_after
    whole = element("html", _head(status), _body(status, now, stale=stale), lang="en")
    return f"<!DOCTYPE html>\n{whole}\n"


def _head(status: ControllerStatus) -> Markup:
    reload = element("meta", http_equiv="refresh", content=str(RELOAD))
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("noscript", reload),
        element("title", f"reconciler: {of_status(status).text}"),
        element("link", rel="icon", href="data:,"),
        element("style", raw(STYLE)),
    )


def _body(status: ControllerStatus, now: int, *, stale: bool) -> Markup:
    shown = element("div", _header(status, now), _main(status, now, stale=stale), id="shown")
    lost = element("p", id="lost", class_="banner bad", role="alert", hidden=True)
    return element("body", lost, shown, _footer(), element("script", raw(SCRIPT)))


def _header(status: ControllerStatus, now: int) -> Markup:
    summary = of_status(status)
    style = CLASSES[_VERDICTS.get(summary.code, Style.ERROR)]
    dry = element("span", "dry run: nothing is changed", class_="pill late")
    return element(
        "header",
        element("h1", "reconciler", " ", element("small", status.version)),
        element(
            "p",
            f"{status.identity}, up {duration_text(max(0, now - status.started))}, seen at work"
            f" {ago_text(status.heartbeat, now)} ",
            dry if status.dry_run else None,
            class_="identity",
        ),
        element("p", summary.text, class_=f"verdict {style}", role="status"),
    )


def _main(status: ControllerStatus, now: int, *, stale: bool) -> Markup:
    drawn = topology(status, now)
    picture = (
        card(
            "Topology",
            element("div", drawing(drawn), class_="scroll"),
            legend(drawn),
            id_="topology",
        )
        if drawn.edges
        else None
    )
    return element(
        "main",
        _banners(status, now, stale=stale),
        _tiles(status, now),
        element("div", picture, sections.running(status, now), class_="pair"),
        sections.blocked(status),
        sections.replications(status, now),
        sections.lags(status, now),
        sections.hosts(status, now),
        sections.queue(status, now),
        sections.specs(status, now),
    )


def _banners(status: ControllerStatus, now: int, *, stale: bool) -> Iterator[Markup]:
    if stale:
        yield element("p", stale_text(status, now), class_="banner bad", role="alert", id="stale")
    if status.specs.problem is not None:
        yield element(
            "div",
            element("p", element("strong", f"{problem_text(status.specs, now)}.")),
            [element("p", line, class_="code") for line in status.specs.problem.splitlines()],
            element("p", remains_text(status.specs)),
            class_="banner bad",
            role="alert",
            id="problem",
        )


def _tiles(status: ControllerStatus, now: int) -> Markup:
    asked = [found for found in status.replications if found.suspended is None]
    ready = sum(map(is_ready, asked))
    seen = sum(map(is_ready, status.hosts))
    every = [lag for found in status.replications for lag in found.lags]
    late = sum(lag.is_late(now) for lag in every)
    waits = sum(len(found.blocked) for found in status.replications)
    due = min((r.next_due for r in asked if r.next_due is not None), default=None)
    return element(
        "ul",
        _tile(f"{ready}/{len(asked)}", "replications ready", well=ready == len(asked)),
        _tile(f"{seen}/{len(status.hosts)}", "hosts ready", well=seen == len(status.hosts)),
        _tile(str(late), "over the lag goal", well=not late),
        _tile(str(waits), "waiting for a person", well=not waits),
        _tile(str(len(status.running)), "streams running"),
        _tile(due_text(due, now), "next due"),
        class_="tiles",
    )


def _tile(figure: str, words: str, *, well: bool | None = None) -> Markup:
    style = {True: " good", False: " bad", None: ""}[well]
    return element(
        "li",
        element("strong", figure),
        " ",
        element("span", words),
        class_=f"tile{style}",
    )


def _footer() -> Markup:
    links = (("api/v1/status", "JSON"), ("metrics", "metrics"), ("healthz", "health"))
    return element(
        "footer",
        [(element("a", text, href=href), " ") for href, text in links],
        element("span", "Read-only. All times are relative to the controller's clock."),
    )
