"""The hosts of a zrepl.yml: the machine that it is of, and those that its jobs connect to."""

import re
from dataclasses import dataclass, field

from reconciler.desired import checks
from reconciler.desired.diagnostics import Position
from reconciler.importing.remarks import Remark, blank, fill_in, note
from reconciler.importing.spec_text import Field, Section, SpecText
from reconciler.importing.zrepl import Connect, Transport

THIS = "this-host"
"""The name of the machine with the zrepl.yml, where nobody has said it."""


def object_name(text: str) -> str:
    """Return a name for an object that is as close to a text as names may be."""
    cleaned = re.sub(r"[^a-z0-9.-]+", "-", text.lower())[:63].strip("-.")
    return cleaned or "job"


@dataclass(slots=True)
class Hosts:
    """Gathers hosts while the jobs are translated."""

    start: Position
    this: str = ""
    """What the machine with the zrepl.yml is called; empty: not known."""
    found: dict[str, SpecText] = field(default_factory=dict)
    addresses: dict[tuple[str, str, int | None], str] = field(default_factory=dict)
    """Address, user and port → name."""

    def here(self) -> str:
        """Return the name of the machine with the zrepl.yml."""
        name = object_name(self.this) if self.this else THIS
        if name not in self.found:
            self.found[name] = self._here(name)
        return name

    def there(self, connect: Connect) -> str:
        """Return the name of the machine that a job connects to."""
        if connect.transport is Transport.LOCAL:
            return self.here()
        key = (connect.address, connect.user, connect.port)
        if key not in self.addresses:
            self.here()
            name = self._free_name(connect.address)
            self.addresses[key] = name
            self.found[name] = _there(name, connect)
        return self.addresses[key]

    def _here(self, name: str) -> SpecText:
        said = "zrepl ran as root here; say who logs in by ssh (`user`, `privilege`)"
        remarks: tuple[Remark, ...] = (note(self.start, said),)
        address = self.this
        if not self.this:
            address = blank("address of the machine with this zrepl.yml")
            remarks += (fill_in(self.start, "its name and its address for ssh, or `--host NAME`"),)
        return _host(name, [Field("address", address, remarks)])

    def _free_name(self, address: str) -> str:
        """Return the first part of a host name, more of it where that is taken."""
        labels = [address] if re.fullmatch(r"[0-9.:]+", address) else address.split(".")
        names = [object_name(".".join(labels[: n + 1])) for n in range(len(labels))]
        names += [f"{names[-1][:60]}-{n}" for n in range(2, 100)]
        return next(name for name in names if name not in self.found)


def _there(name: str, connect: Connect) -> SpecText:
    said = "its address for zrepl; reconciler reaches it by ssh (`user`, `port`, `privilege`)"
    remarks: tuple[Remark, ...] = (note(connect.where, said),)
    try:
        checks.address(connect.address)
    except ValueError as error:
        remarks += (fill_in(connect.where, str(error)),)
    fields = [Field("address", connect.address, remarks)]
    if connect.user:
        fields.append(Field("user", connect.user))
    if connect.port is not None:
        fields.append(Field("port", connect.port))
    return _host(name, fields)


def _host(name: str, ssh: list[Field]) -> SpecText:
    connection = Section((Field("ssh", Section(tuple(ssh))),))
    return SpecText("Host", name, Section((Field("connection", connection),)))
