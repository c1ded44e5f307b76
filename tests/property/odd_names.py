"""Worlds whose filesystems and snapshots have names that look like something else."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st

from reconciler.observed.model import Filesystem, Observation, Seen
from reconciler.zfs.types import Version
from tests.property.strategies import Scenario, scenarios

PLAIN = ("b", "c", "d", "e")
"""What is given another name: components of filesystems that no spec has by their name."""

ODD = (
    *("-r", "-R", "-F", "-d", "--", "-rf x", "- r"),
    *("destroy -r", "receive -F", "rollback", "a b", " a", "a ", "a:b", ".a", "..a", "a-", "_"),
)
SNAPSHOTS = ("manual1", "manual2", "manual3", "mine")


@st.composite
def odd_scenarios(draw: st.DrawFn, *, mends: bool = False) -> Scenario:
    """Return a scenario with some of these names."""
    world = draw(scenarios(mends=mends))
    odd = draw(st.lists(st.sampled_from(ODD), unique=True, min_size=4, max_size=4))
    names = dict(zip(PLAIN, odd, strict=True))
    labels = dict(zip(SNAPSHOTS, draw(st.permutations(odd)), strict=True))
    observed = {h: _renamed(seen, names, labels) for h, seen in world.observed.items()}
    return world._replace(observed=observed)


def _renamed(
    observation: Observation, names: Mapping[str, str], labels: Mapping[str, str]
) -> Observation:
    if not isinstance(observation, Seen):
        return observation
    found = [_filesystem(f, names, labels) for f in observation.filesystems.values()]
    return replace(observation, filesystems={f.name: f for f in sorted(found, key=_by_name)})


def _by_name(filesystem: Filesystem) -> str:
    return filesystem.name


def _filesystem(
    found: Filesystem, names: Mapping[str, str], labels: Mapping[str, str]
) -> Filesystem:
    origin = found.origin
    if origin is not None:
        filesystem, _, label = origin.partition("@")
        origin = f"{_name(filesystem, names)}@{labels.get(label, label)}"
    root = found.encryptionroot
    return replace(
        found,
        name=_name(found.name, names),
        origin=origin,
        encryptionroot=root if root is None else _name(root, names),
        versions=tuple(_version(version, labels) for version in found.versions),
    )


def _name(name: str, names: Mapping[str, str]) -> str:
    return "/".join(names.get(component, component) for component in name.split("/"))


def _version(version: Version, labels: Mapping[str, str]) -> Version:
    return version._replace(name=labels.get(version.name, version.name))
