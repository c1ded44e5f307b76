"""Changes of real files are heard, however they come about. Waits are long for slow machines."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import watchfiles

from reconciler.controller import watching
from reconciler.controller.watching import Watcher, survey
from tests.support.repositories import Repository

PATIENCE = 30.0
"""Seconds for a change to be heard; half a second is usual."""

SILENCE = 0.7
"""Seconds without a call after which all has been heard."""


class Ear:
    """Counts the calls of a watcher."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self.notes: list[str] = []

    def hear(self) -> None:
        self.called.set()

    def wait_for_silence(self) -> None:
        """Wait until nothing is heard for a while: then the watcher watches the latest."""
        self.called.wait(SILENCE)
        while self.called.is_set():
            self.called.clear()
            self.called.wait(SILENCE)

    def hears(self, change: Callable[[], object]) -> bool:
        """Tell whether a change is heard."""
        self.wait_for_silence()
        change()
        return self.called.wait(PATIENCE)


Listen = Callable[[Path], Ear]


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listen]:
    """Watch a path until the test ends; only what is heard counts, not what looking finds."""
    monkeypatch.setattr(watching, "LOOK_MS", 600_000)
    monkeypatch.setattr(watching, "GATHERED_MS", 100)
    watchers = []

    def start(path: Path) -> Ear:
        ear = Ear()
        watchers.append(Watcher(path, ear.hear, ear.notes.append))
        return ear

    yield start
    for watcher in watchers:
        watcher.close()


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    folder = tmp_path / "specs"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.yaml", "deep/b.yaml"):
        (folder / name).write_text("a: 1\n")
    return folder


def test_files_that_are_written_made_renamed_and_removed_are_heard(
    specs: Path, listen: Listen
) -> None:
    ear = listen(specs)
    assert ear.hears(lambda: (specs / "a.yaml").write_text("a: 2\n"))
    assert ear.hears(lambda: (specs / "deep" / "b.yaml").write_text("a: 2\n"))
    assert ear.hears(lambda: (specs / "new.yaml").write_text("a: 2\n"))
    assert ear.hears(lambda: (specs / "new.yaml").rename(specs / "a.yaml"))
    assert ear.hears((specs / "a.yaml").unlink)
    assert ear.notes == []


def test_a_new_folder_is_heard_and_what_comes_into_it_later(specs: Path, listen: Listen) -> None:
    ear = listen(specs)
    assert ear.hears(lambda: (specs / "new" / "er").mkdir(parents=True))
    assert ear.hears(lambda: (specs / "new" / "er" / "c.yaml").write_text("x"))


def test_a_folder_in_another_ones_place_is_heard_again_and_again(
    specs: Path, listen: Listen
) -> None:
    ear = listen(specs)
    for _ in range(2):
        new = specs.with_name("new")
        shutil.copytree(specs, new)

        def swap(new: Path = new) -> None:
            specs.rename(specs.with_name(f"old-{os.urandom(4).hex()}"))
            new.rename(specs)

        assert ear.hears(swap)
        assert ear.hears(lambda: (specs / "deep" / "b.yaml").write_text(os.urandom(4).hex()))


def test_a_folder_that_is_removed_and_made_again_is_heard(specs: Path, listen: Listen) -> None:
    ear = listen(specs)
    assert ear.hears(lambda: shutil.rmtree(specs))
    assert ear.hears(specs.mkdir)
    assert ear.hears(lambda: (specs / "a.yaml").write_text("x"))


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path, listen: Listen) -> None:
    specs = tmp_path / "a" / "b" / "specs"
    ear = listen(specs)
    assert ear.hears(lambda: specs.mkdir(parents=True))
    assert ear.hears(lambda: (specs / "a.yaml").write_text("x"))


def test_a_kubernetes_volume_is_heard_each_time_it_changes(tmp_path: Path, listen: Listen) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()

    def publish(version: str) -> None:
        (volume / f"..{version}").mkdir()
        (volume / f"..{version}" / "a.yaml").write_text(version)
        (volume / "..data_tmp").symlink_to(f"..{version}")
        (volume / "..data_tmp").rename(volume / "..data")

    publish("1")
    (volume / "a.yaml").symlink_to("..data/a.yaml")
    folder, single = listen(volume), listen(volume / "a.yaml")
    for version in ("2", "3"):
        single.wait_for_silence()
        assert folder.hears(partial(publish, version))
        assert single.called.wait(PATIENCE)
        shutil.rmtree(volume / f"..{int(version) - 1}")


def test_a_link_on_the_way_that_is_turned_is_heard_each_time(
    tmp_path: Path, listen: Listen
) -> None:
    for release in "123":
        (tmp_path / "releases" / release / "specs").mkdir(parents=True)
    current = tmp_path / "current"
    current.symlink_to("releases/1")
    ear = listen(current / "specs")

    def turn(release: str) -> None:
        (tmp_path / "next").symlink_to(f"releases/{release}")
        (tmp_path / "next").rename(current)

    for release in "23":
        assert ear.hears(partial(turn, release))
        file = tmp_path / "releases" / release / "specs" / "a.yaml"
        assert ear.hears(partial(file.write_text, "x"))


def test_a_single_file_that_is_replaced_is_heard_each_time(specs: Path, listen: Listen) -> None:
    file = specs / "a.yaml"
    ear = listen(file)
    for text in ("2", "3"):
        (specs / "temporary").write_text(text)
        assert ear.hears(lambda: (specs / "temporary").rename(file))


def test_a_branch_that_moves_is_heard(tmp_path: Path, listen: Listen) -> None:
    repo = Repository.make(tmp_path / "infra", {"a.yaml": "a: 1\n"})
    ear = listen(repo.path / ".git" / "refs")
    assert ear.hears(lambda: repo.commit({"a.yaml": "a: 2\n"}))
    assert ear.hears(lambda: repo.git("branch", "feature/x"))


def test_what_happens_beside_the_folder_is_not_heard(specs: Path, listen: Listen) -> None:
    ear = listen(specs)
    ear.wait_for_silence()
    (specs.parent / "status.json").write_text("x")
    (specs.parent / "other").mkdir()
    assert not ear.called.wait(3.0)


def test_what_may_have_changed_before_it_began_to_listen_is_a_call_soon(
    specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_MS", 200)
    ear = Ear()
    watcher = Watcher(specs, ear.hear, ear.notes.append)
    assert ear.called.wait(PATIENCE)
    ear.called.clear()
    assert not ear.called.wait(2.0), "and no more calls without a change"
    watcher.close()


def test_after_the_end_nothing_is_heard(specs: Path) -> None:
    ear = Ear()
    watcher = Watcher(specs, ear.hear, ear.notes.append)
    watcher.close()
    assert not any(thread.name == f"watch {specs}" for thread in threading.enumerate())


def test_when_it_does_not_work_that_is_said_once_and_it_is_tried_again(
    specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []
    enough = threading.Event()

    def fails(*folders: object, **_: object) -> Iterator[None]:
        tries.append(folders)
        if len(tries) > 2:
            enough.set()
        raise OSError(28, "OS file watch limit reached")

    monkeypatch.setattr(watching, "watch", fails)
    monkeypatch.setattr(watching, "RETRY", 0.01)
    ear = Ear()
    watcher = Watcher(specs, ear.hear, ear.notes.append)
    assert enough.wait(PATIENCE)
    watcher.close()
    (note,) = ear.notes
    assert note.startswith(f"changes of {specs} are not heard at once: ")
    assert "OS file watch limit reached" in note


def test_a_loop_of_links_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    ground = survey(tmp_path / "a" / "specs")
    assert ground.inside == frozenset()
    assert str(tmp_path) in ground.folders
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "self").symlink_to(".")
    assert survey(tmp_path / "specs").inside == {str(tmp_path / "specs")}


def test_hidden_folders_are_left_alone(specs: Path) -> None:
    (specs / ".git" / "objects").mkdir(parents=True)
    assert survey(specs).inside == {str(specs), str(specs / "deep")}


def test_every_folder_is_watched_alone_so_that_what_is_beside_costs_nothing(
    specs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}
    called = threading.Event()
    real = watchfiles.watch

    def spy(*folders: str, **options: object) -> object:
        given.update(options, folders=folders)
        called.set()
        return real(*folders, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(watching, "watch", spy)
    watcher = Watcher(specs, lambda: None, lambda _: None)
    assert called.wait(PATIENCE)
    watcher.close()
    assert given["recursive"] is False
    assert set(given["folders"]) == {str(specs), str(specs / "deep"), str(specs.parent)}  # type: ignore[call-overload]
