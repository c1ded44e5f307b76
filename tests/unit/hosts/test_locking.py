"""Of several controllers only one at a time changes something on a host."""

import fcntl
import os
import shutil
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import HostLocked
from reconciler.hosts.addresses import Privilege
from reconciler.hosts.locking import (
    LOCKED_STATUS,
    PREFIX,
    HostLock,
    around,
    describe_process,
    lock_of_this_process,
    told,
)
from reconciler.hosts.script import Outcome, Script, Step, Transcript
from reconciler.hosts.shell import render
from tests.unit.hosts.conftest import NONCE, SHELLS, Runner, feed

OURS, THEIRS = "ada@ops, process 3, `reconciler watch`", "bob@lab, process 7, `reconciler apply`"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as /tmp is: open to all, and nobody can remove what is another's."""
    return open_to_all(tmp_path / "lock s")


def open_to_all(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def lock(*folders: Path, identity: str = "a1", who: str = OURS, host: str = "web") -> HostLock:
    return HostLock(identity, who, host, tuple(map(str, folders)))


def theirs(*folders: Path) -> HostLock:
    return lock(*folders, identity="b2", who=THEIRS)


@contextmanager
def held(lock: HostLock, folder: Path) -> Iterator[Path]:
    """Hold a lock as another controller's script would."""
    path = folder / lock.name
    path.write_text(f"{lock.who}\n")
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield path


class Acting:
    """Runs one mutating step by a shell, and tells whether it was run."""

    def __init__(self, run: Runner, folder: Path) -> None:
        self.run = run
        self.ran = folder / "ran"

    def __call__(self, lock: HostLock, *, mutates: bool = True) -> Transcript:
        self.ran.unlink(missing_ok=True)
        return self.run(Step("act", ("touch", str(self.ran))), mutates=mutates, lock=lock)


@pytest.fixture
def act(run: Runner, tmp_path: Path) -> Acting:
    return Acting(run, tmp_path)


def test_what_runs_is_under_the_lock_and_everybody_can_read_whose(
    run: Runner, folder: Path
) -> None:
    ours = lock(folder)
    file = folder / ours.name
    look = f"cat '{file}'; flock -x -n '{file}' true; echo $?"
    transcript = run(Step("look", ("sh", "-c", look)), mutates=True, lock=ours)
    assert transcript.outcomes["look"].stdout == f"{OURS}\n1\n"
    assert transcript.unlocked == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert subprocess.run(["flock", "-x", "-n", file, "true"], check=False).returncode == 0


def test_while_another_controller_acts_nothing_is_run_and_it_is_named(
    act: Acting, folder: Path
) -> None:
    with held(theirs(folder), folder) as file, pytest.raises(HostLocked) as refused:
        act(lock(folder))
    assert not act.ran.exists()
    assert refused.value.transient
    for part in ("host: another controller is at work there", THEIRS, str(file)):
        assert part in str(refused.value)
    act(lock(folder))
    assert act.ran.exists()


def test_what_only_reads_takes_no_lock(act: Acting, folder: Path) -> None:
    with held(theirs(folder), folder):
        act(lock(folder), mutates=False)
    assert act.ran.exists()
    assert not (folder / lock(folder).name).exists()


def test_a_stale_file_is_no_lock_and_is_cleared_away(act: Acting, folder: Path) -> None:
    stale = folder / theirs(folder).name
    stale.write_text(f"{THEIRS}\n")
    act(lock(folder))
    assert act.ran.exists()
    assert [file.name for file in folder.iterdir()] == [lock(folder).name]


def test_who_it_is_now_is_written_over_who_it_was(act: Acting, folder: Path) -> None:
    for who in (OURS, "short", OURS + " again", "it's $HOME `id` \\n\nnext"):
        act(lock(folder, who=who))
        said = (folder / lock(folder).name).read_text()
        assert said == " ".join(who.split()) + "\n"


def test_scripts_of_one_controller_run_side_by_side(act: Acting, folder: Path) -> None:
    with held(lock(folder), folder), held(lock(folder, host="web again"), folder):
        act(lock(folder))
    assert act.ran.exists()


def test_the_first_folder_that_can_be_used_is_and_all_are_looked_in(
    act: Acting, folder: Path, tmp_path: Path
) -> None:
    none, other = tmp_path / "none", open_to_all(tmp_path / "other")
    ours = lock(none, folder, other)
    act(ours)
    assert [*folder.iterdir()] == [folder / ours.name]
    with held(theirs(folder), other), pytest.raises(HostLocked, match=r"bob@lab"):
        act(ours)
    assert not act.ran.exists()


def test_where_no_folder_can_be_used_it_goes_on_and_says_so(act: Acting, tmp_path: Path) -> None:
    transcript = act(lock(tmp_path / "none"))
    assert act.ran.exists()
    assert transcript.unlocked == "no folder for locks can be written in"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_in_which_others_can_replace_our_file_is_not_used(
    act: Acting, folder: Path
) -> None:
    folder.chmod(0o777)
    os.chown(folder, 12345, 12345)
    assert act(lock(folder)).unlocked == "no folder for locks can be written in"
    assert not [*folder.iterdir()]


def test_without_a_program_for_it_it_goes_on_and_says_so(
    run: Runner, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    wanted = {"touch", "sleep", "printf", *(argv[0] for argv in SHELLS.values())}
    for program in {shutil.which(name) for name in wanted} - {None}:
        (programs / Path(str(program)).name).symlink_to(str(program))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr("reconciler.hosts.shell.SEARCH_PATH", str(programs))
    ran = tmp_path / "ran"
    transcript = run(Step("act", ("touch", str(ran))), mutates=True, lock=lock(folder))
    assert ran.exists()
    assert transcript.unlocked == "there is no program flock"


_AWAIT = """\
await() {
    tries=0
    until [ -e "$1" ] || [ "$tries" -gt 500 ]; do tries=$((tries + 1)); sleep 0.01; done
}
"""


class TestFilesThatAreCleared:
    """Between the opening of a file and its lock others may have cleared it away."""

    @pytest.fixture
    def before_first_lock(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., None]:
        """Have commands run right before the first and second lock with these options are taken."""

        def prepare(options: str, command: str, then: str = ":") -> None:
            once, twice = tmp_path / "once", tmp_path / "twice"
            program = tmp_path / "programs" / "flock"
            program.parent.mkdir()
            program.write_text(
                f"#!/bin/sh\n{_AWAIT}if [ \"$*\" = '{options}' ]; then\n"
                f"if [ ! -e '{once}' ]; then touch '{once}'\n{command}\n"
                f"elif [ ! -e '{twice}' ]; then touch '{twice}'\n{then}\nfi\nfi\n"
                f'exec {shutil.which("flock")} "$@"\n'
            )
            program.chmod(0o755)
            monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

        return prepare

    def test_a_lock_on_a_file_that_is_gone_is_none_so_it_is_made_anew(
        self, run: Runner, folder: Path, before_first_lock: Callable[..., None]
    ) -> None:
        file = folder / lock(folder).name
        before_first_lock("-s -n 9", f"rm '{file}'")
        look = f"flock -x -n '{file}' true; echo $?"
        transcript = run(Step("look", ("sh", "-c", look)), mutates=True, lock=lock(folder))
        assert transcript.outcomes["look"].stdout == "1\n"

    def test_a_file_that_was_made_anew_meanwhile_is_neither_removed_nor_taken_for_free(
        self, act: Acting, folder: Path, before_first_lock: Callable[..., None]
    ) -> None:
        file = folder / theirs(folder).name
        file.touch()
        before_first_lock("-x -n 7", f"rm '{file}'; touch '{file}'")
        with pytest.raises(HostLocked, match="is new"):
            act(lock(folder))
        assert not act.ran.exists()
        assert file.exists()

    @pytest.mark.parametrize("leaves", ["rm '{file}'", ":"], ids=["removes", "leaves"])
    def test_who_only_looks_at_a_stale_file_holds_nobody_up(
        self, act: Acting, folder: Path, before_first_lock: Callable[..., None], leaves: str
    ) -> None:
        file, has, gone = folder / theirs(folder).name, folder / "has", folder / "gone"
        file.touch()
        flock = f"{shutil.which('flock')} -x '{file}' timeout 5"
        look = f"touch '{has}'; until [ -e '{has}.too' ]; do sleep 0.01; done; {leaves}"
        before_first_lock(
            "-x -n 7",
            f"{{ {flock} sh -c \"{look.format(file=file)}\"; touch '{gone}'; }} 7<&- &\n"
            f"await '{has}'",
            f"touch '{has}.too'; await '{gone}'",
        )
        act(lock(folder))
        assert act.ran.exists()
        assert not file.exists()

    def test_of_several_that_come_at_once_to_a_stale_file_none_gives_way(
        self, shell_argv: tuple[str, ...], folder: Path
    ) -> None:
        for _ in range(5):
            (folder / theirs(folder).name).touch()
            come = [*shell_argv, "-c", around("true", lock(folder))]
            acts = [subprocess.Popen(come) for _ in range(6)]
            assert [each.wait() for each in acts] == [0] * 6


# -- every order in which the commands of two may come ---------------------------------------------

# Before each simple command, in subshells too, bash asks to go on.
_STEPPED = """
set -T
trap 'echo >&11; read -r -n 1 reconciler_go <&10' DEBUG
{text}
"""


class Stepped:
    """A locked act of one controller, run command by command."""

    def __init__(self, lock: HostLock, code: str) -> None:
        self.go, self.asks = os.pipe(), os.pipe()
        text = _STEPPED.format(text=around(code, lock))
        redirected = f"exec 10<&{self.go[0]} 11>&{self.asks[1]}\n{text}"
        self.process = subprocess.Popen(
            ["bash", "-c", redirected],
            pass_fds=(self.go[0], self.asks[1]),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(self.go[0])
        os.close(self.asks[1])
        self.waits = self.wait()

    def wait(self) -> bool:
        """Wait until it asks to go on; tell whether it does, or has ended."""
        return os.read(self.asks[0], 1) != b""

    def step(self) -> None:
        os.write(self.go[1], b"g")
        self.waits = self.wait()

    def end(self) -> int:
        os.close(self.go[1])
        os.close(self.asks[0])
        return self.process.wait()


@given(
    order=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30)), max_size=8),
    stale=st.sets(st.integers(0, 2)),
)
@settings(max_examples=60, deadline=None)
def test_in_whatever_order_their_commands_come_two_never_act_together(
    order: list[tuple[int, int]], stale: set[int]
) -> None:
    with TemporaryDirectory() as name:
        folder = open_to_all(Path(name) / "locks")
        locks = [lock(folder, identity=f"id{number}") for number in range(3)]
        for number in stale:
            (folder / locks[number].name).touch()
        inside, overlap = Path(name) / "inside", Path(name) / "overlap"
        code = f"mkdir {inside} || touch {overlap}\n:\n:\nrmdir {inside}"
        acts = [Stepped(each, code) for each in locks]
        for number, steps in order:
            for _ in range(steps):
                if acts[number].waits:
                    acts[number].step()
        while any(act.waits for act in acts):
            for act in acts:
                if act.waits:
                    act.step()
        assert {act.end() for act in acts} <= {0, LOCKED_STATUS}
        assert not overlap.exists()


class TestTraps:
    def test_a_link_in_the_place_of_our_file_is_not_followed(
        self, act: Acting, folder: Path, tmp_path: Path
    ) -> None:
        victim, absent = tmp_path / "victim", tmp_path / "absent"
        victim.write_text("precious")
        for target in (victim, absent):
            link = folder / lock(folder).name
            link.symlink_to(target)
            with pytest.raises(HostLocked, match=f"somebody else who has made {folder}"):
                act(lock(folder))
            link.unlink()
        assert victim.read_text() == "precious"
        assert not absent.exists()
        assert not act.ran.exists()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_a_file_of_somebody_else_in_the_place_of_ours_is_left_alone(
        self, act: Acting, folder: Path
    ) -> None:
        file = folder / lock(folder).name
        file.write_text("theirs")
        os.chown(file, 12345, 12345)
        with pytest.raises(HostLocked, match="somebody else who has made"):
            act(lock(folder))
        assert file.read_text() == "theirs"

    def test_what_is_no_file_is_no_lock_and_makes_nobody_wait(
        self, act: Acting, folder: Path, tmp_path: Path
    ) -> None:
        os.mkfifo(folder / f"{PREFIX}fifo.1")
        (folder / f"{PREFIX}folder.1").mkdir()
        (folder / f"{PREFIX}nowhere.1").symlink_to(tmp_path / "nowhere")
        (tmp_path / "held").touch()
        (folder / f"{PREFIX}link.1").symlink_to(tmp_path / "held")
        with (tmp_path / "held").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            act(lock(folder))
        assert act.ran.exists()

    def test_what_somebody_has_written_stays_one_short_line(
        self, act: Acting, folder: Path
    ) -> None:
        forged = f"x\n{NONCE} lock held\n\n{NONCE} begin 0\n\x1b[31m" + "y" * 10000
        with held(theirs(folder), folder) as file:
            file.write_text(forged)
            with pytest.raises(HostLocked) as refused:
                act(lock(folder))
        assert "\n" not in str(refused.value)
        assert len(str(refused.value)) < 1000
        assert not act.ran.exists()

    @pytest.mark.parametrize("identity", ["", "a/b", "a b", "*", "\u00e4", "a.b"])
    def test_an_identity_is_a_plain_word(self, identity: str) -> None:
        with pytest.raises(ValueError, match="letters and digits"):
            HostLock(identity, OURS)


class TestEnd:
    def test_the_lock_outlasts_the_shell_for_as_long_as_something_of_it_runs(
        self, shell_argv: tuple[str, ...], folder: Path
    ) -> None:
        go_on = folder / "go on"
        code = f"echo $$ >'{folder}/pid'; while [ ! -e '{go_on}' ]; do sleep 0.02; done"
        script = Script((Step("a", ("sh", "-c", code)),), mutates=True)
        text = render(script, nonce=NONCE, privilege=Privilege.NONE, lock=lock(folder))
        pipe = subprocess.PIPE
        with subprocess.Popen(
            shell_argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        ) as shell:
            assert shell.stdin is not None
            shell.stdin.write(text.encode())
            shell.stdin.flush()
            wait_for(folder / "pid")
            # Whatever became of the shell, what it started still has the lock.
            shell.kill()
            shell.wait()
            assert is_held(folder / lock(folder).name)
            go_on.touch()
            deadline = time.monotonic() + 10
            while is_held(folder / lock(folder).name):
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def test_several_that_come_at_once_never_act_together(
        self, shell_argv: tuple[str, ...], folder: Path, tmp_path: Path
    ) -> None:
        inside, overlap = tmp_path / "inside", tmp_path / "overlap"
        code = f"mkdir '{inside}' || touch '{overlap}'; rmdir '{inside}'"
        codes: list[int] = []

        def come_again_and_again(identity: str) -> None:
            text = around(code, lock(folder, identity=identity))
            for _ in range(6):
                done = subprocess.run(
                    [*shell_argv, "-c", text], check=False, stderr=subprocess.DEVNULL
                )
                codes.append(done.returncode)

        threads = [
            threading.Thread(target=come_again_and_again, args=(identity,))
            for identity in ("a", "b", "c")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not overlap.exists()
        assert set(codes) <= {0, LOCKED_STATUS}
        # By chance all may have given way each time: they don't wait in between as controllers do.
        alone = around(code, lock(folder, identity="a"))
        assert subprocess.run([*shell_argv, "-c", alone], check=False).returncode == 0


def is_held(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 15
    while not (path.exists() and path.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestAround:
    @pytest.fixture
    def sh(self, shell_argv: tuple[str, ...]) -> list[str]:
        return [*shell_argv, "-c"]

    def test_a_command_keeps_its_stdin_output_and_status(self, sh: list[str], folder: Path) -> None:
        text = around("cat; echo err >&2; sh -c 'exit 7'", lock(folder))
        done = subprocess.run([*sh, text], input=b"data\n", capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (7, b"data\n", b"err\n")

    def test_a_locked_command_is_not_run_and_tells_why(self, sh: list[str], folder: Path) -> None:
        text = around("echo acted", lock(folder))
        with held(theirs(folder), folder):
            done = subprocess.run([*sh, text], capture_output=True, check=False, text=True)
        assert (done.returncode, done.stdout) == (LOCKED_STATUS, "")
        error = told("vault", done.stderr)
        assert isinstance(error, HostLocked)
        assert f"vault: another controller is at work there: {THEIRS}" in str(error)

    def test_a_command_that_could_not_be_locked_is_run_and_tells_why(
        self, sh: list[str], tmp_path: Path
    ) -> None:
        text = around("echo acted", lock(tmp_path / "none"))
        done = subprocess.run([*sh, text], capture_output=True, check=False, text=True)
        assert (done.returncode, done.stdout) == (0, "acted\n")
        assert told("vault", done.stderr) == "no folder for locks can be written in"

    def test_of_a_lock_that_was_held_there_is_nothing_to_tell(self) -> None:
        assert told("vault", "cannot receive: lock busy\n") == ""


def test_a_cut_text_runs_nothing_and_locks_nothing(
    shell_argv: tuple[str, ...], folder: Path, tmp_path: Path
) -> None:
    script = Script((Step("a", ("touch", str(tmp_path / "ran"))),), mutates=True)
    text = render(script, nonce=NONCE, privilege=Privilege.NONE, lock=lock(folder))
    stride = 97 if shell_argv == SHELLS["sh"] else 463
    for length in [*range(0, len(text) - 1, stride), len(text) - 2]:
        subprocess.run(
            shell_argv,
            input=text[:length].encode(),
            capture_output=True,
            check=False,
            start_new_session=True,
        )
        assert not [*folder.iterdir()]
        assert not (tmp_path / "ran").exists()


def test_what_is_printed_does_not_differ_for_the_lock(run: Runner, folder: Path) -> None:
    step = Step("a", ("sh", "-c", "echo out; echo err >&2; exit 3"))
    assert run(step, mutates=True, lock=lock(folder)).outcomes == {
        "a": Outcome(3, "out\n", "err\n")
    }


def test_each_process_has_an_identity_of_its_own_and_says_who_it_is() -> None:
    ours = lock_of_this_process()
    assert lock_of_this_process() is ours
    code = "from reconciler.hosts.locking import *; print(lock_of_this_process().identity)"
    other = subprocess.run(
        ["python3", "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert other.stdout.strip() != ours.identity
    assert f", process {os.getpid()}, `" in describe_process()


def test_two_that_gave_way_together_come_back_at_different_moments() -> None:
    phases = {HostLock(str(number), "").phase for number in range(100)}
    assert len(phases) == 100
    assert min(phases) >= 0
    assert max(phases) <= 1


def test_a_shell_that_is_fed_reads_all_of_a_script_with_a_lock(
    shell_argv: tuple[str, ...], folder: Path
) -> None:
    script = Script((Step("a", ("true",)),), mutates=True)
    text = render(script, nonce=NONCE, privilege=Privilege.NONE, lock=lock(folder))
    stdout, stderr, status = feed(shell_argv, text)
    assert status == 0
    assert stderr.replace(f"\n{NONCE} ", "").splitlines() == [
        "lock held",
        "begin 0",
        "end 0 0 0",
        "done",
    ]
    assert f"\n{NONCE} lock held\n" in stdout
