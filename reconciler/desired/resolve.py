"""Spec objects → `Desired`: references followed, defaults filled in, the whole checked.

Every finding of every object is collected before anything is refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.desired.areas import area_findings
from reconciler.desired.chains import chain_findings, linked
from reconciler.desired.diagnostics import Diagnostic, Position, in_order, shown
from reconciler.desired.digest import digest
from reconciler.desired.handing import (
    encryption_of,
    handing_findings,
    properties_of,
    selection_of,
)
from reconciler.desired.keep_objects import Keep as KeepSection
from reconciler.desired.keep_objects import KeepRules
from reconciler.desired.keeping import keep_of
from reconciler.desired.model import (
    DataPath,
    Desired,
    Initial,
    Keep,
    LeftBehind,
    MaxDestroy,
    OnConflict,
    Replication,
    Snapshots,
    Target,
)
from reconciler.desired.objects import Host
from reconciler.desired.objects import MaxDestroy as MaxDestroySection
from reconciler.desired.objects import Replication as ReplicationObject
from reconciler.desired.overlap import is_empty
from reconciler.desired.reading import Item
from reconciler.desired.scheduling import snapshots_of, window_findings, windows_of
from reconciler.desired.sizes import parse_compression, parse_size
from reconciler.desired.specset import SpecSet
from reconciler.desired.target_objects import Target as TargetSection
from reconciler.desired.units import parse_duration
from reconciler.hosts.addresses import (
    Address,
    HostAddress,
    Limits,
    LocalAddress,
    PeerAddress,
    Privilege,
    SimulatedAddress,
    SshAddress,
)
from reconciler.zfs.names import InvalidName, check_snapshot
from reconciler.zfs.piping import Wanted

_A_TIMESTAMP = "20260101T000000Z"


def resolve(specs: SpecSet, source: str = "") -> Desired | tuple[Diagnostic, ...]:
    """Return what the specs ask for, or all that is wrong with them, by place.

    `source` is the folder that the names of the files are relative to.
    """
    resolver = _Resolver(specs)
    replications = linked({item.name: resolver.replication(item) for item in specs.replications})
    complete = not specs.may_have_more("Replication")
    findings = [
        *specs.findings,
        *resolver.findings,
        *area_findings(resolver.resolved),
        *chain_findings(resolver.resolved, replications, complete=complete),
    ]
    if findings:
        return in_order(findings)
    desired = Desired(
        hosts={name: _host(item, source) for name, item in sorted(resolver.hosts.items())},
        replications=dict(sorted(replications.items())),
        digest="",
        objects=len(specs),
    )
    return replace(desired, digest=digest(desired))


def _host(item: Item[Host], source: str) -> HostAddress:
    """Return where a host is."""
    spec, peer = item.spec.spec, item.spec.spec.peer_address
    ssh, simulated = spec.connection.ssh, spec.connection.simulated
    address: Address = LocalAddress()
    if simulated is not None:
        folder = Path(source, item.at("spec", "connection").file).parent
        address = SimulatedAddress(simulated.state, str(folder))
    if ssh is not None:
        address = SshAddress(ssh.address, ssh.user, ssh.port, ssh.jump, ssh.host_key)
    return HostAddress(
        item.name,
        address,
        Privilege(spec.privilege),
        None if peer is None else PeerAddress(peer.address, peer.port, peer.user),
        Limits(spec.limits.sends, spec.limits.receives, _bytes(spec.limits.bandwidth)),
    )


@dataclass(slots=True)
class _Resolver:
    """Resolves one replication after the other and collects findings."""

    specs: SpecSet
    hosts: Mapping[str, Item[Host]] = field(init=False)
    policies: Mapping[str, KeepRules] = field(init=False)
    findings: list[Diagnostic] = field(default_factory=list)
    resolved: list[tuple[Item[ReplicationObject], Replication]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hosts = {item.name: item for item in self.specs.hosts}
        self.policies = {item.name: item.spec.spec for item in self.specs.policies}

    def replication(self, item: Item[ReplicationObject]) -> Replication:
        """Resolve one replication; what can't be resolved is left out of the result."""
        spec, source = item.spec.spec, item.spec.spec.source
        senders = tuple(self.senders(item))
        targets = (self.target(item, senders, number) for number in range(len(spec.targets)))
        replication = Replication(
            name=item.name,
            senders=senders,
            selection=selection_of(source),
            snapshots=snapshots_of(source.snapshots),
            keep=self.keep(source.keep, item.at("spec", "source", "keep", "policy")),
            targets=tuple(targets),
            suspend=spec.suspend,
            max_destroy=_max_destroy(spec.max_destroy),
            windows=windows_of(spec.windows),
            bookmarks=_left_behind(source.bookmarks),
        )
        self.findings += _selection_findings(item, replication)
        self.findings += handing_findings(item, replication.targets)
        self.findings += _name_findings(item, replication)
        self.findings += window_findings(item, replication.windows)
        self.findings += self.mixed(item, replication)
        self.resolved.append((item, replication))
        return replication

    def mixed(
        self, item: Item[ReplicationObject], replication: Replication
    ) -> Iterator[Diagnostic]:
        """Report streams between a simulated host and a real one: they have nothing in common."""
        simulated = {
            name for name, host in self.hosts.items() if host.spec.spec.connection.simulated
        }
        for number, target in enumerate(replication.targets):
            senders = {sender for sender in replication.senders if sender in self.hosts}
            if target.host in self.hosts and senders:
                ends = {*senders, target.host}
                if ends & simulated and not ends <= simulated:
                    where = item.at("spec", "targets", number, "host")
                    said = "a simulated host can't send to a real one or receive from one"
                    names = ", ".join(f"`{name}`" for name in sorted(ends & simulated))
                    yield where.error(said, f"Simulated: {names}.")

    def senders(self, item: Item[ReplicationObject]) -> Iterator[str]:
        """Yield the names of the source's hosts, sorted."""
        source = item.spec.spec.source
        if source.host is not None:
            self.known_host(source.host, item.at("spec", "source", "host"))
            yield source.host
        elif source.hosts is not None:
            wanted = source.hosts.match_labels.items()
            found = [n for n, h in self.hosts.items() if wanted <= h.spec.metadata.labels.items()]
            if not found and not self.specs.may_have_more("Host"):
                where = item.at("spec", "source", "hosts", "matchLabels")
                self.findings.append(where.error("no Host has these labels", self.labels()))
            yield from sorted(found)

    def labels(self) -> str:
        """Say which labels there are."""
        labels = (host.spec.metadata.labels.items() for host in self.hosts.values())
        known = sorted({f"`{key}: {value}`" for pairs in labels for key, value in pairs})
        return f"There are {', '.join(known[:10])}." if known else "No Host has labels."

    def target(
        self, item: Item[ReplicationObject], senders: tuple[str, ...], number: int
    ) -> Target:
        """Resolve one target."""
        section = item.spec.spec.targets[number]
        path = ("spec", "targets", number)
        self.known_host(section.host, item.at(*path, "host"))
        roots = {sender: section.under.replace("{host}", sender) for sender in senders}
        self.findings += _under_findings(section, roots, item.at(*path, "under"))
        return Target(
            host=section.host,
            roots=roots,
            keep=self.keep(section.keep, item.at(*path, "keep", "policy")),
            initial=Initial(section.initial),
            path=DataPath(section.path),
            on_conflict=OnConflict(section.on_conflict),
            destroy_gone_after=None
            if section.on_source_gone is None
            else parse_duration(section.on_source_gone.destroy_after),
            max_lag=None if section.max_lag is None else parse_duration(section.max_lag),
            properties=properties_of(item.spec.spec, section),
            encryption=encryption_of(item.spec.spec, section),
            piping=Wanted(
                compression=parse_compression(section.compression),
                buffer=_bytes(section.buffer),
                bandwidth=_bytes(section.bandwidth),
            ),
        )

    def known_host(self, name: str, where: Position) -> None:
        if name not in self.hosts and not self.specs.may_have("Host", name):
            self.findings.append(where.error(f"there is no Host `{name}`", _there_are(self.hosts)))

    def keep(self, section: KeepSection, where: Position) -> Keep:
        keep = keep_of(section, self.policies)
        name = section.policy or ""
        if keep is None and not self.specs.may_have("KeepPolicy", name):
            advice = _there_are(self.policies)
            self.findings.append(where.error(f"there is no KeepPolicy `{name}`", advice))
        return keep or Keep()


def _max_destroy(section: MaxDestroySection) -> MaxDestroy:
    """Return the destroy budget; a share of 100% is none."""
    share = int(section.share.removesuffix("%"))
    return MaxDestroy(section.versions, share if share < 100 else None)


def _left_behind(value: str | int) -> LeftBehind | None:
    """Return what bookmarks stay of what is destroyed."""
    if value == "cursor":
        return None
    return LeftBehind(value if isinstance(value, int) else None)


def _bytes(text: str | None) -> int | None:
    return None if text is None else parse_size(text)


def _there_are(names: Iterable[str]) -> str:
    """Say which names would have been right."""
    known = sorted(names)
    more = f" and {len(known) - 10} more" if len(known) > 10 else ""
    listed = ", ".join(f"`{name}`" for name in known[:10])
    return f"There are {listed}{more}." if known else "There are none."


def _under_findings(
    section: TargetSection, roots: Mapping[str, str], where: Position
) -> Iterator[Diagnostic]:
    """Check where the receivers of each sender go."""
    if len(roots) > 1 and "{host}" not in section.under:
        summary = f"{len(roots)} senders would be received in the same place"
        yield where.error(summary, f"Write `{section.under}/{{host}}`.")


def _selection_findings(
    item: Item[ReplicationObject], replication: Replication
) -> Iterator[Diagnostic]:
    """Check that the patterns can select anything at all."""
    selection = replication.selection
    where = item.at("spec", "source", "filesystems")
    if not selection.include:
        yield where.error("there are only excludes", "Name the filesystems that are meant, too.")
    elif is_empty(selection):
        yield where.error("nothing can be selected: the excludes take away everything")


def _name_findings(item: Item[ReplicationObject], replication: Replication) -> Iterator[Diagnostic]:
    """Check that the snapshots' full names fit, on the senders and on the receivers."""
    # What another tool calls its snapshots is not known; the shortest name is one character.
    ours = replication.snapshots if isinstance(replication.snapshots, Snapshots) else None
    snapshot = f"{ours.prefix}{_A_TIMESTAMP}" if ours is not None else "x"
    names = [pattern.root for pattern in replication.selection.include]
    yield from _too_long(names, snapshot, item.at("spec", "source", "filesystems"))
    for number, target in enumerate(replication.targets):
        received = [f"{root}/{name}" for root in target.roots.values() for name in names]
        where = item.at("spec", "targets", number, "under")
        yield from _too_long(received, snapshot, where)


def _too_long(names: Iterable[str], snapshot: str, where: Position) -> Iterator[Diagnostic]:
    """Report the first name that has no room for its snapshots or is nested too deeply."""
    for name in names:
        try:
            check_snapshot(f"{name}@{snapshot}")
        except InvalidName as error:
            advice = f"{error.reason} The snapshots are called like `@{snapshot}`."
            yield where.error(f"ZFS refuses snapshots of {shown(name)}", advice)
            return
