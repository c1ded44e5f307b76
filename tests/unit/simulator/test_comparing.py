"""How what two hosts said is made comparable."""

from collections import Counter

import pytest

from reconciler.zfs.types import Argv
from tests.support import compared, normal
from tests.support.compared import first_difference
from tests.support.normal import Names
from tests.support.reality import Answer, Asked
from tests.support.steps import Outcome, parse, shown
from tests.support.tokens import token

LIST: Argv = ("zfs", "list", "-H", "-p", "-o", "name,guid,createtxg,creation,written,x:one")


def test_guids_are_named_in_the_order_in_which_they_are_seen() -> None:
    names = Names()
    said = normal.stdout(
        LIST, "t/a@1\t99\t7\t1790000000\t0\t-\nt/a@2\t7\t9\t1790000000\t8\t7\n", names
    )
    assert said == "t/a@1\tG1\ttxg1\tTIME\t0\t-\nt/a@2\tG2\ttxg2\tTIME\tN\t7\n"
    again = normal.stdout(LIST, "t/a@2\t7\t9\t1790000000\t-\t-\n", names)
    assert again == "t/a@2\tG2\ttxg1\tTIME\t-\t-\n"


def test_transaction_groups_are_ranked_within_their_pool() -> None:
    rows = "a/x\t1\t50\t1\t0\t-\nb/x\t2\t7\t1\t0\t-\na/y\t3\t50\t1\t0\t-\na/z\t3\t12\t1\t0\t-\n"
    said = normal.stdout(LIST, rows, Names())
    assert [row.split("\t")[2] for row in said.splitlines()] == ["txg2", "txg1", "txg2", "txg1"]


def test_the_value_of_a_property_is_read_by_its_name() -> None:
    argv: Argv = ("zfs", "get", "-Hp", "-o", "name,property,value,source", "guid,written", "a")
    said = normal.stdout(argv, "a\tguid\t12\t-\na\twritten\t8192\t-\n", Names())
    assert said == "a\tguid\tG1\t-\na\twritten\tN\t-\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("full\tsrc/a@1\t624\nsize\t624\n", "full\tsrc/a@1\tN\nsize\tN\n"),
        ("12:13:14\t5000\tsrc/a@1\nsize\t0\n", "size\t0\n"),
        ("src/a@1\tkeep\tMon Nov 23 22:55 2026\n", "src/a@1\tkeep\tTIME\n"),
        ("\ttoguid = 0xc56ff9d5e8c1a2b3\n\tbytes = 0x1f\n", "\ttoguid = G1\n\tbytes = N\n"),
        ("would reclaim 4.02M\n", "would reclaim N\n"),
        ("received 2.01M stream in 1 seconds (2.01M/sec)\n", "received N stream\n"),
    ],
)
def test_amounts_and_times_are_left_out(text: str, expected: str) -> None:
    assert normal.plain(text, Names()) == expected


def test_a_token_is_read() -> None:
    said = normal.plain(f"zfs send -t {token(5, 4, toname='t/a@1')}", Names())
    assert said == "zfs send -t TOKEN(G1 to G2 t/a@1 compressok)"


@pytest.mark.parametrize("statuses", [(0, 1), (141, 1)])
def test_when_a_sender_notices_that_nobody_reads_does_not_count(statuses: tuple[int, int]) -> None:
    step = parse("zfs send a@1 | zfs receive b")
    said = Answer(Outcome("", ("", "no\n"), statuses))
    other = Answer(Outcome("", ("warning: cannot send 'a@1': Broken pipe\n", "no\n"), (1, 1)))
    assert first_difference([Asked(step)], [said], [other]) is None


def test_a_sender_that_refuses_counts() -> None:
    step = parse("zfs send a@1 | zfs receive b")
    said = Answer(Outcome("", ("", "no\n"), (0, 1)))
    other = Answer(Outcome("", ("cannot open 'a@1'\n", "no\n"), (1, 1)))
    found = first_difference([Asked(step)], [said], [other])
    assert found is not None
    assert found.number == 0
    assert "real:        2| cannot open 'a@1'" in str(found)


def test_equal_forms_use_up_no_acceptance() -> None:
    hits: Counter[str] = Counter()
    assert compared.agree("the same", "the same", hits)
    assert not hits


@pytest.mark.parametrize(
    "line",
    [
        "zfs snapshot 'src/a@sp ace'",
        "zfs send -t {t1} | cut 0.5 | zfs receive -s dst/a",
        "zfs set x:one= 'src/b|c' ''",
        "zfs create 'src/é'",
    ],
)
def test_a_step_that_is_shown_reads_back(line: str) -> None:
    assert shown(parse(line)) == line
