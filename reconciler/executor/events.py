"""What happens while a plan is executed, as a stream of values."""

from dataclasses import dataclass

from reconciler.actions import Action, Send
from reconciler.planner.plan import PlannedAction
from reconciler.zfs.errors import Failure


@dataclass(frozen=True, slots=True)
class Started:
    """An action was begun."""

    id: str
    action: Action


@dataclass(frozen=True, slots=True)
class Progressed:
    """A send is under way; about once a second."""

    id: str
    action: Send
    bytes: int
    estimate: int | None = None
    """What ZFS thinks that the stream will be in all, once it has said so."""

    @property
    def estimated_bytes(self) -> int | None:
        """What the stream is thought to bring: by ZFS, else by the plan."""
        return self.estimate if self.estimate is not None else self.action.estimated_bytes


@dataclass(frozen=True, slots=True)
class Completed:
    """The world was seen to be as the action wanted it."""

    id: str
    action: Action
    seconds: float
    note: str = ""
    printed: tuple[str, ...] = ()
    """What hooks printed."""


@dataclass(frozen=True, slots=True)
class ActionFailed:
    """The action did not do what it should; what depends on it is skipped."""

    id: str
    action: Action
    failure: Failure
    printed: tuple[str, ...] = ()
    """What hooks printed."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An action was not begun."""

    id: str
    action: Action
    because: str


Event = Started | Progressed | Completed | ActionFailed | Skipped


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of a plan's actions, each in plan order."""

    completed: tuple[PlannedAction, ...]
    failed: tuple[tuple[PlannedAction, Failure], ...]
    skipped: tuple[PlannedAction, ...]
    interrupted: bool

    @property
    def ok(self) -> bool:
        """Whether everything was done."""
        return not (self.failed or self.skipped)
