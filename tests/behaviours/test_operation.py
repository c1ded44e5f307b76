"""6.8 of the list of behaviours: failures, operation, scale."""

import time
from collections.abc import Callable

import pytest

from reconciler.errors import (
    AuthenticationFailed,
    CommandTimeout,
    HostError,
    HostKeyRejected,
    OutputCut,
    Unreachable,
)
from reconciler.hosts.addresses import HostAddress, LocalAddress
from reconciler.hosts.local import LocalHost
from reconciler.hosts.script import Outcome, Script, Step
from reconciler.hosts.transcript import read
from reconciler.observed.model import Unseen
from reconciler.observed.probe import probe
from reconciler.observed.read import probe_failed
from reconciler.planner.plan import Outcome as PlanOutcome
from reconciler.planner.planning import plan
from reconciler.zfs import queries
from reconciler.zfs.errors import Reaction
from reconciler.zfs.types import Argv
from tests.behaviours.fakes import Line, Snapshots, destroy, send
from tests.behaviours.outcomes import guids
from tests.behaviours.specs import refused, replication
from tests.support.converge import converge
from tests.support.shown import steps
from tests.support.worlds import NOW, desired, fs, replica, seen, unseen, world
from tests.unit.cli.conftest import Pretended, Runner
from tests.unit.observed.recording import Recording

THREE = "web: alpha,beta,gamma tank/www keep last 1 -> vault keep last 1"


def test_h107_two_senders_converge_while_a_third_is_unreachable() -> None:
    specs = desired(THREE)
    before = world(
        seen("alpha", fs("tank/www", "@~22:00,1 @~23:00,2")),
        unseen("beta"),
        seen("gamma", fs("tank/www", "@~22:00,5 @~23:00,6")),
        seen(
            "vault",
            replica("backup/alpha/tank/www", "@~22:00,1"),
            replica("backup/beta/tank/www", "@~21:00,2 @~22:00,3"),
        ),
    )
    after = converge(specs, before, NOW)

    assert plan(specs, before, NOW).outcome is PlanOutcome.INCOMPLETE
    assert guids(after, ("vault", "backup/alpha/tank/www")) == [2]
    assert guids(after, ("vault", "backup/beta/tank/www")) == [2, 3]
    assert guids(after, ("vault", "backup/gamma/tank/www")) == [6]
    again = plan(specs, after, NOW)
    assert (again.actions, again.outcome) == ((), PlanOutcome.INCOMPLETE)


def test_h107_a_run_with_an_unreachable_host_does_not_end_with_0(
    command: Runner, hosts: Pretended
) -> None:
    hosts.observed = world(seen("alpha", fs("tank/www")), unseen("vault"))

    ran = command("apply", "--auto-approve")

    assert ran.code == 3
    assert len(hosts.executed) == 1
    assert "! vault was not seen: Connection timed out" in ran.stdout


@pytest.mark.parametrize(
    ("error", "tries", "reaction"),
    [
        (AuthenticationFailed, 1, Reaction.PERMANENT),
        (HostKeyRejected, 1, Reaction.PERMANENT),
        (Unreachable, 2, Reaction.RETRY),
        (CommandTimeout, 2, Reaction.RETRY),
    ],
)
def test_h108_a_refused_login_is_not_tried_again_and_a_broken_line_is_after_a_while(
    error: type[HostError], tries: int, reaction: Reaction
) -> None:
    asked: list[str] = []

    class Broken(Snapshots):
        def __call__(self, host: str, _script: Script) -> dict[str, Outcome]:
            asked.append(host)
            raise error(host, "it is so")

    (version,) = fs("tank/www", "@a,1").versions
    ran = destroy(Broken({}, {}), version)

    assert [(f.reaction, f.message) for f in ran.failures] == [(reaction, "alpha: it is so")]
    assert asked == ["alpha"] * tries
    assert len(ran.waited) == tries - 1
    assert all(seconds > 0 for seconds in ran.waited)


def test_h112_a_converged_world_stays_as_it_is_and_is_observed_by_eight_commands() -> None:
    specs = desired("web: alpha tank/** !tank every 15m keep last 2 -> vault keep last 3")
    sources = [fs(f"tank/a{n}", f"@~22:45,{n} @~23:00,{n + 100}") for n in range(1, 40)]
    before = world(seen("alpha", *sources), seen("vault", fs("backup")))

    once = converge(specs, before, NOW)
    assert plan(specs, once, NOW).outcome is PlanOutcome.NOTHING
    assert converge(specs, once, NOW) == once
    for roots in (["tank/a"], [f"tank/a{n}" for n in range(1000)]):
        assert len(probe(roots).steps) == 8


def test_h113_a_hundred_filesystems_with_a_hundred_snapshots_are_planned_quickly() -> None:
    specs = desired("web: alpha tank/** !tank every 15m keep last 50 -> vault keep last 99")
    hours = [f"@~11-{n // 24 + 1:02}T{n % 24:02}:00" for n in range(100)]
    history = [" ".join(f"{at},{k * 1000 + n}" for n, at in enumerate(hours)) for k in range(100)]
    before = world(
        seen("alpha", *(fs(f"tank/a{k}", history[k]) for k in range(100))),
        seen("vault", *(replica(f"backup/alpha/tank/a{k}", history[k]) for k in range(100))),
    )

    start = time.perf_counter()
    made = plan(specs, before, NOW)
    taken = time.perf_counter() - start

    assert made.summary["send"] == 100
    assert made.summary["snapshot"] == 100
    assert len(probe([f"tank/a{k}" for k in range(100)]).steps) == 8
    assert taken < 10, "measured: 0.3 s"


NONCE = "0123456789abcdef"
SCRIPT = Script((Step("list", ("zfs", "list")),))


def framed(text: str) -> str:
    """Return a step's output between the marks of a script."""
    return f"\n{NONCE} begin 0\n{text}\n{NONCE} end 0 0 0\n\n{NONCE} done\n"


def test_h114_what_a_login_prints_is_never_read_as_rows() -> None:
    noise = "Welcome!\ntank/forged\tfilesystem\n"
    outcomes = read(NONCE, noise + framed("tank\t1\n"), noise + framed(""), SCRIPT, host="alpha")

    assert outcomes.outcomes == {"list": Outcome(0, "tank\t1\n", "")}


def test_h114_a_login_that_runs_nothing_is_a_clear_error() -> None:
    with pytest.raises(OutputCut, match="This account is locked") as caught:
        read(NONCE, "This account is locked.\n", "", SCRIPT, host="alpha")

    observation = probe_failed("alpha", caught.value)
    assert "This account is locked" in observation.cause
    assert observation.remedy


LISTINGS: list[Callable[[], Argv]] = [
    lambda: queries.list_filesystems(["tank"]),
    lambda: queries.list_versions_within(["tank/a"]),
    lambda: queries.list_versions(["tank/a@x"]),
    lambda: queries.list_guids(["tank/a@x"]),
    lambda: queries.list_filesystem("tank/a"),
]


@pytest.mark.parametrize("build", LISTINGS)
def test_h115_listings_name_their_types_so_that_listsnapshots_changes_nothing(
    build: Callable[[], Argv],
) -> None:
    argv = build()
    types = argv[argv.index("-t") + 1]

    assert types in {"filesystem,volume", "snapshot,bookmark"}
    assert "-H" in argv
    assert "-o" in argv


def test_h115_numbers_are_asked_for_exactly() -> None:
    with_numbers = [*(build() for build in LISTINGS[:-1]), queries.list_pools()]

    assert all("-p" in argv for argv in with_numbers)


@pytest.mark.parametrize("language", ["de_AT.UTF-8", "ja_JP", "tr_TR.UTF-8"])
def test_h115_the_language_of_a_login_does_not_reach_the_commands(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.setenv(variable, language)
    host = LocalHost(HostAddress("here", LocalAddress()))

    ran = host.run(Script((Step("ask", ("sh", "-c", 'echo "$LC_ALL"')),)), timeout=30)

    assert ran.outcomes["ask"].stdout == "C\n"


@pytest.mark.parametrize("step", ["pools", "features", "filesystems", "versions", "holds"])
@pytest.mark.parametrize("status", [0, 255])
def test_h116_a_listing_that_is_cut_within_a_line_makes_the_host_unseen_not_empty(
    step: str, status: int
) -> None:
    whole = Recording("alpha").outcomes[step].stdout
    cut = Recording("alpha").put(
        step, stdout=whole[: len(whole) * 2 // 3].rstrip("\n"), status=status
    )

    observation = cut.read()

    assert isinstance(observation, Unseen)
    specs = desired("web: alpha tank/grammar/** keep last 1 -> vault keep last 1")
    vault = seen("vault", replica("backup/alpha/tank/grammar/www", "@~22:00,1 @~23:00,2"))
    assert steps(plan(specs, world(observation, vault), NOW)) == []


def test_h116_a_connection_that_broke_within_the_answer_makes_the_host_unseen() -> None:
    text = framed("tank\t1\n")
    for length in range(len(text)):
        with pytest.raises(OutputCut) as caught:
            read(NONCE, text[:length], framed(""), SCRIPT, host="alpha")
        assert isinstance(probe_failed("alpha", caught.value), Unseen)


def test_h118_replications_with_nested_targets_are_refused_so_they_never_run_at_once() -> None:
    (finding,) = refused(
        replication("web", filesystems="tank/www"),
        replication("sub", filesystems="tank/www/a/**", snapshots="{every: 1h, prefix: sub-}"),
    )

    assert finding.startswith(
        "a.yaml:23:28: `backup/alpha/tank/www/a` on vault would lie in a receiver of replication"
        " `web` (a.yaml:11:28)"
    )


def test_h118_a_replication_that_reads_what_another_writes_is_refused() -> None:
    (finding,) = refused(
        replication("web"),
        replication(
            "again", host="vault", filesystems="backup/alpha/**", to="beta", under="copies"
        ),
    )

    assert finding.startswith(
        "a.yaml:19:18: `backup/alpha/tank/www` on vault is selected here but belongs to a receiver"
        " of replication `web`"
    )


BUSY = Outcome(1, "cannot receive incremental stream: dataset is busy\n", "")
WELL = Outcome(0, "", "")


@pytest.mark.parametrize("times", [1, 3, 5])
def test_h119_a_busy_target_is_waited_for_longer_each_time(times: int) -> None:
    ran = send(Line(*[BUSY] * times, WELL))

    assert ran.ok
    assert list(ran.waited) == [1.0, 2.0, 4.0, 8.0, 16.0][:times]


def test_h119_a_target_that_stays_busy_is_an_error_in_the_end() -> None:
    ran = send(Line(*[BUSY] * 6))

    assert [failure.reaction for failure in ran.failures] == [Reaction.BUSY]
    assert sum(ran.waited) == 31
