"""The status page in a real browser: on a desk and on a phone, by day and by night."""

import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.controller.http.auth import Auth
from reconciler.controller.http.server import StatusServer
from reconciler.report.status import ControllerStatus
from tests.support.browser import PROGRAMS, Page, browser, program
from tests.support.screenshot import HEIGHT, LARGEST, PICTURE, SCALE, WIDTH, serving
from tests.support.statuses import BUSY, HOSTILE, QUIET, renamed
from tests.support.worlds import NOW

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(program() is None, reason=f"none of {', '.join(PROGRAMS)} is installed"),
]

DESK, PHONE = (1280, 900), (360, 740)
SIZES = [pytest.param(DESK, id="desk"), pytest.param(PHONE, id="phone")]

SCRIPTS = Path(__file__).parent / "page_checks"


@dataclass
class Site:
    """What is served, and can be changed while it is."""

    status: ControllerStatus = BUSY
    now: int = NOW


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as opened:
        yield opened


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server(site: Site) -> Iterator[StatusServer]:
    with serving(lambda: site.status, lambda: site.now) as running:
        yield running


def check(page: Page, name: str) -> list[str]:
    """Return what a check that is written in script found to be wrong."""
    found = page.value((SCRIPTS / f"{name}.js").read_text())
    assert isinstance(found, list)
    return found


def eventually(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_the_page_fits_and_can_be_read(
    page: Page,
    server: StatusServer,
    size: tuple[int, int],
    tmp_path: Path,
    *,
    dark: bool,
) -> None:
    width, height = size
    page.look(width=width, height=height, dark=dark)
    page.go(server.url)
    picture = page.screenshot(tmp_path / "page.png")
    assert struct.unpack(">II", picture[16:24])[0] == width, "no wider than the screen"
    assert check(page, "overflow") == []
    assert check(page, "contrast") == []
    assert check(page, "accessible") == []
    assert page.complaints() == []


@pytest.mark.parametrize("size", SIZES)
def test_names_of_any_length_break_nothing(
    page: Page, site: Site, server: StatusServer, size: tuple[int, int]
) -> None:
    width, height = size
    page.look(width=width, height=height)
    for name in ("x" * 200, "tank/" * 40, "Ünï cödé " * 20):
        site.status = renamed(BUSY, name)
        page.go(server.url)
        assert check(page, "overflow") == []


def test_what_hosts_say_is_never_run(page: Page, site: Site, server: StatusServer) -> None:
    page.look(width=DESK[0], height=DESK[1])
    for evil in (
        HOSTILE,
        "<img src=x onerror=\"document.title='owned'\">",
        "</title></style></script><script>document.title='owned'</script>",
        '" onmouseover="document.title=\'owned\'" x="',
        "javascript:document.title='owned'",
    ):
        site.status = renamed(BUSY, evil)
        page.go(server.url)
        assert page.value("document.scripts.length") == 1
        assert page.value("document.images.length") == 0
        assert not page.value("document.title.startsWith('owned')")
        assert page.value("document.querySelectorAll('[onmouseover], [onerror]').length") == 0
        assert page.complaints() == []


def test_without_script_everything_is_said(page: Page, server: StatusServer) -> None:
    page.look(width=PHONE[0], height=PHONE[1], script=False)
    page.go(server.url)
    text = page.source()
    for said in (
        "1 of 3 replications ready",
        "For 25m00s the newest specs are not in force",
        "31.0 GiB of ~84.0 GiB (36%)",
        "Remedy: ",
        "nothing yet, goal 1d00h",
        "Connection timed out",
        'http-equiv="refresh"',
    ):
        assert said in text


def test_the_page_follows_what_happens(page: Page, site: Site, server: StatusServer) -> None:
    page.look(width=DESK[0], height=DESK[1])
    page.go(server.url)
    assert page.value("document.querySelector('#problem') !== null")
    page.value("document.querySelector('details:not([open])').open = true")
    page.value("window.opened = [...document.querySelectorAll('details[open]')].map(d => d.id)")
    site.status = replace(BUSY, specs=QUIET.specs, identity="another pid 7")
    eventually(lambda: page.value("document.querySelector('#problem') === null"))
    assert "another pid 7" in page.value("document.body.innerText")
    assert page.value("opened.every(id => document.getElementById(id).open)"), "as it was left"
    assert page.value("document.title").startswith("reconciler: 1 of 3")


def test_a_controller_that_hangs_is_said_to(page: Page, site: Site, server: StatusServer) -> None:
    page.look(width=PHONE[0], height=PHONE[1])
    page.go(server.url)
    assert page.value("document.querySelector('#stale') === null")
    site.now = NOW + 3600
    eventually(lambda: page.value("document.querySelector('#stale') !== null"))
    assert check(page, "contrast") == []


def test_a_controller_that_went_away_is_said_to(page: Page, site: Site) -> None:
    page.look(width=PHONE[0], height=PHONE[1])
    with serving(lambda: site.status, lambda: site.now) as server:
        page.go(server.url)
        assert page.value("document.querySelector('#lost').hidden")
    eventually(lambda: not page.value("document.querySelector('#lost').hidden"))
    assert "No answer from the controller for" in page.value("document.body.innerText")
    assert "31.0 GiB" in page.value("document.body.innerText"), "what was known stays there"
    assert check(page, "overflow") == []


def test_with_a_password_the_page_is_shown_to_those_who_have_it(
    page: Page, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("s3cret")
    file.chmod(0o600)
    with serving(lambda: site.status, lambda: site.now, Auth.bearer(file)) as server:
        page.look(width=DESK[0], height=DESK[1])
        page.go(server.url)
        assert page.value("document.body.innerText").strip() == "who are you?"
        page.headers(Authorization="Bearer s3cret")
        try:
            page.go(server.url)
            assert "1 of 3 replications ready" in page.value("document.body.innerText")
        finally:
            page.headers()


def test_the_picture_in_docs_is_of_this_page(page: Page, server: StatusServer) -> None:
    """Not byte for byte: fonts differ. Its size, its weight, and that it can be made."""
    kept = PICTURE.read_bytes()
    assert kept.startswith(b"\x89PNG")
    assert len(kept) <= LARGEST
    assert struct.unpack(">II", kept[16:24]) == (WIDTH * SCALE, HEIGHT * SCALE)
    page.look(width=WIDTH, height=HEIGHT)
    page.go(server.url)
    assert page.value("document.documentElement.scrollHeight") > HEIGHT
