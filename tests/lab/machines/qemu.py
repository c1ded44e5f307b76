"""QEMU: a host's disk, its command line, and orders to it while it runs."""

import json
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import LabError
from .image import Image
from .plan import Host
from .processes import Process

DISK_SIZE = 4 * 1024**3
_SECTOR = 512
_FIRST = 2048
_LINUX_PARTITION = 0x83

# hpet: it is this machine's clock. The default, tsc, is calibrated while the host boots; on a busy
# machine that is inexact, and clocks were seen to drift by a second in half an hour.
KERNEL_ARGUMENTS = (
    "console=ttyS0 loglevel=4 panic=-1 oops=panic net.ifnames=0 mitigations=off nowatchdog"
    " clocksource=hpet"
)


def make_disk(file: Path) -> None:
    """Make an empty sparse disk with one partition.

    ZFS given a whole disk would partition it and wait for udev, which no lab host runs.
    """
    # status, first sector as CHS (unused), type, last sector as CHS (unused), first, count
    count = DISK_SIZE // _SECTOR - _FIRST
    entry = struct.pack("<B3sB3sII", 0, b"\0" * 3, _LINUX_PARTITION, b"\0" * 3, _FIRST, count)
    with file.open("wb") as disk:
        disk.truncate(DISK_SIZE)
        disk.seek(446)
        disk.write(entry)
        disk.seek(510)
        disk.write(b"\x55\xaa")


def write_initramfs(host: Host, archive: bytes, image: Image) -> None:
    """Write the host's initramfs: the shared one and the host's own archive behind it."""
    host.initramfs.touch(mode=0o600)
    host.initramfs.write_bytes(image.initramfs.read_bytes() + archive)


def command_line(host: Host, image: Image, memory: int) -> list[str]:
    """Return the command that runs the host."""
    return [
        "qemu-system-x86_64",
        *("-name", host.name, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", str(memory)),
        *("-kernel", str(image.kernel), "-initrd", str(host.initramfs)),
        *("-append", KERNEL_ARGUMENTS),
        *("-drive", _drive("root", image.root, "readonly=on")),
        *("-device", "virtio-blk-pci,drive=root"),
        *("-drive", _drive("pool", host.disk, "cache=unsafe")),
        *("-device", "virtio-blk-pci,drive=pool"),
        *("-netdev", f"user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:{host.port}-:22"),
        *("-device", "virtio-net-pci,netdev=net,id=nic,romfile="),
        *("-chardev", f"file,id=console,path={_escaped(host.console)}"),
        *("-serial", "chardev:console"),
        *("-qmp", f"unix:{_escaped(host.qmp)},server=on,wait=off"),
    ]


def spawn(host: Host, image: Image, *, memory: int, dies_with_us: bool) -> Process:
    """Start the host's QEMU.

    With `dies_with_us` the kernel kills it when the *thread* that called this ends: call it from
    a thread that lives as long as the lab shall.
    """
    guard = ["setpriv", "--pdeathsig", "KILL"] if dies_with_us else []
    return Process.start([*guard, *command_line(host, image, memory)], host.qemu_log)


def order(host: Host, command: str, **arguments: object) -> None:
    """Give the host's QEMU one order (QMP) and wait for its answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(host.qmp))
        with connection.makefile("rw") as lines:
            lines.readline()  # the greeting
            for request in ({"execute": "qmp_capabilities"}, _request(command, arguments)):
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                answer = _answer(lines.readline)
                if "error" in answer:
                    raise LabError(f"{host.name}: {command}: {answer['error']}")


def _request(command: str, arguments: dict[str, object]) -> dict[str, object]:
    # Python names have underscores where QMP's have dashes.
    return {
        "execute": command,
        "arguments": {name.replace("_", "-"): value for name, value in arguments.items()},
    }


def _answer(readline: Callable[[], str]) -> dict[str, Any]:
    """Skip events until the answer comes."""
    while True:
        line = readline()
        if not line:
            raise LabError("QEMU closed its control socket")
        message: dict[str, Any] = json.loads(line)
        if "event" not in message:
            return message


def _drive(name: str, file: Path, how: str) -> str:
    return f"if=none,id={name},format=raw,file={_escaped(file)},{how}"


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")
