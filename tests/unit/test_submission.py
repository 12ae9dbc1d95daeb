"""The digest of a submission: the same for the same record, and for no other (N10)."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.submission import SALT_BYTES, submission_sha256

SALT = bytes(range(SALT_BYTES))
BODY: dict[str, Any] = {"name": "Größe", "number": 3, "choices": ["a", "b"], "none": None}
records = st.dictionaries(st.text(max_size=3), st.none() | st.integers(0, 9) | st.text(max_size=3))


def test_it_is_the_hash_of_canonical_json() -> None:
    text = (
        '{"body":{"choices":["a","b"],"name":"Größe","none":null,"number":3},'
        '"evidence":{"locale":"en"},"salt":"000102030405060708090a0b0c0d0e0f"}'
    )
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert submission_sha256(SALT, BODY, {"locale": "en"}) == expected
    assert submission_sha256(SALT, dict(reversed(BODY.items())), {"locale": "en"}) == expected


@given(records, records, records, records)
def test_another_record_has_another_digest(
    body: dict[str, Any], evidence: dict[str, Any], body2: dict[str, Any], evidence2: dict[str, Any]
) -> None:
    same = (body, evidence) == (body2, evidence2)
    both = submission_sha256(SALT, body, evidence), submission_sha256(SALT, body2, evidence2)
    assert (both[0] == both[1]) is same
    assert submission_sha256(bytes(SALT_BYTES), body, evidence) != both[0]


@pytest.mark.parametrize("salt", [b"", SALT[1:], SALT + b"x"])
def test_a_salt_has_its_length(salt: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        submission_sha256(salt, BODY, {})
