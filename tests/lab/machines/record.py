"""The record of a lab in its folder: what `status` and `down` find, whoever started it.

It is written before the first host starts and after each one, so that a crash leaves either
nothing running or something that can be found.
"""

import dataclasses
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from .access import Access
from .errors import LabError
from .image import Image
from .plan import Host
from .processes import Process

_FORMAT = 1


@dataclass(frozen=True)
class Record:
    """The hosts of a lab and the processes that run them."""

    lab: Path
    image: Image
    memory: int
    hosts: dict[str, Host]
    processes: dict[str, Process] = field(default_factory=dict)

    def running(self) -> list[str]:
        """Return the names of the hosts whose process still runs."""
        return [name for name, process in self.processes.items() if process.is_running()]

    def with_process(self, name: str, process: Process) -> Self:
        """Return the record after a host was started (again), and write it."""
        changed = dataclasses.replace(self, processes=self.processes | {name: process})
        changed.write()
        return changed

    def write(self) -> None:
        """Write the record, whole or not at all."""
        content = {
            "format": _FORMAT,
            "image": str(self.image.folder),
            "memory": self.memory,
            "hosts": [
                {"name": host.name, "pool": host.pool, "port": host.port}
                for host in self.hosts.values()
            ],
            "processes": {
                name: dataclasses.asdict(process) for name, process in self.processes.items()
            },
        }
        fresh = _file(self.lab).with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=2) + "\n")
        fresh.replace(_file(self.lab))

    def erase(self) -> None:
        """Remove what the lab put into its folder, and the folder itself if that is all."""
        for host in self.hosts.values():
            shutil.rmtree(host.folder, ignore_errors=True)
        access = Access(self.lab)
        public = access.identity.with_suffix(".pub")
        for file in (access.identity, public, access.known_hosts, access.ssh_config):
            file.unlink(missing_ok=True)
        _file(self.lab).unlink(missing_ok=True)
        if not any(self.lab.iterdir()):
            self.lab.rmdir()


def read(lab: Path) -> Record | None:
    """Return the record in this folder, or None if there is no lab."""
    try:
        content = json.loads(_file(lab).read_text())
    except FileNotFoundError:
        return None
    if content["format"] != _FORMAT:
        raise LabError(f"{_file(lab)} was written by another version of the lab")
    hosts = {entry["name"]: Host(**entry, lab=lab) for entry in content["hosts"]}
    processes = {name: Process(**entry) for name, entry in content["processes"].items()}
    return Record(lab, Image(Path(content["image"])), content["memory"], hosts, processes)


def _file(lab: Path) -> Path:
    return lab / "lab.json"
