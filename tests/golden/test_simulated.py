"""Specs, what happened to simulated hosts, and a time → the whole plan, as text and as JSON.

A folder for each: `specs.yaml`, `story.txt` and what is to come out of it. A story has lines like

    at 2026-11-22T22:00:00Z
    alpha: zfs create tank/www                       a command on a host
    alpha | vault 0.5: zfs send ... | zfs receive ...    a stream of which half arrives
    apply                                            what was planned at that time is done

and the plan is made at its last time.
"""

import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.cli.main import run as reconciler
from reconciler.executor import execute as executing
from reconciler.report import plan_json
from reconciler.report.figures import parse_timestamp
from reconciler.simulator.model import Machine
from reconciler.simulator.process import ChunkedInput, Process
from reconciler.simulator.run import run, start
from reconciler.simulator.store import StateFile
from tests.golden.conftest import Golden
from tests.support.stage import OneAfterTheOther

CASES = Path(__file__).parent / "simulated"


@dataclass
class Story:
    """The hosts of a story, in state files beside its specs."""

    folder: Path
    at: str = ""
    hosts: dict[str, StateFile] = field(default_factory=dict)

    def tell(self, line: str) -> None:
        """Let the next thing happen."""
        what, _, rest = line.partition(": ")
        if line.startswith("at "):
            self.at = line.removeprefix("at ")
        elif line == "apply":
            assert reconciler(["apply", "--auto-approve", *self.options()]) in {0, 3, 4}
        elif " | " in what:
            self.cut_stream(what, rest)
        else:
            result = run(self.host(what), tuple(shlex.split(rest)), clock=self.clock)
            assert result.status == 0, f"{line}: {result.stderr}"

    def cut_stream(self, ends: str, commands: str) -> None:
        """Let a part of a stream arrive."""
        sender, _, receiver = ends.partition(" | ")
        receiver, _, share = receiver.partition(" ")
        first, second = (tuple(shlex.split(text)) for text in commands.split(" | "))
        whole = b"".join(start(Process(self.host(sender), first, self.clock)))
        part = whole[: int(len(whole) * float(share))]
        stdin = ChunkedInput(iter([part]))
        result = run(self.host(receiver), second, clock=self.clock, stdin=stdin)
        assert result.status != 0

    def host(self, name: str) -> StateFile:
        """Return a host, made when it is first named."""
        if name not in self.hosts:
            self.hosts[name] = StateFile(self.folder / f"{name}.json")
            self.hosts[name].create(Machine(seed=name))
        return self.hosts[name]

    def clock(self) -> float:
        """Return the time of the story."""
        return parse_timestamp(self.at)

    def options(self) -> list[str]:
        """Return the options of a command that is given now."""
        return ["-f", str(self.folder / "specs.yaml"), "--now", self.at]


@pytest.fixture(params=sorted(case.name for case in CASES.iterdir()))
def story(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Story:
    """Return a story that has been told. Actions run one by one: so guids are always the same."""
    monkeypatch.setattr(executing, "ThreadPoolExecutor", lambda **_: OneAfterTheOther())
    case = CASES / request.param
    told = Story(tmp_path / case.name)
    told.folder.mkdir()
    shutil.copy(case / "specs.yaml", told.folder)
    for line in (case / "story.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            told.tell(line)
    capsys.readouterr()
    return told


def test_the_text_of_a_plan_for_simulated_hosts(
    story: Story, golden: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    reconciler(["plan", *story.options()])
    golden(f"../simulated/{story.folder.name}/plan.txt", capsys.readouterr().out)


def test_the_document_of_a_plan_for_simulated_hosts(
    story: Story,
    golden: Golden,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan_json, "__version__", "0")
    reconciler(["plan", "--json", *story.options()])
    golden(f"../simulated/{story.folder.name}/plan.json", capsys.readouterr().out)
