import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audit_leaf import Leaf, canonical_json, commitment_of, instant_of, instant_text

SALT = bytes(range(32))
DETAILS = '{"actor_label":"Ana","details":{},"reason":"moved"}'
LEAF = Leaf(
    workspace="0190c3a4-0000-7000-8000-000000000001",
    id="0190c3a4-0000-7000-8000-000000000002",
    event="party.changed",
    actor="token:0190c3a4-0000-7000-8000-000000000003",
    at=datetime(2026, 3, 2, 9, 0, 0, 120, tzinfo=UTC),
    session=None,
    party="0190c3a4-0000-7000-8000-000000000004",
    subject="",
    commitment=commitment_of(SALT, DETAILS),
)
WRITTEN = (
    '{"actor":"token:0190c3a4-0000-7000-8000-000000000003","at":"2026-03-02T09:00:00.000120Z",'
    '"commitment":"7f52c5f46a5f90eafce4cc8488ed5e05d330b88322016d998466c5f1c3deba59",'
    '"event":"party.changed","id":"0190c3a4-0000-7000-8000-000000000002",'
    '"party":"0190c3a4-0000-7000-8000-000000000004","session":null,"subject":"","v":1,'
    '"workspace":"0190c3a4-0000-7000-8000-000000000001"}'
)


def test_the_form_of_a_leaf_never_changes() -> None:
    """Trees that were signed with the bytes of today have to verify for ever (N10)."""
    assert LEAF.canonical().decode() == WRITTEN


def test_a_leaf_comes_back_from_what_was_written() -> None:
    assert Leaf.of(json.loads(LEAF.canonical())) == LEAF


@given(st.text(st.characters(exclude_categories=["Cs"])), st.datetimes(timezones=st.just(UTC)))
def test_any_text_and_time_comes_back(subject: str, at: datetime) -> None:
    leaf = Leaf("w", "i", "e", "a", at, "s", None, subject, "c")
    assert Leaf.of(json.loads(leaf.canonical())) == leaf
    assert leaf.canonical().count(b"\n") == 0


def test_a_leaf_says_the_same_in_every_time_zone() -> None:
    away = LEAF.at.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert instant_text(away) == instant_text(LEAF.at) == "2026-03-02T09:00:00.000120Z"
    assert instant_of("2026-03-02T09:00:00.000120Z") == LEAF.at


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        instant_text(datetime(2026, 3, 2))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": 1.0},
        {"more": ""},
        {"event": None},
        {"session": 5},
        {"at": "2026-03-02T09:00:00Z"},
        {"at": "2026-03-02T09:00:00.00012Z"},
        {"at": "2026-03-02T10:00:00.000120+01:00"},
        {"at": 5},
    ],
)
def test_what_is_not_written_like_a_leaf_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Leaf.of(LEAF.as_json() | change)


def test_a_missing_member_is_refused() -> None:
    with pytest.raises(ValueError, match="not a leaf"):
        Leaf.of({name: value for name, value in LEAF.as_json().items() if name != "party"})


def test_the_commitment_is_to_the_salt_and_the_exact_text() -> None:
    assert commitment_of(SALT, DETAILS) == hashlib.sha256(SALT + DETAILS.encode()).hexdigest()
    assert commitment_of(SALT, DETAILS) != commitment_of(SALT, DETAILS.replace(":", ": "))
    assert commitment_of(SALT, DETAILS) != commitment_of(bytes(32), DETAILS)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_has_one_length_so_that_its_end_cannot_move(length: int) -> None:
    with pytest.raises(ValueError, match="32"):
        commitment_of(bytes(length), DETAILS)


def test_canonical_json_has_no_way_to_say_infinity() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"a": float("inf")})
    assert canonical_json({"b": "ü\u2028\x7f", "a": None}) == '{"a":null,"b":"ü\u2028\x7f"}'
