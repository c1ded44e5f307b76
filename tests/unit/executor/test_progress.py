"""What ZFS thinks of a stream as it begins, on simulated hosts."""

from reconciler.executor.events import Progressed
from tests.support.stage import Controller, Stage
from tests.support.worlds import desired

WEB = desired("web: alpha tank/** !tank every 15m keep last 9 -> vault keep last 9")


def test_a_stream_tells_what_a_dry_run_of_its_command_would() -> None:
    made = Stage(["alpha", "vault"])
    made.sh("alpha", "zpool create tank disk", "zfs create tank/a", "write tank/a one 5M")
    made.sh("vault", "zpool create backup disk")
    for expected in (5 << 20, 2 << 20):
        controller = Controller(made, WEB)
        controller.apply()
        (send,) = {e.action.id: e for e in controller.events if isinstance(e, Progressed)}.values()
        (began, *_) = (e for e in controller.events if isinstance(e, Progressed))
        dry = ["zfs", "send", "-n", *send.action.send_command()[2:]]
        told = made.sh("alpha", " ".join(dry))

        assert f"size\t{send.estimate}\n" in told.stdout.decode() + told.stderr
        assert send.estimate is not None
        assert expected < send.estimate < 1.1 * expected
        assert (began.bytes, began.estimate) == (0, send.estimate)
        made.now += 900
        made.sh("alpha", "write tank/a two 2M")


def test_no_process_is_run_for_it() -> None:
    made = Stage(["alpha", "vault"])
    made.sh("alpha", "zpool create tank disk", "zfs create tank/a")
    made.sh("vault", "zpool create backup disk")
    controller = Controller(made, WEB)
    controller.apply()
    sends = [a for a in controller.faults["alpha"].started.values() if a[1] == "send"]

    assert len(sends) == 1
