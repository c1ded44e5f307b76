"""6.6 and 6.7 of the list of behaviours: conflicts, encryption, properties, missing filesystems."""

from typing import Any

import pytest

from reconciler.actions import Send
from reconciler.observed.model import Filesystem, Seen
from reconciler.planner.plan import Outcome, Plan
from reconciler.planner.planning import plan
from reconciler.zfs.capabilities import stream_flags
from tests.behaviours.outcomes import HERE, THERE, WWW, guids
from tests.support.converge import converge
from tests.support.shown import conflicts, notes, of_verb, steps
from tests.support.tokens import token
from tests.support.worlds import (
    FEATURES,
    NOW,
    desired,
    encrypted,
    fs,
    placeholder,
    pool,
    replica,
    seen,
    volume,
    world,
)

LINE = "web: alpha tank/www keep last 1 -> vault keep last 1"
AB = "@~22:00,11 @~23:00,12"
LOCKED: dict[str, Any] = encrypted(keystatus="unavailable")


def planned(source: Filesystem, *there: Filesystem, features: dict[str, str] = FEATURES) -> Plan:
    vault = seen("vault", *there, pools=[pool("backup", features=features)])
    return plan(desired(LINE), world(seen("alpha", source), vault), NOW)


def sends(made: Plan) -> list[Send]:
    """Return the streams of a plan."""
    return [p.action for p in made.actions if isinstance(p.action, Send)]


def test_h91_a_target_that_was_written_to_since_the_base_is_blocked_and_left_as_it_is() -> None:
    there = replica(WWW, "@~22:00,11", written=4096)
    made = planned(fs("tank/www", AB), there)

    (conflict,) = made.conflicts
    assert (conflict.code, conflict.evidence) == (
        "receiver-modified",
        ("4096 bytes written since @rec-20261122T220000Z",),
    )
    assert f"zfs rollback {WWW}@rec-20261122T220000Z on vault" in conflict.remedy
    assert steps(made) == []
    assert made.outcome is Outcome.BLOCKED


@pytest.mark.parametrize("key", ["available", "unavailable"])
def test_h95_an_encrypted_source_is_sent_raw_whether_its_key_is_loaded_or_not(key: str) -> None:
    source = fs("tank/www", AB, **encrypted(keystatus=key))

    for made in (planned(source), planned(source, replica(WWW, "@~22:00,11", **LOCKED))):
        assert conflicts(made) == []
        assert {stream.flags.options for stream in sends(made)} == {("-w",)}


def test_h95_a_stream_in_the_clear_is_blocked_where_a_key_is_missing() -> None:
    locked = replica(WWW, "@~22:00,11", **LOCKED, encryptionroot="backup")
    made = planned(fs("tank/www", AB), locked)

    (conflict,) = made.conflicts
    assert (conflict.code, conflict.remedy) == ("key-not-loaded", "zfs load-key backup there")
    assert steps(made) == []


def test_h96_a_pair_that_was_in_the_clear_and_would_be_raw_is_blocked() -> None:
    made = planned(fs("tank/www", AB, **encrypted()), replica(WWW, "@~22:00,11"))

    assert conflicts(made) == [f"vault {WWW} encryption-mismatch"]
    assert "start afresh" in made.conflicts[0].remedy
    assert steps(made) == []


@pytest.mark.parametrize("here", range(3))
@pytest.mark.parametrize("there", range(3))
def test_h96_large_blocks_that_were_sent_once_are_sent_for_ever(here: int, there: int) -> None:
    """A pool's features only ever go forward (zpool-features(7))."""
    states = ("disabled", "enabled", "active")

    def large(one: str, other: str) -> bool:
        flags = stream_flags(
            {"large_blocks": one},
            {"large_blocks": other},
            encrypted=False,
            receiver_encrypted=False,
        )
        return flags.large_blocks

    assert large(states[here], states[there]) == (here > 0 and there > 0)
    if large(states[here], states[there]):
        assert all(large(a, b) for a in states[here:] for b in states[there:])


def test_h97_an_encrypted_source_under_an_unencrypted_parent_arrives_raw() -> None:
    specs = desired(LINE)
    before = world(seen("alpha", fs("tank/www", AB, **encrypted())), seen("vault", fs("backup")))

    vault = converge(specs, before, NOW)["vault"]
    assert isinstance(vault, Seen)
    received = vault.filesystems[WWW]
    assert (received.encryption, received.encryptionroot, received.keystatus) == (
        "aes-256-gcm",
        WWW,
        "unavailable",
    )


def test_h97_an_unencrypted_source_under_an_encrypted_parent_is_encrypted_there() -> None:
    specs = desired(LINE)
    parent = fs("backup", **encrypted(encryptionroot="backup"))
    before = world(seen("alpha", fs("tank/www", AB)), seen("vault", parent))

    (stream,) = sends(plan(specs, before, NOW))
    assert not stream.flags.embedded
    vault = converge(specs, before, NOW)["vault"]
    assert isinstance(vault, Seen)
    assert vault.filesystems[WWW].encryptionroot == "backup"


def test_h97_an_unencrypted_source_under_a_parent_without_its_key_is_blocked() -> None:
    parent = fs("backup", **LOCKED, encryptionroot="backup")

    assert conflicts(planned(fs("tank/www", AB), parent)) == [f"vault {WWW} key-not-loaded"]


def test_h99_a_volume_is_received_without_the_properties_of_filesystems() -> None:
    (stream,) = sends(planned(volume("tank/www", "@~23:00,1")))

    options = stream.receive_command()
    assert options == ("zfs", "receive", "-s", "-u", "-o", "readonly=on", "-o", "volmode=none", WWW)


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(fs("backup"), id="full"),
        pytest.param(replica(WWW, "@~22:00,11"), id="incremental"),
        pytest.param(replica(WWW, "@~22:00,11", resume_token=token(12, 11)), id="resumed"),
    ],
)
def test_h101_our_properties_and_holds_on_the_source_are_not_carried_to_the_replica(
    there: Filesystem,
) -> None:
    specs = desired("web: alpha tank/www -> vault")
    source = fs("tank/www", "@~22:00,11 @~23:00,12,held=keep")
    assert {version.spec for version in source.snapshots} == {"web"}
    before = world(seen("alpha", source), seen("vault", there))

    for stream in sends(plan(specs, before, NOW)):
        assert not {"-p", "-b", "-R", "--props", "--backup"} & set(stream.send_command())
    after = converge(specs, before, NOW)["vault"]
    assert isinstance(after, Seen)
    newest = after.filesystems[WWW].snapshots[-1]
    assert (newest.guid, newest.spec, newest.holds) == (12, None, ("rec-base_web",))


GONE = seen(
    "vault",
    placeholder("backup/alpha"),
    placeholder("backup/alpha/tank"),
    replica(WWW, "@~22:00,11 @~23:00,12,held=base"),
    replica(f"{WWW}/gone", "@~20:00,5 @~21:00,6 @theirs,7"),
)
TREE = "web: alpha tank/www/** keep last 1 -> vault keep last 1"


def test_h103_a_replica_whose_source_is_gone_is_kept_and_told_of_at_every_plan() -> None:
    specs = desired(TREE)
    before = world(seen("alpha", fs("tank/www", "@~22:00,11 @~23:00,12 #cur,12")), GONE)
    after = converge(specs, before, NOW)

    said = f"warning: alpha tank/www/gone is gone; vault {WWW}/gone is kept as it is"
    assert notes(plan(specs, before, NOW)) == [said]
    assert notes(plan(specs, after, NOW)) == [said]
    assert guids(after, ("vault", f"{WWW}/gone")) == [5, 6, 7]
    assert guids(after, THERE) == [12]


def test_h103_a_source_in_a_pool_that_is_not_there_is_not_taken_for_gone() -> None:
    made = plan(desired(TREE), world(seen("alpha", fs("other")), GONE), NOW)

    assert not any("is gone" in note.summary for note in made.notes)
    assert of_verb(made, "destroy", "release") == []


def test_h105_a_parent_without_snapshots_of_ours_is_never_destroyed() -> None:
    specs = desired("web: alpha tank/www/** !tank/www keep last 1 -> vault keep last 1")
    before = world(
        seen("alpha", fs("tank/www", "@manual,3"), fs("tank/www/a", "@~22:00,1 @~23:00,2")),
        seen("vault", fs(WWW), replica(f"{WWW}/a", "@~21:00,9 @~22:00,1")),
    )
    after = converge(specs, before, NOW)

    for host, was in before.items():
        now_is = after[host]
        assert isinstance(was, Seen)
        assert isinstance(now_is, Seen)
        assert was.filesystems.keys() == now_is.filesystems.keys()
    assert guids(after, HERE) == [3]
    assert guids(after, ("alpha", "tank/www/a")) == guids(after, ("vault", f"{WWW}/a")) == [2]
