"""The server: who gets an answer, what everybody else gets, and how long one may take."""

import contextlib
import http.client
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from reconciler.controller.http import connections
from reconciler.controller.http.auth import Auth
from reconciler.controller.http.listen import Listen, parse_listen
from reconciler.controller.http.pages import Pages
from reconciler.controller.http.server import CONNECTIONS, CannotListen, StatusServer
from reconciler.controller.http.tls import Tls
from reconciler.errors import ReconcilerError, UsageError
from reconciler.report.metrics import Metrics
from reconciler.report.status import ControllerStatus
from reconciler.report.status_json import loads
from tests.support.statuses import BUSY, QUIET
from tests.support.worlds import NOW

ANYWHERE = Listen("127.0.0.1", 0)


@dataclass
class Site:
    """What is served, and can be changed while it is."""

    status: ControllerStatus = BUSY
    now: float = NOW
    broken: bool = False

    def current(self) -> ControllerStatus:
        if self.broken:
            raise ValueError("a bug")
        return self.status

    def pages(self) -> Pages:
        metrics = Metrics(self.current)
        return Pages(self.current, metrics, clock=lambda: self.now, heartbeat_limit=30)


Failures = list[tuple[str, Exception]]


@contextmanager
def serving(
    site: Site,
    *,
    listen: Listen = ANYWHERE,
    auth: Auth | None = None,
    tls: Tls | None = None,
    failures: Failures | None = None,
) -> Iterator[StatusServer]:
    told: Failures = failures if failures is not None else []
    server = StatusServer(
        listen, site.pages(), auth=auth, tls=tls, failed=lambda where, e: told.append((where, e))
    )
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server(site: Site) -> Iterator[StatusServer]:
    with serving(site) as running:
        yield running


def ask(
    server: StatusServer, path: str, method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(server.address.host, server.address.port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()


def spoken(server: StatusServer, request: bytes, timeout: float = 5) -> bytes:
    """Return all that is answered to some bytes until the server ends the connection."""
    with socket.create_connection((server.address.host, server.address.port), timeout) as talk:
        talk.sendall(request)
        return b"".join(iter(lambda: talk.recv(1 << 16), b""))


# Pages


@pytest.mark.parametrize(
    ("path", "kind", "begins"),
    [
        ("/", "text/html; charset=utf-8", b"<!DOCTYPE html>"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", b"# HELP"),
        ("/api/v1/status", "application/json", b"{"),
        ("/healthz", "text/plain; charset=utf-8", b"ok\n"),
        ("/readyz", "text/plain; charset=utf-8", b"ready\n"),
        ("/metrics?name[]=x", "text/plain; version=0.0.4; charset=utf-8", b"# HELP"),
    ],
)
def test_what_there_is(server: StatusServer, path: str, kind: str, begins: bytes) -> None:
    answer, body = ask(server, path)
    assert answer.status == 200
    assert answer.getheader("Content-Type") == kind
    assert body.startswith(begins)


def test_the_document_is_the_status(server: StatusServer) -> None:
    _, body = ask(server, "/api/v1/status")
    assert loads(body.decode()) == BUSY


def test_openmetrics_is_for_those_who_accept_it(server: StatusServer) -> None:
    answer, body = ask(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert (answer.getheader("Content-Type") or "").startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/status", "/healthz", "/nowhere"])
def test_head_is_get_without_the_body(site: Site, path: str) -> None:
    site.status = QUIET
    with serving(site) as server:
        head, nothing = ask(server, path, "HEAD")
        get, body = ask(server, path)
        assert nothing == b""
        assert head.status == get.status
        if path != "/metrics":  # what the process uses changes from one to the next
            assert head.getheader("Content-Length") == str(len(body))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_nothing_but_get_and_head_is_allowed(server: StatusServer, method: str) -> None:
    answer, _ = ask(server, "/", method)
    assert answer.status == 405
    assert answer.getheader("Allow") == "GET, HEAD"
    assert answer.getheader("Connection") == "close"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere", "/metrics/", "/api", "/api/v1/", "/..", "/../etc/passwd", "/%2e%2e/etc/passwd",
        "/style.css", "/script.js", "/server.py", "/METRICS", "http://127.0.0.1/metrics", "*",
    ],
)  # fmt: skip
def test_there_is_nothing_else(server: StatusServer, path: str) -> None:
    answer, body = ask(server, path)
    assert (answer.status, body) == (404, b"there is no such page\n")


def test_a_healthy_controller_is_one_whose_heart_beats(site: Site, server: StatusServer) -> None:
    site.now = site.status.heartbeat + 30
    assert ask(server, "/healthz")[0].status == 200
    site.now += 1
    answer, body = ask(server, "/healthz")
    assert answer.status == 503
    assert body == b"the loop was last seen to go round 31s ago\n"
    assert b'id="stale"' in ask(server, "/")[1]


def test_a_controller_that_is_not_ready_says_why(site: Site, server: StatusServer) -> None:
    site.status = replace(BUSY, ready=False)
    answer, body = ask(server, "/readyz")
    assert answer.status == 503
    assert body.startswith(b"not ready: ")


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/nowhere", "/api/v1/status"])
def test_browsers_are_told_to_be_careful(server: StatusServer, path: str) -> None:
    answer, _ = ask(server, path)
    policy = answer.getheader("Content-Security-Policy") or ""
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("X-Frame-Options") == "DENY"
    assert answer.getheader("Referrer-Policy") == "no-referrer"
    assert answer.getheader("Cache-Control") == "no-store"
    assert answer.getheader("Server") == "reconciler"


def test_a_page_that_can_not_be_made_is_an_error_that_is_told(site: Site) -> None:
    failures: Failures = []
    with serving(site, failures=failures) as server:
        site.broken = True
        answer, body = ask(server, "/api/v1/status")
        assert answer.status == 500
        assert b"a bug" not in body, "what went wrong is for the log"
        assert ask(server, "/metrics")[0].status == 200, "a scrape never fails because of one part"
        site.broken = False
        assert ask(server, "/api/v1/status")[0].status == 200
    assert [(where, str(error)) for where, error in failures] == [("/api/v1/status", "a bug")]


# Connections


def test_a_connection_serves_many_requests(server: StatusServer) -> None:
    connection = HTTPConnection(server.address.host, server.address.port, timeout=30)
    with contextlib.closing(connection):
        for path in ("/healthz", "/nowhere", "/metrics", "/healthz"):
            connection.request("GET", path)
            connection.getresponse().read()
        assert connection.sock is not None


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x16\x03\x01\x02\x00 x y\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET http://[x/ HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
        (b"POST / HTTP/1.1\r\nContent-Length: 33\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n", b"405"),
    ],
)
def test_what_can_not_be_understood_ends_the_connection(
    server: StatusServer, request_: bytes, status: bytes
) -> None:
    answer = spoken(server, request_)
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:80]
    assert answer.count(b"HTTP/1.1 ") == 1, "what came after is not taken for a request"
    assert ask(server, "/healthz")[0].status == 200


def test_one_who_says_nothing_is_not_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.5)
    with serving(site) as server:
        began = time.monotonic()
        assert spoken(server, b"GET /heal") == b""
        assert time.monotonic() - began < 4


def test_one_who_dribbles_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.5)
    with (
        serving(site) as server,
        socket.create_connection((server.address.host, server.address.port), 5) as talk,
    ):
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 10:
                talk.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - began < 8


def test_too_many_are_told_to_come_again(server: StatusServer) -> None:
    place = (server.address.host, server.address.port)
    with contextlib.ExitStack() as many:
        for _ in range(CONNECTIONS):
            many.enter_context(socket.create_connection(place, 5))
        eventually(
            lambda: spoken(server, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 503")
        )
    eventually(lambda: ask(server, "/healthz")[0].status == 200)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_closing_ends_what_is_open_and_frees_the_port(site: Site) -> None:
    with serving(site) as server:
        place = (server.address.host, server.address.port)
        idle = HTTPConnection(*place, timeout=30)
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        assert idle.sock is not None, "the connection is kept"
    with contextlib.closing(idle):
        assert idle.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, 1)
    server.close()
    with serving(site, listen=Listen(*place)) as again:
        assert ask(again, "/healthz")[0].status == 200


def test_a_port_that_is_taken_is_an_error_that_says_what_to_do(
    site: Site, server: StatusServer
) -> None:
    second = StatusServer(server.address, site.pages())
    with pytest.raises(CannotListen, match=r"already in use.*--listen") as caught:
        second.start()
    assert str(server.address) in str(caught.value)
    assert isinstance(caught.value, ReconcilerError)
    second.close()


def test_an_address_that_is_not_ours_is_one_too(site: Site, tmp_path: Path) -> None:
    elsewhere = StatusServer(
        Listen("192.0.2.1", 9811), site.pages(), auth=a_token(tmp_path), tls=a_certificate(tmp_path)
    )
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1:9811"):
        elsewhere.start()


def test_ipv6_is_spoken(site: Site) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").read_text():
        pytest.skip("this machine has no IPv6")
    with serving(site, listen=parse_listen("[::1]:0")) as server:
        assert ask(server, "/healthz")[0].status == 200
        assert server.url == f"http://[::1]:{server.address.port}/"


# Who may ask


def test_an_address_for_others_is_refused_without_more(site: Site) -> None:
    with pytest.raises(UsageError, match="other machines can reach"):
        StatusServer(parse_listen(":0"), site.pages())


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:9811", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:1", 200),
        ("10.0.0.1", 200), ("evil.example.com", 421), ("evil.example.com:9811", 421),
        ("localhost.evil.example.com", 421), ("", 421), ("127.0.0.1.nip.io:9811", 421),
    ],
)  # fmt: skip
def test_a_page_elsewhere_can_not_ask_under_a_name_of_its_own(
    server: StatusServer, host: str, status: int
) -> None:
    assert ask(server, "/api/v1/status", Host=host)[0].status == status


def a_token(folder: Path) -> Auth:
    file = folder / "token"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    return Auth.bearer(file)


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/api/v1/status", "/nowhere"])
def test_nothing_is_told_to_strangers(site: Site, tmp_path: Path, path: str) -> None:
    with serving(site, auth=a_token(tmp_path)) as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            answer, body = ask(server, path, **headers)
            assert answer.status == 401
            assert answer.getheader("WWW-Authenticate") == 'Bearer realm="reconciler"'
            assert body == b"who are you?\n"


def test_those_who_are_known_are_let_in_under_any_name(site: Site, tmp_path: Path) -> None:
    with serving(site, auth=a_token(tmp_path)) as server:
        answer, body = ask(
            server, "/api/v1/status", Authorization="Bearer s3cret", Host="status.example.com"
        )
        assert answer.status == 200
        assert json.loads(body)["identity"] == BUSY.identity


def a_certificate(folder: Path) -> Tls:
    made = Tls(folder / "cert.pem", folder / "key.pem")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", made.key, "-out", made.certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    made.key.chmod(0o600)
    return made


def test_with_a_certificate_all_is_encrypted(site: Site, tmp_path: Path) -> None:
    tls = a_certificate(tmp_path)
    failures: Failures = []
    with serving(site, auth=a_token(tmp_path), tls=tls, failures=failures) as server:
        assert server.url.startswith("https://")
        trusting = ssl.create_default_context(cafile=str(tls.certificate))
        for _ in range(2):
            connection = http.client.HTTPSConnection(
                "127.0.0.1", server.address.port, timeout=30, context=trusting
            )
            with contextlib.closing(connection):
                connection.request("GET", "/healthz", headers={"Authorization": "Bearer s3cret"})
                assert connection.getresponse().status == 200
        assert b"HTTP/1.1 200" not in spoken(server, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert not failures, "one who does not speak TLS is no news"


def test_one_who_never_shakes_hands_keeps_nobody_waiting(site: Site, tmp_path: Path) -> None:
    tls = a_certificate(tmp_path)
    with serving(site, auth=a_token(tmp_path), tls=tls) as server:
        place = ("127.0.0.1", server.address.port)
        trusting = ssl.create_default_context(cafile=str(tls.certificate))
        with socket.create_connection(place, 5):
            connection = http.client.HTTPSConnection(*place, timeout=30, context=trusting)
            with contextlib.closing(connection):
                connection.request("GET", "/healthz", headers={"Authorization": "Bearer s3cret"})
                assert connection.getresponse().status == 200


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    tls = a_certificate(tmp_path)
    tls.key.chmod(0o644)
    with pytest.raises(UsageError, match="others can get at it"):
        tls.context()


def test_files_that_are_no_certificate_are_refused(tmp_path: Path) -> None:
    tls = a_certificate(tmp_path)
    with pytest.raises(UsageError, match="no certificate and key that fit"):
        Tls(tls.key, tls.key).context()
    with pytest.raises(UsageError, match=r"nowhere: No such file"):
        Tls(tls.certificate, tmp_path / "nowhere").context()
    with pytest.raises(UsageError, match=r"No such file"):
        Tls(tmp_path / "nowhere", tls.key).context()


def test_a_key_with_a_passphrase_is_refused_instead_of_asked_for(tmp_path: Path) -> None:
    tls = a_certificate(tmp_path)
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "ec", "-aes128", "-passout", "pass:x", "-in", tls.key, "-out", locked],
        check=True,
        capture_output=True,
    )
    locked.chmod(0o600)
    with pytest.raises(UsageError, match="needs a passphrase"):
        Tls(tls.certificate, locked).context()
