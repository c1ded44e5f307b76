"""Passwords and tokens: from files nobody else can read, compared without a hint."""

import base64
from pathlib import Path

import pytest

from reconciler.controller.http.auth import Auth
from reconciler.errors import UsageError


def a_file(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_the_user_with_the_password_is_let_in(tmp_path: Path) -> None:
    auth = Auth.basic("anna", a_file(tmp_path / "p", "pässword:1\n".encode()))
    assert auth.accepts(basic("anna", "pässword:1"))
    assert auth.accepts(basic("anna", "pässword:1").replace("Basic", "bAsIc"))
    assert auth.challenge == 'Basic realm="reconciler", charset="UTF-8"'


def test_a_token_is_let_in(tmp_path: Path) -> None:
    auth = Auth.bearer(a_file(tmp_path / "t", b"s3cret\r\n"))
    assert auth.accepts("Bearer s3cret")
    assert auth.challenge == 'Bearer realm="reconciler"'


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Basic", "Basic ", "Basic %%%", basic("anna", "wrong"), basic("bob", "password"),
        basic("anna", ""), basic("", "password"), basic("anna", "password") + "x",
        "Bearer password", "Basic cGFzc3dvcmQ", "Basic \xff\u20ac", basic("anna", "password\n"),
    ],
)  # fmt: skip
def test_nothing_else_is_let_in(tmp_path: Path, header: str | None) -> None:
    auth = Auth.basic("anna", a_file(tmp_path / "p", b"password"))
    assert not auth.accepts(header)
    assert not Auth.bearer(a_file(tmp_path / "t", b"token")).accepts(header)


def test_an_empty_header_never_fits(tmp_path: Path) -> None:
    assert not Auth.bearer(a_file(tmp_path / "t", b"x")).accepts("Bearer ")


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o620, 0o666, 0o601])
def test_a_file_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    file = a_file(tmp_path / "p", b"password", mode)
    with pytest.raises(UsageError, match=rf"others can get at it: chmod 600 {file}"):
        Auth.bearer(file)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_file_that_a_group_may_read_will_do(tmp_path: Path, mode: int) -> None:
    assert Auth.bearer(a_file(tmp_path / "p", b"password", mode)).accepts("Bearer password")


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb", b"x" * 5000])
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match="must hold one line"):
        Auth.bearer(a_file(tmp_path / "p", content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: No such file"):
        Auth.bearer(tmp_path / "nowhere")


@pytest.mark.parametrize("user", ["", "a:b"])
def test_a_user_that_http_can_not_say_is_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(UsageError, match="can't be a user"):
        Auth.basic(user, a_file(tmp_path / "p", b"password"))


def test_the_secret_is_not_kept(tmp_path: Path) -> None:
    auth = Auth.basic("anna", a_file(tmp_path / "p", b"password"))
    assert "password" not in repr(auth)
    assert auth._digest.hex() not in repr(auth)
