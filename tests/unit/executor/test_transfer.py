"""Streams: which way they take, and that only what the receiver has counts."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.actions import Done, Failed, Send, SendMode
from reconciler.errors import HostError, HostLocked, Unreachable
from reconciler.executor.progress import Listener, Progress
from reconciler.executor.transfer import Transfer, stream_timeout
from reconciler.hosts.addresses import HostAddress, LocalAddress, SshAddress
from reconciler.hosts.masters import LARGEST, MOST_STREAMS, Masters
from reconciler.hosts.script import Outcome, Script
from reconciler.hosts.streams import LOOK
from reconciler.zfs.capabilities import StreamFlags
from reconciler.zfs.errors import FailureKind, Reaction
from reconciler.zfs.piping import End, Piping
from reconciler.zfs.types import FilesystemKind, Version, VersionKind
from tests.support.tokens import token
from tests.unit.executor.conftest import FakeFleet

BASE = Version(VersionKind.SNAPSHOT, "1", 1, 1, 0)
TO = Version(VersionKind.SNAPSHOT, "2", 2, 2, 0)
SEND = Send(
    host="alpha",
    filesystem="t/a",
    kind=FilesystemKind.FILESYSTEM,
    receiver_host="vault",
    receiver_filesystem="b/t/a",
    mode=SendMode.INCREMENTAL,
    base=BASE,
    versions=(TO,),
    flags=StreamFlags(),
    path="relay",
)
ARRIVED = Outcome(0, "b/t/a@2\t2\n", "")
MISSING = Outcome(1, "", "cannot open 'b/t/a@2': dataset does not exist\n")
WELL = Outcome(0, "", "")


def fleet(
    stream: Outcome | HostError = WELL, arrived: Outcome = ARRIVED, *, reachable: bool = True
) -> FakeFleet:
    def answer(_host: str, script: Script) -> Mapping[str, Outcome] | HostError:
        step, *behind = script.steps
        if step.name == LOOK:
            return {LOOK: arrived}
        if step.name == "receiving":
            return {step.name: Outcome(0, "-\n7\n", "")}
        if step.into is None:
            return {step.name: Outcome(0 if reachable else 255, "", "")}
        if isinstance(stream, HostError):
            return stream
        return {step.name: stream, **{look.name: arrived for look in behind}}

    return FakeFleet(answer, ("alpha", "beta", "vault"))


def run(send: Send, among: FakeFleet) -> Done | Failed:
    verdict = Transfer(among).run(send, lambda _bytes: None)  # type: ignore[arg-type]
    assert isinstance(verdict, Done | Failed)
    return verdict


@pytest.mark.parametrize(
    ("send", "reachable", "where"),
    [
        pytest.param(replace(SEND, path="relay"), True, "(controller)", id="relay"),
        pytest.param(replace(SEND, path="direct"), True, "alpha", id="direct"),
        pytest.param(replace(SEND, path="auto"), True, "alpha", id="auto, reachable"),
        pytest.param(replace(SEND, path="auto"), False, "(controller)", id="auto, unreachable"),
        pytest.param(replace(SEND, receiver_host="alpha"), True, "alpha", id="one host"),
    ],
)
def test_the_way_of_a_stream(send: Send, reachable: bool, where: str) -> None:  # noqa: FBT001
    among = fleet(reachable=reachable)
    assert isinstance(run(send, among), Done)
    streams = [(host, s) for host, script in among.ran for s in script.steps if s.into is not None]
    assert [host for host, _ in streams] == [where]


def test_whether_a_sender_reaches_a_receiver_is_asked_once() -> None:
    among = fleet(reachable=False)
    transfer = Transfer(among)  # type: ignore[arg-type]
    for _ in range(3):
        transfer.run(replace(SEND, path="auto"), lambda _bytes: None)
    on_alpha = [script for host, script in among.ran if host == "alpha"]
    assert len(on_alpha) == 1


def test_what_arrived_counts_more_than_exit_codes() -> None:
    stream = Outcome(1, "cannot mount 'b/t/a': failed to create mountpoint", "")
    verdict = run(SEND, fleet(stream))
    assert isinstance(verdict, Done)
    assert verdict.note.startswith("arrived, although: cannot mount")


def test_a_lost_reply_is_no_failure_when_the_version_arrived() -> None:
    verdict = run(SEND, fleet(Unreachable("alpha", "connection lost")))
    assert verdict == Done(note="arrived, although alpha: connection lost")


def test_two_good_exit_codes_are_a_failure_when_nothing_arrived() -> None:
    verdict = run(SEND, fleet(arrived=MISSING))
    assert isinstance(verdict, Failed)
    assert "did not arrive" in verdict.failure.message


def test_another_guid_under_the_wanted_name_is_a_failure() -> None:
    verdict = run(SEND, fleet(arrived=Outcome(0, "b/t/a@2\t999\n", "")))
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED
    assert "999" in verdict.failure.message


def test_all_versions_of_a_run_have_to_arrive() -> None:
    between = Version(VersionKind.SNAPSHOT, "1a", 3, 2, 0)
    verdict = run(replace(SEND, versions=(between, TO)), fleet(arrived=ARRIVED))
    assert isinstance(verdict, Failed)
    assert "b/t/a@1a did not arrive" in verdict.failure.message


def test_the_receivers_words_explain_a_failure() -> None:
    said = "cannot receive incremental stream: destination b/t/a has been modified\nsince most"
    verdict = run(SEND, fleet(Outcome(1, said, "", first_status=-13), MISSING))
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.DESTINATION_MODIFIED
    assert verdict.failure.reaction is Reaction.CONFLICT


def test_a_cut_stream_is_for_the_next_plan_to_resume() -> None:
    verdict = run(SEND, fleet(Unreachable("alpha", "connection lost"), MISSING))
    assert isinstance(verdict, Failed)
    assert verdict.failure.reaction is Reaction.RETRY
    assert verdict.failure.kind is not FailureKind.TRANSPORT


BUSY = "reconciler-lock: busy bob@lab, process 7, `reconciler apply` (/tmp/x)\n"
NONE = "reconciler-lock: none there is no program flock\n"


def test_a_receiver_that_another_controller_has_locked_is_told_and_not_looked_at() -> None:
    among = fleet(Outcome(75, BUSY, "", first_status=-13))
    with pytest.raises(HostLocked, match="vault: another controller is at work there: bob@lab"):
        run(SEND, among)
    assert LOOK not in among.steps("vault")


def test_a_sender_that_is_locked_because_it_receives_too_is_told() -> None:
    locked = HostLocked("alpha", "another controller is at work there")
    with pytest.raises(HostLocked):
        run(replace(SEND, receiver_host="alpha"), fleet(locked))


def test_that_a_receiver_could_not_be_locked_is_told_once() -> None:
    transfer = Transfer(fleet(Outcome(0, NONE, "")))  # type: ignore[arg-type]
    verdicts = [transfer.run(SEND, lambda _bytes: None) for _ in range(2)]
    remark = "vault could not be locked against other controllers: there is no program flock"
    assert verdicts == [Done(note=remark), Done()]


@pytest.mark.parametrize(
    ("send", "mutates"),
    [
        pytest.param(replace(SEND, path="relay"), False, id="the controller only passes it on"),
        pytest.param(replace(SEND, path="direct"), False, id="the sender only sends"),
        pytest.param(replace(SEND, receiver_host="alpha"), True, id="the sender receives, too"),
    ],
)
def test_only_where_a_stream_is_received_something_changes(send: Send, mutates: bool) -> None:  # noqa: FBT001
    among = fleet()
    run(send, among)
    [script] = [script for _, script in among.ran if script.steps[0].into is not None]
    assert script.mutates is mutates
    step, *_ = script.steps
    assert ("reconciler-lock" in str(step.into)) is not mutates


def test_the_controllers_own_machine_is_locked_where_it_receives() -> None:
    among = fleet()
    among.addresses["vault"] = HostAddress("vault", LocalAddress())
    run(replace(SEND, path="relay"), among)
    [script] = [script for _, script in among.ran if script.steps[0].into is not None]
    assert script.mutates


def test_what_can_not_be_looked_at_has_not_arrived() -> None:
    trouble = Outcome(1, "", "cannot open 'b': pool I/O is currently suspended")
    assert isinstance(run(SEND, fleet(arrived=trouble)), Failed)


PLANNED = token(toguid=2, fromguid=1, received=10)
RESUMED = replace(SEND, mode=SendMode.RESUME, token=PLANNED)


def resuming(token_now: str, arrived: Outcome = ARRIVED) -> FakeFleet:
    """Return a fleet whose receiver has this token by now."""
    among = fleet(arrived=arrived)
    others = among._answer

    def answer(host: str, script: Script) -> Mapping[str, Outcome] | HostError:
        if script.steps[0].name == "token":
            return {"token": Outcome(0, f"{token_now}\n", "")}
        return others(host, script)

    among._answer = answer
    return among


def sent(among: FakeFleet) -> list[str]:
    """Return the commands of the streams that were begun."""
    streams = (step for _, script in among.ran for step in script.steps if step.into is not None)
    return [" ".join(step.argv) for step in streams]


def test_a_partial_receive_is_gone_on_with_from_where_it_is_now() -> None:
    later = token(toguid=2, fromguid=1, received=99)
    among = resuming(later)
    assert run(RESUMED, among) == Done()
    [command] = sent(among)
    assert later in command


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(token(toguid=7, fromguid=1), id="of another version"),
        pytest.param(token(toguid=2, fromguid=7), id="from another base"),
        pytest.param(token(toguid=2), id="from no base"),
    ],
)
def test_another_partial_receive_is_left_alone(other: str) -> None:
    among = resuming(other)
    verdict = run(RESUMED, among)
    assert isinstance(verdict, Failed)
    assert verdict.failure.kind is FailureKind.CHANGED
    assert sent(among) == []


def test_a_partial_receive_that_cannot_be_understood_is_left_alone() -> None:
    among = resuming("1-0-0-00")
    assert isinstance(run(RESUMED, among), Failed)
    assert sent(among) == []


def test_a_partial_receive_that_is_gone_has_arrived_only_if_its_version_is_there() -> None:
    for arrived, verdict in ((ARRIVED, Done), (MISSING, Failed)):
        among = resuming("-", arrived)
        assert isinstance(run(RESUMED, among), verdict)
        assert sent(among) == []


def test_progress_is_reported_in_bytes_beside_what_zfs_thinks_it_will_be() -> None:
    said = (
        "incremental\tt/a@1\tt/a@2\t4000\n",
        "size\t4000\n",
        "12:00:01\t1000\tt/a@2\n12:00:02\t25",
    )
    for lines, expected in (
        (said, [(0, 4000), (1000, 4000)]),
        (said[2:], [(1000, None)]),
        (("size\tunknown\n", *said[2:]), [(1000, None)]),
        ((said[1], "size\t5\n"), [(0, 4000)]),
    ):
        among = fleet()
        among.progress = "".join(lines)
        seen: list[Progress] = []
        Transfer(among).run(SEND, seen.append)  # type: ignore[arg-type]
        assert seen == expected


def test_what_zfs_thinks_is_no_sign_of_life() -> None:
    alive: list[int] = []
    listener = Listener(lambda _: None, alive.append)
    for piece in ("size\t40", "00\n12:00:01\t10", "00\tt/a@2\n"):
        listener(piece)
    assert alive == [1000]


def test_a_stream_that_hangs_is_cut_and_a_large_one_is_given_its_time() -> None:
    hour = 3600
    assert stream_timeout(0) == 6 * hour
    assert stream_timeout(10**12) > 100 * 24 * hour
    assert stream_timeout(None) == 30 * 24 * hour

    given: list[float] = []
    among = fleet()
    host = among.controller()
    run_it = host.run

    def noted(*arguments: object, timeout: float, **others: object) -> object:
        given.append(timeout)
        return run_it(*arguments, timeout=timeout, **others)  # type: ignore[arg-type]

    host.run = noted  # type: ignore[method-assign,assignment]
    among.controller = lambda: host  # type: ignore[method-assign]
    run(replace(SEND, estimated_bytes=360_000_000), among)
    assert given == [7 * hour]


# -- the look that goes along ----------------------------------------------------------------------


def along(rows: str, status: int = 0, said: str = "") -> Outcome:
    """Return what a stream's second command printed, with the look behind it."""
    look = f"\nreconciler-look: begin\n{rows}\nreconciler-look: end {status}\n"
    return Outcome(0, f"{said}{look}", "")


@pytest.mark.parametrize("path", ["relay", "direct"])
def test_a_look_that_came_with_the_stream_is_not_taken_again(path: str) -> None:
    among = fleet(along("b/t/a@2\t2\n"), MISSING)
    assert isinstance(run(replace(SEND, path=path), among), Done)
    assert LOOK not in among.steps("vault")


def test_what_a_look_says_is_missing_is_missing() -> None:
    gone = "cannot open 'b/t/a@2': dataset does not exist\n"
    among = fleet(replace(along(gone, 1, "cannot receive: no space\n"), status=1))
    verdict = run(SEND, among)
    assert isinstance(verdict, Failed)
    assert "no space" in verdict.failure.message
    assert "does not exist" not in verdict.failure.message
    assert LOOK not in among.steps("vault")


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(WELL, id="none came back"),
        pytest.param(Outcome(0, "\nreconciler-look: begin\nb/t/a@2\t2\n", ""), id="it was cut"),
        pytest.param(along("internal error: out of memory\n", 1), id="it failed"),
    ],
)
def test_a_look_that_says_nothing_is_taken_again(came: Outcome) -> None:
    among = fleet(came)
    assert isinstance(run(SEND, among), Done)
    assert LOOK in among.steps("vault")


def test_a_look_at_too_many_versions_does_not_go_along() -> None:
    versions = tuple(TO._replace(name="x" * 60 + str(n), guid=n + 2) for n in range(100))
    among = fleet()
    run(replace(SEND, versions=versions, path="direct"), among)
    (stream,) = [s for _, script in among.ran for s in script.steps if s.into is not None]
    assert stream.into is not None
    assert "reconciler-look" not in stream.into[-1]


# -- shared connections ----------------------------------------------------------------------------

SMALL = replace(SEND, estimated_bytes=LARGEST)


class UpMaster:
    """A master that is up for ever."""

    def __init__(self, address: SshAddress) -> None:
        self.socket = Path(f"/run/{address.address}")

    def is_up(self) -> bool:
        return True

    def is_over(self) -> bool:
        return False

    def end(self) -> None:
        """Nothing to end."""


def paths(send: Send, among: FakeFleet) -> list[str]:
    """Send, and return over which masters' sockets the two ends of the stream were entered."""
    among.masters = Masters(UpMaster)
    run(send, among)
    [step] = [s for _, script in among.ran for s in script.steps if s.into is not None]
    words = [*step.argv, *(step.into or ())]
    return [word.removeprefix("ControlPath=") for word in words if word.startswith("ControlPath=")]


@pytest.mark.parametrize(
    ("send", "expected"),
    [
        pytest.param(SMALL, ["/run/alpha", "/run/vault"], id="small"),
        pytest.param(replace(SMALL, estimated_bytes=LARGEST + 1), ["none", "none"], id="large"),
        pytest.param(replace(SMALL, estimated_bytes=None), ["none", "none"], id="unknown"),
        pytest.param(replace(SMALL, path="direct"), ["none"], id="not through us"),
        pytest.param(replace(SMALL, receiver_host="alpha"), [], id="on one host"),
    ],
)
def test_small_streams_through_the_controller_share_connections(
    send: Send, expected: list[str]
) -> None:
    assert paths(send, fleet()) == expected


def test_a_resumed_stream_shares_by_what_is_left_of_it() -> None:
    for left, expected in ((LARGEST, "/run/alpha"), (LARGEST + 1, "none")):
        among = resuming(PLANNED)
        assert paths(replace(RESUMED, estimated_bytes=left), among)[0] == expected


def test_an_end_that_is_the_controllers_machine_needs_no_connection() -> None:
    among = fleet()
    among.addresses["vault"] = HostAddress("vault", LocalAddress())
    assert paths(SMALL, among) == ["/run/alpha"]


def test_a_stream_gives_its_connections_back_however_it_ended() -> None:
    for stream in (WELL, Outcome(1, "", ""), Unreachable("alpha", "connection lost")):
        among = fleet(stream)
        among.masters = Masters(UpMaster)
        for _ in range(MOST_STREAMS + 1):
            run(SMALL, among)
        steps = [s for _, script in among.ran for s in script.steps if s.into is not None]
        assert "ControlPath=/run/alpha" in steps[-1].argv


def test_without_a_connection_to_share_a_stream_has_its_own() -> None:
    among = fleet()
    assert isinstance(run(SMALL, among), Done)
    [step] = [s for _, script in among.ran for s in script.steps if s.into is not None]
    assert "ControlPath=none" in step.argv


def test_what_ssh_says_of_a_connection_that_it_could_not_share_is_no_failure() -> None:
    said = "mux_client_request_session: session request failed: Session open refused by peer\r\n"
    verdict = run(SMALL, fleet(Outcome(255, said, said, first_status=255), MISSING))
    assert isinstance(verdict, Failed)
    assert (verdict.failure.kind, verdict.failure.message) == (
        FailureKind.TRANSPORT,
        "the connection broke",
    )


# -- what streams pass, and streams that hang ------------------------------------------------------

PIPED = Piping(
    compression=3, buffer=1 << 20, buffered=tuple(End), bandwidth=100_000, limiter="mbuffer"
)


@pytest.mark.parametrize("path", ["relay", "direct"])
def test_both_ends_pass_a_stream_through_their_programs(path: str) -> None:
    among = fleet()
    run(replace(SEND, path=path, piping=PIPED), among)
    (step,) = [s for _, script in among.ran for s in script.steps if s.into is not None]
    ends = (" ".join([*step.argv, *map(" ".join, step.through)]), (step.into or ("",))[-1])
    assert ["mbuffer" in end and "zstd" in end for end in ends] == [True, True]
    assert "zstd\\047 -q -d" in ends[1]


def test_a_limited_stream_has_its_time_by_its_limit() -> None:
    assert stream_timeout(10**9, 10_000) == 6 * 3600 + 10**9 / 5000
    assert stream_timeout(10**9, 10**9) == stream_timeout(10**9)


def test_a_stream_that_hangs_is_ended_and_its_state_is_left_for_the_next_run() -> None:
    among = fleet(arrived=MISSING)
    among.hangs = True
    verdict = Transfer(among, 0.1).run(SEND, lambda _: None)  # type: ignore[arg-type]
    assert isinstance(verdict, Failed)
    assert verdict.failure.reaction is Reaction.RETRY
    assert "nothing was sent and nothing changed in b/t/a" in verdict.failure.message
    assert among.steps("vault").count("receiving") >= 2


def test_a_stream_that_hung_after_all_had_arrived_is_done() -> None:
    among = fleet()
    among.hangs = True
    verdict = Transfer(among, 0.1).run(SEND, lambda _: None)  # type: ignore[arg-type]
    assert isinstance(verdict, Done)
    assert "nothing was sent" in verdict.note
