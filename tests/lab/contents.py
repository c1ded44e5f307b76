"""What is in snapshots, to be compared between hosts."""

from tests.lab.machines import Machine


def volume_device(volume: str) -> str:
    """Return shell text that sets $device; without udev on lab hosts there are no links."""
    return (
        "device=; for attempt in 1 2 3 4 5 6 7 8 9 10; do for d in /dev/zd*; do"
        f' [ "$(/lib/udev/zvol_id "$d" 2>/dev/null)" = "{volume}" ] && device=$d; done;'
        ' [ -n "$device" ] && break; sleep 0.5; done; [ -n "$device" ]'
    )


def checksums(machine: Machine, snapshot: str) -> str:
    """Return the checksums of all files in a snapshot, read from the snapshot itself."""
    read = "cd /mnt/look && find . -type f -print0 | sort -z | xargs -0 -r sha256sum; cd /"
    return machine.sh(
        f"mkdir -p /mnt/look && mount -t zfs -o ro '{snapshot}' /mnt/look && {{ {read}; }};"
        " code=$?; umount /mnt/look; exit $code"
    ).stdout


def volume_checksum(machine: Machine, snapshot: str) -> str:
    """Return the checksum of a volume's snapshot, read through a clone."""
    clone = snapshot.split("/", maxsplit=1)[0] + "/look"
    return machine.sh(
        f"zfs clone '{snapshot}' {clone} && {volume_device(clone)}"
        f' && sha256sum < "$device"; code=$?; zfs destroy {clone}; exit $code'
    ).stdout


ENCRYPTED = "-o encryption=on -o keyformat=hex"
"""What makes a filesystem encrypted. A passphrase would do, but its key takes long to derive."""

SECRET = "0123456789abcdef" * 4


def make_encrypted(machine: Machine, filesystem: str) -> None:
    """Create a filesystem with a key of its own, which is loaded."""
    machine.sh(f"echo {SECRET} | zfs create {ENCRYPTED} '{filesystem}'")


def load_key(machine: Machine, filesystem: str) -> None:
    """Load the key of a filesystem that was made so, or was received of one."""
    machine.sh(f"echo {SECRET} | zfs load-key '{filesystem}'")
