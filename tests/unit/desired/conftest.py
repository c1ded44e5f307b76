"""What the tests of specs share: objects as text, and resolving texts without any file."""

from collections.abc import Callable, Iterable, Mapping

import pytest

from reconciler.desired.diagnostics import Diagnostic
from reconciler.desired.files import SpecFile
from reconciler.desired.model import Desired
from reconciler.desired.resolve import resolve
from reconciler.desired.specset import read_all

Resolve = Callable[
    [Mapping[str, str] | Iterable[tuple[str, str]]], Desired | tuple[Diagnostic, ...]
]
Desire = Callable[[str], Desired]


@pytest.fixture
def hosts() -> str:
    """Three hosts, as in the example specs."""
    labels = {"alpha": "data", "beta": "data", "vault": "vault"}
    return "".join(
        "---\napiVersion: reconciler/v1alpha1\nkind: Host\n"
        f"metadata: {{name: {host}, labels: {{role: {role}}}}}\n"
        f"spec: {{connection: {{ssh: {{address: {host}}}}}}}\n"
        for host, role in labels.items()
    )


@pytest.fixture
def resolve_texts() -> Resolve:
    """Resolve files given by name and text."""

    def run(
        texts: Mapping[str, str] | Iterable[tuple[str, str]],
    ) -> Desired | tuple[Diagnostic, ...]:
        pairs = texts.items() if isinstance(texts, Mapping) else texts
        return resolve(read_all(SpecFile(name, text.encode()) for name, text in pairs))

    return run


@pytest.fixture
def desire(hosts: str, resolve_texts: Resolve) -> Desire:
    """Resolve a text that has nothing wrong, along with the three hosts."""

    def run(text: str) -> Desired:
        resolved = resolve_texts({"hosts.yaml": hosts, "a.yaml": text})
        assert isinstance(resolved, Desired), "\n".join(map(str, resolved))
        return resolved

    return run
