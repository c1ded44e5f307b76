"""In which form encrypted filesystems are sent, and which forms are refused before a byte moves."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from reconciler.actions import Send
from reconciler.desired.model import Desired, Encryption
from reconciler.observed.model import Filesystem
from reconciler.planner.plan import Plan
from reconciler.planner.planning import plan
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.types import FilesystemKind
from tests.support.shown import conflicts, of_verb, steps
from tests.support.worlds import (
    NOW,
    desired,
    encrypted,
    fs,
    placeholder,
    pool,
    replica,
    seen,
    world,
)

WWW = "backup/alpha/tank/www"
ABC = "@~21:00,1 @~22:00,2 @~23:00,3"
NOTHING = placeholder("backup/alpha/tank")


def wanted(form: Encryption, line: str = "web: alpha tank/www -> vault") -> Desired:
    specs = desired(line)
    made = {
        name: replace(r, targets=tuple(replace(t, encryption=form) for t in r.targets))
        for name, r in specs.replications.items()
    }
    return replace(specs, replications=made)


def planned(
    here: Filesystem, there: Filesystem = NOTHING, form: Encryption = Encryption.DECRYPT
) -> Plan:
    observed = world(seen("alpha", here), seen("vault", there))
    return plan(wanted(form), observed, NOW)


def source(versions: str = ABC, **facts: Any) -> Filesystem:
    return fs("tank/www", versions, **encrypted(encryptionroot="tank/www", **facts))


def sent(made: Plan) -> list[Send]:
    return [p.action for p in made.actions if isinstance(p.action, Send)]


def test_a_decrypted_send_takes_one_step_for_each_version() -> None:
    there = replica(WWW, "@~21:00,1")
    assert of_verb(planned(source(), there), "send") == [
        "send alpha tank/www @~21:00 → @~22:00",
        "send alpha tank/www @~22:00 → @~23:00",
    ]
    raw = planned(source(), replica(WWW, "@~21:00,1", **encrypted()), Encryption.RAW)
    assert of_verb(raw, "send") == ["send alpha tank/www @~21:00 → @~22:00 @~23:00"]


def test_what_is_not_encrypted_goes_in_one_stream_whatever_the_spec_says_of_the_rest() -> None:
    made = planned(fs("tank/www", ABC), replica(WWW, "@~21:00,1"))
    assert of_verb(made, "send") == ["send alpha tank/www @~21:00 → @~22:00 @~23:00"]


def test_a_decrypted_stream_is_not_raw_and_a_raw_one_is_nothing_else() -> None:
    assert not any(send.flags.raw for send in sent(planned(source())))
    for send in sent(planned(source(), form=Encryption.RAW)):
        assert send.flags == StreamFlags(raw=True)


def test_each_decrypted_step_waits_for_the_one_before() -> None:
    made = planned(source())
    sends = [p for p in made.actions if isinstance(p.action, Send)]
    assert len(sends) == 3
    for before, after in pairwise(sends):
        assert before.id in after.depends_on


@pytest.mark.parametrize("there", [NOTHING, replica(WWW, "@~21:00,1")], ids=["new", "there"])
def test_without_the_key_on_the_sender_nothing_is_sent_in_clear(there: Filesystem) -> None:
    made = planned(source(keystatus="unavailable"), there)
    (conflict,) = made.conflicts
    assert (conflict.host, conflict.filesystem) == ("alpha", "tank/www")
    assert conflict.code == "key-not-loaded"
    assert conflict.remedy == "zfs load-key tank/www there, or send it raw: `encryption: raw`"
    assert steps(made) == []


def test_the_key_that_is_missing_is_that_of_the_encryption_root() -> None:
    below = fs("tank/www", ABC, **encrypted(keystatus="unavailable", encryptionroot="tank"))
    (conflict,) = planned(below).conflicts
    assert "zfs load-key tank there" in conflict.remedy


def test_raw_needs_no_key() -> None:
    assert conflicts(planned(source(keystatus="unavailable"), form=Encryption.RAW)) == []


def test_the_receivers_key_is_needed_below_an_encrypted_root() -> None:
    locked = fs("backup/alpha/tank", **encrypted(keystatus="unavailable", encryptionroot="backup"))
    observed = world(seen("alpha", source()), seen("vault", locked))
    made = plan(wanted(Encryption.DECRYPT), observed, NOW)
    assert conflicts(made) == [f"vault {WWW} key-not-loaded"]
    assert conflicts(plan(wanted(Encryption.RAW), observed, NOW)) == []


def test_into_an_encrypted_filesystem_nothing_goes_embedded() -> None:
    features = {**pool("tank").features, "embedded_data": "active"}
    pools = [pool("tank", features=features)], [pool("backup", features=features)]
    own = fs("backup", **encrypted(encryptionroot="backup"))
    here = seen("alpha", source(), pools=pools[0])
    made = plan(wanted(Encryption.DECRYPT), world(here, seen("vault", own, pools=pools[1])), NOW)
    assert [send.flags.embedded for send in sent(made)] == [False] * 3


RAW_REPLICA = encrypted(keystatus="unavailable", encryptionroot=WWW)
BELOW_OWN_ROOT = encrypted(encryptionroot="backup")
BELOW_ITS_ROOTS_REPLICA = encrypted(encryptionroot="backup/alpha/tank")


@pytest.mark.parametrize(
    ("form", "root", "there", "fits"),
    [
        (Encryption.RAW, "tank/www", RAW_REPLICA, True),
        (Encryption.RAW, "tank", BELOW_ITS_ROOTS_REPLICA, True),
        (Encryption.RAW, "tank", BELOW_OWN_ROOT, False),
        (Encryption.RAW, "tank/www", {}, False),
        (Encryption.DECRYPT, "tank/www", RAW_REPLICA, False),
        (Encryption.DECRYPT, "tank", BELOW_ITS_ROOTS_REPLICA, False),
        (Encryption.DECRYPT, "tank", BELOW_OWN_ROOT, True),
        (Encryption.DECRYPT, "tank/www", {}, True),
    ],
)
def test_a_pair_goes_on_in_the_form_it_began_in(
    form: Encryption,
    root: str,
    there: dict[str, Any],
    fits: bool,  # noqa: FBT001
) -> None:
    here = fs("tank/www", ABC, **encrypted(encryptionroot=root))
    made = planned(here, replica(WWW, "@~21:00,1", **there), form)
    if fits:
        assert conflicts(made) == []
        assert len(of_verb(made, "send")) > 0
    else:
        assert conflicts(made) == [f"vault {WWW} encryption-mismatch"]
        assert steps(made) == []


def test_a_mismatch_says_what_both_ends_are_and_what_to_do() -> None:
    (conflict,) = planned(source(), replica(WWW, "@~21:00,1", **RAW_REPLICA)).conflicts
    assert conflict.remedy.startswith("go on raw: `encryption: raw`; or zfs rename")
    assert conflict.evidence == (
        "alpha tank/www: encryption aes-256-gcm, key available, encryption root tank/www",
        f"vault {WWW}: encryption aes-256-gcm, key unavailable, encryption root {WWW}",
    )


def test_a_volume_is_decrypted_as_well() -> None:
    here = replace(source(), kind=FilesystemKind.VOLUME)
    assert [len(send.versions) for send in sent(planned(here))] == [1, 1, 1]
