"""The jobs of a zrepl.yml → Hosts and Replications with the same receivers.

A push job's filesystem is received at `root_fs/CLIENT IDENTITY/FILESYSTEM`, a pull job's at
`root_fs/FILESYSTEM`: with that as `under` every receiver is found where it is, and goes on
incrementally. Which half of a replication is in the file decides what has to be filled in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from reconciler.desired.diagnostics import Position
from reconciler.desired.files import SpecFile
from reconciler.importing.pruning import Names, keep_fields
from reconciler.importing.remarks import Remark, blank, fill_in, lost, note
from reconciler.importing.spec_text import Field, Section, SpecText, comments
from reconciler.importing.zrepl import (
    Config,
    Connect,
    Job,
    JobType,
    Snapshotting,
    Timing,
    Transport,
)
from reconciler.importing.zrepl_file import read_zrepl
from reconciler.importing.zrepl_hosts import Hosts, object_name
from reconciler.importing.zrepl_parts import (
    filesystems,
    identities,
    kept_here,
    kept_there,
    names_of,
    snapshots,
    unknown_sink,
    unknown_source,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a person knows that is not in the file."""

    host: str = ""
    """The name of the machine that it is of."""
    pools: tuple[str, ...] = ()
    """Its pools: what `<` means."""
    timezone: str = ""
    """Its time zone, in which zrepl reads cron expressions."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file was translated to."""

    hosts: tuple[SpecText, ...]
    replications: tuple[SpecText, ...]
    general: tuple[Remark, ...]
    """What is about no object."""

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """All there is to be said, by place."""
        objects = (*self.hosts, *self.replications)
        within = (remark for one in objects for remark in one.remarks_within())
        ordered = sorted((*self.general, *within), key=lambda remark: remark.where)
        return tuple(dict.fromkeys(ordered))


def import_zrepl(file: SpecFile, known: Known) -> Imported:
    """Translate a zrepl.yml; raise SpecError when it can't be read."""
    return _Translator(read_zrepl(file), known, Position(file.name)).imported()


def texts(imported: Imported, origin: str) -> dict[str, str]:
    """Return the spec files by name: the hosts, and each replication."""
    head = f"# Imported from {origin}. Read the remarks, then delete them.\n"
    files = {"hosts.yaml": head + comments(imported.general) + _joined(imported.hosts)}
    for one in imported.replications:
        files[f"{one.name}.yaml"] = head + str(one)
    return files


def text(imported: Imported, origin: str) -> str:
    """Return all of it as one file."""
    head = f"# Imported from {origin}. Read the remarks, then delete them.\n"
    objects = (*imported.hosts, *imported.replications)
    return head + comments(imported.general) + _joined(objects)


def _joined(objects: Sequence[SpecText]) -> str:
    return "---\n".join(map(str, objects))


@dataclass(slots=True)
class _Translator:
    """Translates one job after the other."""

    config: Config
    known: Known
    start: Position
    hosts: Hosts = field(init=False)
    names: set[str] = field(default_factory=set)
    general: list[Remark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hosts = Hosts(self.start, self.known.host)

    def imported(self) -> Imported:
        self.general += self.config.remarks
        replications = tuple(found for job in self.config.jobs for found in self.of_job(job))
        return Imported(tuple(self.hosts.found.values()), replications, tuple(self.general))

    def of_job(self, job: Job) -> Iterator[SpecText]:
        """Yield the replication of a job; two jobs of one file that belong together make one."""
        here = self.hosts.here()
        match job.type:
            case JobType.SNAP:
                yield self.replication(job, self.source(job, here, job, names_of(job)), ())
            case JobType.PUSH if job.connect is not None:
                target = self.push_target(job, job.connect, names_of(job))
                yield self.replication(job, self.source(job, here, job, names_of(job)), (target,))
            case JobType.PULL if job.connect is not None:
                yield self.pulled(job, job.connect)
            case JobType.SOURCE if self.partner(job) is None:
                targets = [self.unknown_puller(job, one) for one in identities(job)]
                yield self.replication(job, self.source(job, here, job, names_of(job)), targets)
            case JobType.SINK if self.partner(job) is None:
                self.general += self.about_sink(job)

    def partner(self, job: Job) -> Job | None:
        """Return the active job of the same file that a passive one serves."""
        if job.serve is None or not job.serve.local:
            return None
        return next((j for j in self.config.jobs if self.passive(j) is job), None)

    def passive(self, job: Job) -> Job | None:
        """Return the passive job of the same file that an active one connects to."""
        connect = job.connect
        if connect is None or connect.transport is not Transport.LOCAL:
            return None
        wanted = JobType.SINK if job.type is JobType.PUSH else JobType.SOURCE
        serving = [(j, j.serve) for j in self.config.jobs if j.type is wanted]
        return next((j for j, s in serving if s and s.local_at(connect.listener)), None)

    # -- what is sent ------------------------------------------------------------------------------

    def replication(self, job: Job, source: Section, targets: Sequence[Section]) -> SpecText:
        name = base = object_name(job.name)
        for number in range(2, len(self.config.jobs) + 2):
            if name not in self.names:
                break
            name = f"{base[:60]}-{number}"
        self.names.add(name)
        fields = (Field("source", source), Field("targets", tuple(targets)))
        other = self.passive(job)
        about = (*job.about_job, *(other.about_job if other is not None else ()))
        return SpecText("Replication", name, Section(fields), about)

    def source(self, job: Job, host: str, pruner: Job, names: Names) -> Section:
        """Return the source of a job that takes snapshots; `pruner` has the rules for them."""
        taken = job.snapshotting or Snapshotting(Timing.MANUAL, job.where)
        written = snapshots(taken, names, pruner, self.known.timezone)
        return Section(
            (
                Field("host", host),
                filesystems(job, self.known.pools),
                replace(written, remarks=(*job.about_snapshots, *written.remarks)),
                *kept_here(pruner, taken, names),
            )
        )

    # -- where it goes -----------------------------------------------------------------------------

    def push_target(self, job: Job, connect: Connect, names: Names) -> Section:
        host = Field("host", self.hosts.there(connect))
        sink = self.passive(job)
        if sink is not None:
            under = Field("under", f"{sink.root_fs}/{connect.identity}", sink.about_receiving)
        else:
            text = f"{blank('root_fs of the sink')}/{blank('client identity')}"
            under = Field("under", text, (fill_in(connect.where, unknown_sink(connect)),))
        return Section((host, under, *kept_there(job, names)))

    def pulled(self, job: Job, connect: Connect) -> SpecText:
        """Return the replication of a pull job; the filesystems are said by the source job."""
        source = self.passive(job)
        names = names_of(job, source)
        sender = self.hosts.there(connect)
        if source is not None:
            section = self.source(source, sender, job, names)
        else:
            section = Section((*unknown_source(job, sender), *keep_fields(job.keep_sender, names)))
        target = Section(
            (
                Field("host", self.hosts.here()),
                Field("under", job.root_fs, job.about_receiving),
                *kept_there(job, names),
            )
        )
        return self.replication(job, section, (target,))

    def unknown_puller(self, job: Job, identity: str) -> Section:
        where = job.serve.where if job.serve is not None else job.where
        whose = f"the pull job of {identity}" if identity else "the pull job"
        said = f"the host with {whose}, its `root_fs`, and what it keeps; import its file for that"
        return Section(
            (
                Field("host", blank(f"the host with {whose}"), (fill_in(where, said),)),
                Field("under", blank("root_fs of the pull job")),
            )
        )

    def about_sink(self, job: Job) -> Iterator[Remark]:
        """Say where what is pushed here belongs; the push jobs' own files say what it is."""
        for identity in identities(job):
            client = identity or blank("client identity")
            said = f"`under: {job.root_fs}/{client}` in what the file with that push job becomes"
            yield note(job.root_at or job.where, f"what {client} pushes is received here: {said}")
        yield from (*job.about_job, *job.about_receiving)
        if job.serve is not None and job.serve.local:
            yield lost(job.where, f"no push job of this file connects to {job.name}")
