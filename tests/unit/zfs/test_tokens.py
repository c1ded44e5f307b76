import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.zfs.tokens import ResumeToken, TokenError, decode_token

FULL = (
    "1-8eb26251c-b8-789c636064000310a500c4ec50360710e72765a52697303030439460caa7a515a7968064b4e0f2"
    "6c48f2499525a9c5405a435b07abfe92fcf4d2cc140686b4254e86fb5e8bd76b20c97382e5f31273538174625eb67"
    "ea243b12103020000cdef14ba"
)
INCREMENTAL = (
    "1-12049f82a5-120-789c636064000310a501c49c50360710a715e5e7a69766a63040815bca93ffae8f14fc15806c"
    "762475f94959a9c9250c0c2c507518f26969c5a92520192db83c1b927c5265496a3190bea1ae83557f493ec415c6c"
    "c2b7ed6f29a3e314092e704cbe725e6a602e9c4bc6cfdf4a2c4dcdcc422fdf2f27287a4cc74907912507360fe4ccd"
    "4d4a4dc9cf06dbc38d249e9c9f5b50945a5c0c94820300d40d28f9"
)

# What `zfs send -nvt TOKEN` said about them on OpenZFS 2.1.11.
CASES = {
    FULL: ResumeToken(
        toguid=0x7F17EBBE3142A466,
        fromguid=None,
        toname="tank/a@s1",
        bytes=0x2C2B28,
        object=0x3,
        offset=0x2A0000,
        compressok=False,
        embedok=False,
        largeblockok=False,
        rawok=False,
        savedok=False,
    ),
    INCREMENTAL: ResumeToken(
        toguid=0xE4350D7DF9A80333,
        fromguid=0x4F20E245FFE46446,
        toname="tank/grammar/www@big",
        bytes=0x2C27D8,
        object=0x4,
        offset=0x2A0000,
        compressok=True,
        embedok=True,
        largeblockok=False,
        rawok=False,
        savedok=False,
    ),
}


@pytest.mark.parametrize(("text", "token"), CASES.items(), ids=["full", "incremental"])
def test_a_token_says_offline_what_zfs_send_says_about_it(text: str, token: ResumeToken) -> None:
    assert decode_token(text) == token


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "form"),
        ("-", "form"),
        ("garbage", "form"),
        ("2" + FULL[1:], "form"),
        (FULL.upper(), "form"),
        (FULL + "\n", "form"),
        (FULL[:-1], "form"),
        (FULL[:-2], "not one whole zlib stream"),
        (FULL[:-8], "checksum"),
        ("1-abc-de-0011", "checksum"),
        (FULL.replace("-b8-", "-b9-"), "length is wrong"),
        (FULL.replace("-b8-", "-ffffffff-"), "too long"),
    ],
)
def test_what_is_no_whole_token_is_refused(text: str, reason: str) -> None:
    with pytest.raises(TokenError, match=reason):
        decode_token(text)


def _token(packed: bytes, compressed: bytes | None = None) -> str:
    """Make a token around a packed list, with the right checksum."""
    data = zlib.compress(packed) if compressed is None else compressed
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) // 4 * 4, 4)]
    return f"1-{sum(words):x}-{len(packed):x}-{data.hex()}"


def _packed(text: str) -> bytes:
    return zlib.decompress(bytes.fromhex(text.rsplit("-", 1)[1]))


def test_a_list_in_another_byte_order_is_read_too() -> None:
    def pair(name: bytes, kind: int, elements: int, value: bytes) -> bytes:
        head = 16 + len(name) + 1
        body = name + b"\0" + bytes(-head % 8) + value
        size = 16 + len(body)
        numbers = [(size, 4), (len(name) + 1, 2), (0, 2), (elements, 4), (kind, 4)]
        return b"".join(number.to_bytes(width, "big") for number, width in numbers) + body

    token = CASES[INCREMENTAL]
    numbers = ("fromguid", "object", "offset", "bytes", "toguid")
    pairs = [pair(name.encode(), 8, 1, getattr(token, name).to_bytes(8, "big")) for name in numbers]
    pairs.append(pair(b"toname", 9, 1, b"tank/grammar/www@big\0\0\0\0"))
    pairs += [pair(name, 1, 0, b"") for name in (b"rawok", b"largeblockok", b"savedok")]
    packed = b"\0\0\0\0" + bytes(8) + b"".join(pairs) + bytes(4)
    expected = replace(
        token, compressok=False, embedok=False, rawok=True, largeblockok=True, savedok=True
    )
    assert decode_token(_token(packed)) == expected


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "unknown encoding"),
        (b"\x01" + _packed(FULL)[1:], "unknown encoding"),
        (b"\x00\x07" + _packed(FULL)[2:], "unknown encoding"),
        (_packed(FULL)[:-4], "damaged"),
        (_packed(FULL)[:40], "damaged"),
        (_packed(FULL)[:12] + bytes(4), "does not say toguid"),
        (_packed(FULL).replace(b"toname", b"toNAME"), "does not say toname"),
        (_packed(FULL).replace(b"tank/a", b"tank/\xff"), "damaged"),
        (_packed(FULL).replace(b"\x09\0\0\0toname", b"\x07\0\0\0toname"), "unknown type 7"),
        (_packed(FULL)[:12] + b"\xff\xff\xff\xff" + bytes(40), "damaged"),
    ],
)
def test_a_list_that_is_not_one_is_refused(packed: bytes, reason: str) -> None:
    with pytest.raises(TokenError, match=reason):
        decode_token(_token(packed))


def test_bytes_that_are_no_zlib_stream_are_refused() -> None:
    with pytest.raises(TokenError, match="decompressed"):
        decode_token(_token(b"1234", b"12345678"))


@given(st.integers(0, len(FULL) - 1), st.sampled_from("0123456789abcdef-"))
def test_one_wrong_character_never_gives_another_token(at: int, character: str) -> None:
    changed = FULL[:at] + character + FULL[at + 1 :]
    try:
        token = decode_token(changed)
    except TokenError:
        return
    assert token == CASES[FULL]


@given(st.binary(max_size=80))
def test_any_list_is_read_or_refused(tail: bytes) -> None:
    try:
        decode_token(_token(_packed(FULL)[:12] + tail))
    except TokenError:
        return
