"""The tools that are compared.

bzfs comes twice: its cache of what has not changed needs OpenZFS 2.2 and is off by default. So
this project comes on both releases, too.
"""

from collections.abc import Mapping

from tests.bench.peers.autobackup import Autobackup
from tests.bench.peers.bzfs import Bzfs
from tests.bench.peers.ours import Ours
from tests.bench.peers.syncoid import Syncoid
from tests.bench.peers.tool import Tool

DEBIAN_12 = "2.1.11"
NEWER = "2.3.2"

TOOLS: Mapping[str, Tool] = {
    "reconciler": Ours(DEBIAN_12),
    "bzfs": Bzfs(DEBIAN_12),
    "reconciler-newer": Ours(NEWER),
    "bzfs-cached": Bzfs(NEWER, ("--cache-snapshots",)),
    "syncoid": Syncoid(DEBIAN_12),
    "zfs-autobackup": Autobackup(DEBIAN_12),
}
