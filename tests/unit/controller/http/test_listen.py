"""Where to listen: what is understood, and what is refused before it is dangerous."""

from pathlib import Path

import pytest

from reconciler.controller.http.auth import Auth
from reconciler.controller.http.listen import Listen, parse_listen, refuse_exposed
from reconciler.controller.http.tls import Tls
from reconciler.errors import UsageError

TLS = Tls(Path("cert.pem"), Path("key.pem"))


@pytest.mark.parametrize(
    ("text", "listen", "shown"),
    [
        ("127.0.0.1:9811", Listen("127.0.0.1", 9811), "127.0.0.1:9811"),
        ("[::1]:9811", Listen("::1", 9811), "[::1]:9811"),
        ("[0:0::1]:1", Listen("::1", 1), "[::1]:1"),
        ("127.0.0.1:0", Listen("127.0.0.1", 0), "127.0.0.1:0"),
        ("localhost:80", Listen("127.0.0.1", 80), "127.0.0.1:80"),
        (":9811", Listen("0.0.0.0", 9811), "0.0.0.0:9811"),  # noqa: S104
        ("[::]:9811", Listen("::", 9811), "[::]:9811"),
    ],
)
def test_addresses_that_are_understood(text: str, listen: Listen, shown: str) -> None:
    assert parse_listen(text) == listen
    assert str(listen) == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "9811", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http",
        "::1:9811", "[127.0.0.1]:9811", "[]:9811", "vault.example.com:9811", "127.1:9811",
        "127.0.0.1:9811\n", "http://127.0.0.1:9811", "127.0.0.1:٣",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"127\.0\.0\.1:9811 or \[::1\]:9811"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "loopback"),
    [("127.0.0.1:1", True), ("127.9.9.9:1", True), ("[::1]:1", True), ("10.0.0.1:1", False),
     (":1", False), ("[::]:1", False), ("[fe80::1]:1", False)],
)  # fmt: skip
def test_loopback_is_what_only_this_machine_reaches(text: str, *, loopback: bool) -> None:
    assert parse_listen(text).is_loopback is loopback


@pytest.fixture
def auth(tmp_path: Path) -> Auth:
    file = tmp_path / "token"
    file.write_text("secret")
    file.chmod(0o600)
    return Auth.bearer(file)


def test_others_are_let_in_only_with_a_certificate_and_a_password(auth: Auth) -> None:
    exposed = parse_listen("10.0.0.1:9811")
    refuse_exposed(exposed, auth, TLS)
    for with_auth, with_tls, said in (
        (None, None, r"add a certificate \(--tls-cert.*and a password or token"),
        (auth, None, r"add a certificate \([^)]*\), or listen"),
        (None, TLS, r"add a password or token \([^)]*\), or listen"),
    ):
        with pytest.raises(UsageError, match=said):
            refuse_exposed(exposed, with_auth, with_tls)


def test_this_machine_needs_neither() -> None:
    refuse_exposed(parse_listen("[::1]:9811"), None, None)
