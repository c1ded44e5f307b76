"""The parts of a Replication that a job comes to: what is selected, snapshots, blanks.

A blank stands where the other half of the replication, in another machine's file, would say it.
"""

from collections.abc import Iterable, Iterator

from reconciler.desired import checks
from reconciler.importing.filters import translate
from reconciler.importing.pruning import Names, keep_fields, whole
from reconciler.importing.remarks import Remark, blank, fill_in, lost, note
from reconciler.importing.spec_text import Field, Section
from reconciler.importing.zrepl import Connect, Job, Snapshotting, Timing, Transport

_INITIAL = {"most_recent": "newest", "all": "all", "fail": "refuse"}

_WITH_SECONDS = 6
_ONLY_OURS = (
    "only snapshots that are made for this spec are sent and destroyed; zrepl's own stay as they"
    " are, and serve as the start of the first stream (docs/from-zrepl.md)"
)


def filesystems(job: Job, pools: Iterable[str]) -> Field:
    """Return `filesystems`: the filter as patterns, with blanks for what can't be said."""
    patterns = translate(job.filesystems, pools)
    texts, remarks = list(patterns.include), list(job.about_sending)
    where = job.filesystems[0].where
    if patterns.everything:
        texts.append(blank("every other pool") + "/**")
        said = "`<` is all pools of the machine; a spec names each: write them, or `--pool NAME`"
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


def snapshots(found: Snapshotting, names: Names, pruner: Job, timezone: str) -> Field:
    """Return `snapshots`; those that somebody else takes are external.

    Of these nothing is destroyed on the sender, so what the job that prunes says has no place.
    """
    if found.timing is Timing.MANUAL:
        matching = f"^{whole(names.regex or '') or '.*'}$"
        said = "is for whoever takes them: nothing of theirs is destroyed on the sender"
        rules = pruner.keep_sender
        theirs = [lost(rule.where, f"the rule `{rule.type}` {said}") for rule in rules]
        theirs += (remark for rule in rules for remark in rule.remarks)
        external = Section((Field("matching", matching),))
        said = "zrepl sends all snapshots; here only those are sent that match"
        about = note(found.where, f"taken by somebody else: {said}")
        return Field("snapshots", Section((Field("external", external),)), (about, *theirs))
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
    zone = Field("timezone", timezone)
    if not timezone:
        said = "zrepl reads `cron` in the machine's own time zone: write it, or `--timezone ZONE`"
        remarks.append(fill_in(found.where, said))
        zone = Field("timezone", blank("time zone of the machine"))
    cron, what = _cron(found)
    remarks += what
    return Field("snapshots", Section((cron, zone, prefix)), tuple(remarks))


def _cron(found: Snapshotting) -> tuple[Field, list[Remark]]:
    """Return a schedule of five fields; zrepl's may have the seconds before them."""
    fields = ["*" if part == "?" else part for part in found.cron.split()]
    if len(fields) == _WITH_SECONDS and fields[0] == "0":
        fields = fields[1:]
    text, remarks = " ".join(fields), []
    if len(fields) == _WITH_SECONDS:
        text = blank(text)
        remarks.append(fill_in(found.where, f"a schedule without seconds for `{found.cron}`"))
    return Field("cron", text), remarks


def kept_here(pruner: Job, taken: Snapshotting | None, names: Names) -> tuple[Field, ...]:
    """Return what is kept on the sender; what others take there is theirs to destroy."""
    if taken is not None and taken.timing is Timing.MANUAL:
        return ()
    return keep_fields(pruner.keep_sender, names)


def identities(job: Job) -> tuple[str, ...]:
    """Return whom a passive job serves; one without a name when it does not say."""
    return (job.serve.identities if job.serve is not None else ()) or ("",)


def kept_there(job: Job, names: Names) -> Iterator[Field]:
    """Yield what the active job says of the receiver."""
    yield from keep_fields(job.keep_receiver, names)
    yield Field("initial", _INITIAL[job.initial])


def unknown_sink(connect: Connect) -> str:
    """Say how to find out below what a sink of another file receives."""
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


def unknown_source(job: Job, sender: str) -> Iterator[Field]:
    """Yield the source of a pull job, as far as that knows it."""
    where = job.connect.where if job.connect is not None else job.where
    said = "the source job says what and when: import its file for `filesystems` and `snapshots`"
    snapshots = Section((Field("every", blank("interval")), Field("prefix", blank("prefix"))))
    yield Field("host", sender)
    yield Field("filesystems", (blank("filesystems of the source job"),), (fill_in(where, said),))
    yield Field("snapshots", snapshots)


def names_of(job: Job, source: Job | None = None) -> Names:
    """Return which snapshots the replication of a job manages; a pull job's are its source's."""
    taken = (source or job).snapshotting
    if taken is not None and taken.timing is not Timing.MANUAL:
        return Names(prefix=taken.prefix, own_format=taken.own_format)
    return Names(regex=_only_regex(job))


def _only_regex(job: Job) -> str | None:
    """Return the expression that the rules that thin out agree on, else those that count.

    None also for one that Python does not read as Go does.

    A rule without one, for all snapshots, then counts fewer of them, and so keeps no less.
    """
    rules = (*job.keep_sender, *job.keep_receiver)
    grids = {rule.regex for rule in rules if rule.grid}
    found = grids or {rule.regex for rule in rules if rule.regex and rule.count}
    only = found.pop() if len(found) == 1 else None
    return only if only is not None and whole(only) is not None else None


def _duration(seconds: int) -> str:
    """Return seconds as specs write them."""
    text = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text
