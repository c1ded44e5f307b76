"""Spec files for tests, as text."""

HEAD = "apiVersion: reconciler/v1alpha1\n"


def host(name: str) -> str:
    """Return a simulated host."""
    return (
        f"---\n{HEAD}kind: Host\nmetadata: {{name: {name}}}\n"
        f"spec: {{connection: {{simulated: {{state: {name}.json}}}}}}\n"
    )


def replication(name: str, sender: str = "alpha", receiver: str = "vault") -> str:
    """Return a replication of tank/NAME."""
    return (
        f"---\n{HEAD}kind: Replication\nmetadata: {{name: {name}}}\nspec:\n"
        f"  source:\n    host: {sender}\n    filesystems: [tank/{name}/**]\n"
        f"    snapshots: {{every: 15m, prefix: rec-}}\n"
        f"  targets:\n    - {{host: {receiver}, under: backup}}\n"
    )


def specs(*names: str) -> str:
    """Return two hosts and replications of these names."""
    return host("alpha") + host("vault") + "".join(map(replication, names))
