"""6.1 of the list of behaviours: selection and validation."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.actions import Snapshot
from reconciler.desired.model import Snapshots
from reconciler.hosts.addresses import HostAddress, LocalAddress
from reconciler.hosts.local import LocalHost
from reconciler.hosts.script import Script, Step
from reconciler.observed.model import Observation
from reconciler.planner.marks import snapshot_name, snapshot_time
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from tests.behaviours.specs import accepted, refused, replication, resolved
from tests.support.shown import notes, steps
from tests.support.worlds import NOW, desired, fs, instant, placeholder, replica, seen, world
from tests.unit.cli.conftest import SPECS, Pretended, Runner

WHOLE = """\
apiVersion: reconciler/v1alpha1
kind: Host
metadata:
  name: gamma
  labels:
    role: web
spec:
  connection:
    ssh:
      address: gamma
  peerAddress:
    address: gamma
  limits:
    sends: 1
---
apiVersion: reconciler/v1alpha1
kind: Replication
metadata:
  name: web
spec:
  source:
    host: gamma
    filesystems: [tank/www]
    snapshots:
      every: 15m
      prefix: rec-
    keep:
      last: 3
  targets:
    - under: backup/{host}
      host: vault
      keep:
        daily: 3
---
apiVersion: reconciler/v1alpha1
kind: KeepPolicy
metadata:
  name: archive
spec:
  daily: 7
""".splitlines()
LABELS = 5
"""The line of WHOLE whose mapping has names of its own choice."""


def planned(line: str, *hosts: Observation) -> Plan:
    return plan(desired(line), world(*hosts), NOW)


def snapshotted(patterns: str, *names: str) -> list[str]:
    """Return which of some filesystems get a snapshot when patterns select among them."""
    made = planned(f"web: alpha {patterns} every 15m", seen("alpha", *map(fs, names)))
    return [name for p in made.actions for _, name in p.action.places]


@pytest.mark.parametrize(
    "place",
    [n for n, line in enumerate(WHOLE) if n != LABELS and ":" in line and "- " not in line],
)
def test_h01_an_unknown_key_at_any_depth_is_an_error_with_file_and_line(place: int) -> None:
    indent = len(WHOLE[place]) - len(WHOLE[place].lstrip())
    text = "\n".join([*WHOLE[:place], f"{' ' * indent}colour: red", *WHOLE[place:]])

    (finding,) = refused(text)
    assert finding.startswith(f"a.yaml:{place + 1}:{indent + 1}: unknown key `colour`")


def test_h01_nothing_runs_while_there_is_an_unknown_key(
    command: Runner, hosts: Pretended, folder: Path
) -> None:
    broken = SPECS.replace("      keep: {last: 2}", "      kept: {last: 2}")
    assert broken != SPECS
    (folder / "specs" / "all.yaml").write_text(broken)

    ran = command("apply", "--auto-approve")

    line = broken[: broken.index("kept:")].count("\n") + 1
    assert ran.code == 1
    assert f"specs/all.yaml:{line}:7: unknown key `kept`" in ran.stderr
    assert hosts.executed == []


def test_h02_two_sources_with_one_target_path_are_a_collision_that_names_both() -> None:
    (finding,) = refused(
        replication("web", host="alpha", under="backup/all"),
        replication("db", host="beta", under="backup/all", filesystems="tank/www/x"),
    )

    assert finding.startswith(
        "a.yaml:23:28: `backup/all/tank/www/x` on vault is received here and by replication"
        " `web` (a.yaml:11:28)"
    )


@pytest.mark.parametrize("source", ["tank", "tank/www", "tank/www/a b"])
def test_h03_a_receiver_ends_in_the_senders_whole_name_so_nothing_can_be_stripped_too_far(
    source: str,
) -> None:
    specs = accepted(replication(filesystems=source, under="backup"))

    (target,) = specs.replications["web"].targets
    assert target.receiver_of("alpha", source) == f"backup/{source}"


@pytest.mark.parametrize("under", ["", "/", "/backup", "backup/"])
def test_h03_a_place_that_is_empty_or_a_root_path_is_refused(under: str) -> None:
    (finding,) = refused(replication(under=under))

    assert finding.startswith("a.yaml:11:28: spec.targets[0].under: ZFS refuses the name")


@pytest.mark.parametrize(
    ("filesystems", "under", "inside"),
    [
        pytest.param("tank/**", "tank", "tank/tank", id="the source's own tree"),
        pytest.param("tank/a/**", "tank/a/copies", "tank/a/copies/tank/a", id="below the source"),
    ],
)
def test_h04_a_target_inside_its_source_is_refused(
    filesystems: str, under: str, inside: str
) -> None:
    (finding,) = refused(replication(host="vault", filesystems=filesystems, under=under))

    assert finding.startswith(
        f"a.yaml:11:28: `{inside}` on vault would be received here but is in this"
        " replication's source"
    )


def test_h04_a_cycle_of_two_is_refused_on_both_ends() -> None:
    findings = refused(
        replication("there", host="alpha", filesystems="tank/**", to="beta", under="tank/from"),
        replication("back", host="beta", filesystems="tank/**", to="alpha", under="tank/from"),
    )

    assert [finding.partition(" is selected")[0] for finding in findings] == [
        "a.yaml:7:18: `tank/from/tank` on alpha",
        "a.yaml:19:18: `tank/from/tank` on beta",
    ]


@pytest.mark.parametrize(
    "every", ["''", "0s", "-15m", "15", "9s", "15 minutes", "99:99", "1.5h", "[]", "true"]
)
def test_h07_an_interval_that_is_none_is_refused_when_loading(every: str) -> None:
    (finding,) = refused(replication(snapshots=f"{{prefix: rec-, every: {every}}}"))

    assert finding.startswith("a.yaml:8:38: spec.source.snapshots.every")


@pytest.mark.parametrize("snapshots", ["{}", "{prefix: rec-}"])
def test_h07_an_empty_schedule_is_refused_when_loading(snapshots: str) -> None:
    (finding,) = refused(replication(snapshots=snapshots))

    assert finding.startswith("a.yaml:8:16: spec.source.snapshots has none of `every`, `cron`")


@pytest.mark.parametrize(
    "cron",
    ["99 2 * * *", "0 24 * * *", "0 0 30 2 *", "0 0 31 4,6 *", "0 2 * *", "@daily", "''", "[]"],
)
def test_h07_a_cron_expression_that_is_none_or_never_matches_is_refused_when_loading(
    cron: str,
) -> None:
    (finding,) = refused(replication(snapshots=f"{{prefix: rec-, cron: {cron!r}}}"))

    assert finding.startswith("a.yaml:8:37: spec.source.snapshots.cron")


@pytest.mark.parametrize("prefix", ["''", "a@", "a#", "a%", "a/", "'a,'", "'a b'", "ä", "a" * 41])
def test_h08_a_prefix_that_can_not_be_in_a_snapshots_name_is_refused(prefix: str) -> None:
    (finding,) = refused(replication(snapshots=f"{{every: 15m, prefix: {prefix}}}"))

    assert finding.startswith("a.yaml:8:37: spec.source.snapshots.prefix")


def test_h08_names_of_more_than_255_bytes_are_refused_on_sender_and_receiver() -> None:
    fits_nowhere, fits_here = "tank/" + "x" * 240, "tank/" + "x" * 225

    sender, _ = refused(replication(filesystems=fits_nowhere))
    (receiver,) = refused(replication(filesystems=fits_here))
    assert sender.startswith("a.yaml:7:18: ZFS refuses snapshots of `tank/x")
    assert receiver.startswith("a.yaml:11:28: ZFS refuses snapshots of `backup/alpha/tank/x")
    assert "longer than 255 bytes" in sender
    assert "longer than 255 bytes" in receiver


@pytest.fixture(params=["Etc/GMT+12", "Etc/GMT-12", "Europe/Vienna"])
def _zone_of_the_controller(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_zone_of_the_controller")
def test_h08_a_name_reads_back_as_its_instant_wherever_the_controller_is() -> None:
    for at in range(instant("2026-10-24T00:00"), instant("2026-10-26T00:00"), 1800):
        assert snapshot_time("rec-", snapshot_name("rec-", at)) == at
    assert snapshot_name("rec-", instant("23:15")) == "rec-20261122T231500Z"


def test_h09_selecting_nothing_on_any_host_is_an_error_without_actions() -> None:
    made = planned(
        "web: alpha,beta tank/www/** every 15m keep last 1 -> vault",
        seen("alpha", fs("tank/db", "@~21:00,1")),
        seen("beta", fs("tank/wwwx", "@~21:00,2")),
        seen("vault", fs("backup")),
    )

    assert made.outcome is Outcome.ERROR
    assert steps(made) == []
    assert notes(made) == [
        "error: web selects no filesystem on alpha: tank/www/**",
        "error: web selects no filesystem on beta: tank/www/**",
    ]


def test_h09_a_run_that_selects_nothing_ends_with_an_error(
    command: Runner, hosts: Pretended
) -> None:
    hosts.observed = world(seen("alpha", fs("tank/db")), seen("vault", fs("backup")))

    assert command("plan").code == 1
    assert command("apply", "--auto-approve").code == 1
    assert hosts.executed == []


def test_h10_an_exclude_leaves_names_that_only_begin_alike() -> None:
    names = ("tank/a", "tank/a/b", "tank/ab")

    assert snapshotted("tank/** !tank !tank/a/**", *names) == ["tank/ab"]
    assert snapshotted("tank/** !tank !tank/a", *names) == ["tank/a/b", "tank/ab"]


def test_h11_the_children_alone_or_the_parent_alone_can_be_selected() -> None:
    names = ("tank/www", "tank/www/a", "tank/www/a/b")

    assert snapshotted("tank/www/** !tank/www", *names) == ["tank/www/a", "tank/www/a/b"]
    assert snapshotted("tank/www/*", *names) == ["tank/www/a"]
    assert snapshotted("tank/www", *names) == ["tank/www"]


def test_h12_a_selection_that_takes_in_replicas_of_the_same_host_is_refused() -> None:
    (finding,) = refused(
        replication("web", host="alpha", under="tank/backup/{host}"),
        replication("all", host="vault", filesystems="tank/**", to="beta", under="store"),
    )

    assert finding.startswith(
        "a.yaml:19:18: `tank/backup/alpha/tank/www` on vault is selected here but belongs to a"
        " receiver of replication `web`"
    )


def test_h12_replicas_beside_the_selection_never_become_sources() -> None:
    made = plan(
        desired(
            "web: alpha tank/www/** -> vault tank/backup/{host}",
            "all: vault tank/** !tank/backup/** every 15m -> beta store",
        ),
        world(
            seen("alpha", fs("tank/www", "@~23:00,1 #cur,1")),
            seen(
                "vault",
                placeholder("tank/backup"),
                replica("tank/backup/alpha/tank/www", "@~23:00,1,held=base"),
                fs("tank/own"),
            ),
            seen("beta", fs("store")),
        ),
        NOW,
    )

    touched = {name for p in made.actions for host, name in p.action.places if host == "vault"}
    assert touched == {"tank", "tank/own"}


def test_h14_names_with_spaces_and_colons_are_one_argument_each() -> None:
    made = planned(
        "web: alpha tank/** !tank every 15m", seen("alpha", fs("tank/a b:c"), fs("tank/-x"))
    )

    (snapshot,) = (p.action for p in made.actions if isinstance(p.action, Snapshot))
    (argv,) = (step.argv for step in snapshot.script().steps if step.argv[1] == "snapshot")
    assert argv[-2:] == (
        "tank/-x@rec-20261122T231500Z",
        "tank/a b:c@rec-20261122T231500Z",
    )


@pytest.mark.parametrize(
    "word",
    ["tank/a b:c@x", "ümläut ✓", "it's", '"$HOME" `id` $(id)', "two\nlines", "tab\there", ""],
)
def test_h14_arguments_survive_the_shell_that_they_are_quoted_for(word: str) -> None:
    host = LocalHost(HostAddress("here", LocalAddress()))

    ran = host.run(Script((Step("say", ("printf", "<%s>", "first", word)),)), timeout=30)

    assert ran.outcomes["say"].stdout == f"<first><{word}>"


NUMBER = "must be a whole number, not the"
TRUTH = "must be true or false, not the"


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("keep: {}", "keep: {last: 0123}", "a.yaml:9:18: the number `0123` with a leading zero"),
        ("keep: {}", "keep: {last: 1e3}", f"a.yaml:9:18: spec.source.keep.last {NUMBER} number 10"),
        ("keep: {}", "keep: {last: yes}", f"a.yaml:9:18: spec.source.keep.last {NUMBER} text `ye"),
        ("rec-}", "0123}", "a.yaml:8:37: the number `0123` with a leading zero"),
        (
            "rec-}",
            "r, ifChanged: on}",
            f"a.yaml:8:51: spec.source.snapshots.ifChanged {TRUTH} text",
        ),
        (
            "rec-}",
            "r, ifChanged: no}",
            f"a.yaml:8:51: spec.source.snapshots.ifChanged {TRUTH} text",
        ),
        (
            "  targets",
            "  suspend: off\n  targets",
            f"a.yaml:10:12: spec.suspend {TRUTH} text `off`",
        ),
        ("  targets", "  suspend: 1\n  targets", f"a.yaml:10:12: spec.suspend {TRUTH} number 1"),
    ],
)
def test_h15_what_only_looks_like_a_number_or_a_truth_value_is_a_typed_error(
    old: str, new: str, finding: str
) -> None:
    (found,) = refused(replication().replace(old, new, 1))

    assert found.startswith(finding)


@pytest.mark.parametrize(("word", "value"), [("on", "on"), ("no", "no"), ("yes", "yes")])
def test_h15_words_that_older_yaml_takes_for_truth_values_are_text(word: str, value: str) -> None:
    specs = accepted(replication(snapshots=f"{{every: 15m, prefix: {word}}}"))

    snapshots = specs.replications["web"].snapshots
    assert isinstance(snapshots, Snapshots)
    assert snapshots.prefix == value


def test_h15_a_comment_after_a_value_is_no_part_of_it() -> None:
    plain = replication(snapshots="\n      every: 15m\n      prefix: rec-")
    commented = plain.replace("15m\n", "15m # four an hour\n").replace("rec-\n", "rec- # ours\n")

    assert commented.count("#") == 2
    assert resolved(commented) == resolved(plain)
