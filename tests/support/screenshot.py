"""The picture of the status page that is in docs/: python -m tests.support.screenshot."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.controller.http.auth import Auth
from reconciler.controller.http.listen import parse_listen
from reconciler.controller.http.pages import Pages
from reconciler.controller.http.server import StatusServer
from reconciler.report.metrics import Metrics
from reconciler.report.status import ControllerStatus
from tests.support.browser import browser
from tests.support.statuses import BUSY
from tests.support.worlds import NOW

PICTURE = Path(__file__).parents[2] / "docs" / "status-page.png"

WIDTH, HEIGHT, SCALE = 1040, 1568, 0.75

LARGEST = 200_000
"""Bytes: it is in everybody's clone for ever."""


@contextmanager
def serving(
    status: Callable[[], ControllerStatus], now: Callable[[], float], auth: Auth | None = None
) -> Iterator[StatusServer]:
    """Serve a status on a free port."""
    pages = Pages(status, Metrics(status), clock=now)
    server = StatusServer(parse_listen("127.0.0.1:0"), pages, auth=auth)
    server.start()
    try:
        yield server
    finally:
        server.close()


def main() -> None:
    """Take the picture."""
    with serving(lambda: BUSY, lambda: NOW) as server, browser() as page:
        page.look(width=WIDTH, height=HEIGHT)
        page.go(server.url)
        picture = page.screenshot(PICTURE, height=HEIGHT, scale=SCALE)
    if len(picture) > LARGEST:
        sys.exit(f"{PICTURE} has {len(picture)} bytes, {LARGEST} are the most")


if __name__ == "__main__":
    main()
