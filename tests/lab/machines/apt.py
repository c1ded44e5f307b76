"""A private view of the distribution: the machine's own sources with other suites and components.

The machine's sources, package lists and cache stay as they are. The view has its own folder with
sources derived from the machine's (so mirrors, snapshots and keys are the machine's), `contrib`
added because that is where ZFS lives, and its own lists.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .commands import as_root, run
from .errors import CommandError, LabError

MACHINE_SOURCES = Path("/etc/apt")
COMPONENTS = "main contrib"
_ONE_LINE = re.compile(r"deb\s+(?P<options>\[[^]]*]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+main\b")


@dataclass(frozen=True)
class Source:
    """One place packages come from; `fields` are deb822 lines kept as the machine has them."""

    uris: str
    suites: tuple[str, ...]
    fields: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the source as a deb822 stanza."""
        head = (
            "Types: deb",
            f"URIs: {self.uris}",
            f"Suites: {' '.join(self.suites)}",
            f"Components: {COMPONENTS}",
        )
        return "\n".join((*head, *self.fields)) + "\n"


@dataclass(frozen=True)
class View:
    """A folder with sources and lists that apt can be pointed to."""

    folder: Path
    suite: str

    @property
    def sources(self) -> Path:
        """Return the derived sources of the suite itself, for a root made from it."""
        return self.folder / "parts" / "suite.sources"

    def options(self) -> list[str]:
        """Return the options that make apt use this view."""
        return [
            "-oDir::Etc::SourceList=/dev/null",
            f"-oDir::Etc::SourceParts={self.folder / 'parts'}",
            f"-oDir::State::Lists={self.folder / 'lists'}",
            "-oDPkg::Lock::Timeout=600",
            "-oAPT::Sandbox::User=root",
        ]

    def get(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run apt-get in this view."""
        return run(as_root(["apt-get", "-qq", *self.options(), *arguments]), cwd=cwd)


def open_view(folder: Path, suite: str) -> View:
    """Make a view of the suite, with its backports where the machine's mirror has them."""
    sources = machine_sources(suite)
    if not sources:
        raise LabError(f"this machine's apt has no source of Debian's {suite}")
    for name in ("parts", "lists/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    view = View(folder, suite)
    view.sources.write_text("\n".join(source.text() for source in sources))
    backports = folder / "parts" / "backports.sources"
    backports.write_text(backports_of(sources, suite).text())
    try:
        view.get("update")
    except CommandError:
        backports.unlink()
        view.get("update")
    return view


def backports_of(sources: Sequence[Source], suite: str) -> Source:
    """Return the source of the suite's backports: they lie beside the suite itself."""
    main = next((source for source in sources if suite in source.suites), sources[0])
    return Source(main.uris, (f"{suite}-backports",), main.fields)


def machine_sources(suite: str) -> list[Source]:
    """Return the machine's own sources of this suite, its updates and its security fixes."""
    parts = MACHINE_SOURCES / "sources.list.d"
    lists = [MACHINE_SOURCES / "sources.list", *sorted(parts.glob("*.list"))]
    found = [source for file in lists if file.exists() for source in _one_line(file.read_text())]
    for file in sorted(parts.glob("*.sources")):
        found += _deb822(file.read_text())
    return [kept for source in found if (kept := _of_suite(source, suite))]


def _of_suite(source: Source, suite: str) -> Source | None:
    wanted = {suite, f"{suite}-updates", f"{suite}-security"}
    suites = tuple(name for name in source.suites if name.partition("/")[0] in wanted)
    return Source(source.uris, suites, source.fields) if suites else None


def _one_line(text: str) -> list[Source]:
    matches = (_ONE_LINE.match(line.strip()) for line in text.splitlines())
    return [
        Source(match["uri"], (match["suite"],), _fields_of(match["options"] or ""))
        for match in matches
        if match
    ]


def _fields_of(options: str) -> tuple[str, ...]:
    """Translate `[signed-by=FILE trusted=yes]` into deb822 fields."""
    pairs = [pair.partition("=") for pair in options.strip(" \t[]").split()]
    names = {"signed-by": "Signed-By", "trusted": "Trusted"}
    names |= {"check-valid-until": "Check-Valid-Until"}
    return tuple(f"{names[name]}: {value}" for name, _, value in pairs if name in names)


def _deb822(text: str) -> list[Source]:
    return [source for stanza in re.split(r"\n\s*\n", text) if (source := _stanza(stanza))]


def _stanza(text: str) -> Source | None:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    # A line that begins with a space continues the field above it.
    fields = re.split(r"\n(?=\S)", "\n".join(lines))
    named = {field.partition(":")[0].lower(): field for field in fields}
    value = {name: field.partition(":")[2].strip() for name, field in named.items()}
    if "deb" not in value.get("types", "").split() or value.get("enabled", "yes") == "no":
        return None
    if "main" not in value.get("components", "").split() or "uris" not in value:
        return None
    ours = {"types", "uris", "suites", "components", "enabled"}
    kept = tuple(field for name, field in named.items() if name not in ours)
    return Source(value["uris"], tuple(value.get("suites", "").split()), kept)
