"""One stream from sender to receiver, by whichever way (`executor.routes`): whether it arrived.

The exit codes of the two commands are hints. What counts is what the receiver has afterwards, by
guid: a replayed stream, a failed mount or a reply that was lost may all end badly though every
version arrived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.actions import Done, Failed, Send, Verdict
from reconciler.actions.base import changed, read_guids, unexpected
from reconciler.errors import HostError, HostLocked, StreamStalled
from reconciler.executor.progress import Listener, OnProgress
from reconciler.executor.routes import CHECK_TIMEOUT, Routes
from reconciler.executor.stalling import PATIENCE as STALLED
from reconciler.executor.stalling import Watchdog, patience_with
from reconciler.hosts import locking
from reconciler.hosts.cutting import Cut
from reconciler.hosts.fleet import Fleet
from reconciler.hosts.script import Outcome, Script, Step, Transcript
from reconciler.hosts.streams import LOOK, STREAM, parted
from reconciler.zfs import commands
from reconciler.zfs.errors import Failure, FailureKind, Reaction, blame, classify
from reconciler.zfs.properties import SPEC
from reconciler.zfs.tokens import TokenError, decode_token
from reconciler.zfs.types import Version

PATIENCE = 6 * 3600.0
"""Seconds that any stream may take."""

SLOWEST = 100_000
"""Bytes a second. What takes longer than its estimate at this rate, and the patience above, hangs.
It is cut then; what has arrived stays, and the next plan goes on from the resume token."""

NO_ESTIMATE = 30 * 86400.0
"""Seconds for a stream of unknown size."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Runs sends over the hosts of a fleet."""

    fleet: Fleet
    patience: float = STALLED
    """Seconds after which a stream that shows no sign of life is ended."""
    _unlocked: set[str] = field(default_factory=set)
    _routes: Routes = field(init=False)

    def __post_init__(self) -> None:
        """Find ways over the same fleet."""
        object.__setattr__(self, "_routes", Routes(self.fleet))

    def run(self, send: Send, on_progress: OnProgress) -> Verdict:
        """Send, then look at the receiver.

        Raises HostError only when the receiver is locked by another controller, so that nothing
        was run, or when it can't be looked at afterwards.
        """
        current = self._current(send)
        if not isinstance(current, Send):
            return current
        outcome: Outcome | HostError
        look: Outcome | None = None
        unlocked = ""
        try:
            transcript = self._streamed(current, on_progress)
            outcome, look = parted(transcript.outcomes[STREAM])
            look = look or transcript.get(LOOK)
            unlocked = _unlocked(send, transcript, outcome)
        except HostLocked:
            raise
        except HostError as error:
            outcome = error
        verdict = self._arrived(send, outcome, look)
        if isinstance(verdict, Done) and current.brings_properties:
            verdict = self._unmarked(current, verdict)
        return self.noted(verdict, send.receiver_host, unlocked)

    def noted(self, verdict: Verdict, host: str, unlocked: str) -> Verdict:
        """Return the verdict with the remark that a host could not be locked, if that is new."""
        if not unlocked or host in self._unlocked or not isinstance(verdict, Done):
            return verdict
        self._unlocked.add(host)
        remark = f"{host} could not be locked against other controllers: {unlocked}"
        return replace(verdict, note="; ".join(filter(None, (verdict.note, remark))))

    def _streamed(self, send: Send, on_progress: OnProgress) -> Transcript:
        """Run the stream and watch over it. Raises HostError."""
        cut, patience = Cut(), patience_with(send.piping, self.patience)
        watchdog = Watchdog(patience, lambda: self._receiving(send), cut.make)
        listener = Listener(on_progress, watchdog.sent)
        timeout = stream_timeout(send.estimated_bytes, send.piping.bandwidth)
        try:
            with self._routes.taken(send) as (host, script), watchdog:
                return host.run(script, timeout=timeout, on_stderr=listener, cut=cut)
        except HostError as error:
            if watchdog.has_bitten:
                raise stalled(send, patience) from error
            raise

    def _receiving(self, send: Send) -> str | None:
        """Return what changes on the receiver while it receives, None if it can't be asked."""
        script = Script((Step("receiving", commands.get_receiving(send.receiver_filesystem)),))
        host = self.fleet.host(send.receiver_host)
        try:
            outcome = host.run(script, timeout=CHECK_TIMEOUT).outcomes["receiving"]
        except HostError:
            return None
        return outcome.stdout if outcome.ok else None

    # -- before -----------------------------------------------------------------------------------

    def _current(self, send: Send) -> Send | Verdict:
        """Return the send with the token the receiver has now.

        Between plan and send an older stream may have closed and moved the token on.
        """
        if send.token is None:
            return send
        script = Script((Step("token", commands.get_resume_token(send.receiver_filesystem)),))
        transcript = self.fleet.host(send.receiver_host).run(script, timeout=CHECK_TIMEOUT)
        outcome = transcript.outcomes["token"]
        if not outcome.ok:
            return Failed(classify(outcome.stderr, outcome.status))
        now = outcome.stdout.strip()
        return self._arrived(send, None) if now == "-" else _continued(send, send.token, now)

    # -- after ------------------------------------------------------------------------------------

    def _arrived(
        self, send: Send, outcome: Outcome | HostError | None, look: Outcome | None = None
    ) -> Verdict:
        there = read_guids(look)
        if there is None:
            script = Script((Step(LOOK, send.look()),))
            host = self.fleet.host(send.receiver_host)
            look = host.run(script, timeout=CHECK_TIMEOUT).outcomes[LOOK]
            there = read_guids(look)
            if there is None:
                return Failed(classify(look.stderr, look.status))
        missing = [v for v in send.versions if there.get(_at(send, v)) != v.guid]
        if not missing:
            return Done(note=_note(outcome))
        return Failed(_failure(send, outcome, missing[0], there))

    def _unmarked(self, send: Send, verdict: Done) -> Verdict:
        """Take off the mark that came with the properties: it says what is true of the sender's.

        If that fails, the version has arrived all the same.
        """
        script = Script((Step("unmark", send.clear_mark()),), mutates=True)
        try:
            outcome = self.fleet.host(send.receiver_host).run(script, timeout=CHECK_TIMEOUT)
            left = outcome.outcomes["unmark"]
            why = "" if left.ok else classify(left.stderr, left.status).message
        except HostError as error:
            why = str(error)
        if not why:
            return verdict
        remark = f"{_at(send, send.to)} keeps the property {SPEC} of the sender's snapshot: {why}"
        return replace(verdict, note="; ".join(filter(None, (verdict.note, remark))))


def stream_timeout(estimated_bytes: int | None, bandwidth: int | None = None) -> float:
    """Return after how many seconds a stream of an estimated size is taken to hang.

    >>> stream_timeout(360_000_000) / 3600
    7.0
    """
    if estimated_bytes is None:
        return NO_ESTIMATE
    # A limit below that is kept by being slow.
    slowest = min(SLOWEST, bandwidth / 2) if bandwidth else SLOWEST
    return PATIENCE + estimated_bytes / slowest


def stalled(send: Send, seconds: float) -> StreamStalled:
    """Return the error for a stream that was ended because it hung."""
    return StreamStalled(
        send.receiver_host,
        f"nothing was sent and nothing changed in {send.receiver_filesystem} for"
        f" {seconds:.0f} s, so the stream was ended; what has arrived stays, and the next run goes"
        " on from there",
    )


def _unlocked(send: Send, transcript: Transcript, outcome: Outcome) -> str:
    """Return why the receiver was not locked, empty when it was. Raises HostLocked."""
    told = locking.told(send.receiver_host, outcome.stdout)
    if isinstance(told, HostLocked):
        raise told
    return told or transcript.unlocked


def _continued(send: Send, planned: str, now: str) -> Send | Verdict:
    """Return the send with a newer token of the same partial receive."""
    try:
        then, found = decode_token(planned), decode_token(now)
    except TokenError as error:
        return Failed(unexpected(f"{send.receiver_filesystem}: {error}"))
    if (then.toguid, then.fromguid) != (found.toguid, found.fromguid):
        return Failed(changed(f"{send.receiver_filesystem}: another partial receive is there"))
    return replace(send, token=now)


def _failure(
    send: Send, outcome: Outcome | HostError | None, missing: Version, there: Mapping[str, int]
) -> Failure:
    """Return why a version is not there."""
    name = _at(send, missing)
    if name in there:
        return changed(f"{name} arrived with guid {there[name]}, not {missing.guid}")
    match outcome:
        case None:
            return changed(f"{send.receiver_filesystem}: its partial receive is gone")
        case HostError() as error:
            return Failure(FailureKind.SIGNAL, Reaction.RETRY, str(error))
        case Outcome(ok=True):
            return unexpected(f"{name} did not arrive, though both commands ended well")
        case failed:
            return blame((failed.first_status, failed.stderr), (failed.status, failed.stdout))


def _note(outcome: Outcome | HostError | None) -> str:
    """Return a remark for a stream that arrived although a command failed."""
    match outcome:
        case None:
            return "an earlier stream had brought it"
        case HostError() as error:
            return f"arrived, although {error}"
        case Outcome(ok=True):
            return ""
        case failed:
            said = blame((failed.first_status, failed.stderr), (failed.status, failed.stdout))
            return f"arrived, although: {said.message}"


def _at(send: Send, version: Version) -> str:
    return version.of(send.receiver_filesystem)
