"""The page: all that the status says is on it, and nothing that a host says can harm."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from reconciler.controller.http.assets import CONTENT_SECURITY_POLICY, SCRIPT, STYLE
from reconciler.controller.http.page import page
from reconciler.controller.http.sections import ROWS
from reconciler.report.status import Blockage, ControllerStatus
from tests.support.statuses import (
    BEGINNING,
    BUSY,
    HOSTILE,
    QUIET,
    WEB,
    a_host,
    lag,
    renamed,
    statuses,
)
from tests.support.worlds import NOW

HARMLESS = HOSTILE.replace("<script>alert(1)</script>", "innocent ")


class Shown(HTMLParser):
    """What is on a page: text, elements, and where which ids are."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self._skip = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self._skip += tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.words += data


def shown(status: ControllerStatus, now: int = NOW) -> Shown:
    return Shown(page(status, now))


@pytest.mark.parametrize(
    "said",
    [
        "1 of 3 replications ready. The newest specs are not in force.",
        "reconciler@ctl pid 812, up 3d00h, seen at work 1.0s ago",
        "For 25m00s the newest specs are not in force.",
        "specs/web.yaml:14:5: spec.targets.0.keep: unknown field `hourli`",
        "2 of 8 workers busy",
        "31.0 GiB of ~84.0 GiB (36%), 106 MiB/s, 8m33s left",
        "nas tank/home/old photographs and films",
        "diverged: 2 snapshots there that db1 does not have",
        "only on vault: @manual (guid 20015998343868)",
        "Remedy: look at the plan, then: reconciler apply --allow-destroy database",
        "disks are being swapped (anna, until 2026-11-23)",
        "nothing yet, goal 1d00h",
        "3 of 9 over the goal",
        "Connection timed out; see that offsite.example.com is up",
        "tank DEGRADED 1.0 GiB free",
        "tries again in 4m00s after 6 failures",
        "12 times blocked, last 12m00s ago",
        "sha256:9e107d9d372bb6826bd81d3542a419d6",
        "db1 to vault, failing or blocked (database)",
        "nas to vault, sending (home)",
        "web1 to vault, on time (web)",
        "vault to offsite, suspended (archive)",
    ],
)
def test_on_a_bad_day_nothing_is_left_unsaid(said: str) -> None:
    assert said in shown(BUSY).words


def test_a_quiet_page_has_no_banner_and_nothing_that_waits() -> None:
    quiet = shown(QUIET)
    assert not {"stale", "problem", "blocked"} & set(quiet.ids)
    assert "The replication is ready." in quiet.words
    assert "No stream is under way." in quiet.words


def test_an_old_heartbeat_is_a_banner() -> None:
    assert "stale" not in shown(QUIET, NOW + 59).ids
    old = shown(QUIET, NOW + 3600)
    assert "stale" in old.ids
    assert "it does not run, or hangs" in old.words


def test_a_dry_run_is_said() -> None:
    assert "dry run" not in shown(QUIET).words
    assert "dry run" in shown(replace(QUIET, dry_run=True)).words


def test_a_controller_without_specs_can_be_shown() -> None:
    empty = shown(BEGINNING)
    for said in (
        "The specs have none.",
        "No others are either: nothing is done.",
        "None of specs.",
    ):
        assert said in empty.words


@given(statuses)
@settings(max_examples=50)
def test_every_status_can_be_shown(status: ControllerStatus) -> None:
    page(status, NOW).encode()


def test_what_hosts_say_is_text_and_nothing_else() -> None:
    hostile, harmless = shown(renamed(BUSY, HOSTILE)), shown(renamed(BUSY, HARMLESS))
    assert hostile.tags == harmless.tags, "the same elements, whatever the names are"
    assert hostile.attributes == harmless.attributes
    assert hostile.tags.count("script") == 1
    assert "alert(1)" in hostile.words
    assert "\u202e" not in page(renamed(BUSY, HOSTILE), NOW)


def test_nothing_comes_from_elsewhere() -> None:
    text = page(BUSY, NOW)
    assert "http://" not in text
    assert "https://" not in text
    assert "style=" not in text, "the policy forbids it"
    assert "onclick" not in text
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert f"<style>{STYLE}</style>" in text
    assert f"<script>{SCRIPT}</script>" in text


def test_ids_are_there_once() -> None:
    for status in (BUSY, QUIET):
        ids = shown(status).ids
        assert len(ids) == len(set(ids))


def test_a_large_page_says_what_is_worst_and_counts_the_rest() -> None:
    lags = [lag("web1", f"tank/{i}", "vault", i, 500) for i in range(1000)]
    blocked = tuple(Blockage("vault", f"b/{i}", "diverged", "m") for i in range(200))
    many = replace(
        QUIET,
        hosts=tuple(a_host(f"h{i}") for i in range(300)),
        replications=(replace(WEB, lags=tuple(lags), blocked=blocked),),
    )
    large = shown(many)
    assert "tank/999 → vault" in large.words
    assert "tank/0 →" not in large.words
    assert f"and {1000 - ROWS} more" in large.words
    assert f"and {200 - ROWS} more" in large.words
    assert len(page(many, NOW)) < 400_000
