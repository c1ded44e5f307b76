"""The way from what a receiver has to what it wants: base, versions to send, a partial receive.

Everything that stands in the way is found here and raised as a conflict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.actions.bookmark import cursor_name
from reconciler.desired.model import Encryption, Initial
from reconciler.observed.model import Filesystem, Seen
from reconciler.planner import conflicts
from reconciler.planner.conflicts import Conflicted
from reconciler.planner.history import Common, Diverged, NoCommonVersion, Nothing, compare
from reconciler.planner.pairs import Pair
from reconciler.planner.verdict import Verdict
from reconciler.zfs.names import InvalidName, check_bookmark, check_snapshot
from reconciler.zfs.tokens import ResumeToken, TokenError, decode_token
from reconciler.zfs.types import Version


@dataclass(frozen=True, slots=True)
class Way:
    """How to get from what the receiver has to what it wants."""

    base: Common | None
    wanted: tuple[Version, ...]
    verdict: Verdict
    token: ResumeToken | None
    """Set when the first of `wanted` is to be resumed."""
    abort: bool
    """A partial receive is in the way."""
    waiting: tuple[Version, ...] = ()
    """What would be wanted if something could be sent now."""


def find_way(
    pair: Pair,
    seen: Seen,
    there: Filesystem | None,
    *,
    may_send: bool = True,
    origin: int | None = None,
) -> Way:
    """Return the way for a pair; `there` is what is at the receiver's place.

    `origin` is the guid that a first stream may start from, besides being full.

    If nothing may be sent now, nothing is wanted: what would be waits, and the receiver's rules
    count only what it has. Raises Conflicted: there is none until a person has done something.
    """
    finder = _WayFinder(pair, seen, there, origin)
    way = finder.find()
    return way if may_send else finder.put_off(way)


class _WayFinder:
    """The checks and choices on the way; each may find a conflict."""

    def __init__(
        self, pair: Pair, seen: Seen, there: Filesystem | None, origin: int | None
    ) -> None:
        self.pair = pair
        self.origin = origin
        self.source = pair.source
        self.here = pair.source.filesystem
        self.seen = seen
        self.there = there

    def find(self) -> Way:
        """Return the way, or raise what is in it."""
        self._check_names()
        there = self.there
        if there is not None:
            self._same_kind(there)
        base = self._common(there)
        candidates = self._candidates(base)
        verdict = Verdict.of(self.pair.target.keep, (*self._received(there), *candidates))
        wanted = tuple(version for version in candidates if version.guid in verdict.kept)
        way = self._over(wanted, base, verdict)
        self._check_free(way.wanted)
        return way

    def put_off(self, way: Way) -> Way:
        """Return a way on which everything waits."""
        verdict = Verdict.of(self.pair.target.keep, self._received(self.there))
        return Way(way.base, (), verdict, None, way.abort, waiting=way.wanted)

    def _over(self, wanted: tuple[Version, ...], base: Common | None, verdict: Verdict) -> Way:
        """Return the way over the wanted versions; it begins where a partial receive goes on."""
        token = self._token(self.there)
        resumed = _find(wanted, token.toguid) if token is not None else None
        if base is None and wanted:
            wanted = self._initial(wanted, resumed)
        if token is not None and resumed in wanted and self._continues(token, base):
            return Way(base, wanted[wanted.index(resumed) :], verdict, token, abort=False)
        return Way(base, wanted, verdict, None, abort=token is not None)

    def _check_names(self) -> None:
        """See to it that the names to be made are names."""
        longest = max([len(version.name) for version in self.source.managed], default=1)
        try:
            check_bookmark(f"{self.here.name}#{cursor_name(self.pair.marks.cursor_prefix, 0)}")
            check_snapshot(f"{self.pair.receiver}@{'x' * longest}")
        except InvalidName as error:
            raise Conflicted(
                "name-impossible",
                f"{error.name} can't be made: {error.reason}",
                "give the filesystem or what it is to be received under a shorter name",
            ) from error

    def _same_kind(self, there: Filesystem) -> None:
        if there.kind is not self.here.kind:
            raise Conflicted(
                "type-mismatch",
                f"{there.name} is a {there.kind}, but {self.here.name} on"
                f" {self.source.host} is a {self.here.kind}",
                f"rename {there.name} on {self.seen.host} out of the way (zfs rename)",
            )

    def _common(self, there: Filesystem | None) -> Common | None:
        """Return the common version, None for a first replication; else raise the conflict."""
        if there is None or (there.inconsistent and there.resume_token is not None):
            return None
        match compare(self.here.versions, there.versions):
            case Common() as common:
                if there.written > 0:
                    raise conflicts.modified(self.seen.host, there)
                return common
            case Diverged() as found:
                raise conflicts.diverged(self.pair, there, found)
            case NoCommonVersion() as found:
                raise conflicts.no_common(self.pair, there, found)
            case Nothing():
                raise conflicts.occupied(self.seen.host, there)

    def _candidates(self, base: Common | None) -> tuple[Version, ...]:
        """Return the managed snapshots that could still be sent."""
        managed = self.source.managed
        if base is None:
            return managed
        last = base.sender.createtxg
        if not managed or managed[-1].createtxg <= last:
            return ()
        return tuple(version for version in managed if version.createtxg > last)

    def _received(self, there: Filesystem | None) -> tuple[Version, ...]:
        ours = self.source.ours
        have = there.snapshots if there is not None else ()
        return ours.received(have)

    def _initial(self, wanted: tuple[Version, ...], resumed: Version | None) -> tuple[Version, ...]:
        match self.pair.target.initial:
            case Initial.ALL:
                return wanted
            case Initial.NEWEST:
                newest = wanted[-1]
                resumes = resumed is not None and resumed.guid != newest.guid
                return (resumed, newest) if resumes and resumed is not None else (newest,)
            case Initial.REFUSE:
                raise Conflicted(
                    "initial-refused",
                    f"{self.pair.receiver} does not exist yet and `initial: refuse` is set",
                    "seed it by hand, or set `initial: all` or `initial: newest`",
                )

    def _check_free(self, wanted: Sequence[Version]) -> None:
        """See to it that the receiver has no other snapshots of the names that are to come."""
        if not wanted:
            return
        names = {version.name for version in wanted}
        for version in self.there.snapshots if self.there is not None else ():
            if version.name in names:
                full = version.of(self.pair.receiver)
                raise Conflicted(
                    "name-taken",
                    f"{full} is another snapshot than {version.label} on {self.source.host}",
                    f"zfs rename {full} on {self.seen.host}",
                    [f"guid {version.guid} on {self.seen.host}"],
                )

    def _token(self, there: Filesystem | None) -> ResumeToken | None:
        if there is None or there.resume_token is None:
            return None
        try:
            return decode_token(there.resume_token)
        except TokenError as error:
            raise Conflicted(
                "unreadable-token",
                f"{there.name} has a partial receive whose token can't be read: {error}",
                f"zfs receive -A {there.name} on {self.seen.host} drops it",
            ) from error

    def _continues(self, token: ResumeToken, base: Common | None) -> bool:
        """Tell whether the partial stream starts where a new one would, and is of its kind."""
        starts = {base.receiver.guid} if base is not None else {None, self.origin}
        raw = self.here.encryption != "off" and self.pair.target.encryption is Encryption.RAW
        return token.fromguid in starts and token.rawok == raw


def _find(versions: Sequence[Version], guid: int) -> Version | None:
    return next((version for version in versions if version.guid == guid), None)
