"""Which specs are in force, whatever becomes of the files: real folders and repositories."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.controller.sources import FolderSource, GitSource, Source
from reconciler.controller.specs import SpecKeeper
from reconciler.controller.watching import Watcher
from reconciler.desired.files import SpecFiles
from reconciler.report.telemetry import Silent
from tests.support.repositories import Repository
from tests.support.spec_texts import host, replication, specs

START = 1_795_389_300.0
QUIET, POLL = 2.0, 60.0


class Loads(Silent):
    """Remembers whether specs were taken."""

    def __init__(self) -> None:
        self.all: list[bool] = []

    def loaded(self, *, ok: bool, at: int) -> None:
        assert at >= START
        self.all.append(ok)


@dataclass
class Stage:
    """A keeper, and a clock that goes on only here."""

    source: Source
    store: Path | None = None
    accept: str | None = None
    now: float = START
    loads: Loads = field(default_factory=Loads)
    notes: list[str] = field(default_factory=list)
    keeper: SpecKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, accept: str | None = None) -> None:
        """Forget all that is not in the store."""
        self.keeper = SpecKeeper(
            self.source,
            self.store,
            self.loads,
            quiet=QUIET,
            poll=POLL,
            accept=accept or self.accept,
            note=self.notes.append,
        )

    def look(self) -> bool:
        """Let the next look happen when it is due."""
        self.now = max(self.now, self.keeper.next_at(self.now))
        return self.keeper.refresh(self.now)

    def pass_time(self, seconds: float = 3 * POLL) -> int:
        """Let time pass; return how often other specs came into force."""
        end, times = self.now + seconds, 0
        while self.keeper.next_at(self.now) <= end:
            times += self.look()
        self.now = end
        return times

    def names(self) -> list[str]:
        """The replications in force."""
        desired = self.keeper.desired()
        return [] if desired is None else list(desired.replications)

    @property
    def problem(self) -> str:
        return self.keeper.status().problem or ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "specs"
    made.mkdir()
    (made / "a.yaml").write_text(specs("a", "b", "c"))
    return made


@pytest.fixture
def stage(folder: Path, tmp_path: Path) -> Stage:
    """A folder of good specs that are in force."""
    stage = Stage(FolderSource(folder), tmp_path / "specs.json")
    assert stage.pass_time() == 1
    stage.loads.all.clear()
    return stage


# -- the usual course ------------------------------------------------------------------------------


def test_at_first_nothing_is_in_force_and_soon_the_specs_are(folder: Path) -> None:
    stage = Stage(FolderSource(folder))
    assert stage.keeper.desired() is None
    assert stage.keeper.status().problem == "the specs have not been read yet"
    assert stage.keeper.next_at(START) == START
    assert not stage.look()
    assert stage.keeper.next_at(START) == START + QUIET
    assert stage.look()
    assert stage.names() == ["a", "b", "c"]
    assert stage.loads.all == [True]

    status, desired = stage.keeper.status(), stage.keeper.desired()
    assert desired is not None
    assert (status.source, status.digest) == (str(folder), desired.digest)
    assert (status.objects, status.loaded_at) == (5, START + QUIET)
    assert (status.problem, status.problem_since) == (None, None)


def test_a_look_that_is_not_due_does_nothing(stage: Stage, folder: Path) -> None:
    (folder / "b.yaml").write_text(replication("d"))
    due = stage.keeper.next_at(stage.now)
    assert not stage.keeper.refresh(due - 0.1)
    assert stage.keeper.next_at(stage.now) == due


def test_a_change_that_is_heard_of_is_in_force_within_seconds(stage: Stage, folder: Path) -> None:
    (folder / "b.yaml").write_text(replication("d"))
    stage.keeper.poke(stage.now)
    assert stage.pass_time(2 * QUIET) == 1
    assert stage.names() == ["a", "b", "c", "d"]


def test_a_change_that_nobody_heard_of_is_found_all_the_same(stage: Stage, folder: Path) -> None:
    (folder / "b.yaml").write_text(replication("d"))
    assert stage.pass_time(POLL + QUIET) == 1
    assert stage.names() == ["a", "b", "c", "d"]


def test_as_long_as_nothing_changes_it_is_the_very_same_object(stage: Stage, folder: Path) -> None:
    before, status = stage.keeper.desired(), stage.keeper.status()
    stage.keeper.poke(stage.now)
    assert stage.pass_time() == 0
    (folder / "a.yaml").write_text("# a comment\n" + specs("a", "b", "c"))
    (folder / "a.yaml").rename(folder / "z.yaml")
    assert stage.pass_time() == 0
    assert stage.keeper.desired() is before
    assert stage.keeper.status() == status
    assert stage.loads.all == [True]


def test_a_simulated_host_that_moves_to_another_folder_is_a_change(
    stage: Stage, folder: Path
) -> None:
    (folder / "deep").mkdir()
    (folder / "a.yaml").rename(folder / "deep" / "a.yaml")
    assert stage.pass_time() == 1


# -- half-written ----------------------------------------------------------------------------------


def test_a_file_is_not_taken_while_it_is_written(stage: Stage, folder: Path) -> None:
    whole = specs("a", "b", "c") + "".join(replication(f"d{number}") for number in range(20))
    for end in range(0, len(whole), 300):
        (folder / "a.yaml").write_text(whole[:end])
        stage.keeper.poke(stage.now)
        assert stage.pass_time(1.0) == 0
        assert stage.names() == ["a", "b", "c"]
        assert not stage.problem
    (folder / "a.yaml").write_text(whole)
    stage.keeper.poke(stage.now)
    assert stage.pass_time(2 * QUIET) == 1
    assert len(stage.names()) == 23
    assert stage.loads.all == [True]


def test_what_one_look_alone_finds_counts_for_nothing(stage: Stage, folder: Path) -> None:
    text = (folder / "a.yaml").read_text()
    (folder / "a.yaml").unlink()
    stage.now += POLL
    assert not stage.look()
    (folder / "a.yaml").write_text(text)
    assert stage.pass_time() == 0
    assert stage.loads.all == []
    assert not stage.problem


def test_what_changes_between_the_look_and_the_reading_is_not_taken(folder: Path) -> None:
    class Swift(FolderSource):
        def read(self) -> SpecFiles:
            if not (folder / "z.yaml").exists():
                (folder / "z.yaml").write_text(replication("z")[:60])
            return super().read()

    stage = Stage(Swift(folder))
    stage.look()
    assert not stage.look()
    assert stage.loads.all == []
    (folder / "z.yaml").write_text(replication("z"))
    assert stage.pass_time() == 1
    assert stage.names() == ["a", "b", "c", "z"]


def test_specs_that_never_rest_are_a_problem_that_is_said(stage: Stage, folder: Path) -> None:
    for number in range(100):
        (folder / "b.yaml").write_text(f"# {number}\n" + replication("d"))
        stage.look()
    assert stage.names() == ["a", "b", "c"]
    assert stage.problem.startswith("the specs keep changing while they are looked at")
    assert stage.pass_time() == 1
    assert not stage.problem


# -- broken, empty, shrunken -----------------------------------------------------------------------


def test_broken_specs_leave_the_last_good_ones_in_force_and_are_said(
    stage: Stage, folder: Path
) -> None:
    loaded_at = stage.keeper.status().loaded_at
    broken = specs("a", "b", "c").replace("every: 15m", "every: 15").replace("host: vault", "to: x")
    (folder / "a.yaml").write_text(broken)
    changed_at = stage.now
    assert stage.pass_time() == 0
    assert stage.names() == ["a", "b", "c"]
    assert stage.loads.all == [False]
    status = stage.keeper.status()
    assert stage.problem == (
        f"{folder}/a.yaml:19:24: spec.source.snapshots.every: `15` has no unit. Write for example"
        " `15s` or `15m` (8 more). In force are those loaded at 2026-11-22T23:15:02Z (5 objects)."
    )
    assert status.problem_since is not None
    assert changed_at < status.problem_since <= changed_at + POLL + QUIET
    assert status.loaded_at == loaded_at

    (folder / "a.yaml").write_text(broken + "# still\n")
    stage.pass_time()
    assert stage.keeper.status().problem_since == status.problem_since

    (folder / "a.yaml").write_text(specs("a", "b", "c", "d"))
    assert stage.pass_time() == 1
    assert stage.names() == ["a", "b", "c", "d"]
    assert (stage.problem, stage.keeper.status().problem_since) == ("", None)
    assert stage.loads.all == [False, False, True]


def test_mending_by_going_back_is_no_other_set(stage: Stage, folder: Path) -> None:
    before, text = stage.keeper.desired(), (folder / "a.yaml").read_text()
    (folder / "a.yaml").write_text("kind: [")
    stage.pass_time()
    assert stage.problem
    (folder / "a.yaml").write_text(text)
    assert stage.pass_time() == 0
    assert stage.keeper.desired() is before
    assert not stage.problem
    assert stage.loads.all == [False, True]


@pytest.mark.parametrize(
    "empty",
    [
        pytest.param(lambda folder: (folder / "a.yaml").unlink(), id="no file"),
        pytest.param(shutil.rmtree, id="no folder"),
        pytest.param(lambda folder: (folder / "a.yaml").write_text(""), id="an empty file"),
        pytest.param(lambda folder: (folder / "a.yaml").write_text("# x\n"), id="comments only"),
        pytest.param(lambda folder: (folder / "a.yaml").write_text(host("x")), id="one host only"),
    ],
)
def test_an_empty_set_changes_nothing(
    stage: Stage, folder: Path, empty: Callable[[Path], object]
) -> None:
    empty(folder)
    assert stage.pass_time() == 0
    assert stage.names() == ["a", "b", "c"]
    assert stage.problem
    assert stage.loads.all == [False]


def test_a_set_that_lost_most_is_refused_until_it_is_accepted_by_its_digest(
    stage: Stage, folder: Path
) -> None:
    (folder / "a.yaml").write_text(specs("a"))
    assert stage.pass_time() == 0
    assert stage.names() == ["a", "b", "c"]
    assert stage.problem.startswith("the specs shrank: 2 of 3 replications are gone: b, c. Bring")

    stage.restart()
    assert stage.pass_time() == 1, "what was in force is in force again"
    assert stage.names() == ["a", "b", "c"]

    digits = stage.problem.partition("--accept-shrunken ")[2].partition(".")[0]
    stage.restart(accept=digits)
    stage.pass_time()
    assert stage.names() == ["a"]
    assert not stage.problem

    (folder / "a.yaml").write_text(specs())
    stage.pass_time()
    assert stage.names() == ["a"], "another set needs another word"


def test_the_rest_can_be_put_back_in_place_of_accepting(stage: Stage, folder: Path) -> None:
    (folder / "a.yaml").write_text(specs("a"))
    stage.pass_time()
    (folder / "a.yaml").write_text(specs("a", "b"))
    assert stage.pass_time() == 1
    assert stage.names() == ["a", "b"]


# -- starts ----------------------------------------------------------------------------------------


def test_broken_at_the_start_means_the_last_good_ones_and_that_is_said(
    stage: Stage, folder: Path
) -> None:
    (folder / "a.yaml").write_text("kind: [")
    stage.restart()
    assert stage.keeper.desired() is None
    assert stage.pass_time() == 1
    assert stage.names() == ["a", "b", "c"]
    assert stage.problem == (
        f"{folder}/a.yaml:2:1: this is not YAML: did not find expected node content (while parsing"
        " a flow node). In force are those loaded at 2026-11-22T23:15:02Z (5 objects)."
    )
    assert stage.keeper.status().loaded_at == START + QUIET
    (folder / "a.yaml").write_text(specs("a", "b", "d"))
    assert stage.pass_time() == 1
    assert stage.names() == ["a", "b", "d"]


def test_broken_at_the_start_without_a_store_means_nothing_is_in_force(folder: Path) -> None:
    (folder / "a.yaml").write_text("kind: [")
    stage = Stage(FolderSource(folder))
    assert stage.pass_time() == 0
    assert stage.keeper.desired() is None
    assert stage.problem.endswith("No specs are in force.")
    status = stage.keeper.status()
    assert (status.digest, status.objects, status.loaded_at) == ("", 0, 0)


def test_the_store_is_written_when_the_specs_change_and_not_otherwise(
    stage: Stage, folder: Path
) -> None:
    store = stage.store
    assert store is not None
    before = store.stat().st_ino
    stage.restart()
    stage.pass_time()
    assert store.stat().st_ino == before
    (folder / "a.yaml").write_text("kind: [")
    stage.pass_time()
    assert store.stat().st_ino == before
    (folder / "a.yaml").write_text(specs("a", "b", "c", "d"))
    stage.pass_time()
    assert '"name": "' in store.read_text()
    assert "tank/d" in store.read_text()


@pytest.mark.parametrize("text", ["", "{}", '{"format": 3}'])
def test_a_store_that_can_not_be_used_is_told_and_written_anew(
    stage: Stage, folder: Path, text: str
) -> None:
    store = stage.store
    assert store is not None
    store.write_text(text)
    stage.restart()
    (note,) = stage.notes
    assert "specs.json is not what reconciler writes" in note
    assert stage.pass_time() == 1
    (folder / "a.yaml").write_text("")
    stage.restart()
    stage.pass_time()
    assert stage.names() == ["a", "b", "c"]


def test_specs_kept_of_another_folder_are_not_taken_for_this_ones(
    stage: Stage, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.yaml").write_text(specs("x"))
    moved = Stage(FolderSource(other), stage.store)
    assert f"not of {other}" in moved.notes[0]
    assert moved.pass_time() == 1
    assert moved.names() == ["x"]


def test_a_store_that_can_not_be_written_is_told_once_and_tried_again(
    folder: Path, tmp_path: Path
) -> None:
    stage = Stage(FolderSource(folder), tmp_path / "state" / "specs.json")
    assert stage.pass_time() == 1
    assert stage.names() == ["a", "b", "c"]
    (note,) = stage.notes
    assert "specs.json can't be written: No such file or directory" in note
    (tmp_path / "state").mkdir()
    stage.pass_time(POLL)
    assert (tmp_path / "state" / "specs.json").exists()
    assert len(stage.notes) == 1


# -- git -------------------------------------------------------------------------------------------


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    files = {"specs/a.yaml": specs("a", "b", "c"), "README.md": "x"}
    return Repository.make(tmp_path / "infra", files)


@pytest.fixture
def branch(repo: Repository, tmp_path: Path) -> Stage:
    """The branch main of a repository, whose specs are in force."""
    stage = Stage(GitSource(repo.path, "main", "specs"), tmp_path / "specs.json")
    assert stage.pass_time() == 1
    stage.loads.all.clear()
    return stage


def test_the_commit_is_the_revision_and_a_new_one_is_taken(branch: Stage, repo: Repository) -> None:
    assert branch.keeper.status().revision == repo.head
    desired = branch.keeper.desired()
    assert desired is not None
    assert desired.revision == repo.head
    head = repo.commit({"specs/b.yaml": replication("d")})
    assert branch.pass_time() == 1
    assert branch.names() == ["a", "b", "c", "d"]
    assert branch.keeper.status().revision == head


def test_a_half_done_checkout_does_not_matter(branch: Stage, repo: Repository) -> None:
    (repo.path / "specs" / "a.yaml").write_text("kind: [")
    (repo.path / "specs" / "b.yaml").write_text("")
    assert branch.pass_time() == 0
    shutil.rmtree(repo.path / "specs")
    assert branch.pass_time() == 0
    assert branch.loads.all == []
    branch.restart()
    assert branch.pass_time() == 1
    assert branch.names() == ["a", "b", "c"]


def test_commits_elsewhere_move_the_revision_and_nothing_else(
    branch: Stage, repo: Repository
) -> None:
    before, loaded_at = branch.keeper.desired(), branch.keeper.status().loaded_at
    head = repo.commit({"README.md": "y"})
    assert branch.pass_time() == 0
    assert branch.keeper.desired() is before
    status = branch.keeper.status()
    assert (status.revision, status.loaded_at) == (head, loaded_at)
    repo.commit({"specs/a.yaml": "kind: ["})
    branch.pass_time()
    assert f"In force are those of {head} loaded at" in branch.problem


def test_a_broken_commit_is_not_taken_and_its_mending_is(branch: Stage, repo: Repository) -> None:
    repo.commit({"specs/a.yaml": specs("a", "b", "c").replace("15m", "often")})
    assert branch.pass_time() == 0
    assert branch.problem.startswith("specs/a.yaml:19:24: spec.source.snapshots.every: `often` is")
    assert branch.names() == ["a", "b", "c"]
    repo.commit({"specs/a.yaml": specs("a", "b", "c", "e")})
    assert branch.pass_time() == 1
    assert not branch.problem


def test_a_branch_that_is_missing_is_a_problem_until_it_is_back(
    branch: Stage, repo: Repository
) -> None:
    before = branch.keeper.desired()
    repo.git("branch", "-m", "main", "other")
    assert branch.pass_time() == 0
    assert "there is no branch, tag or commit `main`" in branch.problem
    assert branch.keeper.desired() is before
    repo.git("branch", "-m", "other", "main")
    assert branch.pass_time() == 0
    assert not branch.problem
    assert branch.keeper.desired() is before


def test_a_branch_that_is_missing_at_the_start_means_the_last_good_ones(
    branch: Stage, repo: Repository
) -> None:
    repo.git("branch", "-m", "main", "other")
    branch.restart()
    assert branch.pass_time() == 1
    assert branch.names() == ["a", "b", "c"]
    assert "there is no branch" in branch.problem


def test_a_folder_that_a_commit_lost_is_a_problem(branch: Stage, repo: Repository) -> None:
    repo.commit({"specs/a.yaml": None})
    assert branch.pass_time() == 0
    assert "there is no folder `specs` in commit" in branch.problem
    assert branch.names() == ["a", "b", "c"]


def test_a_link_in_a_commit_is_a_problem(branch: Stage, repo: Repository) -> None:
    (repo.path / "specs" / "more").symlink_to("/etc")
    repo.commit({})
    assert branch.pass_time() == 0
    assert branch.problem.startswith("specs/more:1:1: symbolic links in commits are not followed")


def test_what_can_not_be_read_for_a_while_is_tried_again(branch: Stage, repo: Repository) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", given=replication("d").encode())
    kept_away = repo.path / "blob"
    file = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    shutil.copy(file, kept_away)
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{blob},specs/d.yaml")
    repo.git("commit", "-q", "-m", "x")
    file.unlink()
    assert branch.pass_time() == 0
    assert "specs/d.yaml is not in the repository" in branch.problem
    assert 2 <= len(branch.loads.all) <= 3, "tried at each look, not faster"
    shutil.copy(kept_away, file)
    assert branch.pass_time() == 1
    assert branch.names() == ["a", "b", "c", "d"]
    assert not branch.problem


# -- the real clock --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "branch"])
def test_a_change_is_in_force_soon_without_anybody_looking_now_and_then(
    tmp_path: Path, kind: str
) -> None:
    repo = Repository.make(tmp_path / "infra", {"specs/a.yaml": specs("a")})
    source: Source = GitSource(repo.path, "main")
    if kind == "folder":
        source = FolderSource(repo.path / "specs")
    keeper = SpecKeeper(source, None, Loads(), quiet=0.2, poll=3600)

    def in_force(*names: str) -> bool:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            keeper.refresh(time.time())
            desired = keeper.desired()
            if desired is not None and tuple(desired.replications) == names:
                return True
            time.sleep(0.05)
        return False

    watched = source.watched()
    assert watched is not None
    watcher = Watcher(watched, lambda: keeper.poke(time.time()), lambda _: None)
    try:
        assert in_force("a")
        repo.commit({"specs/b.yaml": replication("b")})
        assert in_force("a", "b")
        repo.commit({"specs/b.yaml": replication("c")})
        assert in_force("a", "c")
    finally:
        watcher.close()


# -- several threads -------------------------------------------------------------------------------


def test_those_who_ask_are_not_kept_waiting_by_a_look(folder: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(FolderSource):
        def fingerprint(self) -> str:
            begun.set()
            assert go_on.wait(30)
            return super().fingerprint()

    keeper = Stage(Slow(folder)).keeper
    looking = threading.Thread(target=keeper.refresh, args=(START,))
    looking.start()
    assert begun.wait(30)
    assert keeper.desired() is None
    assert keeper.status().problem
    keeper.poke(START + 1)
    go_on.set()
    looking.join(30)
    assert keeper.next_at(START + 1) == START + 1 + QUIET


def test_a_look_is_made_by_one_thread_however_many_ask(folder: Path) -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    class Counting(FolderSource):
        def fingerprint(self) -> str:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            found = super().fingerprint()
            with lock:
                inside -= 1
            return found

    keeper = Stage(Counting(folder)).keeper
    taken: list[bool] = []

    def refresh() -> None:
        taken.extend(keeper.refresh(START + number * POLL) for number in range(20))

    threads = [threading.Thread(target=refresh) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 1
    assert taken.count(True) == 1
