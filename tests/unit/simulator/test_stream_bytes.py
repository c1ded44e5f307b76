import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.simulator import stream
from reconciler.simulator.model import Block, Partial
from reconciler.simulator.process import ChunkedInput
from reconciler.simulator.stream import Details, Header, Listing, Position, RawForm
from reconciler.simulator.stream_reader import Damaged, NoStream, Reader, Short
from reconciler.simulator.stream_writer import Writer, package, package_end
from reconciler.simulator.tokens import encode
from reconciler.zfs.tokens import decode_token
from reconciler.zfs.types import FilesystemKind
from tests.unit.zfs.test_tokens import CASES

FILES = {"f": Block(11, 300_000, 5), "g": Block(12, 0, 7), "h": Block(13, 10, 9)}
HEADER = Header(1, 2, "tank/a@s", 3, FilesystemKind.FILESYSTEM, frozenset({"compressok"}))


def written(header: Header, since: int | None) -> bytes:
    writer = Writer()
    data = writer.begin(header)
    data += b"".join(map(writer.record, stream.new_records(FILES, since)))
    return data + writer.end(stream.listing_of(FILES, 4096))


def test_a_stream_is_read_as_it_was_written() -> None:
    raw = RawForm("aes-256-gcm", "/k", "passphrase", 7, 6)
    details = Details(Position(2, 0), raw, {"atime": "off"}, {"a:b": "c"}, ("keep",))
    header = replace(HEADER, clone=True, resuming=True, details=details)
    reader = Reader(ChunkedInput(iter([written(header, 5)])))

    begun = reader.start()
    assert isinstance(begun, Header)
    assert replace(begun, details=reader.details()) == header
    records = [reader.next() for _ in range(4)]
    assert records == [
        stream.File(3, "g", 12, 0),
        stream.File(4, "h", 13, 10),
        stream.Part(4, 0, 10),
        Listing({"f": (11, 300_000), "g": (12, 0), "h": (13, 10)}, 4096),
    ]


def test_a_file_has_at_most_64_parts_which_make_up_all_of_it() -> None:
    for size in (0, 1, 131_072, 131_073, 1 << 30, (1 << 40) + 1):
        parts = list(stream.parts(size))
        assert len(parts) <= stream.MOST_PARTS
        assert sum(length for _, length in parts) == size
        assert all(a + n == b for (a, n), (b, _) in pairwise(parts))


def test_a_resumed_stream_begins_with_the_record_that_came_last() -> None:
    parts = list(stream.parts(300_000))
    start = Position(2, parts[1][0])
    found = list(stream.from_position(stream.new_records(FILES, None), start))
    assert found[:2] == [stream.File(2, "f", 11, 300_000), stream.Part(2, *parts[1])]


@given(st.data())
def test_a_changed_byte_is_always_noticed(data: st.DataObject) -> None:
    whole = bytearray(written(HEADER, None))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    reader = Reader(ChunkedInput(iter([bytes(whole)])))
    with pytest.raises((Damaged, NoStream)):  # noqa: PT012 - wherever it is noticed
        reader.start()
        reader.details()
        while not isinstance(reader.next(), Listing):
            pass


def test_a_package_has_a_beginning_and_an_end() -> None:
    data = package(stream.Package("tank/a@s", recursive=True)) + package_end()
    reader = Reader(ChunkedInput(iter([data])))
    assert reader.start() == stream.Package("tank/a@s", recursive=True)
    assert reader.start() == stream.PackageEnd()
    with pytest.raises(Short):
        reader.start()


@pytest.mark.parametrize("text", CASES, ids=["full", "incremental"])
def test_a_token_is_packed_byte_by_byte_as_openzfs_does(text: str) -> None:
    said = CASES[text]
    flags = frozenset(flag for flag in stream.TOKEN_FLAGS if getattr(said, flag))
    partial = Partial(
        said.toguid, said.toname, said.fromguid, {}, said.object, said.offset, said.bytes, flags
    )
    assert encode(partial) == text


@given(st.integers(1, 2**64 - 1), st.frozensets(st.sampled_from(stream.TOKEN_FLAGS)))
def test_a_token_says_what_it_was_made_of(toguid: int, flags: frozenset[str]) -> None:
    decoded = decode_token(encode(Partial(toguid, "tank/a@s 1", None, {}, 3, 4, 5, flags)))
    assert (decoded.toguid, decoded.toname, decoded.fromguid) == (toguid, "tank/a@s 1", None)
    assert (decoded.object, decoded.offset, decoded.bytes) == (3, 4, 5)
    assert {flag for flag in stream.TOKEN_FLAGS if getattr(decoded, flag)} == flags


def test_the_bytes_are_few_however_much_they_stand_for() -> None:
    writer = Writer()
    files = {"data": Block(1, 1 << 40, 1)}
    data = b"".join(map(writer.record, stream.new_records(files, None)))
    assert len(data) < 100_000
    assert re.search(rb"DATA", data)
