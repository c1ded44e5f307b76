"""What people ask is kept whole, small, and never mistaken for nothing."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.controller import atomic, requests
from reconciler.controller.requests import (
    Requests,
    Suspension,
    Unreadable,
    ask,
    done,
    read,
    resume,
    suspend,
)
from reconciler.errors import ReconcilerError, UsageError

AT = 1795389300
BY = "ada@ops"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "requests.json"


def asked(path: Path) -> Requests:
    found = read(path)
    assert isinstance(found, Requests)
    return found


def test_without_a_file_nothing_is_asked(path: Path) -> None:
    assert read(path) == Requests()


def test_a_suspension_lasts_until_it_is_ended(path: Path) -> None:
    made = suspend(path, "web", at=AT, by=BY, reason="new disks, \u00fcbermorgen")
    assert made == Suspension("web", AT, BY, "new disks, \u00fcbermorgen")
    suspend(path, "db", at=AT + 1, by="bob@ops")
    assert asked(path).suspended == (Suspension("db", AT + 1, "bob@ops", ""), made)
    assert asked(path).suspension("web") == made

    assert resume(path, "web") == made
    assert asked(path).suspension("web") is None
    assert asked(path).suspension("db") is not None
    assert resume(path, "web") is None


def test_suspending_again_changes_no_more_than_the_reason(path: Path) -> None:
    suspend(path, "web", at=AT, by=BY, reason="disks")
    assert suspend(path, "web", at=AT + 9, by="bob@b") == Suspension("web", AT, BY, "disks")
    again = suspend(path, "web", at=AT + 9, by="bob@b", reason="new disks")
    assert again == Suspension("web", AT, BY, "new disks")
    assert asked(path).suspended == (again,)


def test_of_many_wishes_for_the_same_the_last_one_counts(path: Path) -> None:
    wishes = [ask(path, "web", at=AT + i, by=BY) for i in range(50)]
    other = ask(path, "db", at=AT, by=BY)
    assert len({wish.id for wish in wishes}) == 50
    assert asked(path).wanted == (other, wishes[-1])


def test_a_wish_that_was_renewed_while_it_was_met_stays(path: Path) -> None:
    met, other = ask(path, "web", at=AT, by=BY), ask(path, "db", at=AT, by=BY)
    renewed = ask(path, "web", at=AT + 1, by=BY)
    done(path, [met.id, other.id, "unknown"])
    assert asked(path).wanted == (renewed,)


def test_what_changes_nothing_writes_nothing(path: Path) -> None:
    done(path, ["x"])
    resume(path, "web")
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": "reconciler-requests/2", "suspended": [], "wanted": []}',
        '{"format": "reconciler-requests/1", "suspended": [], "wanted": {}}',
        '{"format": "reconciler-requests/1", "suspended": [1], "wanted": []}',
        '{"format": "reconciler-requests/1", "suspended": [{"name": "a"}], "wanted": []}',
        "[" * 100000,
        "\udcff",
    ],
)
def test_a_broken_file_is_not_taken_for_nothing_and_not_replaced(path: Path, text: str) -> None:
    path.write_bytes(text.encode(errors="surrogateescape"))
    found = read(path)
    assert isinstance(found, Unreadable)
    assert str(path) in found.problem
    for change in (
        lambda: suspend(path, "web", at=AT, by=BY),
        lambda: resume(path, "web"),
        lambda: ask(path, "web", at=AT, by=BY),
        lambda: done(path, ["x"]),
    ):
        with pytest.raises(ReconcilerError, match="is not what reconciler writes"):
            change()
    assert path.read_bytes() == text.encode(errors="surrogateescape")


def test_a_file_that_cannot_be_opened_is_not_taken_for_nothing(path: Path) -> None:
    path.mkdir()
    assert isinstance(read(path), Unreadable)


def test_fields_of_a_later_version_are_ignored(path: Path) -> None:
    ask(path, "web", at=AT, by=BY)
    document = json.loads(path.read_text())
    document["more"] = document["wanted"][0]["more"] = 1
    path.write_text(json.dumps(document))
    assert asked(path).wanted[0].name == "web"


def test_a_long_reason_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="1000 characters"):
        suspend(path, "web", at=AT, by=BY, reason="x" * 1001)


MANY = """
import sys
from pathlib import Path
from reconciler.controller import requests
for i in range(20):
    requests.suspend(Path(sys.argv[1]), f"{sys.argv[2]}-{i}", at=1, by="x")
"""


def test_many_who_ask_at_once_lose_nothing(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    argv = [sys.executable, "-c", MANY, str(path)]
    running = [subprocess.Popen([*argv, name], env=environment) for name in "abc"]
    assert [process.wait(30) for process in running] == [0, 0, 0]
    names = {suspension.name for suspension in asked(path).suspended}
    assert names == {f"{name}-{i}" for name in "abc" for i in range(20)}


def test_who_hangs_while_asking_does_not_make_others_hang(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "PATIENCE", 0.1)
    with path.with_name("requests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ReconcilerError, match=r"requests\.lock.*try again"):
            ask(path, "web", at=AT, by=BY)


def test_a_full_disk_is_said_and_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    suspend(path, "web", at=AT, by=BY)
    monkeypatch.setattr(atomic, "write", full)
    with pytest.raises(ReconcilerError, match=r"requests\.json can't be changed: No space left"):
        resume(path, "web")
    assert asked(path).suspension("web") is not None


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReconcilerError, match="can't be changed: No such file"):
        ask(tmp_path / "none" / "requests.json", "web", at=AT, by=BY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_asks_can_be_read_by_the_controllers_own_user(path: Path) -> None:
    os.chown(path.parent, 12345, 12345)
    ask(path, "web", at=AT, by=BY)
    assert {file.stat().st_uid for file in path.parent.iterdir()} == {12345}
