"""What is said, and hashed, of what other signers have filled in."""

import hashlib
from typing import Any

import pytest

from domain.agreement_field import AgreementField, FieldKind
from domain.agreement_shown import ShownField, shown_sha256


def shown(kind: str, value: Any, key: str = "a", signer: int = 1) -> ShownField:
    field = AgreementField(key, FieldKind(kind), signer, key.title(), 1, 0.1, 0.1, 0.3, 0.05)
    return ShownField(field, "Vera", is_done=True, value=value, salt="ab")


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("text", "CEO", "CEO"),
        ("date", "2026-03-02", "2026-03-02"),
        ("checkbox", True, True),
        ("checkbox", None, None),
        ("signature", {"typed": "V."}, {"signed_by": "Vera"}),
        ("initials", {"strokes": [[[0, 0]]]}, {"signed_by": "Vera"}),
        ("signature", None, None),
    ],
)
def test_a_value_is_said_and_a_mark_by_whom(kind: str, value: Any, said: Any) -> None:
    assert shown(kind, value).as_shown == said


def test_the_hash_is_of_canonical_json_by_position_and_key() -> None:
    fields = [
        shown("text", "é", "b", 2),
        shown("signature", {"typed": "V."}),
        shown("text", "x", "z"),
    ]
    text = (
        '{"1":{"name":"Vera","salt":"ab","values":{"a":{"signed_by":"Vera"},"z":"x"}},'
        '"2":{"name":"Vera","salt":"ab","values":{"b":"é"}}}'
    )
    assert shown_sha256(fields) == hashlib.sha256(text.encode()).hexdigest()
    assert shown_sha256(fields[::-1]) == shown_sha256(fields)
    assert shown_sha256([]) == hashlib.sha256(b"{}").hexdigest()
