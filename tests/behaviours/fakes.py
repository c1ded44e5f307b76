"""Plans executed on hosts that answer like ZFS, as far as one destroy or one stream needs it."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.actions import Action, Destroy, Reason, Send, SendMode
from reconciler.desired.model import Desired
from reconciler.errors import HostError
from reconciler.executor.events import Completed, Event, RunResult
from reconciler.executor.execute import execute
from reconciler.hosts.script import Outcome, Printed, Script
from reconciler.planner.plan import Plan, PlannedAction, Specs
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.errors import Failure
from reconciler.zfs.types import Argv, FilesystemKind, Version
from tests.support.transcripts import missing, refused, said
from tests.support.worlds import fs
from tests.unit.executor.conftest import Answer, FakeFleet, Stop

SOURCE = fs("tank/www", "@~22:00,12 @~23:00,13")
BASE, NEWEST = SOURCE.snapshots


@dataclass(frozen=True)
class Ran:
    """What came of actions."""

    result: RunResult
    notes: tuple[str, ...]
    """What was said of those that were done."""
    waited: tuple[float, ...]
    """Seconds between tries."""

    @property
    def ok(self) -> bool:
        """Whether all were done."""
        return self.result.ok

    @property
    def failures(self) -> list[Failure]:
        """Why the others were not."""
        return [failure for _, failure in self.result.failed]


def run(answer: Answer, *actions: Action) -> Ran:
    """Execute actions that do not depend on each other."""
    planned = tuple(PlannedAction(action, Reason("test", "test"), "web") for action in actions)
    fleet, stop = FakeFleet(answer), Stop()
    desired = Desired(fleet.addresses, {}, "sha256:0")
    plan = Plan(at=0, specs=Specs(None, "sha256:0", 0), hosts=(), actions=planned)
    events: list[Event] = []
    result = execute(plan, desired, fleet, events.append, stop)  # type: ignore[arg-type]
    notes = tuple(e.note for e in events if isinstance(e, Completed) and e.note)
    return Ran(result, notes, tuple(stop.waited))


# -- destroys --------------------------------------------------------------------------------------


class Snapshots:
    """Snapshots of tank/www on alpha: name → guid; and why some of them can't be destroyed."""

    def __init__(self, there: Mapping[str, int], refusals: Mapping[str, str]) -> None:
        self.there = dict(there)
        self.refusals = refusals

    def __call__(self, _host: str, script: Script) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        for step in script.steps:
            if isinstance(step.when, Printed):
                printed = outcomes[step.when.step]
                if not printed.ok or printed.stdout.removesuffix("\n") != step.when.text:
                    continue
            outcomes[step.name] = self._run(step.argv)
        return outcomes

    def _run(self, argv: Argv) -> Outcome:
        if argv[1] == "list":
            asked = argv[argv.index("name,guid") + 1 :]
            rows = (f"{name}\t{self.there[name]}\n" for name in asked if name in self.there)
            absent = missing(*(name for name in asked if name not in self.there))
            return Outcome(absent.status if absent.stderr else 0, "".join(rows), absent.stderr)
        assert argv[:2] == ("zfs", "destroy")
        filesystem, _, names = argv[2].partition("@")
        doomed = [f"{filesystem}@{name}" for name in names.split(",")]
        objections = [self.refusals[name] for name in doomed if name in self.refusals]
        if objections:
            return refused(*objections)
        for name in doomed:
            del self.there[name]
        return said()


def destroy(zfs: Snapshots, *versions: Version) -> Ran:
    """Destroy versions of tank/www in one action."""
    return run(zfs, Destroy("alpha", "tank/www", versions))


# -- streams ---------------------------------------------------------------------------------------


class Line:
    """A way from alpha to vault on which each stream ends with the next of some outcomes.

    The version has arrived after a stream that ended well; with `arrives`, whatever is said.
    """

    def __init__(self, *streams: Outcome | HostError, arrives: bool = False) -> None:
        self.streams = list(streams)
        self.arrived = arrives

    def __call__(self, _host: str, script: Script) -> dict[str, Outcome] | HostError:
        (step,) = script.steps
        if step.into is None:
            name = step.argv[-1]
            return {step.name: said(f"{name}\t{NEWEST.guid}\n") if self.arrived else missing(name)}
        outcome = self.streams.pop(0)
        if isinstance(outcome, HostError):
            return outcome
        self.arrived |= outcome.ok
        return {step.name: outcome}


def send(line: Line) -> Ran:
    """Send the newest version of tank/www by such a way."""
    action = Send(
        host="alpha",
        filesystem="tank/www",
        kind=FilesystemKind.FILESYSTEM,
        receiver_host="vault",
        receiver_filesystem="backup/alpha/tank/www",
        mode=SendMode.INCREMENTAL,
        base=BASE,
        versions=(NEWEST,),
        flags=StreamFlags(),
        path="relay",
    )
    return run(line, action)
