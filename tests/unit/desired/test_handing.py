"""What specs say of properties and encryption, resolved."""

from reconciler.desired.model import Desired, Encryption, Target
from reconciler.desired.selection import Condition
from reconciler.zfs.handover import Properties
from tests.behaviours.specs import accepted, replication

FIRST, SECOND = "backup/alpha", "other/alpha"


def targets(extra: str = "", second: str = "") -> dict[str, Target]:
    """Return the targets, by their roots, of a replication with two."""
    text = replication().replace("  targets:", f"{extra}  targets:")
    text += f"    - {{host: vault, under: 'other/{{host}}'{second}}}\n"
    (web,) = accepted(text).replications.values()
    return {target.roots["alpha"]: target for target in web.targets}


def test_without_a_word_nothing_is_handed_over_and_encrypted_goes_raw() -> None:
    for target in targets().values():
        assert target.properties == Properties()
        assert target.encryption is Encryption.RAW


def test_what_a_replication_says_holds_for_all_its_targets() -> None:
    found = targets("  properties: {send: true, exclude: [exec, atime]}\n")
    for target in found.values():
        assert target.properties == Properties(send=True, exclude=("atime", "exec"))


def test_what_a_target_says_stands_instead_as_a_whole() -> None:
    found = targets(
        "  properties: {send: true, override: {atime: 'off'}}\n",
        ", properties: {override: {exec: 'off', 'a:b': c=d}}",
    )
    assert found[FIRST].properties == Properties(True, (("atime", "off"),))
    assert found[SECOND].properties == Properties(False, (("a:b", "c=d"), ("exec", "off")))


def test_a_target_may_have_in_clear_what_others_get_raw() -> None:
    found = targets("", ", encryption: decrypt")
    assert found[FIRST].encryption is Encryption.RAW
    assert found[SECOND].encryption is Encryption.DECRYPT
    found = targets("  encryption: decrypt\n", ", encryption: raw")
    assert found[FIRST].encryption is Encryption.DECRYPT
    assert found[SECOND].encryption is Encryption.RAW


def conditions(where: str) -> tuple[Condition, ...]:
    text = replication().replace("    snapshots:", f"    where: {where}\n    snapshots:")
    return found(accepted(text))


def found(desired: Desired) -> tuple[Condition, ...]:
    (web,) = desired.replications.values()
    return web.selection.where


def test_one_condition_or_a_list_of_them() -> None:
    one, two = Condition("com.example:backup", "true"), Condition("type", "filesystem")
    assert conditions('{property: "com.example:backup", equals: "true"}') == (one,)
    assert conditions(
        '[{property: "com.example:backup", equals: "true"}, {property: type, equals: filesystem}]'
    ) == (one, two)


def test_without_where_there_is_no_condition() -> None:
    assert found(accepted(replication())) == ()


def test_receivers_are_not_asked_for_what_the_senders_filesystem_has() -> None:
    text = replication().replace(
        "    snapshots:", "    where: {property: 'a:b', equals: c}\n    snapshots:"
    )
    (web,) = accepted(text).replications.values()
    assert web.selection.below("backup").where == ()
