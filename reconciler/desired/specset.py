"""All objects of a spec set by kind, what could not be read of it, and who stands twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.desired.diagnostics import Diagnostic, in_order
from reconciler.desired.document import Document
from reconciler.desired.files import SpecFile
from reconciler.desired.objects import Host, KeepPolicy, Replication
from reconciler.desired.reading import Item, identity, interpret
from reconciler.desired.yamlfile import parse


@dataclass(frozen=True, slots=True)
class SpecSet:
    """The objects that are right in themselves, and all findings so far.

    `broken` and `nameless` keep us from calling a name unknown that stands in a broken document.
    """

    hosts: tuple[Item[Host], ...] = ()
    replications: tuple[Item[Replication], ...] = ()
    policies: tuple[Item[KeepPolicy], ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    broken: frozenset[tuple[str, str]] = frozenset()
    """Kind and name of objects with findings."""
    nameless: bool = False
    """Whether something could not be read far enough to know what it is called."""

    def may_have(self, kind: str, name: str) -> bool:
        """Whether an object that could not be read may be the one of this name."""
        return self.nameless or (kind, name) in self.broken

    def may_have_more(self, kind: str) -> bool:
        """Whether there may be more objects of a kind than could be read."""
        return self.nameless or any(broken == kind for broken, _ in self.broken)

    def __len__(self) -> int:
        return len(self.hosts) + len(self.replications) + len(self.policies)


def read_all(sources: Iterable[SpecFile | Diagnostic]) -> SpecSet:
    """Read all files into a spec set."""
    findings: list[Diagnostic] = []
    documents: list[Document] = []
    incomplete = False
    for source in sources:
        if isinstance(source, Diagnostic):
            findings.append(source)
            incomplete = True
            continue
        parsed = parse(source.name, source.content)
        findings += parsed.diagnostics
        documents += parsed.documents
        incomplete |= not parsed.complete
    return _gathered(documents, findings, incomplete=incomplete)


def _gathered(
    documents: list[Document], findings: list[Diagnostic], *, incomplete: bool
) -> SpecSet:
    items: list[Item[Any]] = []
    lost: list[tuple[str, str] | None] = []
    for document in documents:
        item = [] if document.broken else interpret(document)
        if isinstance(item, Item):
            items.append(item)
        else:
            findings += item
            lost.append(identity(document))
    kept = _unique(items, findings)
    return SpecSet(
        hosts=tuple(item for item in kept if isinstance(item.spec, Host)),
        replications=tuple(item for item in kept if isinstance(item.spec, Replication)),
        policies=tuple(item for item in kept if isinstance(item.spec, KeepPolicy)),
        findings=in_order(findings),
        broken=frozenset(name for name in lost if name),
        nameless=incomplete or None in lost,
    )


def _unique(items: list[Item[Any]], findings: list[Diagnostic]) -> list[Item[Any]]:
    """Return the first object of each kind and name, by place; report the others."""
    first: dict[tuple[str, str], Item[Any]] = {}
    for item in sorted(items, key=lambda item: item.at()):
        kind = item.spec.kind
        known = first.setdefault((kind, item.name), item)
        if known is not item:
            where = known.at("metadata", "name")
            summary = f"there is a {kind} `{item.name}` already, at {where}"
            findings.append(item.at("metadata", "name").error(summary, "Rename or remove one."))
    return list(first.values())
