import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.zfs import names
from reconciler.zfs.names import InvalidName

COMPONENTS = st.text("abzAZ019-_.: ", min_size=1, max_size=8).filter(lambda c: c not in {".", ".."})
FILESYSTEMS = st.builds(
    lambda pool, rest: "/".join([f"p{pool}", *rest]), COMPONENTS, st.lists(COMPONENTS, max_size=5)
)


@pytest.mark.parametrize(
    "name",
    [
        "tank",
        "tank/www",
        "tank/sp ace",
        "tank/ ",
        "tank/-lead",
        "tank/...",
        "tank/.x",
        "tank/co:lon.dot_under-dash",
        "a b",
        "c0x",
        "logs",
        "tank/mirror",
        "tank" + "/d" * 49,
        "tank/" + "x" * 250,
        "t" * 239,
    ],
)
def test_a_name_that_zfs_takes_is_accepted(name: str) -> None:
    names.check_filesystem(name)
    names.check_listed_filesystem(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "The name is empty."),
        ("/tank", "There is an empty component"),
        ("tank/", "There is an empty component"),
        ("tank//www", "There is an empty component"),
        ("tank/.", "'.' can't be a component"),
        ("tank/../x", "'..' can't be a component"),
        ("tank/%recv", "'%' is reserved"),
        ("tank/www@daily", "no '@' and no '#'"),
        ("tank/www#daily", "no '@' and no '#'"),
        ("tank/é", "The character 'é' is not allowed"),
        ("tank/a\tb", "The character '\\t' is not allowed"),
        ("tank/a\n", "The character '\\n' is not allowed"),
        ("tank/a,b", "The character ',' is not allowed"),
        ("1tank", "begins with a letter"),
        ("-r", "begins with a letter"),
        (" tank", "begins with a letter"),
        ("tank" + "/d" * 50, "deeper than 50"),
        ("tank/" + "x" * 251, "longer than 255 bytes"),
        ("t" * 240, "longer than 239 bytes"),
    ],
)
def test_a_name_that_zfs_refuses_is_refused_with_a_reason(name: str, reason: str) -> None:
    with pytest.raises(InvalidName) as caught:
        names.check_listed_filesystem(name)
    assert reason in caught.value.reason
    assert caught.value.name == name
    with pytest.raises(InvalidName):
        names.check_filesystem(name)


@pytest.mark.parametrize("pool", ["mirror", "mirror1", "raidz", "raidz2", "draid", "spare", "log"])
def test_a_pool_name_that_means_devices_is_refused_but_may_exist(pool: str) -> None:
    with pytest.raises(InvalidName, match="kinds of devices"):
        names.check_filesystem(f"{pool}/www")
    names.check_listed_filesystem(f"{pool}/www")


@pytest.mark.parametrize(
    ("full", "reason"),
    [
        ("tank/www", "has a '@'"),
        ("tank/www@", "The name is empty."),
        ("tank/www@a@b", "more than one '@' or '#'"),
        ("tank/www@a#b", "more than one '@' or '#'"),
        ("tank/www@a/b", "has no '/'"),
        ("tank/www@a%b", "'%' is reserved"),
        ("tank/www@a,b", "',' is not allowed"),
        ("tank/www@..", "'..' can't be a component"),
        ("@daily", "The name is empty."),
        ("tank/www@" + "x" * 247, "longer than 255 bytes"),
    ],
)
def test_a_bad_snapshot_is_refused_under_its_full_name(full: str, reason: str) -> None:
    with pytest.raises(InvalidName) as caught:
        names.check_snapshot(full)
    assert reason in caught.value.reason
    assert caught.value.name == full


def test_the_longest_snapshot_name_has_255_bytes() -> None:
    names.check_snapshot("tank/a@" + "x" * 248)
    with pytest.raises(InvalidName):
        names.check_snapshot("tank/a@" + "x" * 249)


def test_bookmarks_have_their_own_delimiter() -> None:
    names.check_bookmark("tank/www#cursor")
    with pytest.raises(InvalidName, match="The name of a bookmark has a '#'"):
        names.check_bookmark("tank/www@cursor")
    names.check_version("tank/www#cursor")
    names.check_version("tank/www@daily")
    with pytest.raises(InvalidName):
        names.check_version("tank/www")


@pytest.mark.parametrize("tag", ["keep", "sp ace/ü#%@", "x" * 255, "rec-step_a_b"])
def test_a_hold_tag_may_have_any_printable_characters(tag: str) -> None:
    names.check_hold_tag(tag)


@pytest.mark.parametrize("tag", ["", ".keep", "-r", "a\tb", "a\nb", "x" * 256, "ü" * 128, "\x7f"])
def test_a_hold_tag_that_would_not_read_back_is_refused(tag: str) -> None:
    with pytest.raises(InvalidName):
        names.check_hold_tag(tag)


def test_no_names_are_not_all_names() -> None:
    with pytest.raises(ValueError, match="no names"):
        names.check_all([], names.check_snapshot)


@pytest.mark.parametrize(
    ("name", "root", "within"),
    [
        ("tank/a", "tank/a", True),
        ("tank/a/b", "tank/a", True),
        ("tank/ab", "tank/a", False),
        ("tank/a b", "tank/a", False),
        ("tank", "tank/a", False),
    ],
)
def test_within_goes_by_components(name: str, root: str, *, within: bool) -> None:
    assert names.is_within(name, root) is within


@pytest.mark.parametrize(
    ("name", "pool", "filesystem"),
    [
        ("tank", "tank", "tank"),
        ("tank/a/b", "tank", "tank/a/b"),
        ("tank@daily", "tank", "tank"),
        ("tank/a@daily", "tank", "tank/a"),
        ("tank/a#cursor", "tank", "tank/a"),
    ],
)
def test_pool_and_filesystem_of_any_name(name: str, pool: str, filesystem: str) -> None:
    assert names.pool_of(name) == pool
    assert names.filesystem_of(name) == filesystem


@given(FILESYSTEMS)
def test_ancestors_are_the_parents_from_the_pool_down(name: str) -> None:
    names.check_filesystem(name)
    chain: list[str] = []
    parent = names.parent_of(name)
    while parent is not None:
        chain.insert(0, parent)
        parent = names.parent_of(parent)
    assert names.ancestors(name) == tuple(chain)
    assert all(names.is_within(name, above) for above in chain)


@given(st.text(max_size=12))
def test_whatever_is_accepted_survives_a_row_of_output(text: str) -> None:
    try:
        names.check_filesystem(text)
    except InvalidName:
        return
    assert f"{text}\t1\n".split("\n")[0].split("\t") == [text, "1"]
    assert text.isascii()
    assert not text.startswith("-")
