"""The image all hosts boot from, as it lies in the cache: complete and never changed."""

from dataclasses import dataclass
from pathlib import Path

from . import places
from .recipe import DEBIAN_12, Recipe


@dataclass(frozen=True)
class Image:
    """A folder with kernel, initramfs and root, complete and never changed."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """Return the kernel that QEMU starts."""
        return self.folder / "vmlinuz"

    @property
    def initramfs(self) -> Path:
        """Return the initramfs that all hosts share; a host's own archive goes behind it."""
        return self.folder / "initramfs"

    @property
    def root(self) -> Path:
        """Return the read-only root that all hosts share."""
        return self.folder / "root.erofs"


def cached(recipe: Recipe = DEBIAN_12) -> Image | None:
    """Return the image of the recipe if it is in the cache."""
    folder = places.cache() / recipe.digest()
    return Image(folder) if folder.is_dir() else None
