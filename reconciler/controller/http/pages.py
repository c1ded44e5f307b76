"""The pages there are: each is made anew from the controller's status when it is asked for."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from reconciler.controller.http.assets import CONTENT_SECURITY_POLICY
from reconciler.controller.http.page import page
from reconciler.controller.http.response import Response, said
from reconciler.report.figures import duration_text
from reconciler.report.metrics import Metrics
from reconciler.report.status import ControllerStatus
from reconciler.report.status_json import compact
from reconciler.report.status_words import STALE_AFTER

HTML = "text/html; charset=utf-8"
JSON = "application/json"


class Pages:
    """Answers for paths."""

    def __init__(
        self,
        status: Callable[[], ControllerStatus],
        metrics: Metrics,
        *,
        heartbeat_limit: float = STALE_AFTER,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._status = status
        self._metrics = metrics
        self._heartbeat_limit = heartbeat_limit
        self._clock = clock
        self._pages: Mapping[str, Callable[[str | None], Response]] = {
            "/": self._page,
            "/api/v1/status": self._document,
            "/healthz": self._health,
            "/metrics": self._exposition,
            "/readyz": self._readiness,
        }

    def answer(self, path: str, accept: str | None) -> Response | None:
        """Return the page of a path, None when there is none."""
        make = self._pages.get(path)
        return None if make is None else make(accept)

    def _page(self, _accept: str | None) -> Response:
        text = page(self._status(), int(self._clock()), stale_after=self._heartbeat_limit)
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        return Response(HTTPStatus.OK, text.encode(), HTML, headers)

    def _document(self, _accept: str | None) -> Response:
        return Response(HTTPStatus.OK, compact(self._status()).encode(), JSON)

    def _exposition(self, accept: str | None) -> Response:
        body, kind = self._metrics.exposition(accept)
        return Response(HTTPStatus.OK, body, kind)

    def _health(self, _accept: str | None) -> Response:
        age = self._clock() - self._status().heartbeat
        if age <= self._heartbeat_limit:
            return said(HTTPStatus.OK, "ok")
        return said(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"the loop was last seen to go round {duration_text(age)} ago",
        )

    def _readiness(self, _accept: str | None) -> Response:
        status = self._status()
        if status.ready:
            return said(HTTPStatus.OK, "ready")
        waits = "no specs are in force yet, or not every host was asked yet"
        return said(HTTPStatus.SERVICE_UNAVAILABLE, f"not ready: {waits}")
