"""What a host said, as text and as JSON."""

import json

from reconciler.observed.model import Unseen
from reconciler.report import facts_json
from reconciler.report.facts_text import facts_lines
from reconciler.report.lines import text_of
from tests.support.tokens import token
from tests.support.worlds import fs, pool, seen, volume

ALPHA = seen(
    "alpha",
    fs("tank/www", "@~22:45,1 @~23:00,2 #cur,2", written=2048),
    volume("tank/vm", disabled=True, origin="tank/www@x"),
    fs("tank/secret", encryption="aes-256-gcm", keystatus="available", resume_token=token(1)),
    pools=[pool("dead", health="SUSPENDED", readonly=True)],
    skew=-300,
)
UNSEEN = Unseen("beta", "Connection timed out", "see that sshd listens")


def test_a_host_in_words() -> None:
    text = text_of(facts_lines(ALPHA))
    assert text.startswith(
        "alpha: OpenZFS 2.2.2, observed 2026-11-22 23:15:00 UTC,"
        " its clock is 300 s behind the controller's\n"
    )
    for said in (
        "  dead  SUSPENDED, read-only  931 GiB free",
        "  tank/www  1000 B referenced  2 snapshots, newest @rec-20261122T230000Z, 1 bookmark",
        "1 bookmark  2.0 KiB written since",
        "volume  switched off  clone of tank/www@x",
        "encrypted, key available  partial receive",
    ):
        assert said in text


def test_an_encryption_root_above_is_named_and_properties_that_select_are_told() -> None:
    below = fs(
        "tank/a",
        encryption="aes-256-gcm",
        keystatus="unavailable",
        encryptionroot="tank",
        properties={"com.example:backup": "true"},
    )
    assert "encrypted, key of tank unavailable" in text_of(facts_lines(seen("alpha", below)))
    document = json.loads(json.dumps(facts_json.dump(seen("alpha", below))))
    (_, found) = document["filesystems"]
    assert found["encryptionroot"] == "tank"
    assert found["properties"] == {"com.example:backup": "true"}


def test_a_clock_that_is_right_or_ahead() -> None:
    assert "its clock is right" in text_of(facts_lines(seen("a", skew=1)))
    assert "5 s ahead of" in text_of(facts_lines(seen("a", skew=5)))


def test_an_unseen_host_has_a_cause_and_a_remedy() -> None:
    assert text_of(facts_lines(UNSEEN)) == (
        "! beta was not seen: Connection timed out\n  remedy: see that sshd listens\n"
    )
    assert text_of(facts_lines(Unseen("beta", "x"))) == "! beta was not seen: x\n"
    assert facts_json.dump(UNSEEN)["seen"] is False


def test_the_document_holds_all_versions() -> None:
    document = json.loads(json.dumps(facts_json.dump(ALPHA)))
    by_name = {found["name"]: found for found in document["filesystems"]}
    assert [v["guid"] for v in by_name["tank/www"]["versions"]] == ["1", "2", "2"]
    assert by_name["tank/vm"]["kind"] == "volume"
    assert {found["name"] for found in document["pools"]} == {"dead", "tank"}


def test_a_clock_beyond_all_calendars_can_be_shown() -> None:
    mad = seen("alpha", skew=10**13)
    assert facts_json.dump(mad)["clock"] == mad.clock
    assert "ahead of" in text_of(facts_lines(mad))
