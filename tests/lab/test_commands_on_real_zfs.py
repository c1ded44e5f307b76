"""The command lines of `zfs.commands` on real ZFS, and what the parsers make of its answers."""

import re
import shlex
import subprocess

import pytest

from reconciler.zfs import commands, parse, queries
from reconciler.zfs.capabilities import FEATURES, StreamFlags, parse_zfs_version
from reconciler.zfs.errors import FailureKind, Reaction, blame, classify
from reconciler.zfs.tokens import decode_token
from reconciler.zfs.types import Argv, FilesystemKind
from tests.lab.machines import Lab, Machine

TOP = "tank/grammar"
WWW, SPACED, VOLUME, COPY = f"{TOP}/www", f"{TOP}/sp ace", f"{TOP}/vol", f"{TOP}/copies"
RICH = StreamFlags(large_blocks=True, compressed=True, embedded=True)
FULL_SIZE = 2 << 20


@pytest.fixture
def alpha(clean_lab: Lab) -> Machine:
    """Return a host with three filesystems below `tank/grammar`, one of them with data."""
    machine = clean_lab.machines["alpha"]
    machine.sh(
        f"zfs create {TOP} && zfs create {WWW} && zfs create '{SPACED}'"
        f" && zfs create -s -V 8M {VOLUME} && head -c {FULL_SIZE} /dev/urandom > /{WWW}/data"
    )
    return machine


def run(machine: Machine, argv: Argv, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return machine.sh(f"LC_ALL=C {shlex.join(argv)}", check=check)


def transfer(
    machine: Machine, send: Argv, receive: Argv, *, cut: int | None = None
) -> tuple[tuple[int, str], tuple[int, str]]:
    """Join two commands on one host, cut the stream after some bytes; return both results."""
    between = "cat" if cut is None else f"head -c {cut}"
    machine.sh(
        "cd /tmp; LC_ALL=C; export LC_ALL;"
        f" {{ {shlex.join(send)} 2>send.err; echo $? >send.status; }} | {between} |"
        f" {{ {shlex.join(receive)} 2>receive.err; echo $? >receive.status; }}"
    )
    said = [machine.sh(f"cat /tmp/{end}.err").stdout for end in ("send", "receive")]
    first, second = machine.sh("cat /tmp/send.status /tmp/receive.status").stdout.split()
    return (int(first), said[0]), (int(second), said[1])


def test_snapshots_are_taken_in_one_transaction_group_and_say_what_for(alpha: Machine) -> None:
    names = [f"{SPACED}@one", f"{VOLUME}@one", f"{WWW}@one"]
    run(alpha, commands.snapshot(names, "daily"))
    rows = parse.parse_versions(run(alpha, queries.list_versions(names)).stdout)
    assert [row.version.of(row.filesystem) for row in rows] == names
    assert len({row.version.createtxg for row in rows}) == 1
    assert {row.version.spec for row in rows} == {"daily"}
    again = run(alpha, commands.snapshot(names, "daily"), check=False)
    assert classify(again.stderr, again.returncode).kind is FailureKind.ALREADY_EXISTS


def test_guids_of_snapshots_and_bookmarks_are_listed_together(alpha: Machine) -> None:
    run(alpha, commands.snapshot([f"{WWW}@b"], "daily"))
    run(alpha, commands.snapshot([f"{WWW}@a"], "daily"))
    run(alpha, commands.bookmark(f"{WWW}@b", f"{WWW}#cursor"))
    there = [f"{WWW}@b", f"{WWW}@a", f"{WWW}#cursor"]
    gone = [f"{WWW}@no", f"{WWW}#no", f"{TOP}/no@b", f"{TOP}/no#b", "nopool/x@y"]
    listed = run(alpha, queries.list_guids([*gone, *reversed(there)]), check=False)
    rows = parse.parse_guids(listed.stdout)
    assert [row.name for row in rows] == there
    assert rows[0].guid == rows[2].guid != rows[1].guid
    assert listed.returncode == 1
    complaints = listed.stderr.splitlines()
    assert len(complaints) == len(gone)
    assert {classify(line, 1).kind for line in complaints} == {FailureKind.DOES_NOT_EXIST}
    run(alpha, commands.destroy_bookmark(f"{WWW}#cursor"))
    again = run(alpha, commands.destroy_bookmark(f"{WWW}#cursor"), check=False)
    assert classify(again.stderr, again.returncode).reaction is Reaction.DONE


def test_a_held_snapshot_is_not_destroyed_and_missing_ones_are_skipped(alpha: Machine) -> None:
    one, two = f"{WWW}@one", f"{WWW}@two"
    run(alpha, commands.snapshot([one], "daily"))
    run(alpha, commands.snapshot([two], "daily"))
    run(alpha, commands.hold("sp ace", [one]))
    run(alpha, commands.hold("rec-step_x", [one, two]))
    holds = parse.parse_holds(run(alpha, queries.list_holds([one, two])).stdout)
    assert sorted(holds) == [(one, "rec-step_x"), (one, "sp ace"), (two, "rec-step_x")]
    again = run(alpha, commands.hold("sp ace", [one]), check=False)
    assert classify(again.stderr, again.returncode).reaction is Reaction.DONE

    run(alpha, commands.release("rec-step_x", [two]))
    both = commands.destroy_snapshots(WWW, ["one", "two"])
    refused = run(alpha, both, check=False)
    failure = classify(refused.stderr, refused.returncode)
    assert failure.kind in {FailureKind.BUSY, FailureKind.HELD}
    assert run(alpha, queries.list_guids([one, two])).stdout.count("\n") == 2

    run(alpha, commands.release("rec-step_x", [one]))
    run(alpha, commands.release("sp ace", [one]))
    again = run(alpha, commands.release("sp ace", [one]), check=False)
    assert classify(again.stderr, again.returncode).reaction is Reaction.DONE
    run(alpha, commands.destroy_snapshots(WWW, ["one", "missing", "two"]))
    again = run(alpha, both, check=False)
    assert classify(again.stderr, again.returncode).reaction is Reaction.DONE


def test_a_first_receive_that_was_cut_is_resumed_by_its_token(alpha: Machine) -> None:
    run(alpha, commands.create_placeholder(COPY))
    run(alpha, commands.snapshot([f"{WWW}@one"], "daily"))
    target = f"{COPY}/www"
    full = commands.send(f"{WWW}@one", base=None, intermediates=False, flags=RICH)
    first = commands.receive(target, kind=FilesystemKind.FILESYSTEM, initial=True)
    send, receive = transfer(alpha, full, first, cut=FULL_SIZE // 2)
    assert (parse.parse_stream_estimate(send[1]) or 0) > FULL_SIZE
    assert blame(send, receive).kind is FailureKind.RECEIVE_CUT

    (row,) = parse.parse_filesystems(run(alpha, queries.list_filesystems([target])).stdout)
    assert row.inconsistent
    token = run(alpha, queries.get_resume_token(target)).stdout.strip()
    assert row.resume_token == token
    decoded = decode_token(token)
    said = alpha.sh(f"zfs send -nvt {token}").stdout
    numbers = {name: int(hex_, 16) for name, hex_ in re.findall(r"\t(\w+) = 0x(\w+)", said)}
    assert numbers == {
        "object": decoded.object,
        "offset": decoded.offset,
        "bytes": decoded.bytes,
        "toguid": decoded.toguid,
    }
    assert set(re.findall(r"\t(\w+ok) = 1", said)) == {
        flag
        for flag in ("compressok", "embedok", "largeblockok", "rawok", "savedok")
        if getattr(decoded, flag)
    }
    assert (decoded.toname, decoded.fromguid) == (f"{WWW}@one", None)

    _, receive = transfer(alpha, commands.send_resume(token), first)
    assert receive == (0, "")
    guids = parse.parse_guids(
        run(alpha, queries.list_guids([f"{WWW}@one", f"{target}@one"])).stdout
    )
    assert {row.guid for row in guids} == {decoded.toguid}
    properties = "canmount,mountpoint,mounted,readonly"
    values = alpha.sh(f"zfs get -H -o value {properties} {target}").stdout.split()
    assert values == ["noauto", "none", "no", "on"]


def test_incremental_streams_from_snapshots_and_bookmarks_arrive(alpha: Machine) -> None:
    run(alpha, commands.create_placeholder(COPY))
    target = f"{COPY}/www"
    for name in ("one", "two", "three", "four"):
        alpha.sh(f"echo {name} > /{WWW}/{name}")
        run(alpha, commands.snapshot([f"{WWW}@{name}"], "daily"))
    run(alpha, commands.bookmark(f"{WWW}@three", f"{WWW}#cursor"))
    steps = [(None, "one", False), ("@one", "three", True), ("#cursor", "four", False)]
    for base, to, intermediates in steps:
        full = f"{WWW}{base}" if base else None
        send = commands.send(f"{WWW}@{to}", base=full, intermediates=intermediates, flags=RICH)
        receive = commands.receive(target, kind=FilesystemKind.FILESYSTEM, initial=base is None)
        results = transfer(alpha, send, receive)
        assert [status for status, _ in results] == [0, 0], results
    listed = run(alpha, queries.list_versions_within([target])).stdout
    arrived = parse.parse_versions(listed)
    assert [row.version.name for row in arrived] == ["one", "two", "three", "four"]
    assert {row.version.spec for row in arrived} == {None}

    alpha.sh(f"zfs set readonly=off {target} && zfs snapshot {target}@ours")
    again = commands.receive(target, kind=FilesystemKind.FILESYSTEM, initial=False)
    send = commands.send(f"{WWW}@two", base=f"{WWW}@one", intermediates=False, flags=RICH)
    replay = transfer(alpha, send, again)
    assert replay[1][0] == 0
    send = commands.send(f"{SPACED}@x", base=None, intermediates=False, flags=RICH)
    run(alpha, commands.snapshot([f"{SPACED}@x"], "daily"))
    assert blame(*transfer(alpha, send, again)).kind is FailureKind.DESTINATION_EXISTS


def test_a_base_of_a_partial_receive_can_not_be_destroyed_until_it_is_given_up(
    alpha: Machine,
) -> None:
    run(alpha, commands.create_placeholder(COPY))
    target = f"{COPY}/vol"
    run(alpha, commands.snapshot([f"{VOLUME}@one"], "daily"))
    first = commands.receive(target, kind=FilesystemKind.VOLUME, initial=True)
    send = commands.send(f"{VOLUME}@one", base=None, intermediates=False, flags=RICH)
    assert [status for status, _ in transfer(alpha, send, first)] == [0, 0]
    values = alpha.sh(f"zfs get -H -o value readonly,volmode {target}").stdout.split()
    assert values == ["on", "none"]

    wanted = commands.send(f"{WWW}@two", base=f"{WWW}@one", intermediates=False, flags=RICH)
    copy = f"{COPY}/www"
    run(alpha, commands.snapshot([f"{WWW}@one"], "daily"))
    alpha.sh(f"head -c {FULL_SIZE} /dev/urandom > /{WWW}/more")
    run(alpha, commands.snapshot([f"{WWW}@two"], "daily"))
    full = commands.send(f"{WWW}@one", base=None, intermediates=False, flags=RICH)
    kind = FilesystemKind.FILESYSTEM
    transfer(alpha, full, commands.receive(copy, kind=kind, initial=True))
    transfer(alpha, wanted, commands.receive(copy, kind=kind, initial=False), cut=FULL_SIZE // 2)
    refused = run(alpha, commands.destroy_snapshots(copy, ["one"]), check=False)
    assert classify(refused.stderr, refused.returncode).kind is FailureKind.PARTIAL_STATE
    run(alpha, commands.abort_receive(copy))
    again = run(alpha, commands.abort_receive(copy), check=False)
    assert classify(again.stderr, again.returncode).reaction is Reaction.DONE
    run(alpha, commands.destroy_snapshots(copy, ["one"]))


def test_the_host_tells_its_releases_pools_and_features(alpha: Machine) -> None:
    versions = parse_zfs_version(run(alpha, queries.version()).stdout)
    assert versions.userland >= (2, 1, 0)
    assert versions.kernel is not None
    (pool,) = parse.parse_pools(run(alpha, queries.list_pools()).stdout)
    assert (pool.name, pool.health, pool.readonly) == ("tank", "ONLINE", False)
    features = parse.parse_features(run(alpha, queries.get_features()).stdout)
    assert {row.feature for row in features} == set(FEATURES)
    assert run(alpha, queries.list_filesystem(SPACED)).stdout == f"{SPACED}\n"
    missing = run(alpha, queries.list_filesystem(f"{TOP}/no"), check=False)
    assert classify(missing.stderr, missing.returncode).kind is FailureKind.DOES_NOT_EXIST
