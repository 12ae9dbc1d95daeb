"""Sealed files: Tink's stream format both ways, and no byte of a changed file (PS-28)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from adapters.aead import TAG_BYTES, Undecipherable
from adapters.file_cipher import (
    CLEAR_BYTES,
    HEADER_BYTES,
    SEGMENT_BYTES,
    FileKey,
    SealedFile,
    clear_size,
    sealed,
    sealed_size,
)
from tests.rooms.tink import tink_opened, tink_sealed

KEY = FileKey(bytes(range(32)), b"here")
FIRST = CLEAR_BYTES - HEADER_BYTES
"""What fits into the first segment."""
BORDERS = [FIRST + count * CLEAR_BYTES + by for count in range(3) for by in (-1, 0, 1)]
SIZES = [0, 1, 39, 40, 41, 70_001, SEGMENT_BYTES, SEGMENT_BYTES + 40, *BORDERS, 3_670_017]
WHOLE = FIRST + 2 * CLEAR_BYTES + 300_000
"""A file of four segments, the last one short."""


@dataclass(frozen=True, slots=True)
class Held:
    """A sealed file in memory."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    async def read(self, start: int, end: int) -> bytes:
        return self.content[start:end]


async def _in_pieces(content: bytes, largest: int, chance: Random) -> AsyncIterator[bytes]:
    at = 0
    while at < len(content):
        size = chance.randint(0, largest)
        yield content[at : at + size]
        at += size


async def _seal(clear: bytes, key: FileKey = KEY, largest: int = 300_000) -> bytes:
    pieces = _in_pieces(clear, largest, Random(len(clear)))
    return b"".join([each async for each in sealed(key, pieces)])


async def _open(
    content: bytes, key: FileKey = KEY, start: int = 0, end: int | None = None
) -> bytes:
    file = await SealedFile.opened(Held(content), key)
    return b"".join([each async for each in file.chunks(start, end)])


@pytest.mark.parametrize("size", SIZES)
async def test_tink_opens_our_files_and_we_open_tinks(size: int) -> None:
    clear = Random(size).randbytes(size)
    ours = await _seal(clear)
    assert tink_opened(KEY.key, ours, KEY.bound_to) == clear
    theirs = tink_sealed(KEY.key, clear, KEY.bound_to)
    assert await _open(theirs) == await _open(ours) == clear
    assert len(ours) == len(theirs) == sealed_size(size)
    assert clear_size(len(ours)) == size


async def test_random_lengths_go_both_ways() -> None:
    chance = Random(47)
    for _ in range(12):
        clear = chance.randbytes(chance.randrange(3_500_000))
        assert tink_opened(KEY.key, await _seal(clear), KEY.bound_to) == clear
        assert await _open(tink_sealed(KEY.key, clear, KEY.bound_to)) == clear


@pytest.mark.parametrize("largest", [1_000, CLEAR_BYTES, 5_000_000])
async def test_how_the_stream_is_cut_does_not_matter(largest: int) -> None:
    clear = Random(1).randbytes(WHOLE)
    content = await _seal(clear, largest=largest)
    assert len(content) == sealed_size(WHOLE)
    assert await _open(content) == clear


async def test_any_range_of_a_file_can_be_read() -> None:
    chance = Random(2)
    clear = chance.randbytes(WHOLE)
    content = await _seal(clear)
    marks = [0, 1, *BORDERS, WHOLE - 1, WHOLE, WHOLE + 9]
    pairs = [(one, other) for one in marks for other in marks]
    pairs += [(chance.randrange(WHOLE), chance.randrange(WHOLE)) for _ in range(40)]
    for start, end in pairs:
        assert await _open(content, start=start, end=end) == clear[start:end]
    assert await _open(content, start=FIRST) == clear[FIRST:]


async def test_a_range_reads_what_it_needs_and_no_more() -> None:
    asked: list[tuple[int, int]] = []

    class Noting(Held):
        @override
        async def read(self, start: int, end: int) -> bytes:
            asked.append((start, end))
            return await Held.read(self, start, end)

    content = await _seal(bytes(9 * CLEAR_BYTES))
    file = await SealedFile.opened(Noting(content), KEY)
    asked.clear()
    assert [len(each) async for each in file.chunks(FIRST + 5, FIRST + 9)] == [4]
    assert asked == [(SEGMENT_BYTES, 2 * SEGMENT_BYTES)]


@given(st.integers(0, 2**42))
def test_the_sizes_agree(clear_bytes: int) -> None:
    assert clear_size(sealed_size(clear_bytes)) == clear_bytes


@pytest.mark.parametrize(
    "size",
    [
        0,
        HEADER_BYTES,
        HEADER_BYTES + TAG_BYTES - 1,
        # A further segment that holds nothing, or not even a tag.
        SEGMENT_BYTES + 1,
        SEGMENT_BYTES + TAG_BYTES,
        5 * SEGMENT_BYTES + TAG_BYTES,
    ],
)
async def test_a_size_that_no_file_has_is_refused(size: int) -> None:
    with pytest.raises(Undecipherable):
        clear_size(size)
    with pytest.raises(Undecipherable):
        await SealedFile.opened(Held(bytes(size)), KEY)


def test_a_file_has_no_more_segments_than_there_are_numbers() -> None:
    largest = 2**32 * SEGMENT_BYTES
    assert sealed_size(clear_size(largest)) == largest
    with pytest.raises(Undecipherable):
        clear_size(largest + TAG_BYTES + 1)


def _cut(content: bytes, chance: Random) -> bytes:
    borders = [count * SEGMENT_BYTES for count in (1, 2, 3)]
    return content[: chance.choice([*borders, chance.randrange(len(content)), len(content) - 1])]


def _extended(content: bytes, chance: Random) -> bytes:
    last = content[3 * SEGMENT_BYTES :]
    return content + chance.choice([b"\0", last, chance.randbytes(SEGMENT_BYTES)])


def _flipped(content: bytes, chance: Random) -> bytes:
    at = chance.choice([chance.randrange(len(content)), chance.randrange(HEADER_BYTES)])
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def _parts(content: bytes) -> list[bytes]:
    """The header, and the segments."""
    marks = [0, HEADER_BYTES, *range(SEGMENT_BYTES, len(content), SEGMENT_BYTES), len(content)]
    return [content[at:to] for at, to in pairwise(marks)]


def _swapped(content: bytes, chance: Random) -> bytes:
    parts = _parts(content)
    one, other = chance.choice([(2, 3), (1, 3), (1, 4), (2, 4)])
    parts[one], parts[other] = parts[other], parts[one]
    return b"".join(parts)


def _doubled(content: bytes, chance: Random) -> bytes:
    parts = _parts(content)
    at = chance.randint(1, 4)
    return b"".join([*parts[:at], parts[at], *parts[at:]])


def _replaced(content: bytes, chance: Random) -> bytes:
    parts = _parts(content)
    parts[3] = parts[2]
    return b"".join(parts)


def _left_out(content: bytes, chance: Random) -> bytes:
    parts = _parts(content)
    del parts[chance.randint(0, 4)]
    return b"".join(parts)


ATTACKS = [_cut, _extended, _flipped, _swapped, _doubled, _replaced, _left_out]


async def _released(content: bytes, key: FileKey) -> bytes:
    """What is given out of a file that must be refused."""
    released = bytearray()

    async def read() -> None:
        nonlocal released
        async for each in (await SealedFile.opened(Held(content), key)).chunks():
            released += each

    with pytest.raises(Undecipherable):
        await read()
    return bytes(released)


async def test_a_thousand_changed_files_are_refused() -> None:
    chance = Random(300)
    clear = chance.randbytes(WHOLE)
    content = await _seal(clear)
    borders = {0, FIRST, FIRST + CLEAR_BYTES, FIRST + 2 * CLEAR_BYTES}
    for count in range(1000):
        attack = ATTACKS[count % len(ATTACKS)]
        changed = attack(content, chance)
        assert changed != content
        released = await _released(changed, KEY)
        # Nothing of the bad segment, and of a file that ends elsewhere nothing at all.
        assert len(released) in borders
        assert clear.startswith(released)
        assert len(changed) == len(content) or not released


async def test_another_key_place_or_file_gives_nothing() -> None:
    content, other = await _seal(bytes(WHOLE)), await _seal(bytes(WHOLE))
    assert await _released(content, FileKey(bytes(32), KEY.bound_to)) == b""
    assert await _released(content, FileKey(KEY.key, b"there")) == b""
    assert await _released(content, FileKey(KEY.key, b"")) == b""
    assert await _released(content[:HEADER_BYTES] + other[HEADER_BYTES:], KEY) == b""
    moved = content[:SEGMENT_BYTES] + other[SEGMENT_BYTES : 2 * SEGMENT_BYTES]
    assert len(await _released(moved + content[2 * SEGMENT_BYTES :], KEY)) == FIRST


@pytest.mark.parametrize("given", [0, 15, 16, SEGMENT_BYTES - 1])
async def test_a_file_that_shrinks_while_it_is_read_is_refused(given: int) -> None:
    class Shrinking(Held):
        @override
        async def read(self, start: int, end: int) -> bytes:
            whole = start == 0 or end == self.size
            return self.content[start : end if whole else start + given]

    file = await SealedFile.opened(Shrinking(await _seal(bytes(WHOLE))), KEY)
    with pytest.raises(Undecipherable):
        await anext(file.chunks(FIRST))


@pytest.mark.parametrize("given", [0, 39, 41])
async def test_a_header_of_another_length_is_refused(given: int) -> None:
    class Odd(Held):
        @override
        async def read(self, start: int, end: int) -> bytes:
            return self.content[start : start + given if end == HEADER_BYTES else end]

    with pytest.raises(Undecipherable):
        await SealedFile.opened(Odd(await _seal(b"x")), KEY)


async def test_what_a_broken_stream_raises_is_passed_on() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(FIRST + 1)
        raise ConnectionResetError

    file = sealed(KEY, broken())
    given = await anext(file) + await anext(file)
    with pytest.raises(ConnectionResetError):
        await anext(file)
    # Without its last segment it opens nowhere.
    with pytest.raises(Undecipherable):
        await _open(given)


async def test_keys_and_clear_bytes_are_hidden_from_texts() -> None:
    file = await SealedFile.opened(Held(await _seal(b"iban")), KEY)
    assert repr(KEY) == "FileKey(bound_to=b'here')"
    assert "iban" not in repr(file)
    assert "AESGCM" not in repr(file)
