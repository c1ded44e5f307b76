"""Specs as text, for what is refused when they are loaded."""

from reconciler.desired.files import SpecFile
from reconciler.desired.model import Desired
from reconciler.desired.resolve import resolve
from reconciler.desired.specset import read_all

_API = "apiVersion: reconciler/v1alpha1\n"

HOSTS = "---\n".join(
    f"{_API}kind: Host\nmetadata: {{name: {name}}}\nspec: {{connection: {{local: {{}}}}}}\n"
    for name in ("alpha", "beta", "vault")
)


def replication(
    name: str = "web",
    *,
    host: str = "alpha",
    filesystems: str = "tank/www/**",
    snapshots: str = "{every: 15m, prefix: rec-}",
    keep: str = "{}",
    to: str = "vault",
    under: str = "backup/{host}",
) -> str:
    """Return a replication with one target; its `filesystems` stand in line 7, `under` in 11."""
    return (
        f"{_API}kind: Replication\nmetadata: {{name: {name}}}\n"
        f"spec:\n  source:\n    host: {host}\n    filesystems: [{filesystems}]\n"
        f"    snapshots: {snapshots}\n    keep: {keep}\n"
        f"  targets:\n    - {{host: {to}, under: '{under}'}}\n"
    )


def resolved(*objects: str) -> Desired | list[str]:
    """Return what specs beside the three hosts come to: the desired state, or all findings."""
    texts = {"hosts.yaml": HOSTS, "a.yaml": "---\n".join(objects)}
    found = resolve(read_all(SpecFile(name, text.encode()) for name, text in texts.items()))
    return found if isinstance(found, Desired) else list(map(str, found))


def accepted(*objects: str) -> Desired:
    """Return the desired state of specs in which nothing is wrong."""
    found = resolved(*objects)
    assert isinstance(found, Desired), found
    return found


def refused(*objects: str) -> list[str]:
    """Return all findings in specs in which something is wrong."""
    found = resolved(*objects)
    assert not isinstance(found, Desired)
    return found
