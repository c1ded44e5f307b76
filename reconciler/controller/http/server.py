"""The HTTP server: a few threads, each for one connection at a time, and none for long.

What it does is decided in `pages`; here is who may ask, how long one may take, and how an answer is
sent. It never reads a body and never writes to a host.
"""

import contextlib
import socket
import socketserver
import ssl
import sys
import threading
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Any

from reconciler.controller.http.auth import Auth
from reconciler.controller.http.connections import Connections
from reconciler.controller.http.handler import Failed, Handler, Site
from reconciler.controller.http.listen import Listen, refuse_exposed
from reconciler.controller.http.pages import Pages
from reconciler.controller.http.tls import Tls
from reconciler.errors import ReconcilerError

CONNECTIONS = 32
"""At a time; one more is told to come again."""

_BUSY = (
    f"HTTP/1.1 {HTTPStatus.SERVICE_UNAVAILABLE} {HTTPStatus.SERVICE_UNAVAILABLE.phrase}\r\n"
    "Content-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
).encode()


class CannotListen(ReconcilerError):
    """Raised when the address is taken, not ours, or not for us."""


def _ignore(_where: str, _error: Exception) -> None: ...


class StatusServer:
    """Serves pages in threads of its own, from `start` to `close`.

    Raises UsageError for an address that others can reach without a certificate and a password.
    `failed` hears of pages that could not be made; whoever asked got a 500.
    """

    def __init__(
        self,
        listen: Listen,
        pages: Pages,
        *,
        auth: Auth | None = None,
        tls: Tls | None = None,
        failed: Failed = _ignore,
    ) -> None:
        refuse_exposed(listen, auth, tls)
        self._listen = listen
        self._tls = tls.context() if tls is not None else None
        only_by_address = auth is None and listen.is_loopback
        self._site = Site(pages, auth, failed, only_by_address=only_by_address)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> Listen:
        """Where it listens; once started, with the port that was free."""
        if self._server is None:
            return self._listen
        return Listen(self._listen.host, int(self._server.server_address[1]))

    @property
    def url(self) -> str:
        """What to give a browser on this machine."""
        return f"http{'s' if self._tls else ''}://{self.address}/"

    def start(self) -> None:
        """Listen and answer from now on; CannotListen says what to do when that can't be."""
        try:
            self._server = _Server(self._listen, self._site, self._tls)
        except OSError as error:
            raise CannotListen(
                f"can't listen on {self._listen}: {error.strerror}. Another reconciler, or"
                " something else, may be there: stop it, or listen on another port (--listen)"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.25,), name="http", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end what is being answered."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.connections.end()
            self._thread.join()
            self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, listen: Listen, site: Site, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if listen.is_v6 else socket.AF_INET
        self.connections = Connections(CONNECTIONS)
        self._site = site
        self._tls = tls
        super().__init__((listen.host, listen.port), socketserver.BaseRequestHandler)

    def server_bind(self) -> None:
        """Bind, without asking a name server what this machine is called."""
        socketserver.TCPServer.server_bind(self)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its handshake is for the thread that serves it."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread, if there are not too many."""
        if not self.connections.add(request):
            self._turn_away(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread could be started
            self.connections.remove(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.remove(request)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Let a handler read and answer."""
        Handler(request, client_address, self, self._site, self.connections)

    def service_actions(self) -> None:
        """End, several times a second, what takes too long."""
        self.connections.end_overdue()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Take a connection that broke as what it is; tell of anything else."""
        del request, client_address
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self._site.failed("connection", error)

    def _turn_away(self, request: socket.socket) -> None:
        if self._tls is None:
            with contextlib.suppress(OSError):
                request.settimeout(0)
                request.send(_BUSY)
        self.shutdown_request(request)
