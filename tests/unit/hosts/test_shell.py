"""Rendered scripts do in every POSIX shell what their steps say."""

import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.hosts.addresses import Privilege
from reconciler.hosts.locking import HostLock
from reconciler.hosts.script import (
    FieldsOf,
    Outcome,
    Printed,
    Ran,
    Script,
    Step,
    Succeeded,
    Transcript,
    Unless,
)
from reconciler.hosts.shell import privileged, quote, read, render

Run = Callable[..., Transcript]
NONCE = "0123456789abcdef"

NASTY = (
    "a b",
    "it's",
    'say "so"',
    "$HOME",
    "`id`",
    "$(id)",
    "two\nlines",
    "tab\there",
    "-n",
    "--",
    "*",
    "~",
    "#x",
    "a=b",
    "back\\slash",
    "!!",
    "%s",
    "",
    "\u00fcml\u00e4ut \u2713 \U0001f40b",
    "a\rb",
    "tank/a@x y",
)


def code(text: str) -> tuple[str, ...]:
    return ("sh", "-c", text)


def test_output_comes_back_to_the_character(run: Run) -> None:
    texts = ("", "x", "x\n", "\n", "\n\nx\n\n", "a\tb\n", "\u00fc\u2713 no newline")
    steps = [Step(f"s{i}", ("printf", "%s", text)) for i, text in enumerate(texts)]
    outcomes = run(*steps).outcomes
    assert [outcomes[f"s{i}"] for i in range(len(texts))] == [Outcome(0, t, "") for t in texts]


def test_a_kept_output_comes_back_to_the_character_too(run: Run) -> None:
    texts = ("", "x", "x\n", "\n", "\n\nx\n\n", "a\tb\n")
    steps: list[Step] = []
    for i, text in enumerate(texts):
        steps += [Step(f"s{i}", ("printf", "%s", text))]
        steps += [Step(f"t{i}", ("true",), when=Printed(f"s{i}", "x"))]
    outcomes = run(*steps).outcomes
    assert [outcomes[f"s{i}"].stdout for i in range(len(texts))] == list(texts)
    assert [f"t{i}" in outcomes for i in range(len(texts))] == [t in {"x", "x\n"} for t in texts]


@pytest.mark.parametrize("text", NASTY)
def test_a_command_reads_the_text_it_is_given_to_the_character(run: Run, text: str) -> None:
    outcomes = run(
        Step("kept", code("cat; exit 3"), stdin=f"{text}\n"),
        Step("none", ("cat",)),
        Step("seen", ("true",), when=Unless("kept", "")),
    ).outcomes
    assert outcomes["kept"] == Outcome(3, f"{text}\n", "")
    assert outcomes["none"] == Outcome(0, "", "")
    assert "seen" in outcomes


def test_what_is_done_unless_something_was_said_is_done_whatever_else_happened(run: Run) -> None:
    outcomes = run(
        Step("say", ("printf", "%s", "it's 7")),
        Step("as said", ("true",), when=Unless("say", "it's 7")),
        Step("otherwise", ("true",), when=Unless("say", "it's")),
        Step("fail", code("printf 7; exit 1")),
        Step("failed", ("true",), when=Unless("fail", "7")),
        Step("never", ("printf", "7"), when=Succeeded("fail")),
        Step("not run", ("true",), when=Unless("never", "7")),
    ).outcomes
    assert outcomes.keys() == {"say", "otherwise", "fail", "failed", "not run"}


def test_stderr_and_status_are_kept_apart_per_step(run: Run) -> None:
    outcomes = run(
        Step("a", code("echo out; echo err >&2; exit 3")),
        Step("b", code("printf only >&2")),
    ).outcomes
    assert outcomes == {"a": Outcome(3, "out\n", "err\n"), "b": Outcome(0, "", "only")}


def test_arguments_survive_whatever_they_are(run: Run) -> None:
    got = run(Step("all", ("printf", "<%s>\\n", *NASTY))).outcomes["all"]
    assert got.stdout == "".join(f"<{word}>\n" for word in NASTY)


@given(words=st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=5))
@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
def test_any_argument_survives(run: Run, words: list[str]) -> None:
    got = run(Step("all", ("printf", "<%s>\\n", "first", *words))).outcomes["all"]
    assert got.stdout == "".join(f"<{word}>\n" for word in ("first", *words))


@pytest.mark.parametrize("argv", [("exit", "3"), ("if",), ("a=b",), ("{",), ("no such program",)])
def test_a_strange_program_name_harms_only_its_own_step(run: Run, argv: tuple[str, ...]) -> None:
    outcomes = run(Step("strange", argv), Step("next", ("echo", "fine"))).outcomes
    assert outcomes["strange"].status == (3 if argv[0] == "exit" else 127)
    assert outcomes["next"] == Outcome(0, "fine\n", "")


def test_stdin_of_a_step_is_empty(run: Run) -> None:
    assert run(Step("cat", ("cat",))).outcomes == {"cat": Outcome(0, "", "")}


def test_an_end_by_a_signal_is_a_negative_status(run: Run) -> None:
    outcome = run(Step("killed", code("kill -9 $$"))).outcomes["killed"]
    assert outcome.status == -9


def test_the_environment_makes_output_predictable(run: Run) -> None:
    outcome = run(Step("env", ("env",))).outcomes["env"]
    variables = dict(line.split("=", 1) for line in outcome.stdout.splitlines() if "=" in line)
    assert (variables["LC_ALL"], variables["TZ"]) == ("C", "UTC")
    assert variables["PATH"].endswith(":/usr/local/sbin:/usr/sbin:/sbin")


def test_variables_that_change_what_zfs_prints_are_unset(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZFS_COLOR", "1")
    assert "ZFS_COLOR" not in run(Step("env", ("env",))).outcomes["env"].stdout


class TestConditions:
    def test_a_step_runs_only_after_success(self, run: Run) -> None:
        outcomes = run(
            Step("good", ("true",)),
            Step("bad", ("false",)),
            Step("after good", ("echo", "1"), when=Succeeded("good")),
            Step("after bad", ("echo", "2"), when=Succeeded("bad")),
            Step("after none", ("echo", "3"), when=Succeeded("after bad")),
        ).outcomes
        assert list(outcomes) == ["good", "bad", "after good"]

    @pytest.mark.parametrize("text", NASTY)
    def test_printed_compares_exactly(self, run: Run, text: str) -> None:
        outcomes = run(
            Step("say", ("printf", "%s\\n", text)),
            Step("equal", ("true",), when=Printed("say", text)),
            Step("longer", ("true",), when=Printed("say", text + "x")),
            Step("blank", ("true",), when=Printed("say", text + " ")),
            Step("star", ("true",), when=Printed("say", "**")),
        ).outcomes
        assert list(outcomes) == ["say", "equal"]

    def test_ran_asks_for_no_success(self, run: Run) -> None:
        outcomes = run(
            Step("no", ("false",)),
            Step("never", ("true",), when=Succeeded("no")),
            Step("after", ("true",), when=Ran("no")),
            Step("after never", ("true",), when=Ran("never")),
        ).outcomes
        assert list(outcomes) == ["no", "after"]

    def test_printed_needs_success_too(self, run: Run) -> None:
        outcomes = run(
            Step("say", code("echo 7; exit 1")), Step("act", ("true",), when=Printed("say", "7"))
        ).outcomes
        assert list(outcomes) == ["say"]

    def test_one_newline_too_many_is_not_equal(self, run: Run) -> None:
        outcomes = run(
            Step("say", ("printf", "7\\n\\n")), Step("act", ("true",), when=Printed("say", "7"))
        ).outcomes
        assert list(outcomes) == ["say"]


class TestFieldsOf:
    ROWS = (
        "a b\t0\t1\nit's\t1\t0\n$x\t3\t18446744073709551615\nno\t4\t-1\n"
        "-n\t5\t007\nshort\nz\t6\t1x\n"
    )

    def test_takes_one_field_of_the_rows_that_count(self, run: Run) -> None:
        outcomes = run(
            Step("rows", ("printf", "%s", self.ROWS)),
            Step("use", ("printf", "<%s>\\n", "--"), more=FieldsOf("rows", take=0, positive=2)),
        ).outcomes
        assert outcomes["rows"].stdout == self.ROWS
        assert outcomes["use"] == Outcome(0, "<-->\n<a b>\n<$x>\n<-n>\n", "")

    def test_with_no_row_that_counts_the_step_is_a_success_without_output(self, run: Run) -> None:
        outcomes = run(
            Step("rows", ("printf", "a\\t0\\n")),
            Step("use", ("false",), more=FieldsOf("rows", take=0, positive=1)),
            Step("on", ("true",), when=Printed("use", "")),
        ).outcomes
        assert outcomes["use"] == Outcome(0, "", "")
        assert "on" in outcomes

    def test_rows_count_whatever_the_status_of_their_step(self, run: Run) -> None:
        outcomes = run(
            Step("rows", code("printf 'a\\t1\\n'; exit 1")),
            Step("use", ("echo",), more=FieldsOf("rows", take=0, positive=1)),
        ).outcomes
        assert outcomes["use"] == Outcome(0, "a\n", "")

    def test_without_its_source_the_step_is_not_run(self, run: Run) -> None:
        outcomes = run(
            Step("no", ("false",)),
            Step("rows", ("echo",), when=Succeeded("no")),
            Step("use", ("echo",), more=FieldsOf("rows", take=0, positive=1)),
        ).outcomes
        assert list(outcomes) == ["no"]

    def test_more_arguments_than_one_command_takes_are_spread(
        self, run: Run, shell_argv: tuple[str, ...]
    ) -> None:
        outcomes = run(
            Step("rows", ("awk", 'BEGIN { for (i = 1; i < 60000; i++) print "name " i "\\t" i }')),
            Step("use", ("printf", "%s\\n"), more=FieldsOf("rows", take=0, positive=1)),
        ).outcomes
        if shell_argv[0] == "mksh":  # Its printf is a program, which can't take that much.
            assert (outcomes["rows"].status, outcomes["use"].stdout) == (126, "")
        else:
            assert outcomes["use"].stdout == "".join(f"name {i}\n" for i in range(1, 60000))

    def test_without_awk_the_step_fails_and_is_not_taken_for_empty(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = tmp_path / "awk"
        broken.write_text("#!/bin/sh\necho broken >&2; exit 2\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        outcomes = run(
            Step("rows", ("printf", "a\\t1\\n")),
            Step("use", ("echo",), more=FieldsOf("rows", take=0, positive=1)),
        ).outcomes
        assert outcomes["use"] == Outcome(2, "", "broken\n")

    def test_a_failing_command_fails_the_step(self, run: Run) -> None:
        outcomes = run(
            Step("rows", ("printf", "a\\t1\\n")),
            Step("use", ("false",), more=FieldsOf("rows", take=0, positive=1)),
        ).outcomes
        assert outcomes["use"].status == 123


class TestInto:
    def test_both_statuses_and_all_outputs_are_kept(self, run: Run) -> None:
        first = code("echo progress >&2; printf data; exit 3")
        second = code("cat; printf ' received' >&2; exit 4")
        outcome = run(Step("stream", first, into=second)).outcomes["stream"]
        assert outcome == Outcome(4, "data received", "progress\n", first_status=3)

    @pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 1), (1, 0), (1, 1)])
    def test_succeeded_means_both(self, run: Run, first: int, second: int) -> None:
        outcomes = run(
            Step("stream", code(f"exit {first}"), into=code(f"cat; exit {second}")),
            Step("after", ("true",), when=Succeeded("stream")),
        ).outcomes
        assert ("after" in outcomes) == outcomes["stream"].ok == (first == second == 0)

    def test_when_the_second_ends_early_the_first_gets_sigpipe(self, run: Run) -> None:
        outcome = run(Step("stream", ("yes",), into=("head", "-c", "2"))).outcomes["stream"]
        assert (outcome.status, outcome.stdout) == (0, "y\n")
        assert outcome.first_status in {-13, 1}  # 1: ksh93 makes its pipes from sockets

    def test_bytes_pass_unchanged(self, run: Run) -> None:
        sum_of = "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
        make = "import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(3000000))"
        stream = Step("stream", ("python3", "-c", make), into=("python3", "-c", sum_of))
        wanted = subprocess.run(
            ["sh", "-c", f"python3 -c '{make}' | python3 -c '{sum_of}'"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert run(stream).outcomes["stream"].stdout == wanted.stdout

    def test_a_program_that_is_missing_is_the_steps_failure(self, run: Run) -> None:
        outcome = run(Step("stream", ("no-such-a",), into=("no-such-b",))).outcomes["stream"]
        assert (outcome.first_status, outcome.status) == (127, 127)
        assert "no-such-a" in outcome.stderr
        assert "no-such-b" in outcome.stdout


class TestPrivilege:
    @pytest.fixture(autouse=True)
    def _programs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("sudo", "doas", "zfs", "zpool"):
            program = tmp_path / name
            program.write_text(f'#!/bin/sh\necho "{name}: $*"\ncase {name} in sudo) cat; esac\n')
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    @pytest.mark.parametrize("privilege", [Privilege.SUDO, Privilege.DOAS])
    def test_zfs_and_zpool_get_a_prefix_and_nothing_else_does(
        self, run: Run, privilege: Privilege
    ) -> None:
        outcomes = run(
            Step("zfs", ("zfs", "list", "a b")),
            Step("zpool", ("zpool", "list")),
            Step("other", ("echo", "zfs")),
            privilege=privilege,
        ).outcomes
        assert [outcome.stdout for outcome in outcomes.values()] == [
            f"{privilege}: -n zfs list a b\n",
            f"{privilege}: -n zpool list\n",
            "zfs\n",
        ]

    def test_both_ends_of_a_stream_get_it(self, run: Run) -> None:
        step = Step("stream", ("zfs", "send", "a@b"), into=("zfs", "receive", "c"))
        outcome = run(step, privilege=Privilege.SUDO, mutates=True).outcomes["stream"]
        assert outcome.stdout == "sudo: -n zfs receive c\nsudo: -n zfs send a@b\n"

    def test_without_privilege_nothing_changes(self) -> None:
        assert privileged(("zfs", "list"), Privilege.NONE) == ("zfs", "list")


class TestLifeline:
    def test_a_script_at_its_end_leaves_no_process_behind(
        self, shell_argv: tuple[str, ...]
    ) -> None:
        text = render(Script((Step("a", ("true",)),)), nonce=NONCE, privilege=Privilege.NONE)
        shell = started(shell_argv, text)
        assert shell.stdout is not None
        shell.stdout.read()
        shell.wait()
        assert group_of(shell.pid) == set()
        close(shell)

    def test_when_stdin_ends_the_commands_are_ended(self, shell_argv: tuple[str, ...]) -> None:
        step = Step("stream", ("/bin/sleep", "1000"), into=("/bin/sleep", "1000"))
        text = render(Script((step,)), nonce=NONCE, privilege=Privilege.NONE)
        shell = started(shell_argv, text)
        wait_until(lambda: sleepers(shell.pid) == 2)
        assert shell.stdin is not None
        shell.stdin.close()
        wait_until(lambda: sleepers(shell.pid) == 0)
        assert shell.wait(30) != 0
        close(shell)

    @pytest.mark.parametrize("is_locked", [False, True])
    def test_what_has_to_finish_goes_on_when_nobody_listens_any_more(
        self, shell_argv: tuple[str, ...], tmp_path: Path, *, is_locked: bool
    ) -> None:
        begun, go_on, done = (tmp_path / name for name in ("begun", "go_on", "done"))
        wait = f"echo hear me; : >{begun}; while [ ! -e {go_on} ]; do sleep 0.05; done; exit 3"
        first = Step("wait", code(f"trap '' PIPE\n{wait}"))
        then = Step("then", code(f"trap '' PIPE; echo and me; : >{done}"), when=Ran("wait"))
        lock = HostLock("ada", "ada", folders=(str(tmp_path),)) if is_locked else None
        script = Script((first, then), mutates=True, finishes=True)
        shell = started(
            shell_argv, render(script, nonce=NONCE, privilege=Privilege.NONE, lock=lock)
        )
        wait_until(begun.exists)
        close(shell)
        go_on.touch()
        wait_until(done.exists)
        assert shell.wait(30) == 0


def started(argv: tuple[str, ...], text: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    shell = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    assert shell.stdin is not None
    shell.stdin.write(text.encode())
    shell.stdin.flush()
    return shell


def close(shell: subprocess.Popen[bytes]) -> None:
    for stream in (shell.stdin, shell.stdout, shell.stderr):
        assert stream is not None
        stream.close()


def group_of(leader: int) -> set[int]:
    """Return the living processes of a process group."""
    return {pid for pid, group in _living() if group == leader}


def sleepers(leader: int) -> int:
    """Return how many of the `/bin/sleep 1000` of a process group live."""
    count = 0
    for pid in group_of(leader):
        with suppress(OSError):
            count += Path(f"/proc/{pid}/cmdline").read_text() == "/bin/sleep\x001000\x00"
    return count


def _living() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if state != "Z":
                    yield int(entry.name), int(group)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 45
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestCutText:
    STEPS = (
        Step("mark", ("touch", "ran 'it'")),
        Step("rows", ("printf", "a\\t1\\n")),
        Step("stream", ("touch", "ran too"), into=("touch", "ran three")),
        Step("more", ("touch",), when=Printed("rows", "a\t1"), more=FieldsOf("rows", 0, 1)),
    )

    def test_a_text_that_is_cut_anywhere_runs_nothing(
        self, shell_argv: tuple[str, ...], tmp_path: Path
    ) -> None:
        text = render(Script(self.STEPS), nonce=NONCE, privilege=Privilege.NONE)
        stride = 1 if shell_argv[0] == "/bin/sh" else 41
        cuts, ran = tmp_path / "cuts", tmp_path / "ran"
        for folder in (cuts, ran):
            folder.mkdir()
        lengths = [*range(0, len(text) - 1, stride), len(text) - 2]
        for length in lengths:
            (cuts / str(length)).write_text(text[:length])
        # One shell starts all the others, much sooner than we would; it names those that ran.
        each = (
            f'{quote(shell_argv)} <"$cut" >/dev/null 2>&1; set -- *; [ ! -e "$1" ] || echo "$cut"'
        )
        done = subprocess.run(
            ["/bin/sh", "-c", f"for cut in ../cuts/*; do {each}; done; echo all"],
            cwd=ran,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        assert done.stdout == "all\n", done.stderr
        assert len(list(cuts.iterdir())) == len(set(lengths)) > len(text) / stride - 2

    def test_only_the_last_newline_may_be_missing(self) -> None:
        text = render(Script((Step("a", ("true",)),)), nonce=NONCE, privilege=Privilege.NONE)
        assert text.endswith("}\n")


class TestMistakes:
    def test_a_nul_character_is_refused(self) -> None:
        with pytest.raises(ValueError, match="NUL"):
            quote(("echo", "a\0b"))

    @pytest.mark.parametrize(
        ("steps", "message"),
        [
            pytest.param([Step("a", ("x",)), Step("a", ("x",))], "two steps", id="same name"),
            pytest.param([Step("a", ("x",), when=Succeeded("b"))], "not before", id="unknown"),
            pytest.param(
                [
                    Step("a", ("x",), into=("y",)),
                    Step("b", ("x",), when=Printed("a", "")),
                ],
                "output of a stream",
                id="stream",
            ),
            pytest.param([Step("a", ("zfs", "destroy", "x"))], "changes", id="no mutation"),
            pytest.param(
                [Step("a", ("zfs", "send", "x"), into=("zfs", "receive", "y"))],
                "changes",
                id="no mutation by a stream",
            ),
        ],
    )
    def test_a_script_without_meaning_is_refused(self, steps: list[Step], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            render(Script(tuple(steps)), nonce=NONCE, privilege=Privilege.NONE)


def test_what_a_login_prints_before_the_script_is_not_output() -> None:
    text = render(Script((Step("a", ("echo", "x")),)), nonce=NONCE, privilege=Privilege.NONE)
    shell = ["sh", "-c", "printf 'banner without newline'; echo oops >&2; exec /bin/sh"]
    with subprocess.Popen(shell, stdin=-1, stdout=-1, stderr=-1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(text.encode())
        process.stdin.flush()
        stdout, stderr = process.stdout.read().decode(), process.stderr.read().decode()
    transcript = read(NONCE, stdout, stderr, Script((Step("a", ("echo", "x")),)), host="h")
    assert transcript.outcomes == {"a": Outcome(0, "x\n", "")}
