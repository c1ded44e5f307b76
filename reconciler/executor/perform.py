"""Perform actions on their hosts and look at what came of them.

Only three things are tried again here: a filesystem that is busy (another receive is just closing,
a mount is going on), a host that another controller has locked, and a connection that broke; all
for less than a minute. Everything else is for the next plan, which sees the world as it is then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from reconciler.actions import Done, Failed, Narrowed, ScriptedAction, Send, Together, Verdict
from reconciler.actions.base import Resolve, unexpected
from reconciler.errors import HostError, HostLocked
from reconciler.executor.progress import OnProgress
from reconciler.executor.transfer import Transfer
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.script import Transcript
from reconciler.zfs.errors import Failure, FailureKind, Reaction
from reconciler.zfs.types import Version

SCRIPT_TIMEOUT = 600.0
"""Seconds: a destroy of many large snapshots may wait for several transaction groups."""

EACH_TIMEOUT = 30.0
"""Seconds more for each further action of the same execution."""

BUSY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0)
BROKEN_DELAYS = (2.0,)
LOCKED_DELAYS = (0.5, 1.0, 2.0, 4.0)
"""Not for longer: a stream of the other controller may take a day."""

NAMED = 5
"""How many versions that stay are told of with their reasons, of those of one action."""

_Result = TypeVar("_Result", bound=Verdict | Transcript)

Wait = Callable[[float], object]
"""Waits so many seconds, or less when the run is interrupted."""


@dataclass(frozen=True, slots=True)
class Performer:
    """What performing an action needs."""

    fleet: Fleet
    transfer: Transfer
    resolve: Resolve
    wait: Wait

    def perform(self, action: ScriptedAction | Send, on_progress: OnProgress) -> Verdict:
        """Perform an action; smaller actions that are left of it are performed as well."""
        tried: list[Verdict] = []

        def once() -> Verdict:
            tried.append(self._once(action.resolved(self.resolve), on_progress))
            return tried[-1]

        verdict = self._try(once)
        if isinstance(action, Send) and isinstance(verdict, Failed) and _broke(tried[0]):
            # What a stream leaves that broke is in the way of the same stream again.
            return tried[0]
        if isinstance(verdict, Narrowed):
            return self._narrowed(verdict, on_progress)
        return verdict

    def perform_together(
        self, actions: Sequence[ScriptedAction], after: Sequence[Sequence[int]] = ()
    ) -> list[Verdict | None]:
        """Perform actions on one host in one execution, those after others on which they depend.

        `after` has for each the numbers of those. One that was not begun because of them has no
        verdict, and neither has one that failed on a version that was only just made: it is for
        the caller to try it again, who knows that version then. Those that are busy are tried
        again together. One that another one may have kept from being done is performed alone
        after that.
        """
        after = after or [()] * len(actions)
        verdicts: dict[int, Verdict | None] = dict.fromkeys(range(len(actions)))
        left = list(verdicts)
        delays = _Delays(self.fleet.lock.phase)
        while True:
            together = self._together(
                [actions[n].resolved(self._known if after[n] else self.resolve) for n in left],
                [[left.index(m) for m in after[n] if m in left] for n in left],
            )
            heard = self._try(partial(self._heard, together))
            if isinstance(heard, Failed):
                verdicts |= {n: heard for n in left if not after[n]}
                break
            for number, (n, judged) in enumerate(
                zip(left, self._judged(together, heard), strict=True)
            ):
                if self._is_known(actions[n]):
                    verdicts[n] = self._settled(together, number, judged)
                elif isinstance(judged, Failed) and all(_is_done(verdicts[m]) for m in after[n]):
                    verdicts[n] = None
                else:
                    verdicts[n] = judged
            left = [n for n in left if _is_busy(verdicts[n]) and self._is_known(actions[n])]
            delay = delays.after(verdicts[left[0]]) if left else None
            if delay is None:
                break
            self.wait(delay)
        return list(verdicts.values())

    def _is_known(self, action: ScriptedAction) -> bool:
        """Tell whether all versions an action is about are real ones by now."""
        try:
            action.resolved(self.resolve)
        except KeyError:
            return False
        return True

    def _known(self, version: Version) -> Version:
        """Return the real version; a promised one that is made in the same execution as it is."""
        try:
            return self.resolve(version)
        except KeyError:
            return version

    def _settled(self, together: Together, number: int, verdict: Verdict | None) -> Verdict | None:
        """Return what comes of one of several actions when what is left of it is done, too."""
        if isinstance(verdict, Narrowed):
            return self._narrowed(verdict, lambda _: None)
        if isinstance(verdict, Failed) and not _is_busy(verdict) and together.shares(number):
            return self.perform(together.actions[number], lambda _: None)
        return verdict

    def _narrowed(self, verdict: Narrowed, on_progress: OnProgress) -> Verdict:
        parts = [self.perform(action, on_progress) for action in verdict.actions]
        failures = [part.failure for part in parts if isinstance(part, Failed)]
        if verdict.failure is not None:
            failures.append(verdict.failure)
        return Failed(_together(failures)) if failures else Done(note=verdict.note)

    def _try(self, once: Callable[[], _Result]) -> _Result:
        delays = _Delays(self.fleet.lock.phase)
        while True:
            result = once()
            delay = delays.after(result)
            if delay is None:
                return result
            self.wait(delay)

    def _once(self, action: ScriptedAction | Send, on_progress: OnProgress) -> Verdict:
        if isinstance(action, Send):
            try:
                return self.transfer.run(action, on_progress)
            except HostError as error:
                return Failed(host_failure(error))
        together = self._together([action])
        heard = self._heard(together)
        if isinstance(heard, Failed):
            return heard
        [verdict] = self._judged(together, heard)
        return verdict or Failed(unexpected(f"{action.id} was not begun"))

    def _together(
        self, actions: Sequence[ScriptedAction], after: Sequence[Sequence[int]] = ()
    ) -> Together:
        programs = self.fleet.programs.worth_a_try(actions[0].host)
        return Together.of(actions, after, programs=programs)

    def _heard(self, together: Together) -> Transcript | Failed:
        script = together.script()
        timeout = SCRIPT_TIMEOUT + (len(together.actions) - 1) * EACH_TIMEOUT + script.seconds
        try:
            return self.fleet.host(together.host).run(script, timeout=timeout)
        except HostError as error:
            return Failed(host_failure(error))

    def _judged(self, together: Together, heard: Transcript) -> list[Verdict | None]:
        if together.without_programs(heard):
            self.fleet.programs.refused(together.host)
        noted = self.transfer.noted
        return [
            verdict and noted(verdict, together.host, heard.unlocked)
            for verdict in together.judge(heard)
        ]


class _Delays:
    """How long to wait before an action is tried again, while that makes sense."""

    def __init__(self, phase: float) -> None:
        self._busy = iter(BUSY_DELAYS)
        self._broken = iter(BROKEN_DELAYS)
        self._locked = (delay * (1 + phase) for delay in LOCKED_DELAYS)

    def after(self, verdict: Verdict | Transcript | None) -> float | None:
        """Return after how many seconds to try again, None for not."""
        match verdict:
            case Failed(Failure(kind=FailureKind.LOCKED)):
                return next(self._locked, None)
            case Failed() if _is_busy(verdict):
                return next(self._busy, None)
            case Failed() if _broke(verdict):
                return next(self._broken, None)
        return None


def _is_done(verdict: Verdict | None) -> bool:
    return isinstance(verdict, Done)


def _is_busy(verdict: Verdict | Transcript | None) -> bool:
    """Tell whether it may go once something else has ended."""
    match verdict:
        case Failed(Failure(reaction=Reaction.BUSY)):
            return True
    return False


def _broke(verdict: Verdict | Transcript | None) -> bool:
    """Tell whether a connection broke that may be there again."""
    match verdict:
        case Failed(Failure(kind=FailureKind.TRANSPORT, reaction=Reaction.RETRY)):
            return True
    return False


def host_failure(error: HostError) -> Failure:
    """Return the failure for a host that could not be asked."""
    if isinstance(error, HostLocked):
        return Failure(FailureKind.LOCKED, Reaction.BUSY, str(error))
    reaction = Reaction.RETRY if error.transient else Reaction.PERMANENT
    return Failure(FailureKind.TRANSPORT, reaction, str(error))


def _together(failures: list[Failure]) -> Failure:
    """Return the first of several failures, which says of the others, too; of many a count."""
    first = failures[0]
    said = "; ".join(failure.message for failure in failures[:NAMED])
    more = f" (and {len(failures) - NAMED} more)" if len(failures) > NAMED else ""
    return Failure(first.kind, first.reaction, said + more)
