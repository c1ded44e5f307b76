"""What is known of hosts: when an observation is used again, and what the events are checked by."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from reconciler.controller.world import LATENESS, MOMENT, World, changes
from reconciler.observed.model import Observation, Seen
from reconciler.report.telemetry import Silent
from tests.support.worlds import fs, seen, unseen

MAX_AGE = 1000.0


class Disagreements(Silent):
    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def disagreed(self, host: str, count: int) -> None:
        self.counted[host] += count

    def observed(self, host: str, seconds: float, *, seen: bool) -> None:
        pass


class Hosts:
    """Some hosts, a clock, and who asked them when."""

    def __init__(self) -> None:
        self.now = 100.0
        self.asked: list[str] = []
        self.there: dict[str, Observation] = {
            "alpha": seen("alpha", fs("tank/a", "@~22:00,1")),
            "vault": seen("vault", fs("backup/a")),
        }
        self.meanwhile: Callable[[], None] = lambda: None
        self.telemetry = Disagreements()
        self._tick = itertools.count()
        chance = random.Random(0)  # noqa: S311 - chance, not secrets
        self.world = World(self.ask, self.clock, chance, self.telemetry, max_age=MAX_AGE)

    def clock(self) -> float:
        return self.now + next(self._tick) * 1e-6

    def ask(self, host: str) -> Observation:
        self.asked.append(host)
        answer = self.there[host]
        self.meanwhile()
        return answer

    def look(self, *hosts: str, fresh: bool = False) -> Observation:
        return self.world.observe(hosts or ("alpha",), fresh=fresh)[0][(hosts or ("alpha",))[0]]

    def write(self, versions: str) -> None:
        """Somebody changes what alpha has."""
        self.there["alpha"] = seen("alpha", fs("tank/a", versions))

    def hear(self) -> None:
        """Open alpha's event stream, and look at it."""
        self.world.hears("alpha", is_open=True)
        self.now += 1
        self.look()
        self.asked.clear()

    @property
    def disagreements(self) -> int:
        return self.telemetry.counted["alpha"]


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
def heard() -> Hosts:
    """Alpha is heard and known."""
    hosts = Hosts()
    hosts.hear()
    return hosts


# -- used again ------------------------------------------------------------------------------------


def test_each_host_is_asked_and_it_is_said_since_when_things_may_be_missing(hosts: Hosts) -> None:
    found, since = hosts.world.observe(["vault", "alpha"])
    assert found == hosts.there
    assert hosts.asked == ["alpha", "vault"]
    assert all(100 <= since[host] < 100.1 for host in found)


def test_a_host_that_is_not_heard_is_asked_again_after_a_moment(hosts: Hosts) -> None:
    hosts.look()
    hosts.now += MOMENT - 0.1
    hosts.look()
    assert hosts.asked == ["alpha"]
    hosts.now += 0.2
    hosts.look()
    assert hosts.asked == ["alpha"] * 2


def test_a_host_that_is_heard_and_silent_is_not_asked_again(heard: Hosts) -> None:
    heard.now += MAX_AGE - 10
    heard.look()
    assert heard.asked == []


def test_even_a_host_that_is_silent_is_asked_now_and_then(heard: Hosts) -> None:
    heard.now += MAX_AGE + 1
    heard.look()
    assert heard.asked == ["alpha"]


@pytest.mark.parametrize("what", [None, {"tank/a"}, {"elsewhere"}])
def test_what_is_heard_makes_what_is_known_old(heard: Hosts, what: set[str] | None) -> None:
    heard.world.changed("alpha", what)
    heard.look()
    heard.look()
    assert heard.asked == ["alpha"]


def test_what_is_heard_while_a_host_is_asked_makes_the_answer_old(heard: Hosts) -> None:
    heard.world.changed("alpha", None)
    heard.meanwhile = lambda: heard.world.changed("alpha", {"tank/a"})
    heard.look()
    heard.meanwhile = lambda: None
    heard.look()
    assert heard.asked == ["alpha"] * 2


@pytest.mark.parametrize("is_open", [True, False])
def test_a_stream_that_breaks_or_opens_makes_what_is_known_old(heard: Hosts, is_open: bool) -> None:  # noqa: FBT001
    heard.world.hears("alpha", is_open=is_open)
    assert heard.world.is_heard("alpha") is is_open
    heard.look()
    assert heard.asked == ["alpha"]


def test_fresh_asks_whatever_is_known(heard: Hosts) -> None:
    _, since = heard.world.observe(["alpha"], fresh=True)
    assert heard.asked == ["alpha"]
    assert since["alpha"] > heard.now


def test_what_is_forgotten_is_asked_anew_and_heard_as_before(heard: Hosts) -> None:
    heard.world.forget(["alpha", "unknown"])
    assert heard.world.last("alpha") is None
    assert heard.world.is_heard("alpha")
    heard.look()
    assert heard.asked == ["alpha"]


def test_a_host_that_nobody_hears_leaves_nothing_behind_when_it_is_forgotten(hosts: Hosts) -> None:
    hosts.look()
    hosts.world.forget(["alpha"])
    assert hosts.world._hosts == {}


def test_an_answer_to_what_was_asked_before_it_was_forgotten_is_nobody_elses(heard: Hosts) -> None:
    heard.meanwhile = lambda: heard.world.forget(["alpha"])
    heard.world.changed("alpha", None)
    heard.look()
    assert heard.world.last("alpha") is None


# -- unseen ----------------------------------------------------------------------------------------


@pytest.fixture
def away(hosts: Hosts) -> Hosts:
    """Alpha could not be asked several times."""
    hosts.there["alpha"] = unseen("alpha")
    for _ in range(8):
        hosts.look()
        hosts.now += 1000
    hosts.look()
    hosts.asked.clear()
    return hosts


def test_a_host_that_could_not_be_asked_is_left_alone_for_a_while(away: Hosts) -> None:
    for _ in range(20):
        assert away.look() == unseen("alpha")
        away.look(fresh=True)
    assert away.asked == []
    away.now += 1000
    away.look()
    assert away.asked == ["alpha"]


def test_a_host_that_could_not_be_asked_is_unseen_and_never_what_it_was(heard: Hosts) -> None:
    heard.there["alpha"] = unseen("alpha")
    assert heard.look(fresh=True) == unseen("alpha")
    assert heard.look() == unseen("alpha")
    last = heard.world.last("alpha")
    assert last is not None
    assert not isinstance(last.observation, Seen)


def test_a_host_whose_stream_opens_is_there_again(away: Hosts) -> None:
    away.world.hears("alpha", is_open=True)
    away.look()
    assert away.asked == ["alpha"]


def test_a_person_who_doubts_has_even_a_host_asked_that_was_away(away: Hosts) -> None:
    away.world.doubt("alpha")
    away.look()
    assert away.asked == ["alpha"]


def test_a_host_that_answers_again_has_its_failures_forgotten(away: Hosts) -> None:
    away.there["alpha"] = seen("alpha", fs("tank/a"))
    away.now += 1000
    assert isinstance(away.look(), Seen)
    away.there["alpha"] = unseen("alpha")
    away.now += 1000
    away.look()
    away.asked.clear()
    away.now += 2.5
    away.look()
    assert away.asked == ["alpha"], "the first delay is two seconds at most"


# -- threads ---------------------------------------------------------------------------------------


def test_however_many_ask_a_host_is_asked_once_at_a_time() -> None:
    hosts, inside, most, lock = Hosts(), [0], [0], threading.Lock()
    gate = threading.Barrier(8)

    def meanwhile() -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.02)
        with lock:
            inside[0] -= 1

    def look() -> None:
        gate.wait(30)
        hosts.look()

    hosts.meanwhile = meanwhile
    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1]
    assert len(hosts.asked) <= 2, "who asked in the same moment shares the answer"


def test_while_one_host_takes_its_time_others_are_asked() -> None:
    hosts, gate, begun = Hosts(), threading.Event(), threading.Event()

    def meanwhile() -> None:
        if hosts.asked[-1] == "alpha":
            begun.set()
            gate.wait(30)

    hosts.meanwhile = meanwhile
    thread = threading.Thread(target=hosts.look)
    thread.start()
    assert begun.wait(30)
    assert hosts.look("vault") == hosts.there["vault"]
    gate.set()
    thread.join(30)


# -- what no event announced -----------------------------------------------------------------------


def late(hosts: Hosts) -> None:
    """Look once more when every event has had its time."""
    hosts.now += LATENESS + 1
    hosts.look(fresh=True)


def test_what_changed_and_was_never_announced_is_counted_once(heard: Hosts) -> None:
    heard.write("@~22:00,1 @~22:30,2")
    heard.look(fresh=True)
    assert heard.disagreements == 0
    late(heard)
    late(heard)
    assert heard.disagreements == 1


def test_an_event_may_come_a_little_later_than_the_look(heard: Hosts) -> None:
    heard.write("@~22:00,1 @~22:30,2")
    heard.look(fresh=True)
    heard.now += LATENESS - 1
    heard.world.changed("alpha", {"tank/a"})
    late(heard)
    assert heard.disagreements == 0


@pytest.mark.parametrize("what", [None, {"tank/a", "tank/b"}])
def test_what_was_announced_before_the_look_is_no_surprise(
    heard: Hosts, what: set[str] | None
) -> None:
    heard.write("@~22:00,1 @~22:30,2")
    heard.world.changed("alpha", what)
    heard.look()
    late(heard)
    assert heard.disagreements == 0


def test_an_event_for_another_filesystem_explains_nothing(heard: Hosts) -> None:
    heard.write("@~22:00,1 @~22:30,2")
    heard.world.changed("alpha", {"tank/b"})
    heard.look()
    late(heard)
    assert heard.disagreements == 1


def test_what_we_do_ourselves_is_no_surprise(heard: Hosts) -> None:
    heard.world.expect("alpha", ["tank/a"])
    heard.write("@~22:00,1 @~22:30,2")
    heard.look(fresh=True)
    heard.world.changed("alpha", ["tank/a"])
    heard.world.settled("alpha", ["tank/a"])
    heard.write("@~22:00,1 @~22:30,2 @~23:00,3")
    heard.look(fresh=True)
    late(heard)
    assert heard.disagreements == 0


def test_once_we_are_through_the_next_change_is_somebody_elses(heard: Hosts) -> None:
    heard.world.expect("alpha", ["tank/a"])
    heard.world.changed("alpha", ["tank/a"])
    heard.world.settled("alpha", ["tank/a"])
    heard.look()
    heard.write("@~22:00,1 @~22:30,2")
    heard.look(fresh=True)
    late(heard)
    assert heard.disagreements == 1


def test_two_of_our_runs_may_expect_the_same(heard: Hosts) -> None:
    heard.world.expect("alpha", ["tank/a"])
    heard.world.expect("alpha", ["tank/a"])
    heard.world.settled("alpha", ["tank/a"])
    heard.write("@~22:00,1 @~22:30,2")
    heard.look(fresh=True)
    late(heard)
    assert heard.disagreements == 0


def test_without_a_stream_nothing_is_a_surprise(hosts: Hosts) -> None:
    hosts.look()
    hosts.write("@~22:00,1 @~22:30,2")
    hosts.look(fresh=True)
    late(hosts)
    assert hosts.disagreements == 0


def test_a_stream_that_broke_can_have_lost_the_event(heard: Hosts) -> None:
    heard.write("@~22:00,1 @~22:30,2")
    heard.look(fresh=True)
    heard.world.hears("alpha", is_open=False)
    late(heard)
    assert heard.disagreements == 0


def test_a_host_that_was_away_in_between_is_no_surprise(heard: Hosts) -> None:
    there = heard.there["alpha"]
    heard.there["alpha"] = unseen("alpha")
    heard.look(fresh=True)
    heard.there["alpha"] = there
    heard.write("@~22:00,1 @~22:30,2")
    heard.world.doubt("alpha")
    heard.look()
    late(heard)
    assert heard.disagreements == 0


def pairs() -> Iterator[tuple[str, str, str, bool]]:
    yield "a hold", "@x,1", "@x,1,held=keep", False
    yield "a snapshot", "@x,1", "@x,1 @y,2", True
    yield "a name", "@x,1", "@y,1", True
    yield "a guid", "@x,1", "@x,2", True
    yield "a bookmark", "@x,1", "@x,1 #x,1", True


@pytest.mark.parametrize(("what", "before", "after", "counts"), list(pairs()))
def test_what_counts_as_a_change(what: str, before: str, after: str, counts: bool) -> None:  # noqa: FBT001
    del what
    found = changes(seen("h", fs("tank/a", before)), seen("h", fs("tank/a", after)))
    assert found == ({"tank/a"} if counts else set())


def test_filesystems_that_come_and_go_are_changes() -> None:
    one, other = seen("h", fs("tank/a")), seen("h", fs("tank/b"))
    assert changes(one, other) == {"tank/a", "tank/b"}
