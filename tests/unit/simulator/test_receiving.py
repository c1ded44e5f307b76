from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.simulator import change
from reconciler.simulator.cell import MemoryCell, Transition
from reconciler.simulator.model import Health, Machine
from reconciler.simulator.process import ChunkedInput, Process, Refused
from reconciler.simulator.reception import abandoned
from reconciler.simulator.run import Result, start
from reconciler.zfs.tokens import decode_token
from tests.support.machines import (
    CLOCK,
    edit,
    lines,
    machine,
    receive,
    shell,
    stream,
    token,
    zfs,
)

SETUP = (
    "zfs create tank/a",
    "write tank/a f 4M",
    "zfs snapshot tank/a@1",
    "write tank/a g 6M",
    "zfs snapshot tank/a@2",
    "zfs snapshot tank/a@3",
    "write tank/a h 1M",
    "zfs snapshot tank/a@4",
)


def prepared(release: str = "2.1.11") -> MemoryCell:
    cell = machine(release=release)
    for line in SETUP:
        assert shell(cell, line).status == 0
    assert receive(cell, "dst/a", stream(cell, "tank/a@1")).stderr == ""
    return cell


@pytest.fixture
def cell() -> MemoryCell:
    return prepared()


def while_running(
    cell: MemoryCell, options: str, data: bytes, *meanwhile: str, share: float = 0.5
) -> tuple[Result, list[str]]:
    """Receive a stream; run commands when a part of it has come; return what they said."""
    said: list[str] = []

    def chunks() -> Iterator[bytes]:
        at = int(len(data) * share)
        yield data[:at]
        said.extend(zfs(cell, line).stderr for line in meanwhile)
        yield data[at:]

    stdin = ChunkedInput(chunks())
    process = Process(cell, ("zfs", "receive", *options.split()), lambda: CLOCK, stdin)
    stdout = b"".join(start(process))
    return Result(process.status, stdout, process.stderr), said


def names(cell: MemoryCell, root: str = "dst") -> list[str]:
    return lines(cell, f"list -H -o name -t all -r {root}")


# -- what happens meanwhile (transcripts t9, t3) ---------------------------------------------------


def test_a_snapshot_taken_meanwhile_kills_an_increment_at_its_end(cell: MemoryCell) -> None:
    step = stream(cell, "-i @1 tank/a@2")
    result, _ = while_running(cell, "-u dst/a", step, "snapshot dst/a@mid")
    assert result.stderr == "cannot receive incremental stream: invalid backup stream\n"
    assert names(cell) == ["dst", "dst/a", "dst/a@1", "dst/a@mid"]
    assert token(cell, "dst/a") == "-"


def test_with_s_it_leaves_a_token_that_can_not_complete(cell: MemoryCell) -> None:
    step = stream(cell, "-i @1 tank/a@2")
    result, _ = while_running(cell, "-us dst/a", step, "snapshot dst/a@mid")
    upgrade = "kernel modules must be upgraded to receive this stream.\n"
    assert result.stderr == f"cannot receive incremental stream: {upgrade}"
    rest = stream(cell, f"-t {token(cell, 'dst/a')}")
    assert receive(cell, "-us dst/a", rest).stderr == f"cannot receive resume stream: {upgrade}"
    assert zfs(cell, "destroy dst/a@mid").status == 0
    assert receive(cell, "-us dst/a", rest).stderr == ""


def test_force_destroys_it(cell: MemoryCell) -> None:
    step = stream(cell, "-i @1 tank/a@2")
    result, _ = while_running(cell, "-uF dst/a", step, "snapshot dst/a@mid")
    assert result.stderr == ""
    assert names(cell) == ["dst", "dst/a", "dst/a@1", "dst/a@2"]


def test_a_filesystem_renamed_meanwhile_is_missed_at_the_end(cell: MemoryCell) -> None:
    step = stream(cell, "-i @1 tank/a@2")
    result, _ = while_running(cell, "-u dst/a", step, "rename dst/a dst/b")
    assert result.stderr == "cannot receive incremental stream: dataset does not exist\n"
    assert names(cell) == ["dst", "dst/b", "dst/b@1"]
    assert cell.read().datasets["dst/b"].partial is None


def test_others_see_the_token_of_a_receive_that_runs_and_can_not_touch_it(
    cell: MemoryCell,
) -> None:
    whole = stream(cell, "tank/a@2")
    result, said = while_running(
        cell, "-s dst/conc", whole, "get receive_resume_token dst/conc", "receive -A dst/conc"
    )
    assert said == ["", "cannot destroy 'dst/conc': dataset is busy\n"]
    assert result.status == 0
    assert "dst/conc@2" in names(cell)


def test_the_token_grows_while_a_receive_runs(cell: MemoryCell) -> None:
    whole, seen = stream(cell, "tank/a@2"), []

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(whole), 3000):
            yield whole[at : at + 3000]
            seen.append(decode_token(token(cell, "dst/c")).bytes)

    process = Process(cell, ("zfs", "receive", "-s", "dst/c"), lambda: CLOCK)
    process.stdin = ChunkedInput(chunks())
    assert b"".join(start(process)) == b""
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert token(cell, "dst/c") == "-"


# -- the process is gone ---------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "left"), [(("-s",), True), ((), False)])
def test_what_a_dead_process_received_is_saved_or_dropped(
    cell: MemoryCell, options: tuple[str, ...], *, left: bool
) -> None:
    data = stream(cell, "tank/a@2")

    class Killed(BaseException):
        pass

    def chunks() -> Iterator[bytes]:
        yield data[: len(data) // 2]
        raise Killed

    argv = ("zfs", "receive", *options, "dst/k")
    process = Process(cell, argv, lambda: CLOCK, ChunkedInput(chunks()), owner="7:7:7")
    with pytest.raises(Killed):
        list(start(process))
    partial = cell.read().datasets["dst/k"].partial
    assert partial is not None
    assert partial.owner == "7:7:7"

    cell.change(lambda before: abandoned(before, "another"))
    assert cell.read().datasets["dst/k"].partial == partial
    cell.change(lambda before: abandoned(before, "7:7:7"))

    assert ("dst/k" in cell.read().datasets) is left
    if left:
        rest = stream(cell, f"-t {token(cell, 'dst/k')}")
        assert receive(cell, "-s dst/k", rest).stderr == ""


def test_what_a_dead_process_sent_can_be_destroyed(cell: MemoryCell) -> None:
    process = Process(cell, ("zfs", "send", "tank/a@1"), lambda: CLOCK, owner="7:7:7")
    chunks = start(process)
    next(chunks)
    cell.change(lambda before: abandoned(before, "7:7:7"))
    assert zfs(cell, "destroy tank/a@1").status == 0


# -- what is there already -------------------------------------------------------------------------


def test_a_stream_that_is_in_already_is_ignored(cell: MemoryCell) -> None:
    step = stream(cell, "-i @1 tank/a@2")
    assert receive(cell, "dst/a", step).status == 0
    again = receive(cell, "-v dst/a", step)
    assert (again.status, again.stderr) == (0, "")
    assert b"snap dst/a@2 already exists; ignoring\n" in again.stdout


def test_an_empty_one_is_not_ignored_by_2_1(cell: MemoryCell) -> None:
    receive(cell, "dst/a", stream(cell, "-I @1 tank/a@3"))
    again = receive(cell, "dst/a", stream(cell, "-i @2 tank/a@3"))
    assert again.status == 1
    assert again.stderr.splitlines() == [
        "cannot receive: failed to read from stream",
        "cannot restore to dst/a@3: destination already exists",
    ]
    later = prepared("2.3.2")
    receive(later, "dst/a", stream(later, "-I @1 tank/a@3"))
    assert receive(later, "dst/a", stream(later, "-i @2 tank/a@3")).status == 0


def test_in_a_package_an_empty_one_swallows_the_next_in_2_1() -> None:
    for release, last in (("2.1.11", "dst/a@3"), ("2.3.2", "dst/a@4")):
        cell = prepared(release)
        receive(cell, "dst/a", stream(cell, "-I @1 tank/a@3"))
        assert receive(cell, "dst/a", stream(cell, "-I @2 tank/a@4")).status == 0
        assert names(cell, "dst/a")[-1] == last


def test_a_stale_token_has_another_text_in_later_releases() -> None:
    cell = prepared("2.3.2")
    receive(cell, "-s dst/b", stream(cell, "tank/a@1")[:4000])
    rest = stream(cell, f"-t {token(cell, 'dst/b')}")
    assert receive(cell, "-s dst/b", rest).status == 0
    again = receive(cell, "-sv dst/b", rest)
    assert again.stdout == b""
    assert again.stderr.splitlines() == [
        "cannot receive resume stream: Resuming recv on existing destination 'dst/b'",
        "must specify -F to overwrite it",
    ]


def test_a_stream_with_nothing_but_its_head_says_that_nothing_is_there(cell: MemoryCell) -> None:
    result = receive(cell, "-s dst/b", stream(cell, "tank/a@1")[:312])
    assert result.stderr.splitlines() == [
        "cannot open 'dst/b': dataset does not exist",
        "cannot receive new filesystem stream: invalid backup stream",
    ]


def test_what_has_children_is_not_dropped(cell: MemoryCell) -> None:
    receive(cell, "-s dst/b", stream(cell, "tank/a@1")[:4000])
    assert receive(cell, "-u dst/b/c", stream(cell, "tank/a@1")).status == 0
    refused = zfs(cell, "receive -A dst/b")
    assert (refused.status, refused.stderr) == (
        1,
        "cannot destroy 'dst/b': dataset already exists\n",
    )


# -- what it is like -------------------------------------------------------------------------------


def test_a_received_snapshot_has_the_guid_and_files_of_the_one_sent(cell: MemoryCell) -> None:
    receive(cell, "dst/a", stream(cell, "-I @1 tank/a@4"))
    found = cell.read().datasets
    sent, got = found["tank/a"].snapshots, found["dst/a"].snapshots
    assert [(s.guid, s.creation) for s in got] == [(s.guid, s.creation) for s in sent]
    for one, other in zip(sent, got, strict=True):
        assert {n: b[:2] for n, b in one.files.items()} == {
            n: b[:2] for n, b in other.files.items()
        }
    txgs = [snapshot.createtxg for snapshot in got]
    assert txgs == sorted(set(txgs))


def test_a_replica_can_be_sent_on(cell: MemoryCell) -> None:
    receive(cell, "dst/a", stream(cell, "-i @1 tank/a@2"))
    assert receive(cell, "tank/back", stream(cell, "dst/a@1")).stderr == ""
    assert receive(cell, "tank/back", stream(cell, "-i @1 dst/a@2")).stderr == ""
    assert receive(cell, "tank/back", stream(cell, "-i @2 tank/a@4")).stderr == ""


def test_what_protects_a_replica_is_set_with_the_first_stream(cell: MemoryCell) -> None:
    data = stream(cell, "tank/a@1")
    options = "-s -u -x mountpoint -o canmount=noauto -o readonly=on -o x:y=z dst/r"
    assert receive(cell, options, data).stderr == ""
    found = cell.read().datasets["dst/r"]
    assert dict(found.local) == {"canmount": "noauto", "readonly": "on", "x:y": "z"}
    assert not found.mounted


def test_canmount_is_refused_for_a_volume(cell: MemoryCell) -> None:
    shell(cell, "zfs create -V 8M tank/v")
    shell(cell, "zfs snapshot tank/v@1")
    data = stream(cell, "tank/v@1")
    refused = receive(cell, "-o canmount=noauto dst/v", data)
    assert refused.stderr == (
        "cannot receive new filesystem stream:"
        " property 'canmount' does not apply to datasets of this type\n"
    )
    warned = receive(cell, "-u -x mountpoint -o volmode=none dst/v", data)
    assert warned.status == 0
    assert cell.read().datasets["dst/v"].volsize == 8 << 20


def test_a_full_pool_takes_no_more(cell: MemoryCell) -> None:
    data = stream(cell, "tank/a@1")
    refused = "cannot receive new filesystem stream: out of space\n"
    shell(cell, "zpool create full disk:128K")
    assert receive(cell, "-s full/a", data).stderr == refused
    assert "full/a" not in cell.read().datasets
    shell(cell, "zpool create small disk:1M")
    assert receive(cell, "-s small/a", data).stderr == refused
    assert token(cell, "small/a") != "-"
    assert receive(cell, "small/b", data).stderr == refused
    assert "small/b" not in cell.read().datasets


def test_a_suspended_pool_takes_nothing(cell: MemoryCell) -> None:
    step = stream(cell, "-i @1 tank/a@2")

    def suspended(before: Machine) -> Machine:
        return change.with_pool(before, replace(before.pools["dst"], health=Health.SUSPENDED))

    cell.change(suspended)
    assert "pool I/O is currently suspended" in receive(cell, "dst/a", step).stderr


def test_a_pool_without_a_feature_does_not_take_what_needs_it(cell: MemoryCell) -> None:
    def disabled(before: Machine) -> Machine:
        pool = before.pools["dst"]
        features = {**pool.features, "embedded_data": "disabled"}
        return change.with_pool(before, replace(pool, features=features))

    cell.change(disabled)
    result = receive(cell, "dst/b", stream(cell, "-e tank/a@1"))
    assert result.stderr == (
        "cannot receive new filesystem stream: pool must be upgraded to receive this stream.\n"
    )


def test_a_base_without_what_its_guid_promises_is_an_internal_error(cell: MemoryCell) -> None:
    found = cell.read().datasets["dst/a"]
    edit(cell, "dst/a", snapshots=(replace(found.snapshots[0], files={}),))
    result = receive(cell, "dst/a", stream(cell, "-i @1 tank/a@2"))
    assert result.status == 134
    assert result.stderr.startswith("internal error: ")


def test_a_refusal_in_the_middle_leaves_a_receive_that_can_be_resumed(cell: MemoryCell) -> None:
    class Unlucky(MemoryCell):
        left = 3

        def change(self, transition: Transition) -> Machine:
            self.left -= 1
            if self.left == 0:
                raise Refused("no luck")
            return super().change(transition)

    unlucky = Unlucky(cell.read())
    result = receive(unlucky, "-s dst/b", stream(cell, "tank/a@2"))
    assert result.stderr == "no luck\n"
    partial = unlucky.read().datasets["dst/b"].partial
    assert partial is not None
    assert partial.owner is None
