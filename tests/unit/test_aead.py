"""Records: Tink's format both ways, and nothing that was changed or moved opens (PS-28)."""

import hmac
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.aead import (
    KEY_BYTES,
    LARGEST_NUMBER,
    NONCE_BYTES,
    PREFIX_BYTES,
    TAG_BYTES,
    RecordKey,
    Undecipherable,
    associated,
    new_key,
    new_number,
    number_of,
    subkey,
)
from tests.rooms.tink import tink_record_key

PLACE = associated("workspace", "submission", "values", "row", "field")
numbers = st.integers(1, LARGEST_NUMBER)
keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
places = st.lists(st.text(max_size=12), min_size=1, max_size=6)


@settings(max_examples=60)
@given(numbers, keys, st.binary(max_size=400), st.binary(max_size=60))
def test_tink_opens_our_records_and_we_open_tinks(
    number: int, key: bytes, clear: bytes, place: bytes
) -> None:
    ours, oracle = RecordKey(number, key), tink_record_key(number, key)
    assert oracle.decrypt(ours.seal(clear, place), place) == clear
    assert ours.open(oracle.encrypt(clear, place), place) == clear
    assert number_of(oracle.encrypt(clear, place)) == number


def _flip(record: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(record))
    return record[:at] + bytes([record[at] ^ 1 << chance.randrange(8)]) + record[at + 1 :]


def _swap(record: bytes, chance: Random) -> bytes:
    one, other = sorted(chance.sample(range(len(record)), 2))
    changed = bytearray(record)
    changed[one], changed[other] = changed[other], changed[one]
    return bytes(changed)


def _mutants(record: bytes, other: bytes, chance: Random) -> list[bytes]:
    """Fifty-odd records that nobody sealed: flips, swaps, cuts, additions, and crosses of two."""
    cuts = [chance.randrange(len(record)) for _ in range(6)]
    body = PREFIX_BYTES + NONCE_BYTES
    crosses = [record[:at] + other[at:] for at in (body, -TAG_BYTES)]
    made = [_flip(record, chance) for _ in range(26)]
    made += [_swap(record, chance) for _ in range(12)]
    made += [record[:at] for at in cuts]
    made += crosses
    return [*made, record + chance.randbytes(1), chance.randbytes(1) + record, record + record]


def _elsewhere(parts: list[str], chance: Random) -> list[bytes]:
    """Places that are nearly this one: parts swapped, joined, cut elsewhere, added and left out."""
    at = chance.randrange(len(parts))
    text = parts[at]
    cut = chance.randint(0, len(text))
    near = [
        parts[::-1],
        parts[:at] + parts[at + 1 :],
        [*parts, ""],
        ["", *parts],
        ["".join(parts)],
        [*parts[:at], text[:cut], text[cut:], *parts[at + 1 :]],
        [*parts[:at], text + "x", *parts[at + 1 :]],
    ]
    bound = associated(*parts)
    bounds = [associated(*each) for each in near if each != parts]
    return [*bounds, _flip(bound, chance), bound[:-1], bound + b"\0", b""]


def _opens(key: RecordKey, record: bytes, place: bytes) -> bool:
    try:
        key.open(record, place)
    except Undecipherable:
        return False
    return True


def test_of_ten_thousand_swaps_and_bit_flips_none_is_accepted() -> None:
    tried = 0
    accepted: list[tuple[RecordKey, bytes, bytes]] = []

    @settings(max_examples=220)
    @given(numbers, keys, st.binary(max_size=64), places, st.integers(0, 2**64))
    def attack(number: int, raw: bytes, clear: bytes, parts: list[str], seed: int) -> None:
        nonlocal tried
        chance, key, place = Random(seed), RecordKey(number, raw), associated(*parts)
        record = key.seal(clear, place)
        assert key.open(record, place) == clear
        changed = _mutants(record, key.seal(clear + b"!", place), chance)
        attempts = [(key, each, place) for each in changed if each != record]
        attempts += [(key, record, each) for each in _elsewhere(parts, chance)]
        attempts.append((RecordKey(number, _flip(raw, chance)), record, place))
        attempts.append((RecordKey(number % LARGEST_NUMBER + 1, raw), record, place))
        tried += len(attempts)
        accepted.extend(each for each in attempts if _opens(*each))

    attack()
    assert accepted == []
    assert tried >= 10_000


@given(places, places)
def test_two_places_are_never_written_alike(one: list[str], other: list[str]) -> None:
    assert (associated(*one) == associated(*other)) == (one == other)


@pytest.mark.parametrize("length", range(PREFIX_BYTES + NONCE_BYTES + TAG_BYTES))
def test_what_is_too_short_for_a_record_is_none(length: int) -> None:
    with pytest.raises(Undecipherable):
        number_of(b"\1" * length)


def test_a_value_is_never_sealed_alike_twice() -> None:
    key = RecordKey(7, bytes(KEY_BYTES))
    assert len({key.seal(b"same", PLACE) for _ in range(100)}) == 100


def test_keys_are_of_full_length_and_hidden_from_texts() -> None:
    key = RecordKey(new_number(), new_key())
    assert len(key.key) == KEY_BYTES
    assert 1 <= key.number <= LARGEST_NUMBER
    assert repr(key) == f"RecordKey(number={key.number})"


def test_each_purpose_has_a_key_of_its_own() -> None:
    # RFC 5869, computed apart with HMAC: extract under a salt of zeros, then the first block.
    made = {subkey(bytes(KEY_BYTES), each) for each in ("field", "file", "temporal", "search")}
    assert len(made) == 4
    assert subkey(bytes(KEY_BYTES), "field") == _hkdf(bytes(KEY_BYTES), b"gatepass/field")


def _hkdf(key: bytes, purpose: bytes) -> bytes:
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, purpose + b"\1", "sha256")
