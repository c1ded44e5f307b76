"""Reading a zrepl.yml: everything is understood, remarked on, or wrong at a place."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.desired.diagnostics import SpecError
from reconciler.desired.files import SpecFile
from reconciler.importing.remarks import Remark
from reconciler.importing.zrepl_file import read_zrepl
from reconciler.importing.zrepl_specs import Known, import_zrepl

JOB = """jobs:
- name: push
  type: push
  connect: {type: tcp, address: "vault:8888"}
  filesystems: {"tank<": true}
  snapshotting: {type: periodic, prefix: zrepl_, interval: 10m}
  pruning: {keep_sender: [{type: last_n, count: 1}], keep_receiver: []}
"""


def findings(text: str) -> list[str]:
    with pytest.raises(SpecError) as raised:
        read_zrepl(SpecFile("zrepl.yml", text.encode()))
    return [str(finding).removeprefix("zrepl.yml:") for finding in raised.value.diagnostics]


def remarks(config: dict[str, Any]) -> tuple[Remark, ...]:
    """Import what JSON says: it is YAML."""
    return import_zrepl(SpecFile("zrepl.yml", json.dumps(config).encode()), Known()).remarks


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("type: push", "type: pusch", "3:9: unknown type `pusch`. Known are `push`, `sink`, "),
        ("type: push", "type: local", "3:9: unknown type `local`. Known are `push`, "),
        ("  type: push\n", "", "2:3: `type` is missing"),
        ("- name: push", "- {}\n- name: push", "2:3: `type` is missing"),
        ("- name: push", "- 7\n- name: push", "2:3: jobs[0] must be a mapping"),
        ("name: push", "name: [push]", "2:9: jobs[0].name must be text, not a list"),
        ("type: tcp", "type: udp", "4:19: unknown type `udp`. Known are `tcp`, `tls`, "),
        ('{"tank<": true}', "{}", "5:16: `filesystems` is missing"),
        ('"tank<": true', '"tank<": maybe', "5:26: the value of `tank<` must be true or false"),
        ('"tank<"', '"tank/<a"', "5:28: `tank/<a` is not the name of a filesystem. The character"),
        ('"tank<"', '""', "5:21: a pattern can't be empty. All filesystems are `<`."),
        ("interval: 10m", "interval: 10", "6:60: jobs[0].snapshotting.interval must be a dura"),
        ("interval: 10m", "interval: 0m", "6:60: jobs[0].snapshotting.interval must be a dura"),
        (", interval: 10m", "", "6:17: jobs[0].snapshotting.interval is missing"),
        ("prefix: zrepl_, ", "", "6:17: jobs[0].snapshotting.prefix is missing"),
        ("count: 1", "count: 0", "7:49: jobs[0].pruning.keep_sender[0].count must be a whole nu"),
        ("last_n", "last", "7:34: unknown type `last`. Known are `not_replicated`, `last_n`, "),
        ("last_n", "grid", "7:27: jobs[0].pruning.keep_sender[0].grid is missing"),
        ("type: periodic", "type: hourly", "6:24: unknown type `hourly`. Known are `periodic`, "),
        ("pruning: {", "pruning: {{", "7:"),
        ("jobs:", "jobs: &all", "1:7: an anchor (`&all`) is not accepted. Write the value out"),
        ("jobs:", "job:", "1:1: there are no jobs here. They stand in `jobs:`."),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, said: str) -> None:
    assert JOB.count(old) >= 1
    assert any(line.startswith(said) for line in findings(JOB.replace(old, new, 1)))


def test_all_that_is_wrong_is_said_at_once() -> None:
    broken = JOB.replace("10m", "soon").replace("count: 1", "count: many").replace("tcp", "udp")

    assert [line.partition(":")[0] for line in findings(broken)] == ["4", "6", "7"]


def test_two_jobs_of_one_name_and_two_documents_are_refused() -> None:
    (line,) = findings(JOB + JOB.removeprefix("jobs:\n"))
    assert line == "8:9: there is a job `push` already, at zrepl.yml:2:9"
    (line,) = findings(f"{JOB}---\n{JOB}")
    assert line == "9:1: a zrepl.yml is one YAML document"


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "7"])
def test_a_file_without_jobs_is_an_error(text: str) -> None:
    assert findings(text)


@pytest.mark.parametrize("word", ["yes", "on", "Yes", "true"])
def test_truth_is_that_of_yaml_1_1_as_zrepl_reads_it(word: str) -> None:
    text = JOB.replace('"tank<": true', f'"tank<": {word}, "tank/a": no')
    (job,) = read_zrepl(SpecFile("zrepl.yml", text.encode())).jobs

    assert [entry.passes for entry in job.filesystems] == [True, False]


def mappings(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of all mappings."""
    if isinstance(data, dict):
        yield path
        for key, value in data.items():
            yield from mappings(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from mappings(value, (*path, number))


NAMED_BY_USERS = {"filesystems", "override", "clients"}
TOLD_AS_A_WHOLE = {"hooks", "logging", "monitoring", "control", "serve", "stdinserver"}


def test_a_key_that_nobody_knows_is_told_wherever_it_stands(everything: dict[str, Any]) -> None:
    known = len(remarks(everything))
    for path in list(mappings(everything)):
        if path and (path[-1] in NAMED_BY_USERS or {"global"} < {*path} or "hooks" in path):
            continue
        inner = everything
        for step in path:
            inner = inner[step]  # type: ignore[index]
        inner["surprise"] = "!"
        told = [str(remark) for remark in remarks(everything)]
        assert any("no equivalent: `surprise` has no meaning" in line for line in told), path
        assert len(told) == known + 1
        del inner["surprise"]


MISPLACED = [
    ("push", "recv"),
    ("push", "serve"),
    ("push", "root_fs"),
    ("sink", "connect"),
    ("sink", "snapshotting"),
    ("sink", "filesystems"),
    ("sink", "pruning"),
    ("pull", "send"),
    ("source", "pruning"),
    ("source", "conflict_resolution"),
    ("snap", "send"),
    ("snap", "replication"),
]


@pytest.mark.parametrize(("type_", "key"), MISPLACED)
def test_a_key_of_another_kind_of_job_is_told(
    everything: dict[str, Any], type_: str, key: str
) -> None:
    jobs = everything["jobs"]
    (job,) = (job for job in jobs if job["type"] == type_)
    job[key] = next(other[key] for other in jobs if key in other)

    told = [remark.text for remark in remarks(everything)]
    assert f"`{key}` has no meaning in a {type_} job" in told


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ("{type: last_n, count: 1, negate: true}", "negate"),
        ("{type: not_replicated, regex: x}", "regex"),
        ("{type: regex, regex: x, grid: 1x1h}", "grid"),
        ("{type: grid, regex: zrepl, grid: 1x1h, count: 3}", "count"),
    ],
)
def test_a_key_of_another_kind_of_rule_is_told(rule: str, key: str) -> None:
    text = JOB.replace("{type: last_n, count: 1}", rule)
    told = import_zrepl(SpecFile("zrepl.yml", text.encode()), Known()).remarks

    assert f"`{key}` has no meaning here that is known" in [r.text for r in told]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ((0, "send", "encrypted"), "`encrypted: true`: encrypted filesystems are always sent raw"),
        ((0, "send", "send_properties"), "`send_properties`: properties are not sent"),
        ((0, "send", "backup_properties"), "`backup_properties`: properties are not sent"),
        ((0, "send", "large_blocks"), "`large_blocks`: chosen by what both pools can"),
        ((0, "send", "compressed"), "`compressed`: chosen by"),
        ((0, "send", "embedded_data"), "`embedded_data`: chosen by"),
        ((0, "send", "saved"), "`saved`: partly received"),
        ((0, "send", "bandwidth_limit"), "`bandwidth_limit` of 23.5 MiB: "),
        ((0, "snapshotting", "hooks"), "the hook /etc/zrepl/hooks/db.sh is not run"),
        ((0, "snapshotting", "timestamp_format"), "`timestamp_format`: names are PREFIX"),
        ((0, "replication", "protection"), "`initial: guarantee_nothing`: here"),
        ((0, "replication", "concurrency"), "`steps`: how much is done at once"),
        ((0, "pruning", "keep_sender", 0, "keep_snapshot_at_cursor"), "`keep_snapshot_at_cursor`"),
        ((1, "recv", "bandwidth_limit"), "`bandwidth_limit` of 10 MiB"),
        ((1, "recv", "placeholder"), "`encryption: off`: missing parents"),
        ((1, "recv", "properties", "inherit"), "`inherit`: received with"),
        ((1, "recv", "properties", "override"), "`override`: received with"),
        ((2, "connect", "identity_file"), "`identity_file` belongs into ssh_config"),
        ((2, "connect", "options"), "`options` belongs into ssh_config"),
        (
            (
                2,
                "interval",
            ),
            "pulled every 15m",
        ),
    ],
)
def test_an_option_without_an_equivalent_is_told_while_it_is_there(
    everything: dict[str, Any], path: tuple[str | int, ...], word: str
) -> None:
    def told() -> int:
        return sum(word in remark.text for remark in remarks(everything))

    before = told()
    assert before
    inner: Any = everything["jobs"]
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    assert told() == before - 1


def test_what_stands_outside_of_jobs_is_told(everything: dict[str, Any]) -> None:
    told = "\n".join(remark.text for remark in remarks(everything))

    assert "the jobs in /etc/zrepl/more.yml are not read" in told
    for key in ("logging", "monitoring", "control", "serve"):
        assert f"`global.{key}`: " in told


def test_an_unlimited_bandwidth_is_nothing_to_tell() -> None:
    text = JOB + '  send: {encrypted: true, bandwidth_limit: {max: "-1 B"}}\n'
    told = import_zrepl(SpecFile("zrepl.yml", text.encode()), Known()).remarks

    assert not any("bandwidth" in remark.text for remark in told)
