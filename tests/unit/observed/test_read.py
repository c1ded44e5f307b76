from collections.abc import Callable
from dataclasses import fields

import pytest

from reconciler import errors
from reconciler.observed.model import Filesystem, Pool, Unseen
from reconciler.observed.read import probe_failed
from reconciler.zfs.parse import FilesystemRow
from reconciler.zfs.types import FilesystemKind, version_order
from tests.unit.observed.recording import NOW, Recording


@pytest.fixture
def alpha() -> Recording:
    return Recording("alpha")


def versions_of(filesystem: Filesystem) -> list[str]:
    return [version.label for version in filesystem.versions]


def test_a_host_is_seen_with_its_clock_release_and_pools(alpha: Recording) -> None:
    seen = alpha.seen()
    assert (seen.host, seen.at, seen.clock) == ("alpha", NOW, 1795435142)
    assert seen.zfs_version == "2.1.11"
    assert seen.listed == ("tank/grammar",)
    pool = seen.pools["tank"]
    assert (pool.name, pool.guid, pool.health) == ("tank", 17462666378315295068, "ONLINE")
    assert (pool.readonly, pool.usable) == (False, True)
    assert pool.features["bookmark_v2"] == "active"
    assert pool.features["large_blocks"] == "enabled"


def test_all_filesystems_of_the_pool_are_there_sorted_by_name(alpha: Recording) -> None:
    seen = alpha.seen()
    assert list(seen.filesystems) == [
        "tank",
        "tank/grammar",
        "tank/grammar/clone",
        "tank/grammar/enc",
        "tank/grammar/enc/kid",
        "tank/grammar/sp ace",
        "tank/grammar/vol",
        "tank/grammar/www",
    ]
    clone = seen.filesystems["tank/grammar/clone"]
    assert clone.origin == "tank/grammar/www@Z"
    kid = seen.filesystems["tank/grammar/enc/kid"]
    assert (kid.encryption, kid.keystatus) == ("aes-256-gcm", "unavailable")
    assert kid.encryptionroot == "tank/grammar/enc"
    volume = seen.filesystems["tank/grammar/vol"]
    assert (volume.kind, volume.mounted) == (FilesystemKind.VOLUME, False)
    assert [fs.name for fs in seen.filesystems.values() if fs.disabled] == ["tank/grammar/sp ace"]


def test_what_a_row_says_has_the_same_names_in_a_filesystem() -> None:
    names = [one.name for one in fields(Filesystem)]
    assert tuple(names[:15]) == FilesystemRow._fields[:15]


def test_versions_are_in_version_order_with_spec_and_holds(alpha: Recording) -> None:
    www = alpha.seen().filesystems["tank/grammar/www"]
    assert versions_of(www) == ["#b", "#cursor", "@a", "@Z", "@0", "@big"]
    assert list(www.versions) == sorted(www.versions, key=version_order)
    a, z, zero, big = www.snapshots
    assert (a.holds, z.holds, zero.holds) == (("rec-step_x",), ("rec-step_x", "sp aceü"), ())
    assert (a.userrefs, z.userrefs, zero.userrefs) == (1, 2, 0)
    assert (zero.spec, big.spec) == ("daily", None)
    assert (z.written, z.referenced) == (3164160, 6324224)
    cursor = www.bookmarks[1]
    assert cursor.guid == a.guid
    assert (cursor.written, cursor.spec) == (None, None)


def test_the_order_of_versions_is_that_of_createtxg_whatever_their_creation(
    alpha: Recording,
) -> None:
    before = versions_of(alpha.seen().filesystems["tank/grammar/www"])
    alpha.edit("versions", "\t161\t1795434783\t", "\t161\t1000000000\t")
    www = alpha.seen().filesystems["tank/grammar/www"]
    assert www.versions[-1].creation == 1000000000
    assert versions_of(www) == before


def test_a_partial_receive_is_seen_from_its_token_and_a_first_one_as_inconsistent() -> None:
    seen = Recording("vault-partial").seen()
    www, half = (seen.filesystems[f"backup/grammar/{name}"] for name in ("www", "half"))
    assert www.resume_token is not None
    assert not www.inconsistent
    assert half.resume_token is not None
    assert half.inconsistent
    assert half.versions == ()
    assert www.snapshots[0].holds == ("rec-base_www",)


def test_only_the_placeholder_itself_is_one_although_its_children_inherit_the_mark() -> None:
    seen = Recording("vault-partial").seen()
    assert [fs.name for fs in seen.filesystems.values() if fs.placeholder] == ["backup/grammar"]


def test_missing_roots_and_pools_are_answers() -> None:
    recording = Recording("alpha-missing-roots")
    seen = recording.seen()
    assert seen.listed == ("tank/grammar/www", "tank/nope")
    assert list(seen.pools) == ["tank"]
    assert "tank/nope" not in seen.filesystems
    assert seen.filesystems["tank/grammar/vol"].versions == ()


def test_holds_are_read_although_a_root_was_missing() -> None:
    www = Recording("alpha-missing-roots").seen().filesystems["tank/grammar/www"]
    assert www.snapshots[0].holds == ("rec-step_x",)


def test_a_hold_that_came_or_went_meanwhile_is_never_counted_as_none(alpha: Recording) -> None:
    date = "\tMon Nov 23 11:45 2026\n"
    alpha.add("holds", f"tank/grammar/www@a\tnew{date}tank/grammar/www@a\tnewer{date}")
    a = alpha.seen().filesystems["tank/grammar/www"].snapshots[0]
    assert (a.userrefs, a.holds) == (3, ("new", "newer", "rec-step_x"))
    alpha.put("holds", stdout="")
    a = alpha.seen().filesystems["tank/grammar/www"].snapshots[0]
    assert (a.userrefs, a.holds) == (1, ())


def test_without_roots_there_is_the_host_alone() -> None:
    seen = Recording("alpha-no-roots").seen()
    assert (dict(seen.filesystems), seen.listed) == ({}, ())
    assert list(seen.pools) == ["tank"]


def test_noise_on_stderr_of_a_command_that_succeeded_is_fine(alpha: Recording) -> None:
    before = alpha.seen()
    for step in alpha.outcomes:
        alpha.put(step, stderr="bash: warning: setlocale: LC_ALL: cannot change locale\n")
    assert alpha.seen() == before


def test_a_spec_that_the_filesystem_has_itself_says_nothing_about_its_snapshots(
    alpha: Recording,
) -> None:
    alpha.edit(
        "filesystems",
        "\t0\t-\t-\t-\t-\ttank/grammar/www\n",
        "\t0\tdaily\t-\t-\t-\ttank/grammar/www\n",
    )
    www = alpha.seen().filesystems["tank/grammar/www"]
    assert {version.spec for version in www.versions} == {None}
    assert www.snapshots[0].holds == ("rec-step_x",)
    volume = alpha.seen().filesystems["tank/grammar/vol"]
    assert [version.spec for version in volume.versions] == ["daily"]


Edit = Callable[[Recording], object]
ROW = "tank/grammar/www@0\t5701805918524826694\t70\t"
EDITS: dict[str, tuple[Edit, str]] = {
    "clock": (lambda r: r.put("clock", stdout="Mon Nov 23\n"), "date +%s printed 'Mon Nov 23'"),
    "no clock": (lambda r: r.put("clock", stdout=""), "date +%s printed ''"),
    "release": (lambda r: r.put("release", stdout="hello\n"), "not the output of zfs version"),
    "pool twice": (lambda r: r.add("pools", "tank\t1\t1\tONLINE\toff\n"), "'tank' twice"),
    "feature twice": (
        lambda r: r.add("features", "tank\tfeature@encryption\tactive\n"),
        "feature encryption of pool tank is listed twice",
    ),
    "feature of no pool": (
        lambda r: r.add("features", "dst\tfeature@encryption\tactive\n"),
        "changed while it was listed: pool dst appeared",
    ),
    "pool gone": (
        lambda r: r.put("pools", stdout="").put("features", stdout=""),
        "changed while it was listed: pool tank was imported",
    ),
    "filesystem twice": (
        lambda r: r.put("filesystems", stdout=r.outcomes["filesystems"].stdout * 2),
        "the listing of filesystems has 'tank' twice",
    ),
    "no filesystems": (
        lambda r: r.put("filesystems", stdout=""),
        "in two minds about pool tank",
    ),
    "parent missing": (
        lambda r: r.edit("filesystems", "tank/grammar/enc\t", "tank/grammar/ence\t").edit(
            "filesystems", "\ttank/grammar/enc\n", "\ttank/grammar/ence\n"
        ),
        "has tank/grammar/enc/kid but not what is above it",
    ),
    "other pool": (
        lambda r: r.add(
            "filesystems",
            "dst\tfilesystem\t1\t1\t1\t1\t1\toff\t-\t-\t-\toff\tyes\t-\t0\t-\t-\t-\t-\tdst\n",
        ),
        "has dst but not what is above it",
    ),
    "version of an unlisted filesystem": (
        lambda r: r.edit("versions", "tank/grammar/vol@", "tank/grammar/new@"),
        "changed while it was listed: tank/grammar/new was created",
    ),
    "version above the roots": (
        lambda r: r.edit("versions", "tank/grammar/vol@", "tank@"),
        "versions of tank were listed unasked",
    ),
    "version twice": (
        lambda r: r.put("versions", stdout=r.outcomes["versions"].stdout * 2),
        "twice",
    ),
    "negative number": (lambda r: r.edit("versions", ROW, ROW.replace("\t70", "\t-70")), "line 6"),
    "word for number": (lambda r: r.edit("versions", ROW, ROW.replace("\t70", "\tx")), "'x' is no"),
    "hold of a snapshot without": (
        lambda r: r.add("holds", "tank/grammar/www@0\tx\tMon Nov 23 11:45 2026\n"),
        "holds of tank/grammar/www@0 were listed unasked",
    ),
    "hold of a snapshot that is not there": (
        lambda r: r.add("holds", "tank/grammar/nope@0\tx\tMon Nov 23 11:45 2026\n"),
        "holds of tank/grammar/nope@0 were listed unasked",
    ),
    "hold twice": (
        lambda r: r.put("holds", stdout=r.outcomes["holds"].stdout * 2),
        "twice",
    ),
    "held snapshot destroyed meanwhile": (
        lambda r: r.put(
            "holds",
            stderr="cannot open 'tank/grammar/www@a': dataset does not exist\n",
            status=1,
        ),
        "changed while it was listed",
    ),
    "root destroyed meanwhile": (
        lambda r: r.put(
            "versions",
            stdout="",
            stderr="cannot open 'tank/grammar': dataset does not exist\n",
            status=1,
        ),
        "changed while it was listed: tank/grammar was destroyed",
    ),
    "somebody else's name is missing": (
        lambda r: r.put(
            "versions", stderr="cannot open 'tank/other': dataset does not exist\n", status=1
        ),
        "cannot open 'tank/other'",
    ),
    "versions failed without a word": (lambda r: r.put("versions", status=1), "did not say why"),
    "versions killed": (lambda r: r.put("versions", status=-9), "killed by SIGKILL"),
    "usage": (
        lambda r: r.put(
            "filesystems", stderr="bad property list: invalid property 'x'\n", status=2
        ),
        "bad property list",
    ),
    "noise with a failure": (
        lambda r: r.put(
            "versions",
            stdout="",
            stderr="cannot open 'tank/grammar': dataset does not exist\nsomething else\n",
            status=1,
        ),
        "cannot open 'tank/grammar'",
    ),
}


@pytest.mark.parametrize(("edit", "cause"), EDITS.values(), ids=EDITS)
def test_whatever_is_not_as_expected_makes_the_host_unseen(
    alpha: Recording, edit: Edit, cause: str
) -> None:
    edit(alpha)
    assert cause in alpha.unseen().cause


def test_a_root_that_appears_between_two_listings_makes_the_host_unseen() -> None:
    recording = Recording("alpha-missing-roots").put("versions", status=0)
    assert "nopool/x was created" in recording.unseen().cause


@pytest.mark.parametrize(
    ("stderr", "status", "remedy"),
    [
        ("sh: 1: zfs: not found\n", 127, "install"),
        ("sudo: a password is required\n", 1, "NOPASSWD"),
        ("The ZFS modules are not loaded.\n", 1, "modprobe zfs"),
        ("Permission denied the ZFS utilities must be run as root.\n", 1, "/dev/zfs"),
        ("cannot open 'tank': pool I/O is currently suspended\n", 1, "zpool clear"),
    ],
)
@pytest.mark.parametrize("step", ["release", "pools", "features", "filesystems", "versions"])
def test_a_failed_command_has_a_remedy_where_one_is_known(
    alpha: Recording, step: str, stderr: str, status: int, remedy: str
) -> None:
    unseen = alpha.put(step, stdout="", stderr=stderr, status=status).unseen()
    assert remedy in unseen.remedy


@pytest.mark.parametrize(
    "name", ["alpha", "alpha-missing-roots", "alpha-no-roots", "vault-partial"]
)
def test_a_section_that_is_missing_makes_the_host_unseen(name: str) -> None:
    for step in Recording(name).outcomes:
        recording = Recording(name)
        del recording.outcomes[step]
        assert step in recording.unseen().cause


SHUT = [
    "",
    "tank\tfilesystem\t43\t1\t6\t4\t5\toff\t-\t-\t-\toff\tyes\t-\t0\t-\t-\t-\t-\ttank\n",
]


@pytest.mark.parametrize("health", ["SUSPENDED", "FAULTED", "UNAVAIL"])
@pytest.mark.parametrize("stdout", SHUT, ids=["nothing", "in part"])
def test_a_pool_that_can_not_be_opened_is_seen_with_its_health_alone(
    alpha: Recording, health: str, stdout: str
) -> None:
    said = "pool I/O is currently suspended\n"
    stderr = "" if stdout else f"cannot open 'tank': {said}"
    alpha.put("pools", stdout=f"tank\t1\t-\t{health}\t-\n").put("features", stdout="")
    alpha.put("filesystems", stdout=stdout, stderr=stderr, status=0 if stdout else 1)
    alpha.put("versions", stdout="", stderr=f"cannot open 'tank/grammar': {said}", status=1)
    alpha.put("holds", stdout="")
    seen = alpha.seen()
    assert seen.pools["tank"] == Pool("tank", 1, health, readonly=False, free=0, features={})
    assert not seen.pools["tank"].usable
    assert (dict(seen.filesystems), seen.listed) == ({}, ())


def test_a_pool_in_order_that_can_not_be_listed_makes_the_host_unseen(alpha: Recording) -> None:
    stderr = "cannot open 'tank': pool I/O is currently suspended\n"
    assert alpha.put("filesystems", stdout="", stderr=stderr, status=1).unseen().remedy


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (errors.Unreachable, "sshd listens"),
        (errors.HostBusy, "MaxSessions"),
        (errors.CommandTimeout, "more time"),
        (errors.OutputCut, "login shell prints"),
        (errors.HostKeyRejected, "known_hosts"),
        (errors.AuthenticationFailed, "authorized_keys"),
        (errors.NoShell, "login shell"),
    ],
)
def test_a_probe_that_did_not_come_back_has_a_cause_and_a_remedy(
    error: type[errors.HostError], remedy: str
) -> None:
    unseen = probe_failed("alpha", error("alpha", "it is so"))
    assert (unseen.host, unseen.cause) == ("alpha", "it is so")
    assert remedy in unseen.remedy


def test_an_unknown_host_error_has_no_remedy() -> None:
    assert probe_failed("alpha", errors.HostError("alpha", "new")) == Unseen("alpha", "new", "")


def test_since_when_a_source_is_gone_is_told_by_a_filesystems_own_mark_alone(
    alpha: Recording,
) -> None:
    """What is inherited, or was renamed since, says nothing."""
    mark = "2026-11-26T12:00:00Z tank/grammar/www"
    for name in ("tank/grammar/www", "tank/grammar/vol"):
        alpha.edit("filesystems", f"\t-\t{name}\n", f"\t{mark}\t{name}\n")
    seen = alpha.seen()

    assert seen.filesystems["tank/grammar/www"].gone_since == 1795694400
    assert seen.filesystems["tank/grammar/vol"].gone_since is None
