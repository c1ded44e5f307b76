"""Jobs → specs: the round trip through the real loader gives the same replications."""

import re

import pytest

from reconciler.desired.diagnostics import SpecError
from reconciler.desired.files import SpecFile
from reconciler.desired.load import of_files
from reconciler.desired.model import Desired, Initial, Keep, KeepRule, Last, Matching, Replication
from reconciler.hosts.addresses import SshAddress
from reconciler.importing.remarks import RemarkKind
from reconciler.importing.zrepl_specs import Imported, Known, import_zrepl, text, texts

PERIODIC = "snapshotting: {type: periodic, prefix: zrepl_, interval: 90m}"
MANUAL = "snapshotting: {type: manual}"
LAST = (
    "pruning: {keep_sender: [{type: last_n, count: 2}], keep_receiver: [{type: last_n, count: 9}]}"
)
PUSH_LOCAL = f"""
- name: push_local
  type: push
  connect: {{type: local, listener_name: here, client_identity: me}}
  filesystems: {{"tank/www<": true, "tank/www/tmp<": false}}
  {PERIODIC}
  {LAST}
"""
SINK_LOCAL = """
- {name: sink, type: sink, root_fs: backup/sink, serve: {type: local, listener_name: here}}
"""
PULL_LOCAL = f"""
- name: Pull it!
  type: pull
  connect: {{type: local, listener_name: here, client_identity: me}}
  root_fs: backup/pulled
  interval: 10m
  {LAST}
  conflict_resolution: {{initial_replication: all}}
"""
SOURCE_LOCAL = f"""
- name: source
  type: source
  serve: {{type: local, listener_name: here}}
  filesystems: {{"tank/www": true}}
  {PERIODIC}
"""
SNAP = """
- name: snaps
  type: snap
  filesystems: {"tank/db<": true}
  snapshotting: {type: periodic, prefix: db_, interval: 1h}
  pruning: {keep: [{type: last_n, count: 7}]}
"""
PUSH_FAR = f"""
- name: far
  type: push
  connect: {{type: ssh+stdinserver, host: vault.example.com, user: zfs, port: 2222}}
  filesystems: {{"tank/www<": true}}
  {PERIODIC}
  {LAST}
  conflict_resolution: {{initial_replication: fail}}
"""
PULL_FAR = f"""
- name: from-afar
  type: pull
  connect: {{type: tls, address: "web.example.com:8888", server_cn: web}}
  root_fs: backup/web
  interval: manual
  {LAST}
"""
SOURCE_FAR = f"""
- name: source
  type: source
  serve: {{type: stdinserver, client_identities: [a, b]}}
  filesystems: {{"tank/www<": true}}
  {PERIODIC}
"""


def imported(*jobs: str, known: Known | None = None) -> Imported:
    config = "jobs:" + "".join(jobs)
    return import_zrepl(SpecFile("zrepl.yml", config.encode()), known or Known(host="alpha"))


def loaded(*jobs: str, fill: dict[str, str] | None = None, known: Known | None = None) -> Desired:
    """Import, fill in blanks, and load."""
    written = text(imported(*jobs, known=known), "zrepl.yml")
    for blank, value in (fill or {}).items():
        assert blank in written
        written = written.replace(blank, value)
    return of_files([SpecFile("specs.yaml", written.encode())])


def only(desired: Desired) -> Replication:
    (replication,) = desired.replications.values()
    return replication


def refused(*jobs: str, known: Known | None = None) -> list[str]:
    with pytest.raises(SpecError) as raised:
        loaded(*jobs, known=known)
    return [str(found) for found in raised.value.diagnostics]


def blanks(*jobs: str, known: Known | None = None) -> list[str]:
    remarks = imported(*jobs, known=known).remarks
    return [str(r) for r in remarks if r.kind is RemarkKind.FILL_IN]


def rules(keep: Keep) -> tuple[KeepRule, ...]:
    return keep.rules


def test_a_push_to_a_sink_of_the_same_file_is_known_whole() -> None:
    found = only(loaded(PUSH_LOCAL, SINK_LOCAL))
    (target,) = found.targets

    assert (found.name, found.senders, target.host) == ("push-local", ("alpha",), "alpha")
    assert found.selection.selects("tank/www/a")
    assert not found.selection.selects("tank/www/tmp/a")
    written = str(imported(PUSH_LOCAL, SINK_LOCAL).replications[0])
    assert "snapshots: {every: 1h30m, prefix: zrepl_}" in written
    assert target.receiver_of("alpha", "tank/www") == "backup/sink/me/tank/www"
    assert (rules(found.keep), rules(target.keep)) == ((Last(2),), (Last(9),))
    assert target.initial is Initial.NEWEST


def test_a_pull_from_a_source_of_the_same_file_has_no_identity_in_its_receivers() -> None:
    found = only(loaded(PULL_LOCAL, SOURCE_LOCAL))
    (target,) = found.targets

    assert found.name == "pull-it"
    assert target.receiver_of("alpha", "tank/www") == "backup/pulled/tank/www"
    assert [str(pattern) for pattern in found.selection.include] == ["tank/www"]
    assert (rules(found.keep), rules(target.keep)) == ((Last(2),), (Last(9),))
    assert target.initial is Initial.ALL


def test_a_snap_job_sends_nothing() -> None:
    found = only(loaded(SNAP))

    assert (found.targets, rules(found.keep)) == ((), (Last(7),))


def test_a_push_elsewhere_waits_for_what_only_the_sink_knows() -> None:
    (line,) = refused(PUSH_FAR)
    assert re.match(r"specs.yaml:\d+:\d+: spec.targets\[0\].under: ZFS refuses the name", line)
    (blank,) = blanks(PUSH_FAR)
    assert blank.startswith("zrepl.yml:4:12: fill in: ROOT_FS/IDENTITY, exactly as the sink has it")

    found = loaded(PUSH_FAR, fill={'"<root_fs of the sink>/<client identity>"': "b/sink/alpha"})
    (target,) = only(found).targets
    assert target.receiver_of("alpha", "tank/www") == "b/sink/alpha/tank/www"
    assert target.initial is Initial.REFUSE
    assert found.hosts["vault"].address == SshAddress("vault.example.com", "zfs", 2222)
    assert found.hosts["alpha"].address == SshAddress("alpha")


def test_a_pull_from_elsewhere_waits_for_what_only_the_source_knows() -> None:
    lines = refused(PULL_FAR)
    assert [line.split()[1] for line in lines] == [
        "spec.source.filesystems[0]:",
        "spec.source.snapshots.every:",
        "spec.source.snapshots.prefix:",
    ]
    fill = {"<filesystems of the source job>": "tank/**", "<interval>": "1h", "<prefix>": "zrepl_"}
    found = only(loaded(PULL_FAR, fill=fill))
    assert found.senders == ("web",)
    assert found.targets[0].receiver_of("web", "tank/a") == "backup/web/tank/a"


def test_a_source_for_others_has_a_target_to_be_filled_in_for_each_client() -> None:
    assert len(blanks(SOURCE_FAR)) == 2
    lines = refused(SOURCE_FAR)
    assert [line.split()[1] for line in lines] == [
        "spec.targets[0].host:",
        "spec.targets[0].under:",
        "spec.targets[1].host:",
        "spec.targets[1].under:",
    ]


def test_a_sink_for_others_says_below_what_each_client_is_received() -> None:
    serve = 'serve: {type: tls, client_cns: [web, db], listen: ":8888"}'
    found = imported(f"\n- {{name: sink, type: sink, root_fs: backup/sink, {serve}}}\n")

    assert found.replications == ()
    assert len(found.hosts) == 1
    told = [remark.text for remark in found.remarks]
    assert any("web pushes is received here: `under: backup/sink/web`" in line for line in told)
    assert any("db pushes is received here: `under: backup/sink/db`" in line for line in told)


def test_jobs_that_look_for_each_other_in_vain_are_told() -> None:
    assert "no sink of this file listens at here" in blanks(PUSH_LOCAL)[0]
    told = [str(remark) for remark in imported(SINK_LOCAL, SNAP).remarks]
    assert any("no equivalent: no push job of this file connects to sink" in line for line in told)


def test_a_push_job_does_not_take_a_source_for_its_sink() -> None:
    assert "no sink of this file listens at here" in blanks(PUSH_LOCAL, SOURCE_LOCAL)[0]


def test_the_machine_itself_has_to_be_named() -> None:
    (blank,) = blanks(SNAP, known=Known())
    assert blank == "zrepl.yml:1:1: fill in: its name and its address for ssh, or `--host NAME`"
    (line,) = refused(SNAP, known=Known())
    assert "<address of the machine with this zrepl.yml>" in line


def test_all_pools_have_to_be_named() -> None:
    job = SNAP.replace('"tank/db<": true', '"<": true, "tank/tmp<": false')
    assert "`<` is all pools of the machine" in blanks(job)[0]
    assert "no pattern of filesystems" in refused(job)[0]

    found = only(loaded(job, known=Known(host="alpha", pools=("tank", "rpool"))))
    assert [str(p) for p in found.selection.include] == ["rpool/**", "tank/**"]
    assert [str(p) for p in found.selection.exclude] == ["tank/tmp/**"]


def test_an_include_below_an_exclude_has_to_be_settled_by_a_person() -> None:
    job = SNAP.replace('"tank/db<": true', '"tank<": true, "tank/a<": false, "tank/a/b<": true')
    (blank,) = blanks(job)

    assert "tank/a/b/** lies below tank/a/**, which is excluded" in blank
    assert "<also tank/a/b/**>" in refused(job)[0]


def test_a_filter_that_passes_nothing_is_refused() -> None:
    job = SNAP.replace("true", "false")
    assert "this filter selects nothing" in blanks(job)[0]
    assert "<what is selected>" in refused(job)[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("prefix: db_", 'prefix: "my snaps "', "can't be a prefix of snapshots"),
        ("interval: 1h", "interval: 5s", "is too often"),
    ],
)
def test_what_our_snapshots_can_not_be_is_refused(old: str, new: str, said: str) -> None:
    job = SNAP.replace(old, new)

    assert said in blanks(job)[0]
    assert said in refused(job)[0]


def test_a_schedule_is_written_with_the_time_zone_of_the_machine() -> None:
    job = SNAP.replace("type: periodic", "type: cron").replace("interval: 1h", 'cron: "0 3  * * *"')
    written = str(
        imported(job, known=Known(host="alpha", timezone="Europe/Vienna")).replications[0]
    )
    assert 'cron: "0 3 * * *"\n      timezone: Europe/Vienna\n      prefix: db_\n' in written

    (blank,) = blanks(job)
    assert "in the machine's own time zone" in blank
    assert "<time zone of the machine>" in str(imported(job).replications[0])


@pytest.mark.parametrize(
    ("cron", "expected"),
    [("*/5 * * * *", "*/5 * * * *"), ("0 30 2 ? * 1", "30 2 * * 1"), ("7 * * * * *", None)],
)
def test_a_schedule_has_five_fields(cron: str, expected: str | None) -> None:
    job = SNAP.replace("type: periodic", "type: cron").replace("interval: 1h", f'cron: "{cron}"')
    known = Known(host="alpha", timezone="UTC")

    assert f'cron: "{expected or f"<{cron}>"}"' in str(imported(job, known=known).replications[0])
    assert len(blanks(job, known=known)) == (expected is None)


def test_snapshots_of_others_are_external_and_those_that_the_rules_are_about() -> None:
    grid = '{type: grid, grid: 1x1h, regex: "^zrepl_"}'
    pruning = f'pruning: {{keep_sender: [{{type: regex, regex: ".*"}}], keep_receiver: [{grid}]}}'
    job = PUSH_LOCAL.replace(PERIODIC, MANUAL).replace(LAST, pruning)
    written = str(imported(job, SINK_LOCAL).replications[0])

    assert 'snapshots: {external: {matching: "^zrepl_.*$"}}' in written
    told = [remark.text for remark in imported(job, SINK_LOCAL).remarks]
    assert any("the rule `regex` is for whoever takes them" in line for line in told)
    assert written.count("keep:") == 1
    assert 'keep: {grid: "1x1h"}' in written
    plain = str(imported(job.replace(grid, "{type: last_n, count: 1}"), SINK_LOCAL).replications[0])
    assert 'snapshots: {external: {matching: "^.*$"}}' in plain


def test_with_an_expression_that_only_go_reads_everything_is_kept() -> None:
    grid = '{type: grid, grid: 1x1h, regex: "^[[:alpha:]]+_"}'
    job = PUSH_LOCAL.replace(PERIODIC, MANUAL).replace("{type: last_n, count: 9}", grid)
    written = str(imported(job, SINK_LOCAL).replications[0])

    assert 'external: {matching: "^.*$"}' in written
    assert 'keep: {matching: ".*"}' in written
    assert "grid:" not in written


def test_of_rules_that_disagree_those_that_thin_out_say_what_is_meant() -> None:
    rules = '{type: last_n, count: 3, regex: "^other_"}, {type: grid, grid: 1x1h, regex: "^zrepl_"}'
    pruning = f"pruning: {{keep_sender: [{rules}], keep_receiver: [{rules}]}}"
    written = str(imported(PULL_FAR.replace(LAST, pruning)).replications[0])

    assert written.count('grid: "1x1h"') == 2
    assert written.count('matching: "other_.*"') == 2


def test_names_become_ours_and_stay_apart() -> None:
    jobs = [
        SNAP.replace("name: snaps", f"name: {name}") for name in ("My Snaps", "my_snaps", "'___'")
    ]
    found = imported(*jobs)

    assert [one.name for one in found.replications] == ["my-snaps", "my-snaps-2", "job"]


def test_hosts_of_one_name_stay_apart() -> None:
    other = PUSH_FAR.replace("name: far", "name: other").replace("vault.example.com", "vault.lan")
    third = PUSH_FAR.replace("name: far", "name: third").replace("vault.example.com", "10.0.0.5")
    found = imported(PUSH_FAR, other, third, known=Known(host="vault"))

    names = [one.name for one in found.hosts]
    assert names == ["vault", "vault.example", "vault.lan", "10.0.0.5"]


def test_each_file_holds_one_replication_and_together_they_are_the_whole() -> None:
    found = imported(PUSH_LOCAL, SINK_LOCAL, SNAP)
    files = texts(found, "zrepl.yml")

    assert [*files] == ["hosts.yaml", "push-local.yaml", "snaps.yaml"]
    together = of_files(SpecFile(name, content.encode()) for name, content in files.items())
    assert together.digest == loaded(PUSH_LOCAL, SINK_LOCAL, SNAP).digest


def test_everything_that_is_kept_is_said() -> None:
    job = SNAP.replace("{type: last_n, count: 7}", "{type: regex, regex: '^db_'}")

    assert rules(only(loaded(job)).keep) == (Matching(".*"),)


def test_all_remarks_stand_in_the_text_at_their_place(everything: dict[str, object]) -> None:
    import json

    file = SpecFile("zrepl.yml", json.dumps(everything).encode())
    found = import_zrepl(file, Known())
    comments = re.sub(r"\s*\n\s*#   ", " ", text(found, "zrepl.yml"))

    assert len(found.remarks) > 40
    for remark in found.remarks:
        assert f"# {remark}\n" in comments
