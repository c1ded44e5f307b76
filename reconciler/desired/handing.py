"""Sections of specs about properties and encryption → plain values, and what is wrong with them."""

from collections import Counter
from collections.abc import Iterator

from reconciler.desired.diagnostics import Diagnostic, Position, shown
from reconciler.desired.model import Encryption, Target
from reconciler.desired.objects import Replication as ReplicationObject
from reconciler.desired.objects import ReplicationSpec
from reconciler.desired.property_objects import Properties as PropertiesSection
from reconciler.desired.reading import Item
from reconciler.desired.selection import Condition, Selection
from reconciler.desired.source_objects import Source
from reconciler.desired.target_objects import Target as TargetSection
from reconciler.zfs.handover import Properties
from reconciler.zfs.named_properties import CHOICES


def selection_of(source: Source) -> Selection:
    """Return what a source selects."""
    found = Selection.parse(source.filesystems)
    where = tuple(Condition(one.property, one.equals) for one in source.where)
    return Selection(found.include, found.exclude, where)


def properties_of(spec: ReplicationSpec, target: TargetSection) -> Properties:
    """Return what is said of the properties of a target's receivers, there or for all of them."""
    section = target.properties if target.properties is not None else spec.properties
    override = tuple(sorted(section.override.items()))
    return Properties(section.send, override, tuple(sorted(set(section.exclude))))


def encryption_of(spec: ReplicationSpec, target: TargetSection) -> Encryption:
    """Return how what is encrypted is sent to a target."""
    return Encryption(target.encryption if target.encryption is not None else spec.encryption)


def handing_findings(
    item: Item[ReplicationObject], targets: tuple[Target, ...]
) -> Iterator[Diagnostic]:
    """Report what does not go together."""
    spec = item.spec.spec
    yield from _where_findings(item, spec.source)
    yield from _section_findings(item, ("spec",), spec.properties)
    for number, section in enumerate(spec.targets):
        if section.properties is not None:
            yield from _section_findings(item, ("spec", "targets", number), section.properties)
    places = dict.fromkeys(
        _sent_in_clear(item, number)
        for number, target in enumerate(targets)
        if target.properties.send and target.encryption is Encryption.DECRYPT
    )
    for place in places:
        said = "`send: true` does not go with `encryption: decrypt`"
        yield place.error(said, "ZFS hands over properties of encrypted filesystems only raw.")


def _sent_in_clear(item: Item[ReplicationObject], number: int) -> Position:
    """Return where it is said that a target gets properties."""
    own = item.spec.spec.targets[number].properties is not None
    above = ("spec", "targets", number) if own else ("spec",)
    return item.at(*above, "properties", "send")


def _where_findings(item: Item[ReplicationObject], source: Source) -> Iterator[Diagnostic]:
    """Report conditions that can't hold at once."""
    values: dict[str, str] = {}
    for number, one in enumerate(source.where):
        before = values.setdefault(one.property, one.equals)
        if before != one.equals:
            where = item.at("spec", "source", "where", number, "equals")
            said = f"`{one.property}` can't equal both `{before}` and `{one.equals}`"
            yield where.error(said, "All conditions must hold. Make two replications.")


def _section_findings(
    item: Item[ReplicationObject], above: tuple[str | int, ...], section: PropertiesSection
) -> Iterator[Diagnostic]:
    for name, value in section.override.items():
        choices = CHOICES.get(name, (value,))
        if value not in choices:
            place = item.at(*above, "properties", "override", name)
            listed = ", ".join(f"`{choice}`" for choice in choices)
            yield place.error(f"`{name}` can't be {shown(value)}", f"It is one of {listed}.")
    place = item.at(*above, "properties", "exclude")
    if section.exclude and not section.send:
        yield place.error("`exclude` has a meaning only with `send: true`", "Remove it.")
    twice = [name for name, count in Counter(section.exclude).items() if count > 1]
    for name in sorted(section.override.keys() & set(section.exclude)):
        advice = "What is overridden is not handed over anyway; remove it here."
        yield place.error(f"`{name}` is in `override` too", advice)
    for name in twice:
        yield place.error(f"`{name}` is there twice", "Remove one.")
