"""A generation moves with what concerns its object, and with nothing else."""

import re
from collections.abc import Callable

import pytest

from reconciler.desired.digest import generation, host_generation
from reconciler.desired.model import Desired
from tests.unit.desired.conftest import Resolve

HOST = (
    "---\napiVersion: reconciler/v1alpha1\nkind: Host\n"
    "metadata: {{name: {0}, labels: {{of: {1}}}}}\n"
    "spec: {{connection: {{ssh: {{address: {0}.example.com}}}}}}\n"
)
REPLICATION = (
    "---\napiVersion: reconciler/v1alpha1\nkind: Replication\nmetadata: {{name: {0}}}\nspec:\n"
    "  source:\n    hosts: {{matchLabels: {{of: {0}}}}}\n    filesystems: [tank/{0}/**]\n"
    "    snapshots: {{every: 15m, prefix: rec-}}\n    keep: {{policy: {0}}}\n"
    "  targets:\n    - {{host: vault-{0}, under: 'backup/{{host}}'}}\n"
)
POLICY = (
    "---\napiVersion: reconciler/v1alpha1\nkind: KeepPolicy\nmetadata: {{name: {0}}}\n"
    "spec: {{daily: 7}}\n"
)
SPECS = "".join(
    HOST.format(f"{name}-1", name)
    + HOST.format(f"{name}-2", name)
    + HOST.format(f"vault-{name}", "x")
    + POLICY.format(name)
    + REPLICATION.format(name)
    for name in ("mail", "web")
)

Specs = Callable[[str, str], Desired]


@pytest.fixture
def changed(resolve_texts: Resolve) -> Specs:
    """Resolve the specs with one thing replaced."""

    def run(old: str, new: str) -> Desired:
        assert old in SPECS
        resolved = resolve_texts({"a.yaml": SPECS.replace(old, new)})
        assert isinstance(resolved, Desired), "\n".join(map(str, resolved))
        return resolved

    return run


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("[tank/web/**]", "[tank/web/**, tank/x]", id="its own section"),
        pytest.param("web-2, labels: {of: web}", "web-2", id="the senders its labels choose"),
        pytest.param("web-2.example.com", "10.0.0.1", id="a sender's address"),
        pytest.param("vault-web.example.com", "10.0.0.1", id="a receiver's address"),
        pytest.param(
            POLICY.format("web"), POLICY.format("web").replace("7", "8"), id="a policy's rules"
        ),
    ],
)
def test_what_concerns_a_replication_moves_its_generation_and_no_other(
    changed: Specs, old: str, new: str
) -> None:
    before = changed("", "")
    after = changed(old, new)
    assert generation(after, "web") != generation(before, "web")
    assert generation(after, "mail") == generation(before, "mail")


def test_a_hosts_generation_moves_with_the_host_alone(changed: Specs) -> None:
    before = changed("", "")
    moved = changed("web-2.example.com", "10.0.0.1")
    assert host_generation(moved, "web-2") != host_generation(before, "web-2")
    for same in (moved, changed("[tank/web/**]", "[tank/x]")):
        assert host_generation(same, "web-1") == host_generation(before, "web-1")


def test_how_it_is_written_does_not_matter(changed: Specs) -> None:
    before = changed("", "")
    assert generation(changed("15m", "900s"), "web") == generation(before, "web")


def test_it_is_short_hexadecimal(changed: Specs) -> None:
    desired = changed("", "")
    names = [generation(desired, "web"), generation(desired, "mail")]
    names += [host_generation(desired, host) for host in desired.hosts]
    assert len(set(names)) == 2 + 6
    assert all(re.fullmatch("[0-9a-f]{12}", name) for name in names)


def test_there_is_none_of_what_does_not_exist(changed: Specs) -> None:
    with pytest.raises(KeyError):
        generation(changed("", ""), "web-1")
    with pytest.raises(KeyError):
        host_generation(changed("", ""), "web")
