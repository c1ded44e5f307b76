"""zrepl.yml → `Config`, or a SpecError with all that is wrong with it."""

from collections.abc import Iterator

from reconciler.desired.diagnostics import Diagnostic, SpecError, shown
from reconciler.desired.files import SpecFile
from reconciler.desired.yamlfile import parse
from reconciler.importing import zrepl_options as options
from reconciler.importing.remarks import Remark, note
from reconciler.importing.sections import Section, truth_of
from reconciler.importing.zrepl import (
    Config,
    Connect,
    FilterEntry,
    Job,
    JobType,
    KeepRule,
    RuleType,
    Serve,
    Snapshotting,
    Timing,
    Transport,
)
from reconciler.zfs.names import InvalidName, check_listed_filesystem

_TIME_FORMATS = frozenset({"dense", "human", "iso-8601", "unix-seconds"})
_INITIAL = ("most_recent", "all", "fail")


def read_zrepl(file: SpecFile) -> Config:
    """Return what a zrepl.yml says; raise SpecError with every finding."""
    parsed = parse(file.name, file.content)
    findings: list[Diagnostic] = list(parsed.diagnostics)
    jobs: list[Job] = []
    remarks: list[Remark] = []
    for document in parsed.documents[:1] if not findings else ():
        whole = Section.of(document, findings)
        jobs += _jobs(whole)
        remarks += options.outside_jobs(whole)
        if not findings and not jobs:
            findings.append(whole.at().error("there are no jobs here", "They stand in `jobs:`."))
    more = parsed.documents[1:]
    findings += (document.at().error("a zrepl.yml is one YAML document") for document in more)
    if findings:
        raise SpecError(findings)
    return Config(tuple(jobs), tuple(remarks))


def _jobs(whole: Section) -> Iterator[Job]:
    names: dict[str, Section] = {}
    for section in whole.sections("jobs"):
        type_ = _one_of(section, "type", [*JobType])
        job = _job(section, JobType(type_)) if type_ else None
        if job is None:
            continue
        if job.name in names:
            first = names[job.name].at("name")
            section.refuse("name", f"there is a job {shown(job.name)} already, at {first}")
        names.setdefault(job.name, section)
        yield job


def _job(section: Section, type_: JobType) -> Job:
    pruning = section.section("pruning")
    receives, sends = type_ in {JobType.SINK, JobType.PULL}, type_ in {JobType.PUSH, JobType.SOURCE}
    active, takes = type_ in {JobType.PUSH, JobType.PULL}, sends or type_ is JobType.SNAP
    # What was asked for is known only after all else: `unknown` comes last.
    return Job(
        type=type_,
        name=section.needed("name"),
        where=section.at("name"),
        connect=_connect(section) if active else None,
        serve=None if active or type_ is JobType.SNAP else _serve(section),
        root_fs=_root(section) if receives else "",
        root_at=section.at("root_fs"),
        filesystems=_filter(section) if takes else (),
        snapshotting=_snapshotting(section.section("snapshotting")) if takes else None,
        keep_sender=_rules(pruning, "keep" if type_ is JobType.SNAP else "keep_sender"),
        keep_receiver=_rules(pruning, "keep_receiver") if active else (),
        initial=_initial(section),
        about_snapshots=tuple(options.snapshots(section.section("snapshotting"))),
        about_sending=tuple(options.sending(section)) if sends else (),
        about_receiving=tuple(options.receiving(section.section("recv"))) if receives else (),
        about_job=(
            *options.reaching(section),
            *options.replicating(section),
            *_interval(section, type_),
            *options.unknown(pruning),
            *options.misplaced(section, type_),
        ),
    )


def _one_of(section: Section, key: str, known: list[str]) -> str | None:
    """Return one of the known words, or record that it is none."""
    word = section.text(key)
    if word in known:
        return word
    words = ", ".join(f"`{one}`" for one in known)
    summary = f"`{key}` is missing" if not word else f"unknown {key} {shown(word)}"
    section.refuse(key, summary, f"Known are {words}.")
    return None


def _interval(section: Section, type_: JobType) -> Iterator[Remark]:
    if type_ is not JobType.PULL:
        return
    text = section.text("interval", "manual")
    said = "it is sent as soon as there is something to send"
    yield note(section.at("interval"), f"pulled every {text}; here {said}")


def _initial(section: Section) -> str:
    conflicts = section.section("conflict_resolution")
    word = conflicts.text("initial_replication", "most_recent")
    if word not in _INITIAL:
        _one_of(conflicts, "initial_replication", [*_INITIAL])
    return word


def _connect(section: Section) -> Connect | None:
    connect = section.section("connect")
    word = _one_of(connect, "type", [*Transport])
    if word is None:
        return None
    transport, where = Transport(word), connect.at()
    match transport:
        case Transport.LOCAL:
            return Connect(
                transport,
                where,
                listener=connect.needed("listener_name"),
                identity=connect.needed("client_identity"),
            )
        case Transport.SSH:
            port = connect.count("port") if connect.has("port") else None
            host, user = connect.needed("host"), connect.text("user")
            return Connect(transport, where, address=host, user=user, port=port)
    address = connect.needed("address").rpartition(":")[0].strip("[]")
    return Connect(transport, where, address=address, certificate=connect.text("cert"))


def _serve(section: Section) -> Serve:
    serve = section.section("serve")
    word = _one_of(serve, "type", ["tcp", "tls", "stdinserver", "local"])
    clients = serve.entries("clients") if word == "tcp" else {}
    identities = (
        *(str(identity) for identity in clients.values()),
        *serve.texts("client_cns"),
        *serve.texts("client_identities"),
    )
    return Serve(serve.at(), word == "local", serve.text("listener_name"), identities)


def _root(section: Section) -> str:
    root = section.needed("root_fs")
    if root:
        _check_filesystem(section, "root_fs", root)
    return root


def _check_filesystem(section: Section, key: str, name: str) -> None:
    try:
        check_listed_filesystem(name)
    except InvalidName as error:
        section.refuse(key, f"{shown(name)} is not the name of a filesystem", error.reason)


def _filter(section: Section) -> tuple[FilterEntry, ...]:
    """Read a filesystem filter: `<` at the end stands for the subtree."""
    filter_ = section.section("filesystems")
    if not filter_.data:
        section.refuse("filesystems", "`filesystems` is missing")
    entries: list[FilterEntry] = []
    for pattern, value in filter_.data.items():
        passes, path = truth_of(value), pattern.removesuffix("<")
        if passes is None:
            filter_.refuse(pattern, f"the value of {shown(pattern)} must be true or false")
        if path:
            _check_filesystem(filter_, pattern, path)
        elif not pattern:
            filter_.refuse(pattern, "a pattern can't be empty", "All filesystems are `<`.")
        where = filter_.key_at(pattern)
        entries.append(FilterEntry(path, pattern != path, bool(passes), where))
    return tuple(entries)


def _snapshotting(section: Section) -> Snapshotting | None:
    word = _one_of(section, "type", [*Timing])
    if word is None:
        return None
    timing, where = Timing(word), section.at()
    if timing is Timing.MANUAL:
        return Snapshotting(timing, where)
    return Snapshotting(
        timing,
        where,
        prefix=section.needed("prefix"),
        prefix_at=section.at("prefix"),
        interval=section.seconds("interval") if timing is Timing.PERIODIC else 0,
        cron=section.needed("cron") if timing is Timing.CRON else "",
        own_format=section.text("timestamp_format", "dense").lower() not in _TIME_FORMATS,
    )


def _rules(pruning: Section, key: str) -> tuple[KeepRule, ...]:
    return tuple(rule for section in pruning.sections(key) if (rule := _rule(section)) is not None)


def _rule(section: Section) -> KeepRule | None:
    word = _one_of(section, "type", [*RuleType])
    if word is None:
        return None
    type_ = RuleType(word)
    at_cursor = type_ is RuleType.NOT_REPLICATED and section.has("keep_snapshot_at_cursor")
    said = "`keep_snapshot_at_cursor`: what both ends have in common last is always kept"
    about = [note(section.key_at("keep_snapshot_at_cursor"), said)] if at_cursor else []
    # As above: the other remarks come last.
    return KeepRule(
        type_,
        section.at(),
        regex=_regex(section, type_),
        negate=section.flag("negate") if type_ is RuleType.REGEX else False,
        count=section.count("count") if type_ is RuleType.LAST_N else 0,
        grid=section.needed("grid") if type_ is RuleType.GRID else "",
        remarks=(*about, *options.unknown(section)),
    )


def _regex(section: Section, type_: RuleType) -> str:
    """Return the names that a rule is about: needed, or not needed, or without a meaning."""
    match type_:
        case RuleType.NOT_REPLICATED:
            return ""
        case RuleType.LAST_N:
            return section.text("regex")
    return section.needed("regex")
