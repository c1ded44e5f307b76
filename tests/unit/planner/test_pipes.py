"""What streams pass: planned from the specs, the hosts' limits and the programs they have."""

from dataclasses import replace

import pytest

from reconciler.actions import Send
from reconciler.desired.digest import digest, generation
from reconciler.desired.model import Desired
from reconciler.hosts.addresses import Limits
from reconciler.planner.plan import Outcome, Plan, Severity
from reconciler.planner.planning import plan
from reconciler.zfs.piping import PLAIN, PROGRAMS, Piping, Wanted
from tests.support.shown import conflicts
from tests.support.worlds import NOW, desired, fs, seen, world

MIB = 1 << 20
RULES = "web: alpha tank/www keep last 9 -> vault keep last 9"
AB = "@~22:00,11 @~23:00,12"
ALL = frozenset(PROGRAMS)


def asking(
    rules: str = RULES, limits: dict[str, Limits] | None = None, **wanted: int | None
) -> Desired:
    specs = desired(rules)
    replications = {
        name: replace(
            replication,
            targets=tuple(replace(t, piping=Wanted(**wanted)) for t in replication.targets),
        )
        for name, replication in specs.replications.items()
    }
    hosts = {
        name: replace(host, limits=(limits or {}).get(name, Limits()))
        for name, host in specs.hosts.items()
    }
    return replace(specs, replications=replications, hosts=hosts)


def planned(specs: Desired, **programs: frozenset[str]) -> Plan:
    found = {"alpha": seen("alpha", fs("tank/www", AB)), "vault": seen("vault", fs("backup"))}
    hosts = (replace(found[h], programs=programs.get(h, ALL)) for h in found)
    return plan(specs, world(*hosts), NOW)


def passed(found: Plan) -> Piping:
    """Return what all streams pass alike."""
    (one,) = {p.action.piping for p in found.actions if isinstance(p.action, Send)}
    return one


def test_without_a_word_in_the_specs_streams_pass_nothing() -> None:
    assert passed(planned(desired(RULES))) == PLAIN


def test_streams_pass_what_the_specs_ask_for() -> None:
    found = passed(planned(asking(compression=7, buffer=64 * MIB)))
    assert (found.compression, found.buffer, len(found.buffered)) == (7, 64 * MIB, 2)


@pytest.mark.parametrize(
    ("limits", "whole", "share"),
    [
        pytest.param({}, 8 * MIB, 4 * MIB, id="the target's, by what the receiver takes at once"),
        pytest.param(
            {"vault": Limits(receives=8)}, 8 * MIB, 4 * MIB, id="the sender sends no more than two"
        ),
        pytest.param({"alpha": Limits(sends=1)}, 8 * MIB, 8 * MIB, id="one stream alone"),
        pytest.param(
            {"alpha": Limits(sends=3, bandwidth=3 * MIB)}, None, MIB, id="the sending host's"
        ),
        pytest.param(
            {"vault": Limits(receives=4, bandwidth=4 * MIB)}, None, MIB, id="the receiving host's"
        ),
        pytest.param(
            {"alpha": Limits(bandwidth=9 * MIB), "vault": Limits(bandwidth=2 * MIB)},
            8 * MIB,
            MIB,
            id="the smallest counts",
        ),
    ],
)
def test_a_bandwidth_is_shared_by_all_streams_there_can_be_at_once(
    limits: dict[str, Limits], whole: int | None, share: int
) -> None:
    specs = asking(limits=limits, bandwidth=whole)
    assert passed(planned(specs)).bandwidth == share


def test_several_senders_share_the_bandwidth_to_a_target() -> None:
    rules = "web: alpha,beta tank/www keep last 9 -> vault keep last 9"
    specs = asking(rules, {"vault": Limits(receives=9)}, bandwidth=8 * MIB)
    assert passed(planned(specs)).bandwidth == 2 * MIB


def test_a_bandwidth_that_nothing_keeps_is_a_conflict_and_nothing_is_sent() -> None:
    found = planned(asking(bandwidth=MIB), alpha=frozenset({"zstd"}), vault=frozenset())
    (conflict,) = found.conflicts
    assert conflict.code == "limiter-missing"
    assert "neither mbuffer nor pv on alpha and vault" in conflict.message
    assert "install mbuffer on alpha" in conflict.remedy
    assert not [p for p in found.actions if isinstance(p.action, Send)]
    assert found.outcome is Outcome.BLOCKED


def test_one_end_that_can_keep_the_bandwidth_is_enough() -> None:
    found = planned(asking(bandwidth=MIB), alpha=frozenset())
    assert conflicts(found) == []
    assert passed(found).programs(passed(found).limited_at)


def test_a_missing_zstd_or_mbuffer_is_said_once_for_each_host_and_streams_go_without() -> None:
    specs = asking(compression=3, buffer=MIB)
    found = planned(specs, alpha=frozenset({"mbuffer"}), vault=frozenset({"zstd"}))
    assert [(note.severity, note.summary) for note in found.notes if "has no" in note.summary] == [
        (Severity.WARNING, "alpha has no zstd: streams are not compressed (web to vault)"),
        (Severity.WARNING, "vault has no mbuffer: streams have no buffer there (web to vault)"),
    ]
    assert passed(found).compression is None
    assert [str(end) for end in passed(found).buffered] == ["sender"]


def test_what_is_not_asked_for_is_not_missed() -> None:
    found = planned(desired(RULES), alpha=frozenset(), vault=frozenset())
    assert not [note for note in found.notes if "has no" in note.summary]


def test_specs_that_do_not_speak_of_it_keep_their_digests_and_others_have_their_own() -> None:
    plain = desired(RULES)
    assert digest(plain) == digest(asking(limits={"alpha": Limits()}))
    others = (
        asking(compression=3),
        asking(buffer=MIB),
        asking(bandwidth=MIB),
        asking(limits={"alpha": Limits(bandwidth=MIB)}),
    )
    assert len({digest(specs) for specs in (plain, *others)}) == 5
    assert len({generation(specs, "web") for specs in (plain, *others)}) == 5
