"""One connection: requests are read, checked and answered."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from reconciler.controller.http.auth import Auth
from reconciler.controller.http.connections import Connections
from reconciler.controller.http.pages import Pages
from reconciler.controller.http.response import Response, said

Failed = Callable[[str, Exception], None]
"""Hears where what went wrong."""

_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_METHODS = {"Allow": "GET, HEAD"}


@dataclass(frozen=True, slots=True)
class Site:
    """What all connections share."""

    pages: Pages
    auth: Auth | None
    failed: Failed
    only_by_address: bool
    """Refuse requests for a name: a page elsewhere may have made one that means this machine."""


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    """Seconds for each read and write."""

    def __init__(
        self,
        request: Any,
        client_address: Any,
        server: Any,
        site: Site,
        connections: Connections,
    ) -> None:
        self._site = site
        self._connections = connections
        super().__init__(request, client_address, server)

    def handle_one_request(self) -> None:
        """Serve one request, and give the connection time for the next."""
        super().handle_one_request()
        self._connections.renew(self.connection)

    def do_GET(self) -> None:
        """Answer."""
        self._send(self._answer())

    def do_HEAD(self) -> None:
        """Answer, without the body."""
        self._send(self._answer())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what can't be understood, and end the connection: what follows is anything."""
        del message, explain
        self.close_connection = True
        self.request_version = self.protocol_version  # it may not have got so far as to be read
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._send(said(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", _METHODS))
        else:
            self._send(said(HTTPStatus(code), HTTPStatus(code).phrase))

    def version_string(self) -> str:
        """Say as little as possible of what runs here."""
        return "reconciler"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep silent: requests are no news."""

    def _answer(self) -> Response:
        if self._has_body():
            self.close_connection = True
            return said(HTTPStatus.BAD_REQUEST, "a request without a body, please")
        if self._site.only_by_address and not self._is_by_address():
            return said(
                HTTPStatus.MISDIRECTED_REQUEST, "ask for an address or localhost, not for a name"
            )
        auth = self._site.auth
        if auth is not None and not auth.accepts(self.headers.get("Authorization")):
            challenge = {"WWW-Authenticate": auth.challenge}
            return said(HTTPStatus.UNAUTHORIZED, "who are you?", challenge)
        return self._page()

    def _page(self) -> Response:
        path = self.path.partition("?")[0]
        try:
            found = self._site.pages.answer(path, self.headers.get("Accept"))
        except Exception as error:  # noqa: BLE001 -- one page's bug ends neither server nor silence
            self._site.failed(path, error)
            return said(HTTPStatus.INTERNAL_SERVER_ERROR, "this page could not be made")
        return found or said(HTTPStatus.NOT_FOUND, "there is no such page")

    def _has_body(self) -> bool:
        length = self.headers.get("Content-Length", "0").strip()
        return length != "0" or "Transfer-Encoding" in self.headers

    def _is_by_address(self) -> bool:
        host = self.headers.get("Host")
        if host is None:
            return True
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return name.lower() == "localhost"
        return True

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in (_SECURITY | dict(response.headers)).items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.kind)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
