"""The jobs of a zrepl.yml → Hosts and Replications with the same receivers.

A push job's filesystem is received at `root_fs/CLIENT IDENTITY/FILESYSTEM`, a pull job's at
`root_fs/FILESYSTEM`: with that as `under` every receiver is found where it is, and goes on
incrementally. Which half of a replication is in the file decides what has to be filled in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.desired import checks
from reconciler.desired.diagnostics import Position
from reconciler.desired.files import SpecFile
from reconciler.importing.filters import translate
from reconciler.importing.pruning import Names, keep_fields, whole
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

_INITIAL = {"most_recent": "newest", "all": "all", "fail": "refuse"}


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
                yield self.replication(job, self.source(job, here, job, _names(job)), ())
            case JobType.PUSH if job.connect is not None:
                target = self.push_target(job, job.connect, _names(job))
                yield self.replication(job, self.source(job, here, job, _names(job)), (target,))
            case JobType.PULL if job.connect is not None:
                yield self.pulled(job, job.connect)
            case JobType.SOURCE if self.partner(job) is None:
                targets = [self.unknown_puller(job, one) for one in _identities(job)]
                yield self.replication(job, self.source(job, here, job, _names(job)), targets)
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
        serving = [(j, j.serve) for j in self.config.jobs if j.serve is not None and j.serve.local]
        return next((j for j, serve in serving if serve.listener == connect.listener), None)

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
        snapshots = self.snapshots(job.snapshotting, names)
        about = (*job.about_snapshots, *snapshots.remarks)
        return Section(
            (
                Field("host", host),
                self.filesystems(job),
                Field("snapshots", snapshots.value, about),
                *keep_fields(pruner.keep_sender, names),
            )
        )

    def filesystems(self, job: Job) -> Field:
        patterns = translate(job.filesystems, self.known.pools)
        texts, remarks = list(patterns.include), list(job.about_sending)
        where = job.filesystems[0].where
        if patterns.everything:
            texts.append(blank("every other pool") + "/**")
            said = (
                "`<` is all pools of the machine; a spec names each: write them, or `--pool NAME`"
            )
            remarks.append(fill_in(where, said))
        texts += [f"!{pattern}" for pattern in patterns.exclude]
        for one in patterns.unsayable:
            texts.append(blank(f"also {one.pattern}"))
            said = (
                f"{one.pattern} lies below {one.below}/**, which is excluded, and an exclude always"
                f" wins here: exclude its siblings in place of `!{one.below}/**`"
            )
            remarks.append(fill_in(where, said))
        if not texts:
            texts = [blank("what is selected")]
            remarks.append(fill_in(where, "this filter selects nothing"))
        return Field("filesystems", tuple(texts), tuple(remarks))

    def snapshots(self, found: Snapshotting | None, names: Names) -> Field:
        """Return `snapshots`; those that somebody else takes are external."""
        if found is None or found.timing is Timing.MANUAL:
            where = self.start if found is None else found.where
            matching = f"^{whole(names.regex or '') or '.*'}$"
            external = Section((Field("matching", matching),))
            said = "zrepl sends all snapshots; here only those are sent that match"
            about = note(where, f"taken by somebody else: {said}")
            return Field("snapshots", Section((Field("external", external),)), (about,))
        remarks: list[Remark] = [note(found.where, _ONLY_OURS)]
        try:
            checks.prefix(found.prefix)
        except ValueError as error:
            remarks.append(fill_in(found.prefix_at or found.where, str(error)))
        prefix = Field("prefix", found.prefix)
        if found.timing is Timing.PERIODIC:
            every = _duration(found.interval)
            if found.interval < checks.SHORTEST_EVERY:
                said = f"{every} is too often, the shortest interval is {checks.SHORTEST_EVERY}s"
                remarks.append(fill_in(found.where, said))
            return Field("snapshots", Section((Field("every", every), prefix)), tuple(remarks))
        zone = Field("timezone", self.known.timezone)
        if not self.known.timezone:
            said = (
                "zrepl reads `cron` in the machine's own time zone: write it, or `--timezone ZONE`"
            )
            remarks.append(fill_in(found.where, said))
            zone = Field("timezone", blank("time zone of the machine"))
        cron = Field("cron", " ".join(found.cron.split()))
        return Field("snapshots", Section((cron, zone, prefix)), tuple(remarks))

    # -- where it goes -----------------------------------------------------------------------------

    def push_target(self, job: Job, connect: Connect, names: Names) -> Section:
        host = Field("host", self.hosts.there(connect))
        sink = self.passive(job)
        if sink is not None:
            under = Field("under", f"{sink.root_fs}/{connect.identity}", sink.about_receiving)
        else:
            text = f"{blank('root_fs of the sink')}/{blank('client identity')}"
            under = Field("under", text, (fill_in(connect.where, _unknown_sink(connect)),))
        return Section((host, under, *_rest(job, names)))

    def pulled(self, job: Job, connect: Connect) -> SpecText:
        """Return the replication of a pull job; the filesystems are said by the source job."""
        source = self.passive(job)
        names = _pulled_names(job, source)
        sender = self.hosts.there(connect)
        if source is not None:
            section = self.source(source, sender, job, names)
        else:
            section = Section((*_unknown_source(job, sender), *keep_fields(job.keep_sender, names)))
        target = Section(
            (
                Field("host", self.hosts.here()),
                Field("under", job.root_fs, job.about_receiving),
                *_rest(job, names),
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
        for identity in _identities(job):
            client = identity or blank("client identity")
            said = f"`under: {job.root_fs}/{client}` in what the file with that push job becomes"
            yield note(job.root_at or job.where, f"what {client} pushes is received here: {said}")
        yield from (*job.about_job, *job.about_receiving)
        if job.serve is not None and job.serve.local:
            yield lost(job.where, f"no push job of this file connects to {job.name}")


_ONLY_OURS = (
    "only snapshots that are made for this spec are sent and destroyed; zrepl's own stay as they"
    " are, and serve as the start of the first stream (docs/from-zrepl.md)"
)


def _identities(job: Job) -> tuple[str, ...]:
    """Return whom a passive job serves; one without a name when it does not say."""
    return (job.serve.identities if job.serve is not None else ()) or ("",)


def _rest(job: Job, names: Names) -> Iterator[Field]:
    yield from keep_fields(job.keep_receiver, names)
    yield Field("initial", _INITIAL[job.initial])


def _unknown_sink(connect: Connect) -> str:
    whose = {
        Transport.TCP: "the sink's `clients` names this machine",
        Transport.TLS: f"it is the common name of {connect.certificate or 'the certificate'}",
        Transport.SSH: "the sink's authorized_keys names this machine",
        Transport.LOCAL: f"no sink of this file listens at {connect.listener}",
    }
    return (
        f"ROOT_FS/IDENTITY, exactly as the sink has it, else all is sent anew"
        f" ({whose[connect.transport]})"
    )


def _unknown_source(job: Job, sender: str) -> Iterator[Field]:
    where = job.connect.where if job.connect is not None else job.where
    said = "the source job says what and when: import its file for `filesystems` and `snapshots`"
    snapshots = Section((Field("every", blank("interval")), Field("prefix", blank("prefix"))))
    yield Field("host", sender)
    yield Field("filesystems", (blank("filesystems of the source job"),), (fill_in(where, said),))
    yield Field("snapshots", snapshots)


def _names(job: Job) -> Names:
    """Return which snapshots the replication of a job manages."""
    taken = job.snapshotting
    if taken is not None and taken.timing is not Timing.MANUAL:
        return Names(prefix=taken.prefix, own_format=taken.own_format)
    return Names(regex=_only_regex(job))


def _pulled_names(job: Job, source: Job | None) -> Names:
    taken = source.snapshotting if source is not None else None
    if taken is not None and taken.timing is not Timing.MANUAL:
        return Names(prefix=taken.prefix, own_format=taken.own_format)
    return Names(regex=_only_regex(job))


def _only_regex(job: Job) -> str | None:
    """Return the expression that the rules that thin out agree on, else those that count.

    A rule without one, for all snapshots, then counts fewer of them, and so keeps no less.
    """
    rules = (*job.keep_sender, *job.keep_receiver)
    grids = {rule.regex for rule in rules if rule.grid}
    found = grids or {rule.regex for rule in rules if rule.regex and rule.count}
    return found.pop() if len(found) == 1 else None


def _duration(seconds: int) -> str:
    """Return seconds as specs write them."""
    text = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text
