"""Whatever is set on a sender and whatever specs say: a receiver is neither mounted nor shared."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.model import Desired
from reconciler.zfs.handover import KEPT_OFF, Properties
from reconciler.zfs.named_properties import CHOICES, applies
from reconciler.zfs.types import FilesystemKind
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

VALUES = {
    **CHOICES,
    **dict.fromkeys(("quota", "refquota", "reservation", "refreservation"), ("1G", "2G")),
    **dict.fromkeys(("filesystem_limit", "snapshot_limit"), ("1000", "2000")),
    **dict.fromkeys(("sharenfs", "sharesmb"), ("on", "off")),
    "compression": ("gzip", "lz4", "off"),
    "mountpoint": ("/srv/live", "none", "legacy"),
    "recordsize": ("16K", "1M"),
    "com.example:x": ("1", "with spaces"),
}
OURS = {
    "reconciler:spec": ("other",),
    "reconciler:reconcile": ("enabled",),
    "reconciler:placeholder": ("tank/a",),
}
LINE = "web: alpha tank/** !tank every 15m -> vault"


def chosen(values: dict[str, tuple[str, ...]]) -> st.SearchStrategy[dict[str, str]]:
    fields = {name: st.sampled_from(choices) for name, choices in values.items()}
    return st.fixed_dictionaries({}, optional=fields)


def told(properties: Properties) -> Desired:
    specs = desired(LINE)
    (web,) = specs.replications.values()
    targets = tuple(replace(target, properties=properties) for target in web.targets)
    return replace(specs, replications={web.name: replace(web, targets=targets)})


def value(stage: Stage, name: str, filesystem: str) -> tuple[str, str]:
    said = stage.sh("vault", f"zfs get -H -o value,source {name} {filesystem}").stdout.decode()
    found, _, source = said.strip("\n").partition("\t")
    return found, source


@given(
    chosen({**VALUES, **OURS}),
    chosen(VALUES),
    st.sets(st.sampled_from(sorted(VALUES))),
    st.sampled_from(FilesystemKind),
    st.integers(1, 2),
)
@settings(max_examples=25)  # each has hosts and controllers
def test_what_a_receiver_gets_is_what_the_spec_says_and_does_no_harm(
    have: dict[str, str],
    override: dict[str, str],
    exclude: set[str],
    kind: FilesystemKind,
    cycles: int,
) -> None:
    stage = Stage(["alpha", "vault"])
    stage.sh("alpha", "zpool create tank disk")
    stage.sh("vault", "zpool create backup disk")
    size = "-s -V 1M" if kind is FilesystemKind.VOLUME else ""
    assigned = " ".join(f"-o '{n}={v}'" for n, v in have.items() if applies(n, kind))
    made = stage.sh("alpha", f"zfs create {size} {assigned} tank/a")
    assert made.status == 0, made.stderr
    given_ = tuple(sorted(override.items()))
    specs = told(Properties(True, given_, tuple(sorted(exclude - override.keys()))))
    for _ in range(cycles):
        result = Controller(stage, specs).apply()
        assert result is not None
        assert result.ok, [failure.message for _, failure in result.failed]
        assert Controller(stage, specs).plan().actions == ()
        stage.now += 900

    there = "backup/alpha/tank/a"
    assert not stage.world["vault"].datasets[there].mounted
    for name in (*KEPT_OFF, *OURS, *exclude):
        assert value(stage, name, there)[1] != "received", name
    for name, text in override.items():
        if applies(name, kind):
            assert value(stage, name, there)[1] == "local", (name, text)
    for snapshot in stage.world["vault"].datasets[there].snapshots:
        assert snapshot.received.keys() <= snapshot.masked
