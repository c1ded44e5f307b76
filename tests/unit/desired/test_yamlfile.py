import time

import pytest

from reconciler.desired.document import Data, Scalar
from reconciler.desired.yamlfile import MAX_BYTES, MAX_FINDINGS, parse


def data(text: str) -> Data:
    parsed = parse("a.yaml", text.encode())
    assert not parsed.diagnostics
    (document,) = parsed.documents
    return document.data


def findings(content: bytes) -> list[str]:
    return list(map(str, parse("a.yaml", content).diagnostics))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("22:22", "22:22"),
        ("1:30", "1:30"),
        ("3.10", 3.1),
        ("3.10.1", "3.10.1"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        (".5", 0.5),
        (".", "."),
        ("2026-01-01", "2026-01-01"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("'true'", "true"),
        ('"3"', "3"),
        ("15m", "15m"),
        ("rec-# no comment", "rec-# no comment"),
        ("rec- # a comment", "rec-"),
        ("9" * 400, "9" * 400),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_scalars_stay_what_they_look_like(text: str, value: Scalar) -> None:
    read = data(f"a: {text}\n")
    assert read == {"a": value}
    assert isinstance(read, dict)
    assert type(read["a"]) is type(value)


def test_all_documents_of_a_file_are_read() -> None:
    parsed = parse("a.yaml", b"a: 1\n---\nb: [1, {c: d}]\n...\n---\ne: {}\n")
    assert [document.data for document in parsed.documents] == [
        {"a": 1},
        {"b": [1, {"c": "d"}]},
        {"e": {}},
    ]
    assert parsed.complete


def test_every_key_and_value_has_its_place() -> None:
    (document,) = parse("a.yaml", "a:\n  b: [x, {ä: y}]\n".encode()).documents
    places = {
        (): (1, 1),
        ("a",): (2, 3),
        ("a", "b"): (2, 6),
        ("a", "b", 0): (2, 7),
        ("a", "b", 1): (2, 10),
        ("a", "b", 1, "ä"): (2, 14),
        ("a", "missing", "deeper"): (2, 3),
        ("a", "b", 7): (2, 6),
    }
    for path, (line, column) in places.items():
        assert (document.at(path).line, document.at(path).column) == (line, column), path
    assert str(document.key(("a", "b", 1, "ä"))) == "a.yaml:2:11"
    assert str(document.key(("a",))) == "a.yaml:1:1"
    assert str(document.key(("a", "missing"))) == "a.yaml:2:3"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \x00\n", "a.yaml:2:4: control character U+0000. Specs are plain text files."),
        (b"a: \x1b[31m", "a.yaml:1:4: control character U+001B. Specs are plain text files."),
        (b"\x7fELF\x02\x01", "a.yaml:1:1: control character U+007F. Specs are plain text files."),
        (b"a: \xe9\n", "a.yaml:1:4: this is not UTF-8 text. Specs are UTF-8 YAML files."),
        (
            "# ä\nkind: x".encode("utf-16"),
            "a.yaml:1:1: this is not UTF-8 text. Specs are UTF-8 YAML files.",
        ),
        (b"#" * (MAX_BYTES + 1), "a.yaml:1:1: the file is larger than 1 MiB. Split it."),
    ],
    ids=["NUL", "escape", "binary", "latin-1", "utf-16", "too large"],
)
def test_what_is_no_text_is_refused(content: bytes, expected: str) -> None:
    assert findings(content) == [expected]


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    assert parse("a.yaml", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n").documents[0].data == {"a": 1, "b": 2}


def test_a_file_of_the_largest_size_is_read() -> None:
    filler = b"#" * (MAX_BYTES - 5)
    assert parse("a.yaml", b"a: 1\n" + filler).documents[0].data == {"a": 1}


def test_a_file_full_of_findings_is_given_up_on() -> None:
    parsed = parse("a.yaml", b"a: 1\n" * 100_000)
    assert len(parsed.diagnostics) == MAX_FINDINGS
    assert not parsed.complete


@pytest.mark.parametrize(
    "content",
    [
        b"a: " + b"[" * 500_000,
        b"[" * 500_000 + b"]" * 500_000,
        b"- " * 500_000,
        b"{a: " * 200_000,
        b"".join(b"k%d: &k%d [%s]\n" % (n, n, b"*k%d," % (n - 1) * 9) for n in range(1, 20_000)),
    ],
    ids=["brackets", "closed brackets", "dashes", "braces", "alias bomb"],
)
def test_hostile_files_cost_nothing(content: bytes) -> None:
    start = time.process_time()
    assert findings(content)
    assert time.process_time() - start < 6


def test_a_broken_document_is_marked_and_the_others_are_not() -> None:
    parsed = parse("a.yaml", b"a: 1\n---\na: 1\na: 2\n---\nb: [\n")
    assert [document.broken for document in parsed.documents] == [False, True]
    assert len(parsed.diagnostics) == 2
    assert not parsed.complete
