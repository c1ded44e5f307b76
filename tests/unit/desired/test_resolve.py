import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.model import (
    Calendar,
    Cron,
    DataPath,
    Desired,
    Every,
    External,
    Grid,
    Initial,
    Interval,
    Keep,
    Last,
    Matching,
    MaxDestroy,
    Period,
    Snapshots,
    Target,
    Window,
    Windows,
    Within,
)
from reconciler.hosts.addresses import (
    HostAddress,
    Limits,
    LocalAddress,
    PeerAddress,
    Privilege,
    SshAddress,
)
from tests.unit.desired.conftest import Desire, Resolve

HOST = "apiVersion: reconciler/v1alpha1\nkind: Host\nmetadata: {name: gamma}\nspec:\n"


def replication(
    name: str = "web",
    host: str = "alpha",
    filesystems: str = "tank/www/**",
    prefix: str = "rec-",
    *under: str,
) -> str:
    """A replication with a target for each `host:filesystem`."""
    targets = [place.partition(":") for place in under or ("vault:backup/{host}",)]
    return (
        f"---\napiVersion: reconciler/v1alpha1\nkind: Replication\nmetadata: {{name: {name}}}\n"
        f"spec:\n  source:\n    host: {host}\n    filesystems: [{filesystems}]\n"
        f"    snapshots: {{every: 15m, prefix: {prefix}}}\n  targets:\n"
        + "".join(f"    - {{host: {to}, under: '{place}'}}\n" for to, _, place in targets)
    )


def external(name: str, matching: str, under: str) -> str:
    """A replication of what another tool makes."""
    ours = replication(name, "alpha", "tank/www/**", "rec-", f"vault:{under}")
    made = f"{{external: {{matching: {matching}}}}}"
    return ours.replace("{every: 15m, prefix: rec-}", made)


def test_how_snapshots_come_about_and_when_they_are_sent(desire: Desire) -> None:
    windows = (
        '  windows:\n    allow: [{cron: "0  22 * * *", for: 8h}]\n'
        '    deny: [{cron: "30 2 * * sun", for: 90m}]\n    timezone: Europe/Vienna\n'
    )
    cron = '{cron: " 0 2  * * *", timezone: Asia/Kolkata, prefix: n-, ifChanged: true}'
    found = desire(
        replication("a", "alpha", "tank/a").replace("{every: 15m, prefix: rec-}", cron)
        + windows
        + external("b", "^autosnap_", "b")
    ).replications

    night = Cron("0 2 * * *", "Asia/Kolkata")
    assert found["a"].snapshots == Snapshots(night, "n-", if_changed=True)
    assert found["a"].windows == Windows(
        allow=(Window(Cron("0 22 * * *", "Europe/Vienna"), 8 * 3600),),
        deny=(Window(Cron("30 2 * * sun", "Europe/Vienna"), 90 * 60),),
    )
    assert found["b"].snapshots == External("^autosnap_")
    assert found["b"].windows == Windows()
    assert found["b"].keep == Keep()


def test_a_replication_with_nothing_but_the_necessary_keeps_everything(desire: Desire) -> None:
    web = desire(replication()).replications["web"]
    assert web.snapshots == Snapshots(Every(900), "rec-", if_changed=False)
    assert web.keep == Keep(rules=(), timezone="UTC")
    assert web.suspend is False
    roots = {"alpha": "backup/alpha"}
    assert web.targets == (Target("vault", roots, Keep(), Initial.ALL, DataPath.AUTO),)


def test_all_that_can_be_said_about_a_host(desire: Desire) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1vcmUgdGhhbiBub3RoaW5nIGlzIGVub3VnaCAhISEh"
    text = HOST + (
        "  connection:\n    ssh:\n      address: 2001:db8::7\n      user: zfs\n      port: 2222\n"
        f"      jump: root@bastion:22,[::1]:23\n      hostKey: {key}\n"
        "  privilege: doas\n  peerAddress: {address: 10.0.0.5, port: 23, user: repl}\n"
        "  limits: {sends: 1, receives: 7}\n"
    )
    assert desire(text).hosts["gamma"] == HostAddress(
        "gamma",
        SshAddress("2001:db8::7", "zfs", 2222, "root@bastion:22,[::1]:23", key),
        Privilege.DOAS,
        PeerAddress("10.0.0.5", 23, "repl"),
        Limits(sends=1, receives=7),
    )


def test_the_least_that_can_be_said_about_a_host(desire: Desire) -> None:
    text = HOST + "  connection: {local: {}}\n"
    assert desire(text).hosts["gamma"] == HostAddress("gamma", LocalAddress())


def test_keep_rules_come_in_one_order_from_wherever_they_stand(desire: Desire) -> None:
    rules = (
        "{yearly: 1, within: 36h, matching: '.*x', daily: 7, last: 2, hourly: 24, timezone: CET}"
    )
    policy = (
        "---\napiVersion: reconciler/v1alpha1\nkind: KeepPolicy\nmetadata: {name: p}\n"
        f"spec: {rules}\n"
    )
    here = replication().replace("  targets", f"    keep: {rules}\n  targets")
    there = replication().replace("  targets", "    keep: {policy: p}\n  targets") + policy
    keep = desire(here).replications["web"].keep
    assert keep == desire(there).replications["web"].keep
    assert keep == Keep(
        (
            Last(2),
            Calendar(Period.HOURLY, 24),
            Calendar(Period.DAILY, 7),
            Calendar(Period.YEARLY, 1),
            Within(129600, "36h"),
            Matching(".*x"),
        ),
        "CET",
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            replication("a", "alpha", "tank/a/**") + replication("b", "alpha", "tank/b/**"),
            id="receivers side by side below one root",
        ),
        pytest.param(
            replication("a", "alpha", "tank/a") + replication("b", "alpha", "tank/ab"),
            id="names that begin alike",
        ),
        pytest.param(
            replication("a", "alpha", "tank/**, '!tank/db/**'")
            + replication("b", "alpha", "tank/db/**", "rec-", "vault:db/{host}"),
            id="one prefix, and an exclude between the two",
        ),
        pytest.param(
            replication("a")
            + replication("b", "alpha", "tank/www/**", "hourly-", "vault:b/{host}"),
            id="the same filesystems with another prefix and another place",
        ),
        pytest.param(
            replication("a") + replication("b", "beta"), id="one prefix on different hosts"
        ),
        pytest.param(
            replication("a", "vault", "tank/www/**", "rec-", "vault:backup/{host}"),
            id="a host that receives from itself elsewhere",
        ),
        pytest.param(
            replication("a", "vault", "backup/**, '!backup/copy/**'", "rec-", "vault:backup/copy"),
            id="a host that receives from itself in what is excluded",
        ),
        pytest.param(
            replication("a", "alpha", "tank/**, '!tank/from/**'", "rec-", "beta:tank/from/{host}")
            + replication(
                "b", "beta", "tank/**, '!tank/from/**'", "rec-", "alpha:tank/from/{host}"
            ),
            id="two hosts that keep each other's copies",
        ),
        pytest.param(
            replication("a", "alpha", "tank/www", "rec-", "vault:tank/copies/{host}")
            + replication("b", "vault", "tank", "rec-", "beta:backup/{host}"),
            id="a pool's own filesystem above the receivers",
        ),
        pytest.param(
            replication("a", "alpha", "tank/www/**", "rec-", "vault:b/{host}", "vault:c/{host}"),
            id="two targets on one host",
        ),
        pytest.param(
            replication("a", "alpha", "tank/*, '!tank/vm-*'")
            + replication("b", "alpha", "tank/vm-*"),
            id="what one excludes the other selects",
        ),
        pytest.param(
            replication("a") + external("b", "^rec-", "b") + external("c", "^rec-", "c"),
            id="snapshots of ours and of another tool, sent thrice",
        ),
    ],
)
def test_what_does_not_get_into_each_others_way_is_accepted(desire: Desire, text: str) -> None:
    assert desire(text).replications


def test_no_targets_means_snapshots_only(desire: Desire) -> None:
    text = replication().partition("  targets")[0] + "  targets: []\n"
    assert desire(text).replications["web"].targets == ()


def test_each_target_has_its_own_goal_for_its_lag_or_none(desire: Desire) -> None:
    text = replication("web", "alpha", "tank/www/**", "rec-", "vault:a/{host}", "beta:b/{host}")
    text = text.replace("a/{host}'}", "a/{host}', maxLag: 1h30m}")
    one, other = desire(text).replications["web"].targets
    assert (one.max_lag, other.max_lag) == (5400, None)


def test_labels_choose_hosts_and_the_place_names_them(desire: Desire) -> None:
    text = replication().replace("host: alpha", "hosts: {matchLabels: {role: data}}")
    web = desire(text).replications["web"]
    assert web.senders == ("alpha", "beta")
    assert web.targets[0].roots == {"alpha": "backup/alpha", "beta": "backup/beta"}


def test_senders_come_by_name_wherever_their_hosts_stand(
    hosts: str, resolve_texts: Resolve
) -> None:
    backwards = "---\n".join(reversed(hosts.split("---\n")[1:]))
    text = replication().replace("host: alpha", "hosts: {matchLabels: {role: data}}")
    desired = resolve_texts({"a.yaml": text, "hosts.yaml": backwards})
    assert isinstance(desired, Desired)
    assert desired.replications["web"].senders == ("alpha", "beta")


@given(
    st.sampled_from(["alpha", "beta"]),
    st.lists(st.sampled_from(["a", "b", "x y"]), min_size=1).map("/".join),
    st.lists(st.sampled_from(["a", "b", "x y"]), min_size=1).map("/".join),
)
def test_a_receivers_name_depends_on_its_sender_and_filesystem_alone(
    sender: str, one: str, other: str
) -> None:
    target = Target("vault", {"alpha": "backup/alpha", "beta": "backup/beta"}, Keep())
    assert target.receiver_of(sender, f"tank/{one}") == f"backup/{sender}/tank/{one}"
    same = target.receiver_of(sender, f"tank/{one}") == target.receiver_of(sender, f"tank/{other}")
    assert same == (one == other)


def test_the_order_of_files_and_objects_changes_nothing(hosts: str, resolve_texts: Resolve) -> None:
    texts = [part for part in hosts.split("---\n") if part]
    texts += [replication(f"r{n}", "alpha", f"tank/d{n}/**")[4:] for n in range(5)]
    expected = resolve_texts({"a.yaml": "---\n".join(texts)})
    assert isinstance(expected, Desired)
    for seed in range(10):
        random.Random(seed).shuffle(texts)  # noqa: S311 - no secret
        halves = {"b.yaml": "---\n".join(texts[:seed]), "a.yaml": "---\n".join(texts[seed:])}
        found = resolve_texts({name: text for name, text in halves.items() if text})
        assert found == expected
        assert list(found.replications) == sorted(found.replications)


def test_the_digest_is_about_what_is_said_not_how(desire: Desire) -> None:
    plain = replication()
    digest = desire(plain).digest
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert desire("# a comment\n" + plain.replace("every: 15m", 'every: "15m"')).digest == digest
    assert desire(plain + "  suspend: false\n").digest == digest
    assert desire(plain.replace("every: 15m", "every: 900s")).digest == digest
    for change in ["every: 16m", "every: 15m, ifChanged: true"]:
        assert desire(plain.replace("every: 15m", change)).digest != digest
    assert desire(plain + "  suspend: true\n").digest != digest


def test_rules_of_different_kinds_have_different_digests(desire: Desire) -> None:
    text = replication()
    digests = {
        desire(text.replace("  targets", f"    keep: {{{rule}: 3}}\n  targets")).digest
        for rule in ["last", "hourly", "daily", "weekly", "monthly", "yearly"]
    }
    assert len(digests) == 6


def test_a_thousand_replications_are_resolved_in_about_half_a_second(
    hosts: str, resolve_texts: Resolve
) -> None:
    files = {
        f"r{part}.yaml": "".join(
            replication(f"d{n}", ("alpha", "beta")[n % 2], f"tank/d{n}/**, '!tank/d{n}/*/cache/**'")
            for n in range(part, 1000, 10)
        )
        for part in range(10)
    }
    start = time.process_time()
    resolved = resolve_texts({"hosts.yaml": hosts, **files})
    # Measured: 0.35 to 0.45 s. The bound only has to tell n from n squared on a busy machine.
    assert time.process_time() - start < 10
    assert isinstance(resolved, Desired)
    assert len(resolved.replications) == 1000


def test_a_thousand_senders_of_one_replication_are_quick(
    hosts: str, resolve_texts: Resolve
) -> None:
    labelled = HOST.replace("}\n", ", labels: {x: y}}\n") + "  connection: {local: {}}\n"
    many = "".join(f"---\n{labelled}".replace("gamma", f"h{n}") for n in range(1000))
    everywhere = replication().replace("host: alpha", "hosts: {matchLabels: {x: y}}")
    start = time.process_time()
    resolved = resolve_texts({"hosts.yaml": hosts, "many.yaml": many, "a.yaml": everywhere})
    assert time.process_time() - start < 10
    assert isinstance(resolved, Desired)
    assert len(resolved.replications["web"].targets[0].roots) == 1000


def test_copies_of_a_replication_are_each_reported_a_few_times(
    hosts: str, resolve_texts: Resolve
) -> None:
    same = "".join(replication(f"r{n}") for n in range(300))
    start = time.process_time()
    findings = resolve_texts({"hosts.yaml": hosts, "a.yaml": same})
    assert time.process_time() - start < 20
    assert not isinstance(findings, Desired)
    assert {finding.line for finding in findings} >= set(range(22, 300 * 11, 11))
    assert len(findings) <= 300 * 2 * 5


def test_a_grid_is_a_keep_rule_as_zrepl_writes_it(desire: Desire) -> None:
    text = replication().replace(
        "prefix: rec-}", "prefix: rec-}\n    keep: {grid: 1x1h(keep=all)|24 x 1h}"
    )
    found = desire(text).replications["web"].keep

    assert found == Keep((Grid((Interval(1, 3600, None), Interval(24, 3600))),))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", MaxDestroy(None, 50)),
        ("  maxDestroy: {versions: 7}\n", MaxDestroy(7, 50)),
        ("  maxDestroy: {share: 1%}\n", MaxDestroy(None, 1)),
        ("  maxDestroy: {share: 100%}\n", MaxDestroy(None, None)),
        ("  maxDestroy: {versions: 7, share: 100%}\n", MaxDestroy(7, None)),
    ],
)
def test_a_destroy_budget_is_half_unless_it_is_said(
    desire: Desire, written: str, meant: MaxDestroy
) -> None:
    assert desire(replication() + written).replications["web"].max_destroy == meant
