"""What a stream waits for beside what the plan says: what makes room for it."""

from dataclasses import replace

from reconciler.actions import Destroy
from reconciler.executor.order import Order
from tests.support.worlds import fs
from tests.unit.executor.test_ready import planned, send

[OLD], [CURSOR] = fs("backup/x", "@s,11").versions, fs("backup/x", "#c,11").versions
STREAM = planned(send("tank/a"))
ELSEWHERE = planned(replace(send("tank/b"), receiver_filesystem="other/b"))


def destroy(name: str, host: str = "vault") -> Destroy:
    return Destroy(host, name, (OLD,))


def test_a_stream_waits_for_all_that_makes_room_in_its_pool_and_for_nothing_else() -> None:
    first, second = planned(destroy("backup/x")), planned(destroy("backup/y"))
    order = Order([first, second, STREAM, ELSEWHERE])

    assert (order.is_free(STREAM), order.is_free(ELSEWHERE)) == (False, True)
    assert list(order.done(first)) == []
    assert list(order.over(second)) == [STREAM]
    assert order.is_free(STREAM)


def test_what_it_depends_on_is_waited_for_besides() -> None:
    first, needed = planned(destroy("backup/x")), planned(destroy("third/x", "alpha"))
    stream = planned(STREAM.action, needed.action)
    order = Order([first, needed, stream])

    assert list(order.over(first)) == []
    assert list(order.done(needed)) == [stream]


def test_neither_what_waits_itself_nor_other_places_nor_bookmarks_make_room() -> None:
    waits = planned(destroy("backup/y"), STREAM.action)
    others = [planned(destroy("other/x")), planned(destroy("backup/x", "alpha"))]
    mark = planned(Destroy("vault", "backup/x", (CURSOR,)))

    assert Order([*others, mark, STREAM, waits]).is_free(STREAM)
