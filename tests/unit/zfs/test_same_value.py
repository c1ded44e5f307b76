"""Values as people write them, and as `zfs list -p` prints them."""

import pytest

from reconciler.zfs.same_value import same_value

NONE = str(2**64 - 1)


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("atime", "off", "off"),
        ("quota", "10G", "10737418240"),
        ("quota", "1.5k", "1536"),
        ("quota", "10GiB", "10737418240"),
        ("quota", "none", "0"),
        ("refreservation", "auto", "8388608"),
        ("recordsize", "1M", "1048576"),
        ("recordsize", "131072", "131072"),
        ("snapshot_limit", "none", NONE),
        ("compression", "gzip-6", "gzip"),
        ("acltype", "posixacl", "posix"),
        ("xattr", "on", "sa"),
        ("mountpoint", "/srv", "/altroot/srv"),
    ],
)
def test_these_are_the_same(name: str, wanted: str, found: str) -> None:
    assert same_value(name, wanted, found)


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("atime", "off", "on"),
        ("quota", "10G", "10737418241"),
        ("quota", "10G", "0"),
        ("quota", "10G", "none"),
        ("quota", "none", "10737418240"),
        ("snapshot_limit", "5", NONE),
        ("compression", "gzip-9", "gzip"),
        ("compression", "posixacl", "posix"),
        ("com.example:size", "1K", "1024"),
    ],
)
def test_these_are_not(name: str, wanted: str, found: str) -> None:
    assert not same_value(name, wanted, found)
