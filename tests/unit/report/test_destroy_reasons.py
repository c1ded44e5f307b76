"""Reasons of many versions, taken apart and told together."""

from reconciler.actions import Destroy, Reason
from reconciler.report.destroy_reasons import CURSOR_MOVED, doomed
from reconciler.zfs.types import Version, VersionKind


def destroy(*names: str) -> Destroy:
    versions = [
        Version(VersionKind.SNAPSHOT, name, number, number, 0) for number, name in enumerate(names)
    ]
    return Destroy("alpha", "tank", tuple(versions))


def told(
    action: Destroy, message: str, *, explain: bool = False, code: str = "expired"
) -> list[str]:
    found = doomed(action, Reason(code, message), explain=explain)
    return [f"{group.what}: {group.why}" for group in found]


def test_a_shared_reason_is_said_once() -> None:
    assert told(destroy("a", "b"), "beyond last 2") == ["@a, @b: beyond last 2"]


def test_each_version_has_its_own_reason() -> None:
    message = "@a beyond last 1; @b daily 1 keeps @c"
    assert told(destroy("a", "b"), message) == ["@a: beyond last 1", "@b: daily 1 keeps @c"]


def test_many_reasons_of_a_kind_become_one() -> None:
    names = [f"s{number}" for number in range(5)]
    message = "; ".join(
        f"@{name} no rule keeps it: daily {rank} keeps @x{rank}, beyond last 1"
        for rank, name in enumerate(names)
    )
    assert told(destroy(*names), message) == [
        "5 versions between @s0 and @s4: no rule keeps them: daily keeps another, beyond last 1"
    ]
    assert len(told(destroy(*names), message, explain=True)) == 5


def test_a_reason_that_looks_like_several_stays_whole() -> None:
    message = "@a matching x; @c y"
    assert told(destroy("a", "b"), message) == [f"@a, @b: {message}"]


def test_a_cursor_is_named_only_when_explained() -> None:
    message = "the cursor has moved on"
    assert told(destroy("a"), message, code=CURSOR_MOVED) == [f"old cursor: {message}"]
    assert told(destroy("a"), message, code=CURSOR_MOVED, explain=True) == [f"@a: {message}"]
