"""What an image is made of. Its hash names the image in the cache: change anything, build anew."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from . import places

# Raise this when the builder's own code changes what it writes.
BUILDER = 1


@dataclass(frozen=True)
class Recipe:
    """The packages of one image, by the job they do in it."""

    suite: str
    guest: tuple[str, ...]
    build: tuple[str, ...]
    module_source: str
    kernel_prefix: str
    initramfs_modules: tuple[str, ...]
    builder: int = BUILDER

    def digest(self) -> str:
        """Return the hash over everything that influences the image."""
        whole = hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode())
        for file in sorted(places.GUEST_FILES.iterdir()):
            whole.update(f"\n{file.name} {file.stat().st_size}\n".encode())
            whole.update(file.read_bytes())
        return whole.hexdigest()


DEBIAN_12 = Recipe(
    suite="bookworm",
    guest=(
        "openssh-server",
        "openssh-client",
        "zfsutils-linux",
        "mbuffer",
        "pv",
        "zstd",
        "lz4",
        "procps",
        "iproute2",
        "kmod",
        "udev",
        "sudo",
    ),
    build=(
        "busybox-static",
        "erofs-utils",
        "gcc",
        "kmod",
        "libc6-dev",
        "linux-headers-cloud-amd64",
        "make",
    ),
    module_source="zfs-dkms",
    kernel_prefix="linux-image-",
    initramfs_modules=("virtio_pci", "virtio_blk", "virtio_net", "erofs", "overlay"),
)
