"""Plans of every shape: arbitrary ones for round trips, and small real ones from the planner."""

from hypothesis import strategies as st

from reconciler.actions import (
    AbortReceive,
    Action,
    Bookmark,
    CreateFilesystem,
    Destroy,
    Hold,
    Reason,
    Release,
    Rename,
    Rollback,
    Send,
    SendMode,
    Snapshot,
)
from reconciler.desired.model import Hook
from reconciler.planner.plan import (
    Blocked,
    Conflict,
    HostState,
    Kept,
    Note,
    Plan,
    PlannedAction,
    Severity,
    Specs,
)
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.handover import NOTHING, Properties
from reconciler.zfs.types import FilesystemKind, Version, VersionKind

texts = st.text(max_size=12)
names = st.sampled_from(["tank", "tank/a", "tank/a b", "backup/alpha/tank/a", "p/x-y_z.0:1"])
hosts = st.sampled_from(["alpha", "beta", "vault"])
moments = st.integers(min_value=0, max_value=253_402_300_799)
numbers = st.integers(min_value=0, max_value=2**64 - 1)
guids = numbers | st.integers(min_value=-(2**60), max_value=-1)
some_texts = st.lists(texts, max_size=3).map(tuple)

versions = st.builds(
    Version,
    kind=st.sampled_from(VersionKind),
    name=texts,
    guid=guids,
    createtxg=numbers,
    creation=st.integers(min_value=-(2**63), max_value=2**63),
    userrefs=numbers,
    written=st.none() | numbers,
    referenced=st.none() | numbers,
    spec=st.none() | texts,
    holds=some_texts,
)
some_versions = st.lists(versions, min_size=1, max_size=3).map(tuple)
places = {"host": hosts, "filesystem": names}

actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(
        Snapshot,
        host=hosts,
        filesystems=st.lists(names, min_size=1, max_size=3).map(tuple),
        name=texts,
        spec=texts,
        at=moments,
        hooks=st.lists(
            st.builds(
                Hook,
                name=texts,
                before=texts,
                after=texts,
                timeout=st.integers(1, 9999),
                abort=st.booleans(),
            ),
            max_size=2,
        ).map(tuple),
    ),
    st.builds(
        Send,
        **places,
        kind=st.sampled_from(FilesystemKind),
        receiver_host=hosts,
        receiver_filesystem=names,
        mode=st.sampled_from(SendMode),
        base=st.none() | versions,
        versions=some_versions,
        flags=st.builds(
            StreamFlags,
            large_blocks=st.booleans(),
            compressed=st.booleans(),
            embedded=st.booleans(),
            raw=st.booleans(),
        ),
        path=texts,
        token=st.none() | texts,
        estimated_bytes=st.none() | numbers,
        properties=st.builds(
            Properties,
            send=st.booleans(),
            override=st.dictionaries(names, texts, max_size=2).map(
                lambda d: tuple(sorted(d.items()))
            ),
            exclude=st.lists(names, max_size=2).map(tuple),
        ).map(lambda found: found or NOTHING),
        decrypts=st.booleans(),
    ),
    st.builds(Bookmark, **places, version=versions, prefix=texts, peer=texts),
    st.builds(Hold, **places, version=versions, tag=texts),
    st.builds(Release, **places, version=versions, tag=texts),
    st.builds(Destroy, **places, versions=some_versions),
    st.builds(AbortReceive, **places, token=texts),
    st.builds(Rename, **places, to=names, guid=st.integers(1, 2**64 - 1)),
    st.builds(
        Rollback,
        **places,
        to=versions,
        kept=st.lists(versions, max_size=2).map(tuple),
        lost=st.lists(versions, max_size=2).map(tuple),
    ),
    st.builds(CreateFilesystem, **places),
)

planned_actions = st.builds(
    PlannedAction,
    action=actions,
    reason=st.builds(Reason, code=texts, message=texts),
    replication=texts,
    depends_on=some_texts,
)

plans = st.builds(
    Plan,
    at=moments,
    specs=st.builds(Specs, revision=st.none() | texts, digest=texts, objects=numbers),
    hosts=st.lists(
        st.builds(
            HostState,
            host=hosts,
            seen=st.booleans(),
            cause=texts,
            remedy=texts,
            observed_at=st.none() | moments,
            zfs_version=texts,
            pools=st.lists(st.tuples(texts, numbers), max_size=2).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    actions=st.lists(planned_actions, max_size=4).map(tuple),
    conflicts=st.lists(
        st.builds(
            Conflict,
            replication=texts,
            **places,
            code=texts,
            message=texts,
            evidence=some_texts,
            remedy=texts,
        ),
        max_size=2,
    ).map(tuple),
    blocked=st.lists(
        st.builds(
            Blocked,
            action_id=texts,
            **places,
            versions=some_versions,
            guard=texts,
            message=texts,
        ),
        max_size=2,
    ).map(tuple),
    notes=st.lists(
        st.builds(
            Note,
            severity=st.sampled_from(Severity),
            summary=texts,
            replication=st.none() | texts,
        ),
        max_size=2,
    ).map(tuple),
    kept=st.lists(st.builds(Kept, **places, version=versions, rules=some_texts), max_size=2).map(
        tuple
    ),
    next_due=st.none() | moments,
    targets=some_texts,
)
