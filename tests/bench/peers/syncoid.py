"""sanoid by cron on each host, syncoid from a third host by two ssh (Debian's package `sanoid`)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.peers import history
from tests.bench.peers.history import KEEP, TARGET, TREE, Size
from tests.bench.peers.pair import ADDRESSES, CONTROLLER, RECEIVER, SENDER, Command, Hosts, Pair
from tests.bench.peers.tool import run_or_unavailable

PACKAGES = ("sanoid", "libconfig-inifiles-perl", "libcapture-tiny-perl")

_CONFIG = """\
[{tree}]
use_template = bench
recursive = yes
[template_bench]
autosnap = {autosnap}
autoprune = yes
frequently = 0
hourly = 0
daily = {keep}
weekly = 0
monthly = 0
yearly = 0
daily_hour = 0
daily_min = 0
"""


def label(at: int) -> str:
    """Return the name of a snapshot."""
    return datetime.fromtimestamp(at, UTC).strftime("autosnap_%Y-%m-%d_%H:%M:%S_daily")


@dataclass(slots=True)
class Syncoid:
    """sanoid and syncoid."""

    release: str
    name: str = "sanoid + syncoid"
    root: Path = field(default=Path())

    def install(self, scratch: Path) -> str:
        """Download and unpack the packages; nothing is installed."""
        self.root = scratch / "sanoid"
        self.root.mkdir(exist_ok=True)
        if not list(self.root.glob("sanoid_*.deb")):
            run_or_unavailable(["apt-get", "download", *PACKAGES], self.root)
        for package in self.root.glob("*.deb"):
            run_or_unavailable(["dpkg", "-x", str(package), str(self.root)], self.root)
        run_or_unavailable(
            ["perl", f"-I{self._modules}", "-MConfig::IniFiles", "-MCapture::Tiny", "-e", "1"],
            self.root,
        )
        self._move_defaults()
        return next(self.root.glob("sanoid_*.deb")).name.split("_")[1]

    def _move_defaults(self) -> None:
        """Let it find the file that Debian has at a fixed place: it is not installed there."""
        program, place = self.root / "usr/sbin/sanoid", "/usr/share/sanoid"
        text = program.read_text()
        program.write_text(text.replace(f'"{place}/', f'"{self.root}{place}/'))

    @property
    def _modules(self) -> Path:
        return self.root / "usr/share/perl5"

    def hosts(self, size: Size, _folder: Path) -> Hosts:
        """Return the history: neither leaves anything beside it."""
        sender = history.sender(size, label, self.release)
        sender = history.punctual(sender, size, label)
        return Hosts(history.changed(sender, size), history.receiver(sender))

    def cycle(self, pair: Pair) -> list[Command]:
        """What the units of the package run on each host, and the replication between them."""
        port = pair.sshd.port
        argv = [
            *("perl", str(self.root / "usr/sbin/syncoid"), "--recursive", "--no-sync-snap"),
            *("--sshport", str(port), "--sshkey", str(pair.sshd.client_key)),
            *("--sshoption", f"UserKnownHostsFile={pair.sshd.known_hosts}"),
            f"root@{ADDRESSES[SENDER]}:{TREE}",
            f"root@{ADDRESSES[RECEIVER]}:{TARGET}/{TREE}",
        ]
        return [
            self._sanoid(pair, SENDER, TREE, "--take-snapshots"),
            self._sanoid(pair, SENDER, TREE, "--prune-snapshots"),
            Command(CONTROLLER, argv, self._environment),
            self._sanoid(pair, RECEIVER, f"{TARGET}/{TREE}", "--prune-snapshots"),
        ]

    def _sanoid(self, pair: Pair, host: str, tree: str, what: str) -> Command:
        config = pair.folder / host / "sanoid"
        config.mkdir(exist_ok=True)
        autosnap = "yes" if host == SENDER else "no"
        text = _CONFIG.format(tree=tree, autosnap=autosnap, keep=KEEP)
        (config / "sanoid.conf").write_text(text)
        argv = ["perl", str(self.root / "usr/sbin/sanoid"), what, f"--configdir={config}"]
        argv += [f"--cache-dir={config}/cache", f"--run-dir={config}/run"]
        return Command(host, argv, self._environment)

    @property
    def _environment(self) -> dict[str, str]:
        return {"PERL5LIB": str(self._modules)}
